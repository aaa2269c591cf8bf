package sender

import (
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/txn"
)

// close aborts an open transaction, and makes g wait for its end, or for that of a commit in progress.
func (t *transactor) close(g *accumulator.Group) {
	c := t.c
	if t.Idle() {
		return
	}
	g.Enter()
	if t.closing = append(t.closing, g); t.closedAt.IsZero() {
		t.closedAt = c.now
	}
	if t.CanAbort() {
		t.abortToClose()
	}
}

// abortToClose aborts the open transaction, since Close was called. A producer that is of no more use asks once: if that is
// refused for a reason that could be put right, Close says so and does not wait.
func (t *transactor) abortToClose() {
	orphan := t.State().Dead()
	t.Abort(&txn.Op{Done: func(err error) {
		if orphan && err != nil && t.CanAbort() {
			t.gaveUp = t.LeaveOpen(txn.CallClose, err)
			t.moved()
		}
	}})
	t.moved()
}

// releaseClose ends the waiting of Close for a transaction that has ended.
func (t *transactor) releaseClose() {
	if t.Idle() {
		for _, g := range t.closing {
			g.Exit()
		}
		t.closing = nil
	}
}

// closeTimeout gives up a transaction when Close has waited for its end for long enough. It returns when to look again.
func (t *transactor) closeTimeout() time.Time {
	c := t.c
	by := t.closedAt.Add(c.cfg.DeliveryTimeout)
	switch {
	case len(t.closing) == 0:
		return zero
	case by.After(c.now):
		return by
	}
	t.giveUp(fmt.Errorf("%w (%v) since Close was called, and the transaction has not ended: %w", ErrDeliveryTimeout, c.cfg.DeliveryTimeout, ErrClosed))
	return zero
}

// abandon ends the transactional half for good. A transaction that is open then stays so.
func (t *transactor) abandon() {
	if !t.Idle() {
		t.giveUp(fmt.Errorf("the transaction has not ended: %w", ErrClosed))
		return
	}
	t.Die(txn.NewProducer, ErrClosed)
	t.moved()
}

func (t *transactor) giveUp(err error) {
	if why := t.obstacle(t.closedAt); why != nil {
		err = fmt.Errorf("%w; %w", err, why)
	}
	t.gaveUp = t.GiveUp(txn.CallClose, err)
	t.moved()
}

// unended returns how the transaction was given up, for Close to say; nil if it was not.
func (t *transactor) unended() error { return t.gaveUp }

// obstacle returns what keeps the transactional call at hand from its end, for one who waits since a time; nil if nothing is
// known.
func (t *transactor) obstacle(since time.Time) error {
	c := t.c
	if t.Ending() && !t.Asked() {
		if records := c.oldestStanding(); records != nil { // its end waits for its records
			return records
		}
	}
	return t.stepObstacle(since)
}

// stepObstacle returns what keeps the transaction's next request from its end, for one who waits since a time.
func (t *transactor) stepObstacle(since time.Time) error {
	c := t.c
	why := both(both(t.holding(), c.nodes.lastFailure(t.TroubledAt(), t.Trouble())), t.wasHeld(since))
	if api, node := t.Awaits(); api != "" {
		return awaits(api, c.nodes.of(node), why)
	}
	return both(c.nodes.stillConnecting(), why)
}

// holder returns the node whose throttling keeps the transaction's next request from being sent, or nil.
func (t *transactor) holder() *node {
	c := t.c
	switch step := t.held; {
	case step == nil:
	case step.Node == txn.Anyone:
		return c.muter()
	default:
		if n := c.nodes.of(step.Node); c.throttling(n, &n.links[control]) != nil {
			return n
		}
	}
	return nil
}

// holding returns that throttling, or nil.
func (t *transactor) holding() error {
	if n := t.holder(); n != nil {
		return t.c.throttling(n, &n.links[control])
	}
	return nil
}

// wasHeld is hadThrottled of the last one that kept a request from being sent.
func (t *transactor) wasHeld(since time.Time) error {
	if n := t.heldBy; n != nil {
		return t.c.hadThrottled(n, &n.links[control], since)
	}
	return nil
}
