package sender

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/protocol"
)

// Nodes are the brokers that are known, and the bootstrap servers, with what is known of all connections to them together. The
// core connects to them (node_connect.go), and asks them what any broker knows (question_ask.go).
type nodes struct {
	byID      map[int32]*node
	order     []*node    // the same, as they were met
	bootstrap int        // of them, the first so many; their ids are -1, -2 and so on
	published *published // what others read of them

	met        bool          // there was a connection to somebody
	reception  reception     // by brokers that are to let us in
	unsure     *node         // it has answered, and may be another cluster's; nil: there is no such doubt. See node_unsure.go
	changed    bool          // since this doubt began a topic has another id
	untoldAt   time.Time     // when an answer has last told nothing of it; zero: none has since this doubt began
	untold     time.Duration // for how long such answers have come
	troubledAt time.Time     // when published.trouble was last set

	firstChoice uint32 // odd; a different order of brokers for each producer
}

// newNodes returns the bootstrap servers, whose addresses are given. random is a number in [0, 1).
func newNodes(pub *published, bootstrap []string, random float64) nodes {
	ns := nodes{byID: map[int32]*node{}, bootstrap: len(bootstrap), published: pub, firstChoice: uint32(random*(1<<31))<<1 | 1}
	for i, addr := range bootstrap {
		ns.add(int32(-1-i), addr)
	}
	return ns
}

// of returns the node with that id; nil if there is none.
func (ns *nodes) of(id int32) *node { return ns.byID[id] }

// all returns the nodes in an order that stays, until one is added.
func (ns *nodes) all() []*node { return ns.order }

func (ns *nodes) add(id int32, addr string) *node {
	n := &node{id: id, addr: addr, health: newHealth(ns.published, id, addr), counts: newBrokerCounts()}
	ns.byID[id] = n
	ns.order = append(ns.order, n)
	return n
}

// meet gives a broker of the snapshot a node if it has none. A node that is there keeps its address: another answer may have
// named a newer one than the snapshot has.
func (ns *nodes) meet(s *metadata.Snapshot, id int32) {
	if b, ok := s.Brokers[id]; ok && ns.byID[id] == nil {
		ns.add(id, b.Addr())
	}
}

// sending reports whether some broker has a batch to be sent to it.
func (ns *nodes) sending() bool {
	for _, n := range ns.order {
		if n.ready.len() > 0 {
			return true
		}
	}
	return false
}

// opened makes cn the connection of l, a link of some node.
func (ns *nodes) opened(l *link, cn conn, now time.Time) {
	ns.met = true
	l.opened = now
	l.quiet.end(now)
	l.conn, l.busy, l.lastErr = cn, 0, nil
	l.stale, l.vouches, l.unsure = 0, false, ns.unsure != nil
	l.span = remembers(cn)
	l.made++
}

// noneConnected reports whether there is no connection to anybody.
func (ns *nodes) noneConnected() bool {
	return !slices.ContainsFunc(ns.order, (*node).connected)
}

// connected reports whether there is a connection to n.
func (n *node) connected() bool {
	for i := range n.links {
		if n.links[i].conn != nil {
			return true
		}
	}
	return false
}

// encourage lets all links but those of n begin a fresh attempt: no broker could be reached, and one can be now. It happens
// once for each time that all connections were lost.
func (ns *nodes) encourage(n *node, took time.Duration, now time.Time) {
	for _, o := range ns.order {
		for i := range o.links {
			switch l := &o.links[i]; {
			case o == n:
			case len(l.dials) > 0:
				l.encourage(patient(cmp.Or(l.took, took)))
			case l.notUntil.After(now):
				l.notUntil = now
			}
		}
	}
}

// candidates returns the ids of the nodes that can answer control requests: the brokers, or the bootstrap servers where no
// broker is known. The one that has just raised a doubt comes first, then the connected, then the least busy, and those that
// are silent last.
func (ns *nodes) candidates(snapshot *metadata.Snapshot, judged time.Time) []int32 {
	var ids []int32
	for _, id := range slices.Sorted(maps.Keys(snapshot.Brokers)) {
		ns.meet(snapshot, id)
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		for i := range ns.bootstrap {
			ids = append(ids, int32(-1-i))
		}
	}
	start := ns.firstChoice
	slices.SortFunc(ids, func(a, b int32) int {
		if sa, sb := ns.byID[a].silent(judged), ns.byID[b].silent(judged); sa != sb {
			if sb {
				return -1
			}
			return 1
		}
		if na, nb := ns.byID[a] == ns.unsure, ns.byID[b] == ns.unsure; na != nb {
			if na {
				return -1
			}
			return 1
		}
		la, lb := &ns.byID[a].links[control], &ns.byID[b].links[control]
		if ca, cb := la.conn != nil, lb.conn != nil; ca != cb {
			if ca {
				return -1
			}
			return 1
		}
		// Producers that start together should not all ask the same broker.
		return cmp.Or(cmp.Compare(la.busy, lb.busy), cmp.Compare(uint32(a)*start, uint32(b)*start))
	})
	return ids
}

// troubled keeps err for those who wait and ask why.
func (ns *nodes) troubled(now time.Time, err error) {
	ns.published.trouble.Store(&err)
	ns.troubledAt = now
}

// untroubled forgets it.
func (ns *nodes) untroubled() { ns.published.trouble.Store(nil) }

// lastFailure returns the newer of two failures, nil if there is neither: err, with which a request failed at that time, and
// what last kept the loop from the cluster.
func (ns *nodes) lastFailure(at time.Time, err error) error {
	if trouble := ns.published.trouble.Load(); trouble != nil && (err == nil || at.Before(ns.troubledAt)) {
		err = *trouble
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("last failure: %w", err)
}

// stillConnecting says which attempt to connect began last, and has not ended; nil if none is under way.
func (ns *nodes) stillConnecting() error {
	if addr := ns.published.dialing.Load(); addr != nil {
		return errors.New("still connecting to " + protocol.Shown(*addr))
	}
	return nil
}

// name returns a node's name in errors.
func (ns *nodes) name(id int32) string {
	if n := ns.byID[id]; n != nil {
		return n.String()
	}
	return fmt.Sprintf("broker %d", id)
}

// from names the broker at the other end of a connection for produce requests: " from …", or nothing if that is not known.
func (ns *nodes) from(cn conn) string {
	for _, n := range ns.order {
		if cn != nil && n.links[data].conn == cn {
			return " from " + n.String()
		}
	}
	return ""
}
