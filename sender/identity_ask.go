package sender

import (
	"cmp"
	"errors"
	"math"
	"time"

	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// askIdentity asks for a producer id if one is needed.
func (c *core) askIdentity() time.Time {
	id := &c.identity
	if c.unsure != nil || !id.wanted(len(c.topics) > 0 || c.lookups.any()) { // it comes while the first topic is looked up
		return time.Time{}
	}
	if id.next.After(c.now) {
		return id.next
	}
	n, at := c.controlNode()
	if n == nil {
		return at
	}
	req := &protocol.InitProducerIDRequest{
		TransactionTimeout: math.MaxInt32 * time.Millisecond, // no transaction: it means nothing
		ProducerID:         -1, ProducerEpoch: -1,
	}
	era := id.era
	id.asking = c.inquire(n, req, 0, func(c *core, n *node, call *wire.Call) {
		if era == c.identity.era { // else it was asked of a cluster that may be another one
			c.identity.of = n.links[control].conn
			c.takeIdentity(n, call)
		}
	})
	if !id.asking {
		return c.now
	}
	return time.Time{}
}

// takeIdentity deals with the answer to InitProducerId.
func (c *core) takeIdentity(n *node, call *wire.Call) {
	id := &c.identity
	id.asking = false
	err := call.Err
	code := protocol.NoError
	if err == nil {
		resp := call.Response.(*protocol.InitProducerIDResponse)
		code = resp.ErrorCode
		if code == protocol.NoError && resp.ProducerID < 0 {
			code = protocol.UnknownServerError // an impossible answer, and no reason to go on without
		}
		if code == protocol.NoError && id.take(idempotent.Identity{ID: resp.ProducerID, Epoch: resp.ProducerEpoch}) {
			c.news.identified(id.current)
			c.metrics.ids++
			c.identified()
			return
		}
		err = n.refused("InitProducerId", cmp.Or(code, protocol.CoordinatorNotAvailable)) // for an id of which nothing is left
	}
	id.refused(c.now, err, c.cfg.RetryBackoff.Delay(id.failed, c.out.random()))
	c.news.unidentified(err, id.failed)
	unsupported := (*wire.UnsupportedVersionError)(nil)
	if code != protocol.NoError && !code.Retriable() || errors.As(err, &unsupported) {
		c.refusedIdentity(err)
	}
}

// identified looks at the partitions that waited for a producer id.
func (c *core) identified() {
	for _, p := range c.identity.release() {
		c.rouse(p)
		c.look(p)
	}
}

// refusedIdentity fails what waits for a producer id that will not be given.
// A later record asks again: permissions can be put right.
func (c *core) refusedIdentity(err error) {
	for _, p := range c.identity.release() {
		c.failAll(p, &IdentityError{Err: err})
	}
}

// unidentified is what keeps the producer id from coming, as far as is known; nil if nothing is.
func (m ordinary) unidentified() error {
	c := m.c
	const api = "InitProducerId"
	why := c.lastFailure(c.identity.trouble, c.identity.troubledAt)
	if n := c.unanswered(api); n != nil {
		return awaits(api, n, why)
	}
	return both(c.mute(), both(c.stillConnecting(), why))
}
