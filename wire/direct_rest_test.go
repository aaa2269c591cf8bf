package wire

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// What the socket does not take at once, be it all, goes out from where it stopped, before anything else, and is answered like
// any other call.
func TestRestOfADirectWriteGoesFirst(t *testing.T) {
	for _, room := range []int{0, 1, 3, 4, 40, 1038} {
		synctest.Test(t, func(t *testing.T) {
			conn, b, w, _ := connectDirect(t, testConfig())
			w.room = room
			release := w.client.hold(false)
			done := make(chan *Call, 3)
			records := strings.Repeat("r", 1000)
			first, second, silent := small(t, done, records), small(t, done, "second"), small(t, done, "silent")
			silent.Response = nil
			silent.Request.(*protocol.ProduceRequest).Acks = 0
			begin := time.Now()
			send(t, conn, first)
			synctest.Wait() // writeLoop has the rest, and cannot write it
			send(t, conn, second, silent)
			if got := b.conn.(*memConn).in.len(); got != room || w.tries != 1 {
				t.Errorf("room for %d: %d bytes in %d direct writes", room, got, w.tries)
			}
			time.Sleep(time.Second)
			release()
			for _, want := range []string{records, "second", "silent"} {
				h, req := b.want()
				if recordsOf(req) != want {
					t.Fatalf("room for %d: got %.10q, want %.10q", room, recordsOf(req), want)
				}
				if want != "silent" {
					b.answer(h, &protocol.ProduceResponse{})
				}
			}
			for range 3 {
				if call := <-done; call.Err != nil || !call.Written {
					t.Errorf("room for %d: %v, written %v, want nil, true", room, call.Err, call.Written)
				}
			}
			if first.RequestSize != 1039 || first.WrittenAt != begin || second.WrittenAt != begin.Add(time.Second) {
				t.Errorf("room for %d: %d bytes, written after %v, the second after %v; want 1039, 0, 1s",
					room, first.RequestSize, first.WrittenAt.Sub(begin), second.WrittenAt.Sub(begin))
			}
			synctest.Wait()
			send(t, conn, small(t, done, "third"))
			if w.tries != 2 {
				t.Errorf("room for %d: the next call was not tried directly", room)
			}
		})
	}
}

// An answer that comes while the rest is being written counts when that is done, and not before.
func TestAnswerDuringTheRestOfADirectWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, w, _ := connectDirect(t, testConfig())
		w.room = 10
		release := w.client.hold(false)
		done := make(chan *Call, 1)
		send(t, conn, small(t, done, "records"))
		b.answer(protocol.RequestHeader{Version: 12, CorrelationID: conn.firstID}, &protocol.ProduceResponse{})
		time.Sleep(10 * time.Second)
		if len(done) != 0 {
			t.Error("done while the write has not returned")
		}
		release()
		if call := <-done; call.Err != nil || call.DoneAt.Sub(call.WrittenAt) != 10*time.Second {
			t.Errorf("call: %v after %v, want nil after 10s", call.Err, call.DoneAt.Sub(call.WrittenAt))
		}
	})
}

// So does an answer that is quicker than the return from the direct write itself.
func TestAnswerDuringADirectWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, w, _ := connectDirect(t, testConfig())
		done := make(chan *Call, 1)
		w.during = func() {
			h, _ := b.want()
			b.answer(h, &protocol.ProduceResponse{})
			time.Sleep(time.Second)
			if len(done) != 0 {
				t.Error("done while the write has not returned")
			}
		}
		send(t, conn, small(t, done, "records"))
		if call := <-done; call.Err != nil {
			t.Errorf("call: %v", call.Err)
		}
	})
}

// An error of the direct write ends the connection as that of any write: the call is done once, by a loop, and says whether
// some of it may have arrived. So do those that came meanwhile.
func TestErrorOfADirectWrite(t *testing.T) {
	for _, c := range []struct {
		name    string
		room    int   // of the direct write
		direct  error // of it
		rest    int   // bytes of the rest before it fails
		written bool
	}{
		{"at once", 0, errors.New("broken pipe"), 0, false},
		{"rest of all", 0, nil, 0, false},
		{"rest of all, a byte on", 0, nil, 1, true},
		{"rest of a part", 1, nil, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, _, w, ended := connectDirect(t, testConfig())
				w.room, w.err = c.room, c.direct
				conn.out = failingSink{c.rest}
				done := make(chan *Call, 2)
				call := small(t, done, "records")
				call.Before = func(int16) { send(t, conn, small(t, done, "second")) }
				send(t, conn, call)
				end := <-ended
				if <-done != call || !errors.Is(call.Err, ErrClosed) || call.Written != c.written {
					t.Errorf("call: %v, written %v, want closed, %v", call.Err, call.Written, c.written)
				}
				if second := <-done; !errors.Is(second.Err, ErrClosed) || second.Written {
					t.Errorf("second call: %v, written %v, want closed, false", second.Err, second.Written)
				}
				if !strings.Contains(end.err.Error(), "broken pipe") || !strings.Contains(call.Err.Error(), "broken pipe") {
					t.Errorf("ended with %v, call with %v, want a broken pipe", end.err, call.Err)
				}
				if conn.Send(small(t, done, "third")) {
					t.Error("Send after the error: got true, want false")
				}
			})
		})
	}
}

// Pitfall 11 again: whatever ends the connection while a direct write is busy, or its rest, the call is done only after.
func TestDoneWaitsForTheDirectWrite(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*Conn, *broker)
	}{
		{"close", func(c *Conn, _ *broker) { c.Close(nil) }},
		{"hang-up", func(_ *Conn, b *broker) { b.conn.(*memConn).out.close(errors.New("reset")) }},
		{"garbage", func(_ *Conn, b *broker) { b.conn.Write([]byte("garbage")) }},
		{"timeout", func(*Conn, *broker) { time.Sleep(31 * time.Second) }},
	} {
		during := func(f func(conn *Conn, w *window, call *Call, busy func()), written bool) {
			synctest.Test(t, func(t *testing.T) {
				conn, b, w, ended := connectDirect(t, testConfig())
				done := make(chan *Call, 1)
				call := small(t, done, "records")
				f(conn, w, call, func() {
					c.end(conn, b)
					time.Sleep(time.Hour)
					if len(done) != 0 || len(ended) != 0 {
						t.Error("the call is done, or the connection has ended, while Send is writing")
					}
				})
				<-done
				<-ended
				if call.Err == nil || call.Written != written || call.WrittenAt.IsZero() == written {
					t.Errorf("call: %v, written %v at %v, want an error, %v", call.Err, call.Written, call.WrittenAt, written)
				}
			})
		}
		if c.name != "timeout" { // whose time has not begun
			t.Run(c.name+" before the write", func(t *testing.T) {
				during(func(conn *Conn, w *window, call *Call, busy func()) {
					call.Before = func(int16) { busy() }
					send(t, conn, call)
				}, false)
			})
		}
		t.Run(c.name+" during the write", func(t *testing.T) {
			during(func(conn *Conn, w *window, call *Call, busy func()) {
				w.during = busy
				send(t, conn, call)
			}, true)
		})
		t.Run(c.name+" during the rest", func(t *testing.T) {
			during(func(conn *Conn, w *window, call *Call, busy func()) {
				w.room = 10
				release := w.client.hold(true)
				send(t, conn, call)
				synctest.Wait()
				busy()
				release()
			}, true)
		})
	}
}
