package sender

import (
	"errors"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// steer sends the control requests that are due: the manager's, pings, metadata, and behind all others the pusher's. It returns
// when to come back.
func (c *core) steer() time.Time {
	if c.aborted {
		return time.Time{}
	}
	at := c.txn.ask()
	if len(c.questions.pinging()) > 0 {
		at = sooner(at, c.askPings())
	}
	at = sooner(at, c.askBeside())
	at = sooner(at, c.askMetadata())
	return sooner(at, c.pusher.ask())
}

// askMetadata sends the requests for metadata that are due, side by side: to those who are least busy.
func (c *core) askMetadata() time.Time {
	for {
		at, due := c.meta.Due(c.now)
		if !due {
			return at
		}
		n, at := c.controlNode()
		if n == nil {
			return at
		}
		req, at := c.meta.Next(c.now)
		if req == nil {
			return at
		}
		if !c.inquire(n, req, 0, (*core).takeMetadata) {
			return c.now // its connection is gone: look for another at once
		}
		c.meta.Sent()
	}
}

// controlNode returns a node with a free control connection, but none of those that are named. If there is none it returns nil
// and when to come back; the zero time if only an event can help.
func (c *core) controlNode(but ...int32) (*node, time.Time) {
	ids := slices.DeleteFunc(c.candidates(), func(id int32) bool { return slices.Contains(but, id) })
	var at time.Time
	for len(ids) > 0 {
		id := c.meta.Prefer(ids)
		n := c.nodes.of(id)
		l := &n.links[control]
		if l.conn != nil && l.busy < c.cfg.MaxInFlight && !l.conn.ThrottledUntil().After(c.now) {
			return n, time.Time{}
		}
		if l.conn == nil {
			at = sooner(at, c.connect(n, control))
			if long, until := l.trying(c.now); len(l.dials) > 0 && !long {
				// Nodes that are connected and answer can be asked meanwhile, and the attempt's end leads to another step. But
				// not while there is a doubt: none of them has answered for a while then.
				ids = slices.DeleteFunc(ids, func(o int32) bool {
					return c.nodes.doubted() || c.nodes.of(o).links[control].conn == nil || c.nodes.of(o).silent(c.pause.judged(c.now))
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

// candidates returns the ids of the nodes that can answer control requests, the best to ask first.
func (c *core) candidates() []int32 {
	return c.nodes.candidates(c.meta.Snapshot(), c.pause.judged(c.now))
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
	c.metrics.countRequest(&n.counts, req.API().Name)
	c.pending++
	return true
}

func (e replied) apply(c *core) {
	c.pending--
	c.metrics.countCall(e.node, e.call)
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
		c.nodes.untroubled()
		return
	}
	n.failed(c.now, err)
	c.nodes.troubled(c.now, err)
}

var errNoBrokers = errors.New("it knows of no broker, not even of itself")
