package sender

import (
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A modelSilence is what came of answers that have told nothing, in the doubt about which cluster is there.
type modelSilence struct {
	last time.Time // when the last came; zero: none has in this doubt
	sum  time.Duration
}

// tellsNothing reports whether e is an answer about all topics, to what was asked in that doubt, that describes none of those by
// whose ids the cluster could be told.
func (h *history) tellsNothing(e event) bool {
	r, ok := e.(replied)
	if !ok || !h.core.nodes.doubted() || h.core.nodes.changed || r.call.Err != nil {
		return false
	}
	req, ok := r.call.Request.(*protocol.MetadataRequest)
	heard := slices.ContainsFunc(h.core.questions.all(), func(q *question) bool { return q.request == r.call.Request })
	if !ok || !heard || !h.core.meta.AsksForAll(req) {
		return false
	}
	if l := &r.node.links[control]; l.conn != r.conn || !l.vouches && l.stale > 0 {
		return false // its connection was given up, or it was asked before connections were lost
	}
	resp := r.call.Response.(*protocol.MetadataResponse)
	if known := h.core.meta.Snapshot().ClusterID; resp.ErrorCode != protocol.NoError || len(resp.Brokers) == 0 || known != "" && known != *resp.ClusterID {
		return false
	}
	return slices.ContainsFunc(h.core.topics.all(), (*topic).tells) && !slices.ContainsFunc(resp.Topics, func(told protocol.MetadataTopic) bool {
		t := h.core.topics.named(*told.Name)
		return told.ErrorCode == protocol.NoError && t != nil && t.tells()
	})
}

// checkDoubt demands two things of answers which tell nothing. They leave the doubt open, so that no producer id is given up
// for an error that passes. They end it when they have come for long: what was known may be gone for good. nothing says that
// one has just been handled.
func (h *history) checkDoubt(nothing bool) {
	over := !h.core.nodes.doubted()
	if nothing {
		long := min(h.cfg.RequestTimeout, h.cfg.DeliveryTimeout/4)
		if !h.untold.last.IsZero() {
			h.untold.sum += min(h.now.Sub(h.untold.last), long/4)
		}
		h.untold.last = h.now
		h.counts[tallyUntold]++
		switch enough := h.untold.sum >= long; {
		case over && !enough:
			h.fail("I2: answers have described no topic for %v only, and the cluster is taken for another one", h.untold.sum)
		case !over && enough:
			h.fail("I4: answers have described no topic for %v, and it is still in doubt which cluster is there", h.untold.sum)
		case over:
			h.counts[tallyUntoldLong]++
			h.mayDie, h.hurt = "no answer has described a topic for long", true
		}
	}
	if over {
		h.untold = modelSilence{}
	}
}

// beIgnorant has all brokers know no topic for a while, at times for longer than the producer waits.
func (h *history) beIgnorant() {
	if !h.chance(0.5) {
		return
	}
	d := time.Duration(h.rng.Int64N(int64(4 * h.cfg.longestUntold())))
	h.ignore, h.hurt = h.now.Add(d), true
	h.tracef("brokers know no topic for %v", d)
	for range 20 {
		h.pass(d / 10)
		h.serveAll()
	}
}
