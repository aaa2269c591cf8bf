package wire

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// An answer just before the timeout counts; at the timeout the connection is over, with all its calls.
func TestRequestTimeout(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration
		late  bool
	}{
		{"just before", 30*time.Second - 1, false},
		{"just after", 30*time.Second + 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, b, ended := connect(t, testConfig())
				done := make(chan *Call, 1)
				begin := time.Now()
				send(t, conn, initID(done))
				h, _ := b.want()
				time.Sleep(c.after)
				b.answer(h, &protocol.InitProducerIDResponse{})
				call := <-done
				if got := errors.Is(call.Err, ErrTimeout); got != c.late {
					t.Errorf("timed out: %v (%v), want %v", got, call.Err, c.late)
				}
				if !c.late {
					return
				}
				end := <-ended
				if !errors.Is(end.err, ErrTimeout) {
					t.Errorf("onClose got %v, want a timeout", end.err)
				}
				if got := end.at.Sub(begin); got != 30*time.Second {
					t.Errorf("closed after %v, want exactly 30s", got)
				}
			})
		})
	}
}

// The call that timed out says so; the younger ones say that the connection is closed, and that they may have arrived.
func TestTimeoutResolvesTheOthersAsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _, _ := connect(t, testConfig())
		done := make(chan *Call, 2)
		old, young := initID(done), initID(done)
		send(t, conn, old)
		time.Sleep(10 * time.Second)
		send(t, conn, young)
		if call := <-done; call != old || !errors.Is(call.Err, ErrTimeout) || errors.Is(call.Err, ErrClosed) || !call.Written {
			t.Errorf("old call: %v, written %v, want a timeout, true", call.Err, call.Written)
		}
		if call := <-done; call != young || errors.Is(call.Err, ErrTimeout) || !errors.Is(call.Err, ErrClosed) || !call.Written {
			t.Errorf("young call: %v, written %v, want closed, true", call.Err, call.Written)
		}
	})
}

// A call may have a time of its own, also a shorter one than an older call's.
func TestTimeoutOfOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _, ended := connect(t, testConfig())
		done := make(chan *Call, 2)
		begin := time.Now()
		short := initID(done)
		short.Timeout = 2 * time.Second
		send(t, conn, initID(done), short)
		end := <-ended
		if got := end.at.Sub(begin); got != 2*time.Second || !errors.Is(short.Err, ErrTimeout) {
			t.Errorf("closed after %v, short call: %v, want 2s and a timeout", got, short.Err)
		}
	})
}

// The clock of a call starts with its write, not with Send; and it runs while the write is blocked.
func TestTimeoutOfABlockedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, ended := connect(t, testConfig())
		b.conn.(*memConn).in.setLimit(100) // the broker reads nothing, and its buffer is small
		done := make(chan *Call, 3)
		begin := time.Now()
		blocked, silent, waiting := produce(done, string(make([]byte, 1000))), produce(done, "x"), produce(done, "y")
		silent.Response = nil
		send(t, conn, blocked)
		synctest.Wait()
		time.Sleep(20 * time.Second)
		send(t, conn, silent, waiting)
		end := <-ended
		if got := end.at.Sub(begin); got != 30*time.Second {
			t.Errorf("closed after %v, want 30s", got)
		}
		if !errors.Is(blocked.Err, ErrTimeout) || !blocked.Written {
			t.Errorf("blocked call: %v, written %v, want a timeout, true", blocked.Err, blocked.Written)
		}
		for _, call := range []*Call{silent, waiting} {
			if !errors.Is(call.Err, ErrClosed) || call.Written || !call.WrittenAt.IsZero() {
				t.Errorf("waiting call: %v, written %v at %v, want closed, false, never", call.Err, call.Written, call.WrittenAt)
			}
		}
	})
}

// A stream of answered calls never times out, however long it lasts.
func TestAnsweredCallsDoNotTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, _ := connect(t, testConfig())
		done := make(chan *Call, 1)
		for range 100 {
			send(t, conn, initID(done))
			h, _ := b.want()
			time.Sleep(7 * time.Second)
			b.answer(h, &protocol.InitProducerIDResponse{})
			if call := <-done; call.Err != nil {
				t.Fatalf("call: %v", call.Err)
			}
		}
	})
}

// A steady pace of calls leaves the alarm alone: it is set anew when it has gone off, not for each call.
func TestCallsDoNotSetTheAlarmAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, _ := connect(t, testConfig())
		done := make(chan *Call, 1)
		alarms := map[time.Time]bool{}
		for range 100 {
			send(t, conn, initID(done))
			h, _ := b.want()
			time.Sleep(time.Second)
			b.answer(h, &protocol.InitProducerIDResponse{})
			<-done
			conn.mu.Lock()
			alarms[conn.alarm] = true
			conn.mu.Unlock()
		}
		// There are four or five, and the moment of one more in which it rings just when a call begins or ends.
		if len(alarms) > 10 {
			t.Errorf("%d alarms in 100 s, want one for each 30 s or so", len(alarms))
		}
	})
}

// KIP-219: after an answer that asks for it nothing is written for so long. What is in flight goes on, and the time of a call
// that waits has not begun.
func TestThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, _ := connect(t, testConfig())
		done := make(chan *Call, 5)
		send(t, conn, initID(done), initID(done))
		h1, _ := b.want()
		h2, _ := b.want()
		begin := time.Now()
		b.answer(h1, &protocol.InitProducerIDResponse{ThrottleTime: time.Minute})
		<-done
		if got := conn.ThrottledUntil(); !got.Equal(begin.Add(time.Minute)) {
			t.Errorf("throttled for %v, want 1m", got.Sub(begin))
		}
		throttled := initID(done)
		send(t, conn, throttled)
		b.answer(h2, &protocol.InitProducerIDResponse{ThrottleTime: time.Second}) // does not shorten it
		if call := <-done; call.Err != nil {
			t.Errorf("call in flight: %v", call.Err)
		}

		time.Sleep(time.Minute - 1)
		synctest.Wait()
		if got := b.conn.(*memConn).in.len(); got != 0 {
			t.Errorf("%d bytes were written just before the end of the throttling, want 0", got)
		}
		time.Sleep(time.Nanosecond)
		h3, _ := b.want()
		time.Sleep(30*time.Second - 1)
		b.answer(h3, &protocol.InitProducerIDResponse{})
		call := <-done
		if call.Err != nil || call.WrittenAt.Sub(begin) != time.Minute {
			t.Errorf("throttled call: %v, written after %v, want nil, 1m", call.Err, call.WrittenAt.Sub(begin))
		}
	})
}

// Brokers that answer in an old version have waited themselves.
func TestNoThrottlingInVersionsBeforeKIP219(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, _ := connect(t, testConfig())
		done := make(chan *Call, 1)
		call := produce(done, "x")
		call.MaxVersion = 5
		send(t, conn, call)
		h, _ := b.want()
		b.answer(h, &protocol.ProduceResponse{ThrottleTime: time.Minute})
		<-done
		if got := conn.ThrottledUntil(); !got.IsZero() {
			t.Errorf("throttled until %v, want never", got)
		}
	})
}

// Close does not wait for a throttling to end.
func TestCloseWhileThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, _ := connect(t, testConfig())
		done := make(chan *Call, 2)
		send(t, conn, initID(done))
		h, _ := b.want()
		b.answer(h, &protocol.InitProducerIDResponse{ThrottleTime: time.Hour})
		<-done
		send(t, conn, initID(done))
		synctest.Wait() // writeLoop waits for the hour to end
		begin := time.Now()
		conn.Close(nil)
		if call := <-done; !errors.Is(call.Err, ErrClosed) || call.Written {
			t.Errorf("got %v, written %v, want closed, false", call.Err, call.Written)
		}
		<-conn.Closed()
		if got := time.Since(begin); got != 0 {
			t.Errorf("Close took %v", got)
		}
	})
}

// A connection without calls is closed after its idle time; a call begins that anew from its end.
func TestIdleClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.ConnectionsMaxIdle = 10 * time.Second // less than the request timeout
		conn, b, ended := connect(t, cfg)
		done := make(chan *Call, 1)

		time.Sleep(10*time.Second - 1)
		send(t, conn, initID(done))
		h, _ := b.want()
		time.Sleep(15 * time.Second) // in flight is not idle
		b.answer(h, &protocol.InitProducerIDResponse{})
		if call := <-done; call.Err != nil {
			t.Fatalf("call: %v", call.Err)
		}
		used := time.Now()
		end := <-ended
		if !errors.Is(end.err, ErrIdle) || end.at.Sub(used) != 10*time.Second {
			t.Errorf("ended after %v with %v, want 10s and ErrIdle", end.at.Sub(used), end.err)
		}
	})
}

func TestIdleForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.ConnectionsMaxIdle = -1
		conn, _, ended := connect(t, cfg)
		time.Sleep(1000 * time.Hour)
		if len(ended) != 0 {
			t.Errorf("ended: %v", (<-ended).err)
		}
		conn.Close(nil)
	})
}
