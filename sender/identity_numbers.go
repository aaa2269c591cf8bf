package sender

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/epistle-kafka/epistle/idempotent"
)

// renew gives p a new epoch if that is possible now (I3). It reports whether p may be drained. If only batches of unknown
// outcome, or parts of one, stand in the way, the oldest of them is retried unchanged first. A batch that may be written cannot
// be taken once one in front of it has lost its numbers, so it fails.
func (c *core) renew(p *partition) bool {
	if len(p.inFlight) > 0 {
		return false
	}
	if len(p.retry) > 0 && p.resends(p.retry[0]) {
		return true
	}
	// A batch behind one that was definitely refused can be in the log only if the broker lost its state. It cannot be numbered
	// anew, since it could then be in the log twice. So it ends as one that may be written.
	for i := 0; i < len(p.retry); {
		if d := p.retry[i]; d.doubtful() {
			c.giveUp(p, d, fmt.Errorf("%w: %w", errBehind, cmp.Or(p.lastErr, errUnanswered)))
			continue
		}
		i++
	}
	// The id may be another cluster's, or may have no epochs left.
	if !c.identity.known() || !c.identity.renew(p) {
		return c.identity.await(p)
	}
	c.news.renewed(p)
	c.metrics.countBump()
	c.hooks.renewed(p)
	for _, d := range p.retry {
		d.numbered, d.keeps = false, false
	}
	return true
}

var errUnanswered = errors.New("it got no answer")

var errBehind = errors.New("an earlier batch of the partition was refused, and this one was sent before that was known")

// number gives d its place in the broker's sequence.
func (p *partition) number(d *delivery) {
	if !d.numbered {
		d.numbered = true
		d.identity = p.numbers.Identity()
		d.seq = p.numbers.Number(d.Count())
		p.sent++
		d.rank = p.sent
	}
}

// seal writes d's header, which is final until d is numbered anew.
func (d *delivery) seal() {
	h := d.Header()
	if d.identity != idempotent.None {
		h.ProducerID, h.ProducerEpoch, h.BaseSequence = d.identity.ID, d.identity.Epoch, d.seq
	}
	d.PutHeader(&h)
}
