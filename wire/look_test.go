package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// frozen is a connection whose reader is late: what has come lies in the socket until then.
type frozen struct {
	net.Conn
	until   time.Time
	refused atomic.Bool // Write fails
}

func (f *frozen) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	time.Sleep(time.Until(f.until))
	return n, err
}

func (f *frozen) Write(b []byte) (int, error) {
	if f.refused.Load() {
		return 0, io.ErrClosedPipe
	}
	return f.Conn.Write(b)
}

// freeze connects over a frozen connection, whose socket says what there says, where it is set.
func freeze(t *testing.T, there func() bool) (*Conn, *broker, *frozen, chan end) {
	cfg := testConfig()
	client, server := newMemPair()
	f := &frozen{Conn: client}
	cfg.DialContext = func(context.Context, string, string) (net.Conn, error) { return f, nil }
	c, b, ended := dialed(t, cfg, &broker{t, server})
	c.mu.Lock()
	c.unread = there
	c.mu.Unlock()
	return c, b, f, ended
}

// What lies in the socket when a call's time is over is taken first: answers, and the end of the stream.
func TestWhatLiesInTheSocketCountsBeforeTheClock(t *testing.T) {
	for _, c := range []struct {
		name     string
		answered int // of two calls
		hangUp   bool
		want     error // of the second call
	}{
		{"both answers", 2, false, nil},
		{"one answer, and then the end", 1, true, io.EOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, b, f, ended := freeze(t, func() bool { return true })
				f.until = time.Now().Add(30*time.Second + 90*time.Millisecond)
				done := make(chan *Call, 2)
				send(t, conn, initID(done), initID(done))
				for i := range 2 {
					if h, _ := b.want(); i < c.answered {
						b.answer(h, &protocol.InitProducerIDResponse{})
					}
				}
				if c.hangUp {
					b.conn.Close()
				}
				if call := <-done; call.Err != nil {
					t.Errorf("first call: %v, want its answer", call.Err)
				}
				call := <-done
				if !errors.Is(call.Err, c.want) || c.want == nil && call.Err != nil || errors.Is(call.Err, ErrTimeout) {
					t.Errorf("second call: %v, want %v", call.Err, c.want)
				}
				if c.hangUp {
					if e := <-ended; errors.Is(e.err, ErrTimeout) || !errors.Is(e.err, io.EOF) {
						t.Errorf("the connection ended with %v, want EOF", e.err)
					}
				} else if len(ended) > 0 {
					t.Errorf("the connection ended: %v", (<-ended).err)
				}
			})
		})
	}
}

// A look has its end, whatever drips in.
func TestADripPostponesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		conn, b, _, ended := freeze(t, func() bool { return time.Since(begin) < 40*time.Second })
		done := make(chan *Call, 1)
		send(t, conn, initID(done))
		h, _ := b.want()
		time.Sleep(30 * time.Second)
		go func() {
			for _, part := range protocol.AppendResponse(nil, h.Version, h.CorrelationID, &protocol.InitProducerIDResponse{}) {
				b.conn.Write([]byte{part})
				time.Sleep(20 * time.Millisecond)
			}
		}()
		if call := <-done; !errors.Is(call.Err, ErrTimeout) {
			t.Errorf("call: %v, want a timeout", call.Err)
		}
		if got := (<-ended).at.Sub(begin); got != 30*time.Second+lookTime {
			t.Errorf("closed after %v, want 30s and one look", got)
		}
		time.Sleep(time.Second)
	})
}

// A socket in which nothing lies, and whose reader waits for more, is not looked at for long.
func TestALookAtNothingIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _, _, ended := freeze(t, func() bool { return false })
		done := make(chan *Call, 1)
		begin := time.Now()
		send(t, conn, initID(done))
		if got := (<-ended).at.Sub(begin); got != 30*time.Second+lookTick {
			t.Errorf("closed after %v, want 30s and a tick", got)
		}
	})
}

// A socket that cannot be asked is given the time all the same, if the timer was late: then the process has stood still.
func TestATimerThatWasLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, f, ended := freeze(t, nil)
		done := make(chan *Call, 1)
		send(t, conn, initID(done))
		h, _ := b.want()
		f.until = time.Now().Add(50*time.Second + 50*time.Millisecond)
		b.answer(h, &protocol.InitProducerIDResponse{})
		conn.mu.Lock()
		conn.timer.Stop()
		conn.mu.Unlock()
		time.Sleep(50 * time.Second)
		conn.onTimer()
		if call := <-done; call.Err != nil {
			t.Errorf("call: %v, want its answer", call.Err)
		}
		if len(ended) > 0 {
			t.Errorf("the connection ended: %v", (<-ended).err)
		}
	})
}

// A write that fails says that the other end has gone. What it has answered before is taken.
func TestAnswersAreTakenAfterAFailedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, f, ended := freeze(t, nil)
		done := make(chan *Call, 2)
		answered, failed := initID(done), initID(done)
		send(t, conn, answered)
		h, _ := b.want()
		begin := time.Now()
		f.until = begin.Add(50 * time.Millisecond)
		b.answer(h, &protocol.InitProducerIDResponse{})
		f.refused.Store(true)
		send(t, conn, failed)
		synctest.Wait()
		if conn.Send(initID(done)) {
			t.Error("a connection that cannot be written to takes a call")
		}
		<-done
		<-done
		if answered.Err != nil || !errors.Is(failed.Err, io.ErrClosedPipe) {
			t.Errorf("calls: %v and %v, want the answer, and the failure of the write", answered.Err, failed.Err)
		}
		if got := (<-ended).at.Sub(begin); got != lookTime {
			t.Errorf("closed after %v, want one look", got)
		}
	})
}

// A socket can be asked what lies in it while somebody reads from it, and keeps what lies in it.
func TestUnread(t *testing.T) {
	client, server := tcpPair(t)
	there := newUnread(client)
	if there == nil {
		t.Skip("no socket can be asked here")
	}
	if there() {
		t.Error("something lies in an empty socket")
	}
	soon := func() bool {
		for range 5000 {
			if there() {
				return true
			}
			time.Sleep(time.Millisecond)
		}
		return false
	}
	if server.Write([]byte("answer")); !soon() {
		t.Error("bytes that have come are not seen")
	}
	got := make([]byte, 6)
	if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, []byte("answer")) || there() {
		t.Errorf("read %q, %v; or more is there", got, err)
	}
	if server.Close(); !soon() {
		t.Error("the end of the stream is not seen")
	}
}
