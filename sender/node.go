package sender

import (
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/wire"
)

// A conn is what the core needs of a [wire.Conn].
type conn interface {
	Send(*wire.Call) bool
	Close(error)
	ThrottledUntil() time.Time
	Version(apiKey int16) (newest int16, ok bool)
	Features() (finalizedEpoch int64, finalized map[string]int16)
}

// A lane is what a connection is for. A broker answers the requests of one
// connection in order, so a slow acks=all must not hold up a metadata refresh.
type lane uint8

const (
	data    lane = iota // Produce
	control             // everything else
	lanes
)

// A link is one connection to a node, or the attempt to have one.
type link struct {
	conn     conn
	dialing  bool
	began    time.Time // of the dial in progress
	busy     int       // calls not done
	failures int       // of dialing, since it last worked
	notUntil time.Time
	lastErr  error
	adds     bool          // Produce adds partitions to transactions
	unheard  int           // dials in a row that were hung up on without a word: see wire.Error.Unheard
	asked    time.Duration // of the last throttling, what the broker has asked for
}

// hear counts dials in a row that the other end has hung up on without a word.
func (l *link) hear(err error) {
	var failed *wire.Error
	if errors.As(err, &failed) && failed.Unheard {
		l.unheard++
		return
	}
	l.unheard = 0
}

// A node is a broker, or with a negative id a bootstrap server that has not
// told who it is.
type node struct {
	id    int32
	addr  string
	links [lanes]link

	speech speech // of its last connection, for transactions

	ready fifo[*partition] // may be drained, in turn
	built fifo[*request]   // drained and not sent yet, in order
}

// open reports whether the node can take one more produce request now.
func (n *node) open(now time.Time, limit int) bool {
	l := &n.links[data]
	return l.conn != nil && l.busy < limit && !l.conn.ThrottledUntil().After(now)
}

// nodeFor returns the node of a broker in the snapshot, with its address as it
// is now, or nil.
func (c *core) nodeFor(s *metadata.Snapshot, id int32) *node {
	b, ok := s.Brokers[id]
	if !ok {
		return c.nodes[id]
	}
	return c.nodeAt(id, b.Host, b.Port)
}

func (c *core) addNode(id int32, addr string) *node {
	n := &node{id: id, addr: addr}
	c.nodes[id] = n
	c.order = append(c.order, n)
	return n
}

// nodeAt returns the node of a broker, with its address as it is now.
func (c *core) nodeAt(id int32, host string, port int32) *node {
	addr := net.JoinHostPort(host, strconv.Itoa(int(port)))
	n := c.nodes[id]
	if n == nil {
		n = c.addNode(id, addr)
	} else if n.addr != addr {
		// The broker has moved. What is in flight may still be answered where
		// it is; the next dial goes to the new address, at once.
		n.addr = addr
		for i := range n.links {
			n.links[i].failures, n.links[i].notUntil = 0, time.Time{}
		}
	}
	return n
}

// connect starts a dial on a link that has none, unless it is too soon. It
// reports when to come back; the zero time if there is nothing to wait for.
func (c *core) connect(n *node, which lane) time.Time {
	l := &n.links[which]
	switch {
	case l.conn != nil || l.dialing:
		return time.Time{}
	case l.notUntil.After(c.now):
		return l.notUntil
	}
	l.dialing, l.began = true, c.now
	addr := n.addr
	c.stat.dialing.Store(&addr)
	c.pending++
	c.out.dial(n, which, c.cfg.ConnectTimeout.Delay(l.failures, c.out.random()))
	return time.Time{}
}
