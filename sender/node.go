package sender

import (
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// A node is a broker, or with a negative id a bootstrap server that has not told who it is.
type node struct {
	id    int32
	addr  string
	links [lanes]link

	speech   speech    // of its last connection, for transactions
	askAgain time.Time // not before, what it offers for transactions: see speakAgain
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

// open reports whether the node can take one more produce request now, limit being the most that may be unanswered (I1).
func (n *node) open(now time.Time, limit int) bool {
	l := &n.links[data]
	return l.conn != nil && l.busy < limit && !l.conn.ThrottledUntil().After(now)
}

// ended notes that a call on cn is done. It returns the link if cn is still its connection, else nil.
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

// removeInFlight takes r out of the requests in flight.
func (n *node) removeInFlight(r *request) {
	if i := slices.Index(n.flights, r); i >= 0 {
		n.flights = slices.Delete(n.flights, i, i+1)
	}
}

// pop takes the first entry off the ready list.
func (n *node) pop() {
	if p := n.ready.pop(); p.listed == n {
		p.listed = nil
	}
}

// String returns the node's name in messages.
func (n *node) String() string {
	if n.id < 0 {
		return "bootstrap server " + protocol.Shown(n.addr)
	}
	return fmt.Sprintf("broker %d at %s", n.id, protocol.Shown(n.addr))
}

// refused returns err as a node's answer to a request that was not done.
func (n *node) refused(request string, err error) error {
	return &wire.Error{Stage: wire.StageRequest, Addr: n.addr, NodeID: max(n.id, -1), API: request, Err: err}
}
