package sender

import (
	"errors"
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
	orphan := c.txn.State() == txn.Fatal
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
	why := c.txn.Trouble()
	if why == nil {
		if trouble := c.stat.trouble.Load(); trouble != nil {
			why = *trouble
		}
	}
	if why != nil {
		why = fmt.Errorf("last failure: %w", why)
	}
	why = withThrottle(c.holding(), why)
	waits := ""
	if api, node := c.txn.Awaits(); api != "" {
		waits = fmt.Sprintf("%s has no answer yet from %s", api, c.brokerName(node))
	} else if addr := c.stat.dialing.Load(); addr != nil {
		waits = "still connecting to " + *addr
	}
	switch {
	case waits == "" && why == nil:
		throttled := (*ThrottleError)(nil)
		if records := c.oldestStanding(); errors.As(records, &throttled) { // its end waits for its records
			return records
		}
		return nil
	case waits == "":
		return why
	case why == nil:
		return errors.New(waits)
	}
	return fmt.Errorf("%s; %w", waits, why)
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
	n := c.nodes[id]
	switch {
	case n == nil:
		return fmt.Sprintf("broker %d", id)
	case id < 0:
		return "bootstrap server " + n.addr
	}
	return fmt.Sprintf("broker %d (%s)", id, n.addr)
}
