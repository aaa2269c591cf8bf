package sender

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/protocol"
)

// maxHad bounds the memory of former producer ids. There is one for each time
// that a topic or the cluster was made again, or that epochs ran out.
const maxHad = 1000

// errStranger: what a broker answered can only be about another producer's batch.
var errStranger = errors.New("another producer has written to this partition with our producer id, as can be after a cluster was made again or restored from a copy")

// take makes given the current identity. A cluster that was made again gives ids
// from the start: one that we had before is used above all epochs that we know,
// so that nothing of ours that is still on its way has its numbers. It reports
// false if there is no such epoch.
func (id *identity) take(given idempotent.Identity) bool {
	if id.highest >= 0 {
		id.had = slices.DeleteFunc(id.had, func(had idempotent.Identity) bool { return had.ID == id.current.ID })
		id.had = append(id.had, idempotent.Identity{ID: id.current.ID, Epoch: id.highest})
		id.had = id.had[max(0, len(id.had)-maxHad):]
		id.highest = -1 // it is remembered
	}
	for _, had := range id.had {
		if had.ID != given.ID || had.Epoch < given.Epoch {
			continue
		}
		if had.Epoch == math.MaxInt16 {
			return false
		}
		given.Epoch = had.Epoch + 1
	}
	id.current, id.highest = given, given.Epoch
	id.valid, id.failed, id.trouble = true, 0, nil
	return true
}

// disown gives up the producer id, and what is being asked for: both may be
// another cluster's. The next is asked for at once.
func (m ordinary) disown() {
	id := &m.c.identity
	if !m.c.cfg.Idempotent {
		return
	}
	id.valid, id.asking = false, false
	id.era++
	id.failed, id.next, id.trouble = 0, zero, nil
}

// gap notes that numbers of p were taken for records that are not written, or may
// not be.
func (c *core) gap(p *partition) {
	p.numbers.Break()
	c.txn.gap(p)
}

// abandon has p give up its producer id, which may be somebody else's in its log.
func (c *core) abandon(p *partition) {
	c.gap(p)
	p.keepNothing()
	c.txn.forsake(p)
}

// abandonEach is abandon for the partitions with numbers of which lost says so.
func (c *core) abandonEach(lost func(*partition) bool) {
	for _, t := range c.listed {
		for _, p := range t.parts {
			if p.numbers.Started() && lost(p) {
				c.abandon(p)
			}
		}
	}
}

// abandonAll has all partitions that have that producer id give it up.
func (c *core) abandonAll(producerID int64) {
	c.abandonEach(func(p *partition) bool { return p.numbers.Identity().ID == producerID })
	if c.identity.current.ID == producerID {
		c.txn.disown()
	}
}

// suspect looks at a code for signs that the producer id is not ours alone in
// p's log, and has it given up then. It returns the error with what that means.
//
// Only its producer raises the epoch of an id, and a partition never sends an
// older one after a newer. So where a broker calls our epoch old, somebody else
// has the id, and may have it in each partition. The same is so of a duplicate
// of what cannot have been written. In a topic without an id nothing vouches
// that the log is still the one that we began.
func (c *core) suspect(p *partition, d *delivery, code protocol.ErrorCode, err error) error {
	stranger := code == protocol.InvalidProducerEpoch || code == protocol.DuplicateSequenceNumber && !d.doubtful()
	switch {
	case stranger && !d.old:
		if !p.numbers.Abandoned() { // else the others have, too
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
