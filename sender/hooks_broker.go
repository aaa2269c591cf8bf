package sender

import (
	"errors"
	"time"

	"github.com/epistle-kafka/epistle/wire"
)

// connected tells of a connection that was made.
func (h *hooks) connected(e dialed) {
	if h == nil {
		return
	}
	o := opened{e.node.id, e.node.addr, e.which == control, h.c.now}
	h.open[e.conn] = o
	if h.on.Connected != nil {
		h.on.Connected(&BrokerEvent{Node: o.node, Addr: o.addr, Control: o.control, Took: h.took(e.dial)})
	}
}

// notConnected tells of an attempt to connect that has failed. An attempt that Close has ended is not told.
func (h *hooks) notConnected(e dialed) {
	if h == nil || h.on.Connected == nil || h.c.aborted {
		return
	}
	h.on.Connected(&BrokerEvent{Node: e.node.id, Addr: e.dial.addr, Control: e.which == control, Took: h.took(e.dial), Err: e.err})
}

func (h *hooks) took(d *dial) time.Duration {
	if d == nil {
		return 0
	}
	return h.c.now.Sub(d.began)
}

// disconnected tells of the end of a connection.
func (h *hooks) disconnected(cn conn, err error) {
	if h == nil {
		return
	}
	for _, ours := range [...]error{wire.ErrIdle, ErrClosed, errElsewhere, errBeaten} {
		if errors.Is(err, ours) {
			err = nil // we have closed it, and nothing was wrong
		}
	}
	h.closed(cn, err)
}

// closed tells of the end of cn, once, if its beginning was told.
func (h *hooks) closed(cn conn, err error) {
	o, reported := h.open[cn]
	if !reported {
		return
	}
	delete(h.open, cn)
	if h.on.Disconnected != nil {
		h.on.Disconnected(&BrokerEvent{Node: o.node, Addr: o.addr, Control: o.control, Lasted: h.c.now.Sub(o.at), Err: err})
	}
}

// requestEnded tells of the end of a request that was handed to a connection of n.
func (h *hooks) requestEnded(n *node, call *wire.Call, asked time.Time) {
	if h == nil || h.on.RequestEnded == nil {
		return
	}
	h.on.RequestEnded(&RequestEvent{
		Node: n.id, Addr: n.addr, API: call.Request.API(), Version: call.Version,
		Asked: asked, Written: call.WrittenAt, Ended: call.DoneAt,
		Request: call.RequestSize, Answer: call.ResponseSize, MayBeThere: call.Written, Err: call.Err,
	})
}

// produceEnded is requestEnded for a produce request.
func (h *hooks) produceEnded(r *request) {
	if h == nil {
		return
	}
	asked := h.c.now
	if len(r.deliveries) > 0 && r.deliveries[0].sending != nil {
		asked = r.deliveries[0].sending.at
	}
	h.requestEnded(r.node, &r.call, asked)
}

// throttled tells that n wants to be sent nothing for a while.
func (h *hooks) throttled(n *node, l *link, until time.Time) {
	if h == nil || h.on.Throttled == nil {
		return
	}
	h.on.Throttled(&BrokerEvent{
		Node: n.id, Addr: n.addr, Control: l == &n.links[control], Asked: l.asked, Granted: until.Sub(h.c.now),
	})
}
