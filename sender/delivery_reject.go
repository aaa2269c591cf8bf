package sender

import (
	"fmt"
	"slices"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
)

// rejectRecords ends the records that the broker found at fault, each with its reason, and sends the others again (KIP-467):
// under a new epoch, or under d's first numbers if d may be written after all.
func (c *core) rejectRecords(p *partition, d *delivery, a *protocol.ProducePartitionResponse) {
	bad := namedRecords(d, a)
	if len(bad) == 0 {
		c.giveUp(p, d, brokerError(a.ErrorCode, a.ErrorMessage))
		return
	}
	indices := make([]int32, len(bad))
	for i := range bad {
		indices[i] = bad[i].index
	}
	good := d.Without(indices)
	d.why = Reason(a.ErrorCode)
	if c.txn.failWhole(p, d, bad, good) {
		return
	}
	var pieces []*accumulator.Batch
	if len(good) > 0 {
		var err error
		if pieces, err = d.Split(good); err != nil {
			c.giveUp(p, d, fmt.Errorf("%w; and the records without fault could not be separated: %w", a.ErrorCode, err))
			return
		}
	}
	c.hooks.split(d, len(pieces), len(bad), brokerError(a.ErrorCode, a.ErrorMessage))
	c.breakSequence(p)
	if d.doubtful() && c.cfg.Idempotent {
		c.rejectDoubtful(p, d, pieces, bad)
		return
	}
	for _, b := range pieces {
		d.piece(b, d.doubted())
	}
	c.failRecords(bad, d.doubtful())
}

// rejectDoubtful sends what is left of d under d's first numbers, without a gap, so that a broker that has d does not take it.
// How the records at fault end is known when the first piece is acknowledged, or fails.
func (c *core) rejectDoubtful(p *partition, d *delivery, pieces []*accumulator.Batch, bad []refusal) {
	q := &doubt{around: d.doubt, rejected: true, named: bad}
	n := int32(0)
	p.makeRoom(d, max(len(pieces), 1))
	for i, b := range pieces {
		part := d.piece(b, q)
		part.keep(d, i, n)
		part.keeps = true
		n += b.Count()
	}
	if len(pieces) == 0 {
		c.endNamed(q, true)
		c.endAllNamed(d)
	}
}

// namedRecords returns the records of d that the broker has named, in order, each once and with its reason.
func namedRecords(d *delivery, a *protocol.ProducePartitionResponse) []refusal {
	reasons := make(map[int32]*string, len(a.RecordErrors))
	var bad []refusal
	for _, e := range a.RecordErrors {
		if e.BatchIndex < 0 || e.BatchIndex >= d.Count() {
			continue
		}
		if message, twice := reasons[e.BatchIndex]; !twice {
			bad = append(bad, refusal{of: d, index: e.BatchIndex})
		} else if message != nil {
			continue
		}
		reasons[e.BatchIndex] = e.Message
	}
	slices.SortFunc(bad, func(x, y refusal) int { return int(x.index - y.index) })
	for i := range bad {
		message := reasons[bad[i].index]
		if message == nil {
			message = a.ErrorMessage
		}
		bad[i].err = brokerError(a.ErrorCode, message)
	}
	return bad
}

// failRecords ends the records that the broker has found at fault.
func (c *core) failRecords(bad []refusal, mayBeWritten bool) {
	for _, r := range bad {
		c.failRange(r.of, accumulator.Range{First: r.index, Count: 1}, r.err, mayBeWritten)
	}
}
