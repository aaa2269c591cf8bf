package sender

import (
	"math"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// run is one history: random steps, and then calm, in which everything must come to its end.
func (h *history) run() {
	h.settle()
	steps := 40 + h.rng.IntN(80)
	for range steps {
		h.act()
		h.settle()
		h.actMore()
		h.settle()
		if h.core.aborted {
			break
		}
	}
	h.finish()
}

// act does one random thing.
func (h *history) act() {
	r := h.rng.IntN(100)
	switch {
	case r < 14:
		n := 1 + h.rng.IntN(6)
		if h.mumbling {
			n *= 3
		}
		for range n {
			h.send()
		}
	case r < 60:
		h.serve()
	case r < 70:
		if h.caller != nil && !h.closing {
			h.caller.step()
		} else {
			h.serve()
		}
	case r < 80:
		h.passToWake()
	case r < 85:
		h.pass(time.Duration(h.rng.IntN(40)) * time.Millisecond)
	case r < 87 && !h.closing:
		g := accumulator.NewGroup()
		h.tracef("flush")
		h.groups = append(h.groups, g)
		h.core.handle(h.now, flushing{g})
	case r < 90:
		h.complete()
	case r == 90:
		h.pass(pick(h, []time.Duration{h.cfg.DeliveryTimeout / 2, h.cfg.RequestTimeout, h.cfg.DeliveryTimeout}))
	default:
		h.disturb()
	}
}

// disturb does something to the brokers, or between them and the core.
func (h *history) disturb() {
	if h.faults == 0 || !h.replacing && !h.chance(0.2+h.faults*2) {
		return
	}
	what := h.rng.IntN(24)
	if h.replacing && h.chance(0.5) {
		what = 20 + h.rng.IntN(4)
	}
	switch what {
	case 0, 1, 2:
		if len(h.conns) > 0 {
			mc := pick(h, h.conns)
			way := hangWay(h.rng.IntN(3))
			h.tracef("connection %d.%d breaks (%d)", mc.node.id, mc.which, way)
			mc.hangUp(errReset, way)
		}
	case 3, 4:
		h.moveLeader()
	case 5:
		h.coordinator = 1 + h.rng.Int32N(h.brokers)
		h.tracef("broker %d is the coordinator", h.coordinator)
	case 6, 7, 8:
		if len(h.late) > 0 {
			h.playLate(h.rng.IntN(len(h.late)))
		}
	case 9:
		id := 1 + h.rng.Int32N(h.brokers)
		h.refusing[id] = !h.refusing[id]
		h.tracef("broker %d refuses connections: %v", id, h.refusing[id])
	case 10:
		if h.chance(0.4) {
			h.recreate(pick(h, h.topics))
		}
	case 11:
		if len(h.conns) > 0 {
			pick(h, h.conns).throttled = h.now.Add(time.Duration(h.rng.IntN(50)) * time.Millisecond)
		}
	case 12:
		if h.caller != nil && h.chance(0.3) {
			h.takeOver()
		}
	case 13:
		if h.flips {
			h.level = 3 - h.level
			h.featureEpoch++
			h.tracef("transaction.version is %d", h.level)
		}
	case 14:
		if h.chance(0.2) {
			h.close()
		}
	case 15:
		h.pause()
	case 16:
		h.resize()
	case 17, 18, 19:
		h.loseTail()
	case 20:
		if h.chance(0.5) {
			h.makeAgain()
		}
	case 21:
		h.moveBroker()
	case 22, 23:
		h.strangerWrites()
	}
}

// loseTail has a partition's leader lose the tail of its log, and lead again under the next epoch. A client that sends
// without having heard of that epoch is refused: whoever does not know it may have several batches on their way to a log
// that knows nothing of them, which nobody can defend it against.
func (h *history) loseTail() {
	if h.caller != nil || !h.cfg.Idempotent || h.core.identity.current.Epoch > math.MaxInt16-10 || len(h.strangers) > 0 {
		return // what strangers have written is not among a log's entries
	}
	p := pick(h, pick(h, h.topics).existing())
	n := h.rng.IntN(len(p.log.entries) + 1)
	if h.chance(0.5) {
		n = 0
	}
	p.log.cutBack(n)
	p.epoch++
	p.cutBackAt, p.returns = p.epoch, h.chance(0.7)
	h.counts[tallyTails]++
	h.hurt = true
	h.tracef("%s-%d loses all behind its first %d batches, and is led by %d under epoch %d", p.topic.name, p.index, n, p.leader, p.epoch)
	h.core.meta.RequestUpdate()
	for range 3 { // the news is there before the next records, as a rule
		h.settle()
		for _, mc := range slices.Clone(h.conns) {
			if mc.which == control && len(mc.flights) > 0 {
				h.serveConn(mc)
			}
		}
	}
	for range h.rng.IntN(8) {
		h.append(p, 0, false)
		h.settle()
	}
}

func (h *history) moveLeader() {
	p := pick(h, pick(h, h.topics).existing())
	p.leader = 1 + h.rng.Int32N(h.brokers)
	p.epoch++
	h.tracef("%s-%d is led by %d", p.topic.name, p.index, p.leader)
	if h.chance(0.3) {
		h.core.meta.RequestUpdate()
	}
	if h.cfg.RequestTimeout > 2*mostPatience && h.chance(0.5) {
		h.fallSilent()
	}
}

// fallSilent has all connections for data say nothing, for longer than they may without being noticed.
func (h *history) fallSilent() {
	h.tracef("silence")
	for range 5 {
		h.pass(mostPatience / 4)
		for len(h.dials) > 0 {
			h.dialDone()
		}
		h.settle()
		for _, mc := range slices.Clone(h.conns) {
			for mc.which == control && len(mc.flights) > 0 && !mc.broken && h.chance(0.9) {
				h.serveConn(mc)
			}
		}
	}
}

// recreate deletes a topic and makes it again. Where topics go by their names, a late request for the old one would be one
// for the new, which nobody can tell apart.
func (h *history) recreate(t *modelTopic) {
	if h.mode == modeOldest {
		return // there topics go by their names, and so does what is in flight
	}
	h.makeTopic(t)
	for i := 0; i < len(h.late); i++ {
		h.late[i] = slices.DeleteFunc(h.late[i], func(f *flight) bool {
			byName := slices.ContainsFunc(f.attempts, func(a *modelAttempt) bool { return a.part.topic == t && a.life < 0 })
			if byName {
				f.lose()
			}
			return byName
		})
	}
	h.late = slices.DeleteFunc(h.late, func(flights []*flight) bool { return len(flights) == 0 })
	h.counts[tallyRecreated]++
	h.hurt = true
	if h.caller != nil {
		h.mayDie = "if all connections are lost as well, a topic that was made again is all that there is of another cluster"
	}
	h.tracef("topic %s is made again", t.name)
	h.core.meta.RequestUpdate()
}

// pause is a long time without records, after which brokers have forgotten who wrote to their partitions. It takes longer
// than any request can be late, and than the core trusts their memory (see package idempotent); a day, in fact.
func (h *history) pause() {
	if len(h.roots) > 0 || h.core.requests.flying > 0 || len(h.late) > 0 || h.txn.state == txnOngoing || h.txn.state.deciding() {
		return
	}
	h.tracef("a long pause")
	h.pass(11 * time.Minute)
	for _, t := range h.topics {
		for _, p := range t.parts {
			if h.chance(0.5) && h.now.Sub(p.log.last) > 10*time.Minute {
				clear(p.log.producers)
				clear(p.log.unverified)
				h.hurt = true // a marker of the old protocol, which has no number, then makes the next number wrong
			}
		}
	}
}

// send is a caller's Send. Some come late: the transaction that they were meant for has ended meanwhile.
func (h *history) send() {
	p := pick(h, pick(h, h.topics).existing())
	if h.caller == nil {
		h.append(p, 0, false)
		return
	}
	if h.core.topics.named(p.topic.name) == nil {
		h.append(p, 0, false) // which only looks the topic up
		return
	}
	view := h.core.published.txn.Load()
	switch {
	case h.caller.number > 0 && h.chance(0.03):
		h.append(p, h.caller.number, view.Refusal != nil)
	case view.Refusal == nil:
		h.append(p, view.Number, false)
	}
}

// serve lets brokers work, or answers come.
func (h *history) serve() {
	for len(h.dials) > 0 && h.chance(0.9) {
		h.dialDone()
	}
	for len(h.packs) > 0 && h.chance(0.7) {
		h.packDone()
	}
	for len(h.ends) > 0 && h.chance(0.7) {
		h.completeOne()
	}
	if len(h.strangers) > 0 && h.chance(0.3) {
		h.strangerWrites()
	}
	for _, mc := range slices.Clone(h.conns) {
		for len(mc.flights) > 0 && !mc.broken && (mc.which == control && h.chance(0.8) || h.chance(0.5)) {
			h.serveConn(mc)
		}
	}
}

// serveConn takes the first request of a connection a step further.
func (h *history) serveConn(mc *modelConn) {
	if mc.deaf {
		return
	}
	i := slices.IndexFunc(mc.flights, func(f *flight) bool { return !f.processed })
	if i > 0 && (h.chance(0.5) || h.calm) || i < 0 {
		mc.deliver()
		return
	}
	f := mc.flights[i]
	h.work(f)
	if i == 0 && (h.calm || h.chance(0.8)) {
		if h.chance(0.1) && h.fault() || h.mode == modeDoubting && !h.calm && h.chance(0.1) {
			h.tracef("the answer is lost")
			mc.hangUp(errReset, hangWay(h.rng.IntN(3)))
			return
		}
		mc.deliver()
	}
}

// work lets a broker work at a request, whose answer is then on its way.
func (h *history) work(f *flight) {
	resp := f.call.Response
	if resp == nil { // acks=0
		resp = f.call.Request.NewResponse()
	}
	h.process(f, resp, true)
}

func (h *history) dialDone() {
	d := h.dials[0]
	h.dials = slices.Delete(h.dials, 0, 1)
	switch {
	case d.err != nil:
	case h.fault():
		d.err = wire.ErrTimeout
	default:
		mc := &modelConn{h: h, node: d.node, broker: max(d.node.id, 1), addr: d.dial.addr, which: d.which, older: h.older[max(d.node.id, 1)]}
		if known := h.core.meta.Snapshot().ClusterID; h.cfg.ClusterCheck && d.node.id >= 0 && known != "" && known != h.cluster {
			d.err = protocol.RebootstrapRequired // KIP-1242
			break
		}
		d.conn = mc
		h.conns = append(h.conns, mc)
	}
	h.post(d)
}

func (h *history) packDone() {
	p := h.packs[0]
	h.packs = slices.Delete(h.packs, 0, 1)
	h.compress(p.delivery)
	if p.request.packedOne() {
		h.post(packedUp{p.request})
	}
}

// passToWake lets time go on to when the core wants to be called.
func (h *history) passToWake() {
	if !h.wakeAt.IsZero() {
		h.pass(min(h.wakeAt.Sub(h.now), 2*time.Second))
	}
}

// pass lets time go on, stopping wherever the core wants to be called, or a request has had its time.
func (h *history) pass(d time.Duration) {
	end := h.now.Add(d)
	for {
		h.settle()
		at := end
		if !h.wakeAt.IsZero() && h.wakeAt.Before(at) {
			at = h.wakeAt
		}
		for _, mc := range h.conns {
			if len(mc.flights) > 0 {
				if due := mc.flights[0].sent.Add(h.cfg.RequestTimeout); due.Before(at) {
					at = due
				}
			}
		}
		h.now = later(h.now, at)
		for _, mc := range slices.Clone(h.conns) {
			if len(mc.flights) > 0 && !mc.flights[0].sent.Add(h.cfg.RequestTimeout).After(h.now) {
				h.tracef("connection %d.%d times out", mc.node.id, mc.which)
				mc.hangUp(wire.ErrTimeout, hangTimeout)
			}
		}
		h.expireTxn()
		if !h.now.Before(end) {
			return
		}
	}
}

// close begins Close; its time may be up at once.
func (h *history) close() {
	h.closing, h.closed = true, h.now
	g := accumulator.NewGroup()
	h.groups = append(h.groups, g)
	h.tracef("close")
	h.core.handle(h.now, closing{g})
	h.settle()
	if h.chance(0.5) {
		h.tracef("its time is up")
		h.core.handle(h.now, aborting{})
	}
}
