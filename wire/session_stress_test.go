package wire

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// expire makes the session end in a moment, as if so much of its time had passed.
func (c *Conn) expire() {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.session
	if !s.renewAt.IsZero() {
		s.renewAt, s.holdAt, s.used = now, now.Add(time.Millisecond), true
		c.renewDueLocked(now)
	}
}

// Under full load of calls of all kinds and sizes, direct writes among them that are cut, a connection authenticates itself one
// time right after the other. The stream stays whole and in order, each call gets its own answer and is done once, and nothing
// is written in the middle of an authentication; also when the connection is closed in the midst.
func TestRenewalsUnderLoad(t *testing.T) {
	for _, closing := range []bool{false, true} {
		t.Run(fmt.Sprint("closing ", closing), func(t *testing.T) {
			cfg := testConfig()
			cfg.MaxInFlight = 8
			cfg.SendBuffer = 8 << 10
			cfg.SASL = alice
			var conn atomic.Pointer[Conn]
			var renewals atomic.Int64
			cfg.Renewed = func(err error) {
				if err != nil {
					t.Error(err)
				}
				renewals.Add(1)
				conn.Load().expire()
			}
			c, err := Dial(t.Context(), cfg, Peer{Addr: serve(t, echo(t)), NodeID: 1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			conn.Store(c)
			s := &stingy{to: c.direct}
			if s.to != nil {
				c.direct = s
			}
			c.expire()
			sendFromAll(t, c, closing)
			t.Logf("%d renewals, %d direct writes, %d cut", renewals.Load(), s.all.Load(), s.cut.Load())
			if renewals.Load() < 20 {
				t.Errorf("%d renewals: this proves little", renewals.Load())
			}
		})
	}
}
