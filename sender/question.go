package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// A question is a request that any broker can answer. Where the first that is asked is silent, others are asked beside it (R3).
type question struct {
	request protocol.Request
	version int16                          // bound on it; 0 for none
	take    func(*core, *node, *wire.Call) // gets the first answer, or the last failure

	asked []int32 // nodes
	open  int     // of these, how many have still to answer
	next  time.Time
	over  bool
}

// maxAsked bounds the nodes that are asked one question.
const maxAsked = 3

// inquire asks n a question. It reports whether n could be asked.
func (c *core) inquire(n *node, req protocol.Request, version int16, take func(*core, *node, *wire.Call)) bool {
	q := &question{request: req, version: version, take: take}
	if !q.ask(c, n) {
		return false
	}
	c.questions.add(q)
	return true
}

func (q *question) ask(c *core, n *node) bool {
	if !c.askUpTo(n, q.version, q.request, q.request.NewResponse(), q.answered) {
		return false
	}
	q.asked = append(q.asked, n.id)
	q.open++
	q.next = c.now.Add(patient(n.links[control].pause))
	return true
}

func (q *question) answered(c *core, n *node, call *wire.Call) {
	q.open--
	if q.over || call.Err != nil && q.open > 0 {
		return
	}
	q.over = true
	c.questions.drop(q)
	q.take(c, n, call)
}

// askBeside asks others what silent nodes have been asked. It returns when to come back.
func (c *core) askBeside() (at time.Time) {
	for _, q := range c.questions.all() {
		if len(q.asked) == maxAsked {
			continue
		}
		if q.next.After(c.now) {
			at = sooner(at, q.next)
			continue
		}
		n, when := c.controlNode(q.asked...)
		if n == nil {
			at = sooner(at, when)
		} else if !q.ask(c, n) {
			return c.now // its connection is gone
		}
		if n != nil && len(q.asked) < maxAsked {
			at = sooner(at, q.next)
		}
	}
	return at
}
