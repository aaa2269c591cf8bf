package sender

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/metadata"
)

// A former connection leads to where the node was. It gets no request any more, and is closed when those that it has are
// answered, or have timed out.
type former struct {
	conn  conn
	which lane
	busy  int // calls not done
}

// errElsewhere ends a former connection, and an attempt to connect to where the node was.
var errElsewhere = errors.New("the broker is at another address now")

// relocate takes in where brokers are, as an answer has just said.
func (c *core) relocate(brokers map[int32]metadata.Broker) {
	for _, id := range slices.Sorted(maps.Keys(brokers)) {
		b := brokers[id]
		if n := c.nodeAt(id, b.Host, b.Port); n.addr != b.Addr() {
			c.meta.RequestUpdate() // it stays for a while: see mayMove
		}
	}
}

// nodeAt returns the node of a broker, which an answer has just said to be at that address.
func (c *core) nodeAt(id int32, host string, port int32) *node {
	addr := addrOf(host, port)
	n := c.nodes.of(id)
	if n == nil {
		n = c.nodes.add(id, addr)
	} else if n.addr != addr && n.mayMove(c.now) {
		n.move(addr, c.now)
		c.leave(n)
	}
	return n
}

func addrOf(host string, port int32) string { return metadata.Broker{Host: host, Port: port}.Addr() }

// leave has n connected anew. What is in flight may still be answered on the old connection, and its partitions wait for that
// (I2).
func (c *core) leave(n *node) {
	n.leave()
	c.topics.disturb(n.id)
}

// How long a node stays where it is, at least, after it was last said to be elsewhere. Without that, brokers that disagree
// about an address would have us connect anew with each answer.
const (
	firstStay   = 50 * time.Millisecond // doubled with each move
	longestStay = 10 * time.Second
	staysGone   = time.Minute // without a move after which all is forgotten
)

func (n *node) mayMove(now time.Time) bool {
	stayed := now.Sub(n.moved)
	if stayed >= staysGone {
		n.moves = 0
	}
	return n.moves == 0 || stayed >= min(firstStay<<min(n.moves, 10), longestStay)
}

// move has the next dial go to the broker's new address, at once. A connection belongs to a node at its address: whoever
// listens at the old one may be anybody, or lead nothing. So the node has to leave, too.
func (n *node) move(addr string, now time.Time) {
	n.addr, n.moved = addr, now
	n.moves++
	for i := range n.links {
		l := &n.links[i]
		l.failures, l.timeouts, l.notUntil = 0, 0, time.Time{}
		for _, d := range l.dials {
			d.stop(errElsewhere)
		}
		l.dials = nil
	}
}

// leave makes n's connections former ones.
func (n *node) leave() {
	for i := range n.links {
		if l := &n.links[i]; l.conn != nil {
			f := former{l.conn, lane(i), l.busy}
			l.conn, l.busy = nil, 0
			n.part(f)
		}
	}
}

// part lets a connection go as soon as nothing is in flight on it.
func (n *node) part(f former) {
	n.former = append(n.former, f)
	if f.busy == 0 {
		f.conn.Close(errElsewhere)
	}
}

// parted forgets a former connection that is over, and reports whether it was one.
func (n *node) parted(cn conn) bool {
	before := len(n.former)
	n.former = slices.DeleteFunc(n.former, func(f former) bool { return f.conn == cn })
	return len(n.former) < before
}
