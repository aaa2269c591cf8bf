package sender

import (
	"fmt"
	"time"
)

// hindrance is what keeps a request that any broker can answer from its end, as far as is known: that it has no answer yet, or
// that nobody is connected, and what went wrong last. api is its name; "" for none that was sent. It is nil if nothing is
// known.
func (c *core) hindrance(api string) error {
	why := both(c.mute(), c.nodes.lastFailure(time.Time{}, nil))
	if n := c.unanswered(api); n != nil {
		return awaits(api, n, why)
	}
	return both(c.nodes.stillConnecting(), why)
}

// unanswered returns who has been asked a question and has not answered yet; nil if nobody has.
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
