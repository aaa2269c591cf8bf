package sender

import (
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

// A link is one connection to a node, or the attempts to have one.
type link struct {
	conn  conn
	busy  int     // calls not done
	dials []*dial // to connect, oldest first; none while there is a connection

	failures int           // of attempts and connections, since an answer last came
	timeouts int           // of these, attempts that had all of their time
	hedges   int           // attempts beside another, since a connection was last made
	since    time.Time     // when the first of dials began, or one that has ended since
	took     time.Duration // to make the last connection; 0: there was none
	notUntil time.Time     // the next attempt
	lastErr  error
	adds     bool // Produce adds partitions to transactions

	heard time.Time          // when something last came on conn, or was sent when nothing was unanswered
	pause time.Duration      // the longest of late between two of these; 0: nothing has come yet
	moved *metadata.Snapshot // as of which movedAway has looked
}

// A node is a broker, or with a negative id a bootstrap server that has not
// told who it is.
type node struct {
	id    int32
	addr  string
	links [lanes]link

	speech speech // of its last connection, for transactions
	health *health

	ready fifo[*partition] // may be drained, in turn
	built fifo[*request]   // drained and not sent yet, in order

	flights []*request // sent and not answered, in order
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
	n.health = c.newHealth(n)
	c.nodes[id] = n
	c.order = append(c.order, n)
	return n
}

// nodeAt returns the node of a broker, with its address as it is now.
func (c *core) nodeAt(id int32, host string, port int32) *node {
	addr := metadata.Broker{Host: host, Port: port}.Addr()
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
