package wire

import (
	"errors"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// window is the trySink of a connection in memory, which takes as much as the test lets it.
type window struct {
	client *memConn
	room   int    // bytes that it takes
	err    error  // what it fails with instead
	during func() // runs before try returns
	tries  int
}

func (w *window) try(b []byte) (int, error) {
	w.tries++
	if w.err != nil {
		return 0, w.err
	}
	n := min(len(b), w.room)
	w.client.out.write(b[:n])
	if w.during != nil {
		w.during()
	}
	return n, nil
}

// connectDirect is connect with a connection that can be written to directly.
func connectDirect(t *testing.T, cfg *Config) (*Conn, *broker, *window, chan end) {
	conn, b, ended := connect(t, cfg)
	w := &window{client: conn.sock.(*memConn), room: 1 << 20}
	conn.direct = w
	return conn, b, w, ended
}

// small returns a Produce call that may be written directly. Its Done must not be called inside Send.
func small(t *testing.T, done chan *Call, records string) *Call {
	call := produce(done, records)
	call.SizeHint = len(records) + 100
	call.Done = func(call *Call) {
		if strings.Contains(string(debug.Stack()), "wire.(*Conn).Send") {
			t.Error("Done was called inside Send")
		}
		done <- call
	}
	return call
}

// recordsOf returns what a Produce request carries for its one partition.
func recordsOf(req protocol.Request) string {
	return string(req.(*protocol.ProduceRequest).Topics[0].Partitions[0].Records[0])
}

// With nothing in its way a small call is on the wire when Send returns, and writeLoop has not been troubled. Calls that
// writeLoop writes come before and after it, in the order of Send.
func TestSmallCallIsWrittenBySend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, w, _ := connectDirect(t, testConfig())
		arrived := b.conn.(*memConn).in
		done := make(chan *Call, 5)
		var last protocol.RequestHeader
		for i := range 5 {
			call := small(t, done, "records")
			direct := i%2 == 0
			if !direct {
				call.SizeHint = 0
			}
			before := 0
			call.Before = func(version int16) { before += int(version) }
			writes := w.client.writes
			synctest.Wait() // writeLoop has come to rest
			send(t, conn, call)
			if direct && (arrived.len() == 0 || before != 12 || w.client.writes != writes) {
				t.Errorf("call %d: after Send %d bytes have arrived, Before got %d, writeLoop has written %d times; want all, 12, 0",
					i, arrived.len(), before, w.client.writes-writes)
			}
			if w.tries != (i+2)/2 {
				t.Errorf("call %d: %d direct writes, want %d", i, w.tries, (i+2)/2)
			}
			h, req := b.want()
			if recordsOf(req) != "records" || i > 0 && h.CorrelationID != last.CorrelationID+1 {
				t.Errorf("call %d: %q under correlation id %d, after %d", i, recordsOf(req), h.CorrelationID, last.CorrelationID)
			}
			last = h
			time.Sleep(time.Second)
			b.answer(h, &protocol.ProduceResponse{})
			if call := <-done; call.Err != nil || !call.Written || call.RequestSize < 40 || call.DoneAt.Sub(call.WrittenAt) != time.Second {
				t.Errorf("call %d: %v, written %v, %d bytes, %v before it was done; want nil, true, 45, 1s",
					i, call.Err, call.Written, call.RequestSize, call.DoneAt.Sub(call.WrittenAt))
			}
		}
	})
}

// What is in the way of a direct write: then the call waits its turn, and is written all the same.
func TestNotWrittenDirectly(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(conn *Conn, call *Call)
	}{
		{"size unknown", func(_ *Conn, call *Call) { call.SizeHint = 0 }},
		{"large", func(_ *Conn, call *Call) { call.SizeHint = maxDirect + 1 }},
		{"no way to", func(conn *Conn, _ *Call) { conn.direct = nil }},
		{"no answer, so that Done comes with the write", func(_ *Conn, call *Call) { call.Response = nil }},
		{"throttled", func(conn *Conn, _ *Call) {
			conn.mu.Lock()
			defer conn.mu.Unlock()
			conn.throttledUntil = time.Now().Add(time.Minute)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, b, w, _ := connectDirect(t, testConfig())
				done := make(chan *Call, 1)
				call := small(t, done, "records")
				c.prepare(conn, call)
				begin, until := time.Now(), conn.ThrottledUntil()
				send(t, conn, call)
				if w.tries != 0 {
					t.Error("it was written directly")
				}
				h, _ := b.want()
				if call.Response != nil {
					b.answer(h, &protocol.ProduceResponse{})
				}
				if <-done; call.Err != nil || call.WrittenAt.Before(until) {
					t.Errorf("call: %v, written after %v", call.Err, call.WrittenAt.Sub(begin))
				}
			})
		})
	}
}

// When the throttling is over, calls are written directly again; those that it had held up go first.
func TestDirectAgainAfterThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, w, _ := connectDirect(t, testConfig())
		done := make(chan *Call, 5)
		send(t, conn, small(t, done, "0"))
		h, _ := b.want()
		b.answer(h, &protocol.ProduceResponse{ThrottleTime: time.Minute})
		<-done
		send(t, conn, small(t, done, "1"))
		time.Sleep(time.Minute - 1)
		send(t, conn, small(t, done, "2"))
		if got := b.conn.(*memConn).in.len(); got != 0 || w.tries != 1 {
			t.Errorf("%d bytes were written while throttled, %d directly, want 0 and only the first call", got, w.tries)
		}
		time.Sleep(time.Second)
		send(t, conn, small(t, done, "3"))
		for _, want := range []string{"1", "2", "3"} {
			if _, req := b.want(); recordsOf(req) != want {
				t.Errorf("got call %s, want %s", recordsOf(req), want)
			}
		}
		if w.tries != 2 {
			t.Errorf("%d direct writes, want the first and the last call", w.tries)
		}
	})
}

// A version that the broker lacks fails the call, and not inside Send.
func TestUnsupportedVersionIsNotWrittenDirectly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _, w, _ := connectDirect(t, testConfig())
		done := make(chan *Call, 1)
		call := small(t, done, "x")
		call.MaxVersion = 2
		send(t, conn, call)
		var unsupported *UnsupportedVersionError
		if <-done; !errors.As(call.Err, &unsupported) || w.tries != 0 {
			t.Errorf("got %v after %d direct writes, want an UnsupportedVersionError after none", call.Err, w.tries)
		}
	})
}

// Behind a group that is being written, and behind calls that wait, nothing is written directly.
func TestNoDirectWriteIntoAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, w, _ := connectDirect(t, testConfig())
		release := w.client.hold(false)
		done := make(chan *Call, 5)
		first := small(t, done, "0")
		first.SizeHint = 0
		send(t, conn, first)
		synctest.Wait() // it is being written
		send(t, conn, small(t, done, "1"), small(t, done, "2"))
		if got := b.conn.(*memConn).in.len(); got != 0 {
			t.Errorf("%d bytes were written past the group, want 0", got)
		}
		release()
		for _, want := range []string{"0", "1", "2"} {
			if _, req := b.want(); recordsOf(req) != want {
				t.Errorf("got call %s, want %s", recordsOf(req), want)
			}
		}
	})
}

// A call that waits goes first, though writeLoop has not woken up for it yet.
func TestNoDirectWritePastACallThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, w, _ := connectDirect(t, testConfig())
		done := make(chan *Call, 2)
		conn.mu.Lock()
		conn.unanswered++
		conn.waiting.push(small(t, done, "0"))
		conn.mu.Unlock()
		send(t, conn, small(t, done, "1"))
		for _, want := range []string{"0", "1"} {
			if _, req := b.want(); recordsOf(req) != want {
				t.Errorf("got call %s, want %s", recordsOf(req), want)
			}
		}
		if w.tries != 0 {
			t.Errorf("%d direct writes, want 0", w.tries)
		}
	})
}

// Two send at once, as on the connection for control requests: one writes directly, the other waits until it has.
func TestTwoSendAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, w, _ := connectDirect(t, testConfig())
		done := make(chan *Call, 2)
		first, second := small(t, done, "1"), small(t, done, "2")
		w.during = func() {
			w.during = nil
			send(t, conn, second)
			time.Sleep(time.Second) // writeLoop wakes up, and finds that it is not its turn
		}
		begin := time.Now()
		send(t, conn, first)
		for _, want := range []string{"1", "2"} {
			h, req := b.want()
			if recordsOf(req) != want {
				t.Errorf("got call %s, want %s", recordsOf(req), want)
			}
			b.answer(h, &protocol.ProduceResponse{})
			<-done
		}
		if first.WrittenAt != begin || second.WrittenAt != begin.Add(time.Second) || w.tries != 1 {
			t.Errorf("written after %v and %v, %d directly, want 0, 1s, 1",
				first.WrittenAt.Sub(begin), second.WrittenAt.Sub(begin), w.tries)
		}
	})
}
