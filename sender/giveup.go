package sender

import (
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/txn"
)

// closeTxn aborts an open transaction, and makes g wait for its end, or for that of a commit in progress.
func (c *core) closeTxn(g *accumulator.Group) {
	t := c.txn
	if t.Idle() {
		return
	}
	g.Enter()
	if t.closing = append(t.closing, g); t.closeBy.IsZero() {
		t.closeBy = c.now.Add(c.cfg.DeliveryTimeout)
	}
	if t.CanAbort() {
		c.abortToClose()
	}
}

// abortToClose aborts the open transaction, since Close was called. A producer that is of no more use asks for it once: what
// refuses it, and could be put right, Close tells instead of waiting for that.
func (c *core) abortToClose() {
	orphan := c.txn.State().Dead()
	c.txn.Abort(&txn.Op{Done: func(err error) {
		if orphan && err != nil && c.txn.CanAbort() {
			c.txn.gaveUp = c.txn.LeaveOpen(txn.CallClose, err)
			c.txnMoved()
		}
	}})
	c.txnMoved()
}

// releaseClose ends the waiting of Close for a transaction that has ended.
func (c *core) releaseClose() {
	if c.txn.Idle() {
		for _, g := range c.txn.closing {
			g.Exit()
		}
		c.txn.closing = nil
	}
}

// closeTimeout gives up a transaction whose end Close has awaited for long enough. It returns when to look again.
func (c *core) closeTimeout() time.Time {
	t := c.txn
	switch {
	case len(t.closing) == 0:
		return zero
	case t.closeBy.After(c.now):
		return t.closeBy
	}
	c.giveUpTxn(fmt.Errorf("%w (%v) since Close was called, and the transaction has not ended: %w", ErrDeliveryTimeout, c.cfg.DeliveryTimeout, ErrClosed))
	return zero
}

// abandonTxn ends the transactional half for good. A transaction that is open then stays so.
func (c *core) abandonTxn() {
	if !c.txn.Idle() {
		c.giveUpTxn(fmt.Errorf("the transaction has not ended: %w", ErrClosed))
		return
	}
	c.txn.Die(txn.NewProducer, ErrClosed)
	c.txnMoved()
}

func (c *core) giveUpTxn(err error) {
	if why := c.txnObstacle(); why != nil {
		err = fmt.Errorf("%w; %w", err, why)
	}
	c.txn.gaveUp = c.txn.GiveUp(txn.CallClose, err)
	c.txnMoved()
}

// txnObstacle is what keeps the transactional call at hand from its end, as far as is known; nil if nothing is.
func (c *core) txnObstacle() error {
	if c.txn.Ending() && !c.txn.Asked() {
		if records := c.oldestStanding(); records != nil { // its end waits for its records
			return records
		}
	}
	return c.stepObstacle()
}

// stepObstacle is what keeps the transaction's next request from its end.
func (c *core) stepObstacle() error {
	why := both(c.holding(), c.lastFailure(c.txn.Trouble(), c.txn.TroubledAt()))
	if api, node := c.txn.Awaits(); api != "" {
		return awaits(api, c.nodes[node], why)
	}
	return both(c.stillConnecting(), why)
}

// holding is the throttling that keeps the transaction's next request from being sent, or nil.
func (c *core) holding() error {
	step := c.txn.held
	switch {
	case step == nil:
		return nil
	case step.Node == txn.Anyone:
		return c.mute()
	}
	n := c.nodes[step.Node]
	return c.throttling(n, &n.links[control])
}

// brokerName is a node as errors name it.
func (c *core) brokerName(id int32) string {
	if n := c.nodes[id]; n != nil {
		return n.String()
	}
	return fmt.Sprintf("broker %d", id)
}
