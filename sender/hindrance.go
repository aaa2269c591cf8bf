package sender

import (
	"fmt"
	"time"
)

// hindrance returns why a request that any broker can answer has not ended: it has no answer yet, or nobody is connected, and
// what went wrong last. api is the request's name; "" if none was sent. Nil: nothing is known.
func (c *core) hindrance(api string) error {
	why := both(c.mute(), c.nodes.lastFailure(time.Time{}, nil))
	if n := c.unanswered(api); n != nil {
		return awaits(api, n, why)
	}
	return both(c.nodes.stillConnecting(), why)
}

// unanswered returns the node that was asked and has not answered yet, or nil.
func (c *core) unanswered(api string) *node {
	if id, asked := c.questions.unanswered(api); asked {
		return c.nodes.of(id)
	}
	return nil
}

// awaits says that n has not answered a request yet, and what went wrong before, which may be nil.
func awaits(api string, n *node, err error) error {
	return &stuck{state: fmt.Sprintf("%s has no answer yet from %v", api, n), node: n.String(), err: err}
}

// both joins two reasons for one thing. Either may be nil.
func both(one, other error) error {
	switch {
	case one == nil:
		return other
	case other == nil:
		return one
	}
	return fmt.Errorf("%w; %w", one, other)
}
