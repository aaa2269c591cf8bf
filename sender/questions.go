package sender

import (
	"fmt"
	"slices"
)

// Questions are the requests that any broker can answer and none has answered yet, and the callers who ping, each of whom waits
// for one. The core asks them (question_ask.go, question_ping.go).
type questions struct {
	asked []*question
	pings []*ping
}

// all returns the questions, until one is added or dropped.
func (qs *questions) all() []*question { return qs.asked }

func (qs *questions) add(q *question) { qs.asked = append(qs.asked, q) }

func (qs *questions) drop(q *question) {
	qs.asked = slices.DeleteFunc(qs.asked, func(o *question) bool { return o == q })
}

// unanswered returns the node that was asked first, of those that still have to answer a request of that name.
func (qs *questions) unanswered(api string) (node int32, some bool) {
	for _, q := range qs.asked {
		if q.request.API().Name == api && q.open > 0 {
			return q.asked[0], true
		}
	}
	return 0, false
}

func (qs *questions) addPing(p *ping) { qs.pings = append(qs.pings, p) }

func (qs *questions) dropPing(p *ping) {
	qs.pings = slices.DeleteFunc(qs.pings, func(o *ping) bool { return o == p })
}

// waits reports whether p's caller still waits.
func (qs *questions) waits(p *ping) bool { return slices.Contains(qs.pings, p) }

// pinging returns the pings whose callers wait, until one is added or dropped.
func (qs *questions) pinging() []*ping { return qs.pings }

// endPings ends all pings.
func (qs *questions) endPings(err error) {
	for _, p := range qs.pings {
		p.end(err)
	}
	qs.pings = nil
}

// pingFailed ends the pings that have tried every node there is, of which n is one that has failed. ids are those of all.
func (qs *questions) pingFailed(n *node, err error, ids []int32) {
	for i := len(qs.pings) - 1; i >= 0; i-- {
		p := qs.pings[i]
		p.failed = withError(p.failed, n, err)
		left := len(ids)
		for _, id := range ids {
			if p.failed[id] != nil {
				left--
			}
		}
		if left == 0 && !p.asked {
			qs.dropPing(p)
			p.end(fmt.Errorf("no broker answers; last failure: %w", err))
		}
	}
}
