package sender

import (
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// hindrance is what keeps a request that any broker can answer from its end, as far as is known: that it has no answer yet, or
// that nobody is connected, and what went wrong last. api is its name; "" for none that was sent. It is nil if nothing is known.
func (c *core) hindrance(api string) error {
	why := both(c.mute(), c.lastFailure(nil, time.Time{}))
	if n := c.unanswered(api); n != nil {
		return awaits(api, n, why)
	}
	return both(c.stillConnecting(), why)
}

// lastFailure is err, of a request of some kind at that time, or what has kept the loop from the cluster since; nil if both are.
func (c *core) lastFailure(err error, at time.Time) error {
	if trouble := c.stat.trouble.Load(); trouble != nil && (err == nil || at.Before(c.troubledAt)) {
		err = *trouble
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("last failure: %w", err)
}

// unanswered returns who has been asked a question and has not answered yet; nil if nobody has.
func (c *core) unanswered(api string) *node {
	for _, q := range c.questions {
		if q.request.API().Name == api && q.open > 0 {
			return c.nodes[q.asked[0]]
		}
	}
	return nil
}

// awaits says that n has not answered a request yet, and what went wrong before, which may be nil.
func awaits(api string, n *node, err error) error {
	return &stuck{state: fmt.Sprintf("%s has no answer yet from %v", api, n), node: n.String(), err: err}
}

// stillConnecting says which attempt to connect began last, and has not ended; nil if none is under way.
func (c *core) stillConnecting() error {
	if addr := c.stat.dialing.Load(); addr != nil {
		return errors.New("still connecting to " + protocol.Shown(*addr))
	}
	return nil
}

// both are two reasons for one thing, of which each may be nil.
func both(one, other error) error {
	switch {
	case one == nil:
		return other
	case other == nil:
		return one
	}
	return fmt.Errorf("%w; %w", one, other)
}
