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

// A transactor is the transactional half of the core: package txn says what is due, and here it is sent, and what comes of it
// is applied to partitions.
type transactor struct {
	*txn.Txn
	c       *core
	state   txn.State // as last seen by moved
	number  int64     // the same
	stirred bool      // partitions with work have to be refreshed

	// Of Close, which waits for the end of the transaction, though not for ever.
	closing  []*accumulator.Group
	closedAt time.Time // when it was first called
	gaveUp   error     // that the transaction had not ended within delivery.timeout

	// The cluster's finalised features as of the highest epoch heard of, and the level of transaction.version in them.
	features  int64
	finalized int16

	held    *txn.Step   // due, and not sent for now
	heldBy  *node       // whose throttling has last kept a step from being sent
	waiting []*txn.Step // sent to coordinators and not answered
	search  search      // for a coordinator in place of a silent one
}

// Transaction is what senders of records have to know.
type Transaction struct {
	Number  int64 // of the open transaction, which records give in Entry.Txn; 0 if none takes records
	Refusal error // why none does; nil if one does
}

// errEnded fails a record that came while its transaction was being ended.
var errEnded = errors.New("its transaction has ended")

func newTransactor(c *core) *transactor {
	t := &transactor{c: c, features: -1}
	t.Txn = txn.New(txn.Config{
		ID: c.cfg.TransactionalID, Timeout: c.cfg.TransactionTimeout, Patience: c.cfg.DeliveryTimeout,
		Delay:    func(failures int) time.Duration { return c.cfg.RetryBackoff.Delay(failures, c.out.random()) },
		Hindered: t.stepObstacle,
	})
	c.published.txn.Store(&Transaction{Refusal: t.Refusal(sendCall)})
	return t
}

// sendCall is the name of the call that a refused record came by.
const sendCall = "Send"

// moved applies a change of the transaction's state: callers that send are told first, then partitions are refreshed. Whoever
// may have changed the state calls moved, and so does each call before it ends.
func (t *transactor) moved() {
	c := t.c
	c.identity.set(t.Identity())
	c.metrics.countIdentity(t.Identity().ID)
	c.hooks.transacted(t)
	state, number := t.State(), t.Number()
	if state == t.state && number == t.number {
		t.releaseClose()
		return
	}
	before := t.state
	c.news.transacted(before, state, t.Cause())
	c.metrics.countTransaction(before, state, t.InDoubt(), t.Last())
	t.state, t.number, t.stirred = state, number, true
	view := &Transaction{Refusal: t.Refusal(sendCall)}
	if view.Refusal == nil {
		view.Number = number
	}
	c.published.txn.Store(view)
	if c.closing && t.CanAbort() && !before.Dead() { // failed, begun or dead since Close was called
		t.abortToClose()
		return
	}
	t.releaseClose()
}

// stir begins a step: if the transaction has moved, it refreshes all partitions that have work.
func (t *transactor) stir() {
	if t.stirred {
		t.stirred = false
		t.c.refreshAll()
	}
}

// ask sends the transactional requests that are due. It returns when to come back.
func (t *transactor) ask() time.Time {
	closeBy := t.closeTimeout()
	return sooner(t.askSteps(), closeBy)
}

func (t *transactor) askSteps() time.Time {
	c := t.c
	for {
		step, at := t.Next(c.pause.judged(c.now), c.schedule.idle() && c.requests.empty())
		at = c.pause.judgedAt(c.now, at)
		t.held = nil // not before Next, which may ask what has held it: see Hindered
		t.moved()
		if step == nil {
			if t.stirred {
				return c.now
			}
			return at
		}
		if at, sent := t.sendStep(step); !sent {
			t.held = step
			if n := t.holder(); n != nil {
				t.heldBy = n
			}
			return at
		}
	}
}

// sendStep sends a transactional request, or reports when to try again.
func (t *transactor) sendStep(step *txn.Step) (at time.Time, sent bool) {
	c := t.c
	var n *node
	if c.nodes.doubted() && (step.Node == txn.Anyone || c.nodes.of(step.Node).links[control].unsure) {
		return time.Time{}, false // an answer to Metadata leads to another step
	}
	if step.Node == txn.Anyone {
		if n, at = c.controlNode(); n == nil {
			return at, false
		}
	} else {
		n = c.nodes.of(step.Node)
		l := &n.links[control]
		if l.conn == nil {
			at = c.connect(n, control)
			if l.missing(c.now) { // another may have taken over
				return sooner(at, t.seek(step)), false
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
		case !t.RepeatsEnd(step) && t.Lower(step):
			return c.now, false
		case !c.askOffer(l, api.Key), t.Lower(step):
			return l.notUntil, false
		}
		t.Unsupported(step, &wire.UnsupportedVersionError{
			API: api.Name, Known: true, BrokerMax: newest, Min: step.MinVersion, Max: api.Max,
		})
		t.moved()
		return c.now, false
	}
	step.Asked, step.Broker = n.id, c.nodes.name(n.id)
	then := func(c *core, n *node, call *wire.Call) {
		step.Asked, step.Broker = n.id, c.nodes.name(n.id) // who has answered, of several that were asked
		t.take(step, call)
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
	t.moved()
	return time.Time{}, true
}

// take deals with the end of a transactional request.
func (t *transactor) take(step *txn.Step, call *wire.Call) {
	c := t.c
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
	t.moved()
	for _, added := range t.Added() {
		topic := c.topics.named(added.Topic)
		if topic == nil || int(added.Index) >= len(topic.parts) {
			continue
		}
		p := topic.parts[added.Index]
		p.joined, p.added = t.Number(), t.Number()
		c.refresh(p)
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

func (t *transactor) turnedAway(err error) {
	t.TurnedAway(err)
	t.moved()
}

// replaced ends the producer: what the transaction has written is in the old cluster, and the new one's coordinator knows
// nothing of us.
func (t *transactor) replaced() {
	if t.State() != txn.Uninitialized {
		t.Die(txn.NewProducer, ErrClusterReplaced)
		t.moved()
	}
}

// unrecognised and disown leave the producer id as it is: the coordinator says what becomes of it.
func (t *transactor) unrecognised() {}
func (t *transactor) disown()       {}

// unidentified returns nothing: calls tell what the identity waits for.
func (t *transactor) unidentified(time.Time) error { return nil }

func (t *transactor) report(n *news) { n.lookTxn(t) }
