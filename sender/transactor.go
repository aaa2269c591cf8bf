package sender

import (
	"errors"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
	"github.com/epistle-kafka/epistle/wire"
)

// A transactor is the transactional half of the core: package txn says what is due, and here it is sent, and what comes
// of it is applied to partitions.
type transactor struct {
	*txn.Txn
	state   txn.State // as last seen by txnMoved
	number  int64     // the same
	stirred bool      // partitions with work have to be looked at

	// Of Close, which waits for the end of the transaction, though not for ever.
	closing []*accumulator.Group
	closeBy time.Time
	gaveUp  error // that it has not come until then

	// The cluster's finalised features as of the highest epoch heard of, and the level of transaction.version in them.
	features  int64
	finalized int16

	held    *txn.Step   // due, and not sent for now
	waiting []*txn.Step // sent to coordinators and not answered
	search  search      // for a coordinator in place of a silent one
}

// Transaction is what senders of records have to know.
type Transaction struct {
	Number  int64 // of the open transaction, which records give in Entry.Txn; 0 if none takes records
	Refusal error // why none does; nil if one does
}

// errEnded is why a record fails that came while its transaction was being ended.
var errEnded = errors.New("its transaction has ended")

func newTransactor(c *core) *transactor {
	t := &transactor{features: -1}
	t.Txn = txn.New(txn.Config{
		ID: c.cfg.TransactionalID, Timeout: c.cfg.TransactionTimeout, Patience: c.cfg.DeliveryTimeout,
		Delay: func(failures int) time.Duration { return c.cfg.RetryBackoff.Delay(failures, c.out.random()) },
	})
	c.stat.txn.Store(&Transaction{Refusal: t.Refusal(sendCall)})
	return t
}

// sendCall is what a record that is refused has been called with.
const sendCall = "Send"

// txnMoved applies a change of the transaction's state: who sends records is told first, then partitions are looked at.
// Whoever may have changed it calls this, and so does each call before it ends.
func (c *core) txnMoved() {
	t := c.txn
	if id := t.Identity(); id != c.identity.current {
		c.identity.current, c.identity.valid = id, id.ID >= 0
	}
	state, number := t.State(), t.Number()
	if state == t.state && number == t.number {
		c.releaseClose()
		return
	}
	c.news.transacted(t.state, state)
	t.state, t.number, t.stirred = state, number, true
	view := &Transaction{Refusal: t.Refusal(sendCall)}
	if view.Refusal == nil {
		view.Number = number
	}
	c.stat.txn.Store(view)
	if c.closing && t.CanAbort() { // failed, or begun, since Close was called
		c.abortToClose()
		return
	}
	c.releaseClose()
}

// askTxn sends the transactional requests that are due. It returns when to come back.
func (c *core) askTxn() time.Time {
	closeBy := c.closeTimeout()
	return sooner(c.askSteps(), closeBy)
}

func (c *core) askSteps() time.Time {
	c.txn.held = nil
	for {
		step, at := c.txn.Next(c.judged(), c.alarms.waiting == 0 && c.flying == 0)
		at = c.judgedAt(at)
		c.txnMoved()
		if step == nil {
			if c.txn.stirred {
				return c.now
			}
			return at
		}
		if at, sent := c.sendStep(step); !sent {
			c.txn.held = step
			return at
		}
	}
}

// sendStep sends a transactional request, or reports when to try again.
func (c *core) sendStep(step *txn.Step) (at time.Time, sent bool) {
	t := c.txn
	var n *node
	if c.unsure {
		return time.Time{}, false // an answer to Metadata leads to another step
	}
	if step.Node == txn.Anyone {
		if n, at = c.controlNode(); n == nil {
			return at, false
		}
	} else {
		n = c.nodes[step.Node]
		l := &n.links[control]
		if l.conn == nil {
			at = c.connect(n, control)
			if c.missing(l) { // another may have taken over
				return sooner(at, c.seek(step)), false
			}
			_, from := l.trying(c.now)
			return sooner(at, from), false
		}
		if until := l.conn.ThrottledUntil(); until.After(c.now) {
			return until, false
		}
		if l.busy >= c.cfg.MaxInFlight {
			return time.Time{}, false // an answer leads to another step
		}
	}
	api := step.Request.API()
	newest, ok := n.links[control].conn.Version(api.Key)
	if l := &n.links[control]; ok && newest < step.MinVersion {
		switch {
		case !t.Crosses(step) && t.Lower(step):
			return c.now, false
		case !c.askOffer(l, api.Key), t.Lower(step):
			return l.notUntil, false
		}
		t.Unsupported(step, &wire.UnsupportedVersionError{
			API: api.Name, Known: true, BrokerMax: newest, Min: step.MinVersion, Max: api.Max,
		})
		c.txnMoved()
		return c.now, false
	}
	step.Asked, step.Broker = n.id, c.brokerName(n.id)
	then := func(c *core, n *node, call *wire.Call) {
		step.Asked, step.Broker = n.id, c.brokerName(n.id) // who has answered, of several that were asked
		c.takeTxnAnswer(step, call)
	}
	ask := c.inquire
	if step.Node != txn.Anyone {
		ask = c.askCoordinator
	}
	if !ask(n, step.Request, step.MaxVersion, then) {
		return c.now, false // its connection is gone
	}
	if step.Node != txn.Anyone {
		t.waiting = append(t.waiting, step)
	}
	t.Sent(step)
	c.txnMoved()
	return time.Time{}, true
}

// takeTxnAnswer deals with the end of a transactional request.
func (c *core) takeTxnAnswer(step *txn.Step, call *wire.Call) {
	t := c.txn
	t.waiting = slices.DeleteFunc(t.waiting, func(o *txn.Step) bool { return o == step })
	if resp, ok := call.Response.(*protocol.FindCoordinatorResponse); ok && call.Err == nil {
		c.meetCoordinators(resp)
	}
	unsupported := (*wire.UnsupportedVersionError)(nil)
	if errors.As(call.Err, &unsupported) {
		t.Unsupported(step, call.Err)
	} else {
		t.Answer(c.now, step, call.Response, call.Err, call.Written)
	}
	c.txnMoved()
	for _, added := range t.Added() {
		topic := c.topics[added.Topic]
		if topic == nil || int(added.Index) >= len(topic.parts) {
			continue
		}
		p := topic.parts[added.Index]
		p.joined, p.added = t.Number(), t.Number()
		c.look(p)
	}
}

// meetCoordinators makes nodes of the brokers that an answer names.
func (c *core) meetCoordinators(resp *protocol.FindCoordinatorResponse) {
	all := resp.Coordinators
	if len(all) == 0 {
		all = []protocol.Coordinator{{NodeID: resp.NodeID, Host: resp.Host, Port: resp.Port, ErrorCode: resp.ErrorCode}}
	}
	for i := range all {
		if co := &all[i]; co.ErrorCode == protocol.NoError && co.NodeID >= 0 {
			c.nodeAt(co.NodeID, co.Host, co.Port)
		}
	}
}

// admitted reports whether batches of p may be sent as part of the open transaction (I7), and sees to it that they may be.
func (c *core) admitted(p *partition) bool {
	number := c.txn.Number()
	switch {
	case number == 0:
		return false
	case p.joined == number && (!c.txn.New() || p.added == number || c.adds(p)):
	case c.txn.New() && c.adds(p):
		c.txn.Joins()
		p.joined = number
	default:
		c.join(p, number)
		return false
	}
	if p.numbers.Identity() != c.identity.current {
		if len(p.inFlight)+len(p.retry) > 0 {
			panic("sender: a batch has outlived its transaction")
		}
		p.numbers.Adopt(c.identity.current)
	}
	return true
}

// adds reports whether the next Produce to p adds it to the transaction. A connection that offers no version which does
// leaves that to AddPartitionsToTxn, in the new protocol, too.
func (c *core) adds(p *partition) bool {
	n := c.nodes[p.leader]
	return n == nil || n.links[data].conn == nil || n.links[data].adds
}

// spare is how many of n may be in flight now. While a transaction is open one is kept for the batches that its end sends
// out, which would wait a round trip for an answer else.
func (c *core) spare(n int) int {
	if c.txn == nil || n == 1 || c.txn.RoundingOff() {
		return n
	}
	return n - 1
}

// joins reports whether p has to be added to the transaction before anything is sent to it.
func (c *core) joins(p *partition) bool {
	return c.txn != nil && p.joined != c.txn.Number() && !(c.txn.New() && c.adds(p))
}

// join asks the coordinator to add p to the transaction, once.
func (c *core) join(p *partition, number int64) {
	if p.joining != number {
		p.joining = number
		c.txn.Add(txn.Partition{Topic: p.topic.name, Index: p.index})
	}
}

// sweep ends what p has of a transaction that takes no more, or is lost. What it has of the one that is open is announced,
// in the old protocol, while it still lingers.
func (c *core) sweep(p *partition) {
	c.dropForeign(p)
	number := c.txn.Number()
	if number != 0 && p.numbers.Broken() && p.numbers.Identity() == c.identity.current && (len(p.retry) > 0 || p.queue.Queued() > 0) {
		// Its log is another one than when the transaction began.
		c.txn.Fail(ErrTopicRecreated)
		c.txnMoved()
		c.dropForeign(p)
		number = 0
	}
	for number == 0 && len(p.retry) > 0 {
		c.giveUp(p, p.retry[0], c.txn.Cause())
	}
	if number != 0 && p.joined != number && !c.txn.New() && p.queue.Queued() > 0 {
		c.join(p, number)
	}
}

// dropForeign ends what waits in p's queue and is not of the open transaction.
func (c *core) dropForeign(p *partition) {
	number := c.txn.Number()
	for p.queued() && p.head.Txn != number {
		err := errEnded // it came too late, and the transaction is none the worse for it
		if cause := c.txn.Cause(); cause != nil && p.head.Txn == c.txn.Last() {
			err = cause
		}
		c.endQueued(p.drain(), err)
	}
}

// doom notes that a record of transaction number has failed for good, and so has that. A record that was appended while the
// transaction was being ended is none of it.
func (c *core) doom(number int64, err error) {
	if c.txn != nil && number == c.txn.Last() && !c.txn.Asked() {
		c.txn.Fail(err)
		c.txnMoved()
	}
}

// gap notes that numbers of p were taken for records that are not written, or may not be. Where they are of an older
// identity than the producer has now, p adopts that at 0 with its next batch anyway, and nobody needs another.
func (c *core) gap(p *partition) {
	p.numbers.Break()
	if c.txn != nil && p.numbers.Broken() && p.numbers.Identity() == c.txn.Identity() {
		c.txn.Renew()
	}
}

// siftTxn ends all records of a batch of which the broker has named some as faulty: its transaction is lost, so that
// nothing is sent again.
func (c *core) siftTxn(p *partition, d *delivery, bad []refusal, good []accumulator.Range) {
	d.told = true
	c.gap(p)
	c.refuseRecords(bad, d.doubtful())
	for _, r := range good {
		c.failRange(d, r, c.txn.Cause(), d.doubtful())
	}
}

// askFeatures asks n again what the cluster has finalised: it may be upgraded, or downgraded, while this producer runs.
func (c *core) askFeatures(n *node) {
	l := &n.links[control]
	if l.conn == nil || l.busy >= c.cfg.MaxInFlight {
		return
	}
	w := &c.cfg.Wire
	req := &protocol.ApiVersionsRequest{ClientSoftwareName: w.SoftwareName, ClientSoftwareVersion: w.SoftwareVersion, NodeID: -1}
	c.ask(n, req, new(protocol.ApiVersionsResponse), func(c *core, _ *node, call *wire.Call) {
		resp := call.Response.(*protocol.ApiVersionsResponse)
		if call.Err != nil || resp.ErrorCode != protocol.NoError {
			return
		}
		levels := map[string]int16{}
		for _, f := range resp.FinalizedFeatures {
			levels[f.Name] = f.MaxVersionLevel
		}
		c.noteFeatures(resp.FinalizedFeaturesEpoch, levels)
	})
}

// noteFeatures takes a broker's word for what is finalised, unless a newer one is known.
func (c *core) noteFeatures(epoch int64, levels map[string]int16) {
	defer func() { _ = c.speak() }() // who begins a transaction is told why none can be
	if epoch < c.txn.features {
		return
	}
	c.txn.features = epoch
	c.txn.finalized = levels["transaction.version"]
}
