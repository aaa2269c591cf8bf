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
	if t.closing = append(t.closing, g); t.closeBy.IsZero() {
		t.closeBy = c.now.Add(c.cfg.DeliveryTimeout)
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
	switch {
	case len(t.closing) == 0:
		return zero
	case t.closeBy.After(c.now):
		return t.closeBy
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
	if why := t.obstacle(); why != nil {
		err = fmt.Errorf("%w; %w", err, why)
	}
	t.gaveUp = t.GiveUp(txn.CallClose, err)
	t.moved()
}

// unended returns how the transaction was given up, for Close to say; nil if it was not.
func (t *transactor) unended() error { return t.gaveUp }

// obstacle returns what keeps the transactional call at hand from its end; nil if nothing is known.
func (t *transactor) obstacle() error {
	c := t.c
	if t.Ending() && !t.Asked() {
		if records := c.oldestStanding(); records != nil { // its end waits for its records
			return records
		}
	}
	return t.stepObstacle()
}

// stepObstacle returns what keeps the transaction's next request from its end.
func (t *transactor) stepObstacle() error {
	c := t.c
	why := both(t.holding(), c.nodes.lastFailure(t.TroubledAt(), t.Trouble()))
	if api, node := t.Awaits(); api != "" {
		return awaits(api, c.nodes.of(node), why)
	}
	return both(c.nodes.stillConnecting(), why)
}

// holding returns the throttling that keeps the transaction's next request from being sent, or nil.
func (t *transactor) holding() error {
	c := t.c
	step := t.held
	switch {
	case step == nil:
		return nil
	case step.Node == txn.Anyone:
		return c.mute()
	}
	n := c.nodes.of(step.Node)
	return c.throttling(n, &n.links[control])
}
