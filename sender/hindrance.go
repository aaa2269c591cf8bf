package sender

import (
	"fmt"
	"strings"
	"time"
)

// hindrance returns why a request that any broker can answer has not ended: it has no answer yet, or nobody is connected, and
// what went wrong last. api is the request's name; "" if none was sent. Nil: nothing is known. It is for one who waits since a
// time.
func (c *core) hindrance(api string, since time.Time) error {
	why := both(both(c.mute(), c.nodes.lastFailure(time.Time{}, nil)), c.wasMute(since))
	if n := c.unanswered(api); n != nil {
		return awaits(api, n, why)
	}
	return both(c.nodes.stillConnecting(), why)
}

// outage returns what keeps brokers from answering Metadata now, so that what the last answer said may be old; nil: they may
// answer.
func (c *core) outage() error {
	if c.nodes.noneConnected() {
		return c.nodes.cutOff()
	}
	if n := c.unanswered("Metadata"); n != nil && n.silent(c.pause.judged(c.now)) {
		return awaits("Metadata", n, nil)
	}
	return nil
}

// cutOff says that no broker can be reached, since when, and why, where there is no connection; nil if no attempt has failed.
func (ns *nodes) cutOff() error {
	trouble := ns.published.trouble.Load()
	if trouble == nil {
		return nil
	}
	var heard time.Time
	for _, n := range ns.order {
		heard = latter(heard, n.health.heard)
	}
	since := " since " + heard.Format(time.RFC3339)
	if heard.IsZero() || strings.Contains((*trouble).Error(), since) { // the failure itself says it
		since = ""
	}
	return fmt.Errorf("no broker can be reached%s: %w", since, *trouble)
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
