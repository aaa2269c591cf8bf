package sender

import (
	"slices"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A Broker is what a sender has seen of one broker, or of a bootstrap server that has not said which it is. What goes wrong is
// counted where it shows: a dial or a connection that fails, a request without an answer, and an answer that is an error.
type Broker struct {
	ID        int32 // negative: a bootstrap server
	Addr      string
	Connected bool
	Since     time.Time // since when it is connected, or is not any more; zero: it was never dialled

	LastError    error     // what failed last; nil: nothing ever did. It stays when all is well again
	LastErrorAt  time.Time // when it did
	FailingSince time.Time // when the first failure came after the last good answer; zero: all is well

	Failures int64 // in all
	Retried  int64 // records sent to it again
}

// A health is what the loop knows of a node's health. All of it is the loop's but for the Broker, which others read.
type health struct {
	mu     sync.Mutex // guards broker; never held while blocking
	broker Broker

	open     int       // connections
	failing  bool      // broker.FailingSince is set
	failures int64     // as broker.Failures
	heardAt  string    // the address that it was last heard of from
	heard    time.Time // when that was
	servedAt string    // the address where it last answered a request, not only the handshake
}

// newHealth returns the health of a new node, and publishes it.
func newHealth(pub *published, id int32, addr string) *health {
	h := &health{broker: Broker{ID: id, Addr: protocol.Shown(addr)}}
	all := []*health{h}
	if before := pub.brokers.Load(); before != nil {
		all = append(slices.Clone(*before), h)
	}
	pub.brokers.Store(&all)
	return h
}

func (h *health) change(f func(b *Broker)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(&h.broker)
}

// up notes a new connection: to make it, the broker has answered.
func (n *node) up(now time.Time) {
	h := n.health
	h.open++
	h.heardAt, h.heard = n.addr, now
	if h.open == 1 {
		h.change(func(b *Broker) { b.Addr, b.Connected, b.Since = protocol.Shown(n.addr), true, now })
	}
}

// down notes the end of a connection. One that was given up for want of an answer does not prove that the broker was there.
func (n *node) down(now time.Time, proof bool) {
	h := n.health
	if h.open--; h.open <= 0 {
		n.left(now)
	}
	if proof && h.heardAt == n.addr {
		h.heard = now
	}
}

// left notes that all connections are closed, or are being closed.
func (n *node) left(now time.Time) {
	h := n.health
	h.open = 0
	h.change(func(b *Broker) {
		if b.Connected {
			b.Connected, b.Since = false, now
		}
	})
}

// answered notes an answer. before is how often the node had failed when it came: if nothing has failed since, it was a good
// one.
func (n *node) answered(now time.Time, before int64) {
	h := n.health
	h.heardAt, h.heard, h.servedAt = n.addr, now, n.addr
	if h.failing && h.failures == before {
		h.failing = false
		h.change(func(b *Broker) { b.FailingSince = time.Time{} })
	}
}

// failed notes what went wrong with the node.
func (n *node) failed(now time.Time, err error) {
	n.health.failures++
	n.hampered(now, err)
}

// hampered notes what goes wrong with an attempt that has not ended yet, without counting it.
func (n *node) hampered(now time.Time, err error) {
	h := n.health
	first := !h.failing
	h.failing = true
	h.change(func(b *Broker) {
		b.LastError, b.LastErrorAt = err, now
		b.Failures = h.failures
		if first {
			b.FailingSince = now
		}
		if b.Since.IsZero() {
			b.Since = now
		}
	})
}

// sentAgain counts records that are sent again.
func (n *node) sentAgain(records int64) { n.health.change(func(b *Broker) { b.Retried += records }) }

// heardOf returns when a node at that address was last heard of; zero: never.
func (ns *nodes) heardOf(addr string) (at time.Time) {
	for _, n := range ns.order {
		if n.health.heardAt == addr && n.health.heard.After(at) {
			at = n.health.heard
		}
	}
	return at
}

// servedAt reports whether a request was ever answered at that address.
func (ns *nodes) servedAt(addr string) bool {
	return slices.ContainsFunc(ns.order, func(n *node) bool { return n.health.servedAt == addr })
}

// Brokers returns what was seen of each broker that is or was known, bootstrap servers first.
func (s *Sender) Brokers() []Broker {
	all := s.published.brokers.Load()
	if all == nil {
		return nil
	}
	brokers := make([]Broker, 0, len(*all))
	for _, h := range *all {
		h.mu.Lock()
		brokers = append(brokers, h.broker)
		h.mu.Unlock()
	}
	slices.SortFunc(brokers, func(a, b Broker) int { return byID(a.ID, b.ID) })
	return brokers
}

// byID is the order of brokers: bootstrap servers first, as they are set.
func byID(a, b int32) int {
	if a < 0 && b < 0 {
		return int(b) - int(a)
	}
	return int(a) - int(b)
}
