package sender

import (
	"errors"
	"maps"
	"slices"
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
	made     int           // connections so far
	lacks    map[int16]int // by API key: which of the connections was the first that lacked it; see core.unsupported
	adds     bool          // Produce adds partitions to transactions
	span     int           // of batches that the broker at the other end remembers for each partition
	unheard  int           // dials in a row that were hung up on without a word: see wire.Error.Unheard
	asked    time.Duration // of the last throttling, what the broker has asked for

	stale   int  // how many requests in flight were sent before a connection was last lost; below 0: so many answers were to later ones
	vouches bool // one of those later ones has been answered: so conn still leads to the cluster that it led to
	unsure  bool // conn may lead to another cluster than those before: see lostTouch

	heard time.Time          // when something last came on conn, or was sent when nothing was unanswered
	pause time.Duration      // the longest of late between two of these; 0: nothing has come yet
	moved *metadata.Snapshot // as of which movedAway has looked
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

	speech   speech    // of its last connection, for transactions
	askAgain time.Time // not before, what it offers of them: see core.speakAgain
	health   *health

	ready fifo[*partition] // may be drained, in turn
	built fifo[*request]   // drained and not sent yet, in order

	flights []*request // sent and not answered, in order

	refusals int       // in a row: it does not let this client in
	barred   time.Time // it is not dialled before

	former []former  // connections to where it was
	moved  time.Time // when it last was said to be elsewhere
	moves  int       // how often lately

	trouble trouble      // for the log
	counts  brokerCounts // for metrics
}

// A former connection leads to where the node was. It gets no request any more,
// and is closed when those that it has are answered, or have timed out.
type former struct {
	conn  conn
	which lane
	busy  int // calls not done
}

// errElsewhere is what a former connection is closed for, and an attempt to connect to where the node was.
var errElsewhere = errors.New("the broker is at another address now")

// open reports whether the node can take one more produce request now.
func (n *node) open(now time.Time, limit int) bool {
	l := &n.links[data]
	return l.conn != nil && l.busy < limit && !l.conn.ThrottledUntil().After(now)
}

// meet sees to it that a broker of the snapshot has a node. One that has stays
// where it is: what the snapshot says of it may be older than what another answer
// has said since.
func (c *core) meet(s *metadata.Snapshot, id int32) {
	if b, ok := s.Brokers[id]; ok && c.nodes[id] == nil {
		c.addNode(id, b.Addr())
	}
}

// relocate takes in where brokers are, as an answer has just said.
func (c *core) relocate(brokers map[int32]metadata.Broker) {
	for _, id := range slices.Sorted(maps.Keys(brokers)) {
		b := brokers[id]
		if n := c.nodeAt(id, b.Host, b.Port); n.addr != b.Addr() {
			c.meta.RequestUpdate(c.now) // it stays for a while: see mayMove
		}
	}
}

func (c *core) addNode(id int32, addr string) *node {
	n := &node{id: id, addr: addr, counts: newBrokerCounts()}
	n.health = c.newHealth(n)
	c.nodes[id] = n
	c.order = append(c.order, n)
	return n
}

func addrOf(host string, port int32) string { return metadata.Broker{Host: host, Port: port}.Addr() }

// nodeAt returns the node of a broker that an answer has just said to be there.
func (c *core) nodeAt(id int32, host string, port int32) *node {
	addr := addrOf(host, port)
	n := c.nodes[id]
	if n == nil {
		n = c.addNode(id, addr)
	} else if n.addr != addr && c.mayMove(n) {
		c.move(n, addr)
	}
	return n
}

// How long a node stays where it is, at least, that was said to be elsewhere a
// moment ago. Brokers that disagree about an address would have us connect anew
// with each answer.
const (
	firstStay   = 50 * time.Millisecond // doubled with each move
	longestStay = 10 * time.Second
	staysGone   = time.Minute // without a move after which all is forgotten
)

func (c *core) mayMove(n *node) bool {
	stayed := c.now.Sub(n.moved)
	if stayed >= staysGone {
		n.moves = 0
	}
	return n.moves == 0 || stayed >= min(firstStay<<min(n.moves, 10), longestStay)
}

// move has the next dial go to the broker's new address, at once. A connection
// belongs to a node at its address: who listens at the old one may be anybody,
// or lead nothing.
func (c *core) move(n *node, addr string) {
	n.addr, n.moved = addr, c.now
	n.moves++
	for i := range n.links {
		l := &n.links[i]
		l.failures, l.timeouts, l.notUntil = 0, 0, time.Time{}
		for _, d := range l.dials {
			d.stop(errElsewhere)
		}
		l.dials = nil
	}
	c.leave(n)
}

// leave has n connected anew. What is in flight may still be answered where it
// is, and its partitions wait for that (I2).
func (c *core) leave(n *node) {
	for i := range n.links {
		if l := &n.links[i]; l.conn != nil {
			f := former{l.conn, lane(i), l.busy}
			l.conn, l.busy = nil, 0
			n.part(f)
		}
	}
	c.disturb(n)
}

// disturb notes that who is at the node's end of the next connection may know
// nothing of us (pitfall 1): it was started anew, or is another cluster's.
func (c *core) disturb(n *node) {
	for _, t := range c.listed {
		for _, p := range t.parts {
			if p.leader == n.id {
				p.numbers.Disturb()
			}
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

// ended notes that a call on cn is done. It returns the link if cn is still its
// connection, else nil.
func (n *node) ended(which lane, cn conn) *link {
	if l := &n.links[which]; l.conn == cn {
		l.busy--
		l.stale--
		return l
	}
	for i := range n.former {
		if f := &n.former[i]; f.conn == cn {
			if f.busy--; f.busy == 0 {
				cn.Close(errElsewhere)
			}
			break
		}
	}
	return nil
}
