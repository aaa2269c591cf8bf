package sender

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// steer sends what control requests are due: the manager's, pings, metadata. It
// returns when to come back.
func (c *core) steer() time.Time {
	if c.aborted {
		return time.Time{}
	}
	at := c.txn.ask()
	if len(c.pings) > 0 {
		at = sooner(at, c.askPings())
	}
	at = sooner(at, c.askBeside())
	return sooner(at, c.askMetadata())
}

// askMetadata sends the requests for metadata that are due, side by side: to those who are least busy.
func (c *core) askMetadata() time.Time {
	for {
		req, at := c.meta.Next(c.now)
		if req == nil {
			return at
		}
		n, at := c.controlNode()
		if n == nil {
			return at
		}
		if !c.inquire(n, req, 0, (*core).takeMetadata) {
			return c.now // its connection is gone: look for another at once
		}
		c.meta.Sent(c.now, n.id)
	}
}

// controlNode returns a node with a free control connection, none of those but,
// or nil and when to come back: the zero time if only an event can help.
func (c *core) controlNode(but ...int32) (*node, time.Time) {
	ids := slices.DeleteFunc(c.candidates(), func(id int32) bool { return slices.Contains(but, id) })
	var at time.Time
	for len(ids) > 0 {
		id := c.meta.Prefer(ids)
		n := c.nodes[id]
		l := &n.links[control]
		if l.conn != nil && l.busy < c.cfg.MaxInFlight && !l.conn.ThrottledUntil().After(c.now) {
			return n, time.Time{}
		}
		if l.conn == nil {
			at = sooner(at, c.connect(n, control))
			if long, until := l.trying(c.now); len(l.dials) > 0 && !long {
				// Those who are connected, and answer, can be asked meanwhile,
				// and the attempt's end leads to another step. Not while there
				// is a doubt: of these none has answered for a while.
				ids = slices.DeleteFunc(ids, func(o int32) bool {
					return c.unsure != nil || c.nodes[o].links[control].conn == nil || c.nodes[o].silent(c.judged())
				})
				at = sooner(at, until)
				continue
			}
		} else if until := l.conn.ThrottledUntil(); until.After(c.now) {
			at = sooner(at, until)
		}
		ids = slices.DeleteFunc(ids, func(o int32) bool { return o == id })
	}
	return nil, at
}

// candidates returns the ids of the nodes that can answer control requests: the
// brokers, or the bootstrap servers where no broker is known. The one that has
// just raised a doubt comes first, then the connected, then the least busy, and
// those that are silent last.
func (c *core) candidates() []int32 {
	snapshot := c.meta.Snapshot()
	var ids []int32
	for _, id := range slices.Sorted(maps.Keys(snapshot.Brokers)) {
		c.meet(snapshot, id)
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		for i := range c.cfg.Bootstrap {
			ids = append(ids, int32(-1-i))
		}
	}
	start := c.firstChoice
	slices.SortFunc(ids, func(a, b int32) int {
		if sa, sb := c.nodes[a].silent(c.judged()), c.nodes[b].silent(c.judged()); sa != sb {
			if sb {
				return -1
			}
			return 1
		}
		if na, nb := c.nodes[a] == c.unsure, c.nodes[b] == c.unsure; na != nb {
			if na {
				return -1
			}
			return 1
		}
		la, lb := &c.nodes[a].links[control], &c.nodes[b].links[control]
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

// ask sends a control request to n. then gets the call when it has ended.
func (c *core) ask(n *node, req protocol.Request, resp protocol.Response, then func(*core, *node, *wire.Call)) bool {
	return c.askUpTo(n, 0, req, resp, then)
}

// askUpTo is ask with a bound on the version; 0 for none.
func (c *core) askUpTo(n *node, version int16, req protocol.Request, resp protocol.Response, then func(*core, *node, *wire.Call)) bool {
	l := &n.links[control]
	cn := l.conn
	call := &wire.Call{Request: req, Response: resp, MaxVersion: version}
	asked := c.now
	call.Done = func(call *wire.Call) { c.out.post(replied{n, cn, call, then, asked}) }
	if !cn.Send(call) {
		l.conn, l.busy = nil, 0
		return false
	}
	l.begin(c.now)
	c.pending++
	return true
}

func (e replied) apply(c *core) {
	c.pending--
	c.hooks.requestEnded(e.node, e.call, e.asked)
	l := e.node.ended(control, e.conn)
	if l != nil && e.call.Err == nil {
		l.answered(c.now)
		delete(l.lacks, e.call.Request.API().Key)
		c.throttled(e.node, l, e.call.Response)
	}
	c.unsupported(e.node, l, e.call)
	before := e.node.health.failures
	e.then(c, e.node, e.call)
	if e.call.Err == nil {
		e.node.answered(c.now, before)
		c.news.answered(e.node)
	}
}

// heardMetadata notes whether n's answer to a metadata request is of any use.
func (c *core) heardMetadata(n *node, resp *protocol.MetadataResponse) {
	var err error
	switch {
	case resp.ErrorCode != protocol.NoError:
		err = n.refused("Metadata", resp.ErrorCode)
	case len(resp.Brokers) == 0:
		err = n.refused("Metadata", errNoBrokers)
	default:
		c.stat.trouble.Store(nil)
		return
	}
	n.failed(c.now, err)
	c.trouble(err)
}

var errNoBrokers = errors.New("it knows of no broker, not even of itself")

// trouble keeps the error for those who wait and would like to know why.
func (c *core) trouble(err error) {
	c.stat.trouble.Store(&err)
	c.troubledAt = c.now
}
