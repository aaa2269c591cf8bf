package wire

import (
	"sync"
	"sync/atomic"
	"time"
)

// Counters count what all connections to one peer move, one after the other or at once. They are safe for concurrent use, and
// never go back. The methods of connections work with none: nil.
type Counters struct {
	written, read atomic.Int64 // bytes of Kafka's protocol, before TLS and after it, with those of handshakes

	mu       sync.Mutex // guards the following; never held while blocking
	renewals Renewals
}

// Renewals counts how connections have authenticated themselves again before their session ended (KIP-368).
type Renewals struct {
	Succeeded, Failed int64
	Took              time.Duration // those that succeeded, all together, with the way to their credentials
	Longest           time.Duration // of these, since TakeRenewals was last called
}

// Bytes returns how many were written and read. Of a write that failed, the bytes count that may have reached the peer: those
// that the system took, and all of them over TLS or a connection that DialContext has made.
func (c *Counters) Bytes() (written, read int64) { return c.written.Load(), c.read.Load() }

// TakeRenewals returns what was counted, and begins to look for the longest anew.
func (c *Counters) TakeRenewals() Renewals {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.renewals
	c.renewals.Longest = 0
	return r
}

func (c *Counters) wrote(n int) {
	if c != nil {
		c.written.Add(int64(n))
	}
}

func (c *Counters) got(n int) {
	if c != nil && n > 0 {
		c.read.Add(int64(n))
	}
}

func (c *Counters) renewed(took time.Duration, err error) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.renewals.Failed++
		return
	}
	c.renewals.Succeeded++
	c.renewals.Took += took
	c.renewals.Longest = max(c.renewals.Longest, took)
}
