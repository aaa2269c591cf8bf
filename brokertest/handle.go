package brokertest

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// handle lets a request take effect and returns its answer; nil if there is none. It reports false if the connection must be
// closed.
func (b *broker) handle(k *conn, r *Request, a *Action) (protocol.Response, bool) {
	switch k.admits(r.APIKey) {
	case shutOut:
		return nil, false
	case outOfTurn:
		k.session.failed, k.session.late = true, true
		a = &Action{handle: true, code: protocol.IllegalSaslState, index: -1}
	}
	row := apis[r.APIKey]
	if a.code == protocol.NoError || row.refuse == nil {
		return b.answer(k, r, a)
	}
	if a.after {
		if _, goOn := b.answer(k, r, a); !goOn {
			return nil, false
		}
	}
	k.session.refusedSASL(r, a.code)
	return row.refuse(k, r, a)
}

// answer lets a request take effect.
func (b *broker) answer(k *conn, r *Request, a *Action) (protocol.Response, bool) {
	row, c := apis[r.APIKey], b.c
	if row.unlocked {
		return row.answer(k, r, a)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !b.up {
		return nil, false
	}
	c.settle()
	if r.former && row.coordinated != nil && row.coordinated(r.Message) {
		return row.refuse(k, r, &Action{code: protocol.NotCoordinator, index: -1})
	}
	if code := c.rights.forbids(r.Message); code != protocol.NoError {
		return row.refuse(k, r, &Action{code: code, index: -1})
	}
	return row.answer(k, r, a)
}

// throttleFor returns how long a client is told to pause after a request.
func (c *Cluster) throttleFor(r *Request, a *Action) time.Duration {
	if a.throttle > 0 {
		return a.throttle
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.throttles[r.APIKey]
}

// setThrottle sets the throttle time of an answer, if its API has one.
func setThrottle(r *Request, resp protocol.Response, d time.Duration) {
	if throttle := apis[r.APIKey].throttle; throttle != nil {
		*throttle(resp) = d
	}
}
