package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
)

// admits reports whether batches of p may be sent as part of the open transaction (I7), and sees to it that they may be.
func (t *transactor) admits(p *partition) bool {
	c := t.c
	number := t.Number()
	switch {
	case number == 0:
		return false
	case p.joined == number && (!t.UsesV2() || p.added == number || c.adds(p)):
	case t.UsesV2() && c.adds(p):
		t.Joins()
		p.joined = number
	default:
		t.join(p, number)
		return false
	}
	if p.numbers.Identity() != c.identity.latest() {
		if len(p.inFlight)+len(p.retry) > 0 {
			panic("sender: a batch has outlived its transaction")
		}
		p.numbers.Adopt(c.identity.latest())
	}
	return true
}

// adds reports whether the next Produce to p adds it to the transaction. If its connection offers no version that does,
// AddPartitionsToTxn adds p, in the new protocol, too.
func (c *core) adds(p *partition) bool {
	n := c.nodes.of(p.leader)
	return n == nil || n.links[data].conn == nil || n.links[data].adds
}

// spare is how many of n may be in flight now. While a transaction is open one is kept free for the batches that its end sends
// out. They would wait a round trip for an answer otherwise.
func (t *transactor) spare(n int) int {
	if n == 1 || t.EndsSoon() {
		return n
	}
	return n - 1
}

// joins reports whether p has to be added to the transaction before anything is sent to it.
func (t *transactor) joins(p *partition) bool {
	return p.joined != t.Number() && !(t.UsesV2() && t.c.adds(p))
}

// joining returns what keeps p from being added, as far as is known.
func (t *transactor) joining(p *partition, since time.Time) error {
	if !t.joins(p) {
		return nil
	}
	return t.stepObstacle(since)
}

// join asks the coordinator to add p to the transaction, once.
func (t *transactor) join(p *partition, number int64) {
	if p.joining != number {
		p.joining = number
		t.Add(txn.Partition{Topic: p.topic.name, Index: p.index})
	}
}

// sweep ends what p has of a transaction that takes no more, or is lost. In the old protocol it has p added to the open one
// while p's batches still linger.
func (t *transactor) sweep(p *partition) {
	c := t.c
	t.dropForeign(p)
	number := t.Number()
	if number != 0 && p.numbers.Broken() && p.numbers.Identity() == c.identity.latest() && (len(p.retry) > 0 || p.queue.Queued() > 0) {
		// Its log is another one than when the transaction began.
		t.Fail(ErrTopicRecreated)
		t.moved()
		t.dropForeign(p)
		number = 0
	}
	for number == 0 && len(p.retry) > 0 {
		c.giveUp(p, p.retry[0], t.Cause())
	}
	if number != 0 && p.joined != number && !t.UsesV2() && p.queue.Queued() > 0 {
		t.join(p, number)
	}
}

// dropForeign ends what waits in p's queue and is not of the open transaction.
func (t *transactor) dropForeign(p *partition) {
	c := t.c
	number := t.Number()
	for p.queued() && p.head.Txn != number {
		err := errEnded // it came too late, which does not harm the transaction
		if cause := t.Cause(); cause != nil && p.head.Txn == t.Last() {
			err = cause
		}
		c.endQueued(p.drain(), err)
	}
}

// recordFailed fails transaction number, since a record of it has failed for good. A record that was appended while the
// transaction was being ended does not count.
func (t *transactor) recordFailed(number int64, err error) {
	if number == t.Last() && !t.Asked() {
		t.Fail(err)
		t.moved()
	}
}

// sequenceBroken asks for a new epoch before the next transaction. If p's numbers are of an older identity than the producer
// has now, p adopts the producer's at 0 with its next batch anyway, and no other is needed.
func (t *transactor) sequenceBroken(p *partition) {
	if p.numbers.Broken() && p.numbers.Identity() == t.Identity() {
		t.Renew()
	}
}

// failWhole ends all records of d, of which the broker has named some as faulty: the transaction is lost, so nothing is sent
// again.
func (t *transactor) failWhole(p *partition, d *delivery, bad []refusal, good []accumulator.Range) bool {
	c := t.c
	c.hooks.failed(d, bad[0].err, d.doubtful())
	d.resolved = true
	c.breakSequence(p)
	c.failRecords(bad, d.doubtful())
	for _, r := range good {
		c.failRange(d, r, t.Cause(), d.doubtful())
	}
	return true
}

func (t *transactor) sweeps() bool { return true }

// stamp names the producer to the brokers.
func (t *transactor) stamp(r *request) {
	r.message.TransactionalID = &t.c.cfg.TransactionalID
	if !t.UsesV2() {
		r.call.MaxVersion = lastVersionOldTxn
	}
}

// delivered notes that the partition is part of the transaction.
func (t *transactor) delivered(d *delivery) {
	if d.Txn() == t.Last() {
		t.Joined()
	}
}

// strange never reports true: nobody else has the id that the coordinator gave.
func (t *transactor) strange(*partition, *delivery, int32, int64) bool { return false }

func (t *transactor) qualify(a *attempt) { a.transactional, a.fresh = true, t.Fresh() }

func (t *transactor) explain(_ *partition, _ *delivery, _ protocol.ErrorCode, err error) error {
	return t.Overdue(err)
}

// forsake leaves p its numbers: the next transaction has others.
func (t *transactor) forsake(*partition) {}

// retire has p numbered anew under another epoch, should it be met again.
func (t *transactor) retire(p *partition) {
	if p.numbers.Identity() == t.c.identity.latest() {
		t.Renew()
	}
}

// wiped fails the transaction if p is part of it: what it has written there is gone.
func (t *transactor) wiped(p *partition, why error) {
	if t.Number() != 0 && p.joined == t.Number() {
		t.Fail(why)
		t.moved()
	}
}
