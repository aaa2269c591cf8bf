package sender

import (
	"errors"
	"fmt"

	"github.com/epistle-kafka/epistle/protocol"
)

// errStranger: what a broker answered can only be about another producer's batch.
var errStranger = errors.New("another producer has written to this partition with our producer id, as can be after a cluster was made again or restored from a copy")

// disown gives up the producer id, and the one that is being asked for: both may be another cluster's. The next is asked for at
// once.
func (m ordinary) disown() {
	if m.c.cfg.Idempotent {
		m.c.identity.drop()
	}
}

// breakSequence notes that numbers of p were taken for records that are not written, or may not be.
func (c *core) breakSequence(p *partition) {
	p.numbers.Break()
	c.txn.sequenceBroken(p)
}

// abandon has p give up its producer id, which may be somebody else's in its log.
func (c *core) abandon(p *partition) {
	c.breakSequence(p)
	p.keepNothing()
	c.txn.forsake(p)
}

// numbered yields each partition that has a producer id.
func (c *core) numbered(yield func(*partition) bool) {
	for _, t := range c.topics.all() {
		for _, p := range t.parts {
			if p.numbers.Started() && !yield(p) {
				return
			}
		}
	}
}

// abandonAll has all partitions that have that producer id give it up, since somebody else has it, too.
func (c *core) abandonAll(producerID int64) {
	for p := range c.numbered {
		if p.numbers.Identity().ID == producerID {
			c.abandon(p)
			p.numbers.Estrange()
		}
	}
	if c.identity.latest().ID == producerID {
		c.txn.disown()
	}
}

// suspect looks for signs in code that somebody else has our producer id in p's log, and gives the id up if there are any. It
// returns err with what that means.
//
// Only the producer of an id raises its epoch, and a partition never sends an older one after a newer. So where a broker calls
// our epoch old, somebody else has the id, and may have it in each partition. The same follows from a duplicate of a batch that
// cannot have been written. Once that is known, each duplicate may be the other's. In a topic without an id nothing shows that
// the log is still the one that we began.
func (c *core) suspect(p *partition, d *delivery, code protocol.ErrorCode, err error) error {
	stranger := code == protocol.InvalidProducerEpoch || code == protocol.DuplicateSequenceNumber && (!d.doubtful() || p.numbers.Estranged())
	switch {
	case stranger && !d.old:
		if !p.numbers.Estranged() { // else all partitions have
			c.abandonAll(d.identity.ID)
		}
		return fmt.Errorf("%w: %w", errStranger, err)
	case code.Class() == protocol.ClassSequence && p.topic.id == protocol.UUID{} && p.oldest(d):
		if !p.numbers.Abandoned() {
			c.abandon(p)
			c.txn.disown()
		}
	}
	return err
}
