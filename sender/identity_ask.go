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
	if c.nodes.doubted() || !c.identity.wanted(c.topics.any() || c.lookups.any()) { // it comes while the first topic is looked up
		return time.Time{}
	}
	if at := c.identity.notBefore(); at.After(c.now) {
		return at
	}
	n, at := c.controlNode()
	if n == nil {
		return at
	}
	req := &protocol.InitProducerIDRequest{
		TransactionTimeout: math.MaxInt32 * time.Millisecond, // without a transaction it means nothing
		ProducerID:         -1, ProducerEpoch: -1,
	}
	era := c.identity.ask()
	take := func(c *core, n *node, call *wire.Call) {
		if c.identity.answered(era, n.links[control].conn) {
			c.takeIdentity(n, call)
		}
	}
	if !c.inquire(n, req, 0, take) {
		c.identity.unasked()
		return c.now
	}
	return time.Time{}
}

// takeIdentity deals with the answer to InitProducerId.
func (c *core) takeIdentity(n *node, call *wire.Call) {
	err := call.Err
	code := protocol.NoError
	if err == nil {
		resp := call.Response.(*protocol.InitProducerIDResponse)
		code = resp.ErrorCode
		if code == protocol.NoError && (resp.ProducerID < 0 || resp.ProducerEpoch < 0) {
			code = protocol.UnknownServerError // an impossible answer, and no reason to go on without
		}
		if code == protocol.NoError && c.identity.take(idempotent.Identity{ID: resp.ProducerID, Epoch: resp.ProducerEpoch}) {
			c.news.identified(c.identity.latest())
			c.metrics.countGivenID()
			c.identified()
			return
		}
		err = n.refused("InitProducerId", cmp.Or(code, protocol.CoordinatorNotAvailable)) // no error: the id has no epochs left
	}
	c.identity.refused(c.now, err, c.cfg.RetryBackoff.Delay(c.identity.failures(), c.out.random()))
	c.news.unidentified(err, c.identity.failures())
	unsupported := (*wire.UnsupportedVersionError)(nil)
	if code != protocol.NoError && !code.Retriable() || errors.As(err, &unsupported) {
		c.refusedIdentity(err)
	}
}

// identified refreshes the partitions that waited for a producer id.
func (c *core) identified() {
	for _, p := range c.identity.release() {
		c.endBackoff(p)
		c.refresh(p)
	}
}

// refusedIdentity fails what waits for a producer id that will not be given. A later record asks again: permissions can be put
// right.
func (c *core) refusedIdentity(err error) {
	for _, p := range c.identity.release() {
		c.failAll(p, &IdentityError{Err: err})
	}
}

// unidentified returns what keeps the producer id from coming; nil if nothing is known.
func (m ordinary) unidentified(since time.Time) error {
	c := m.c
	const api = "InitProducerId"
	why := both(c.nodes.lastFailure(c.identity.lastRefusal()), c.wasMute(since))
	if n := c.unanswered(api); n != nil {
		return awaits(api, n, why)
	}
	return both(c.mute(), both(c.nodes.stillConnecting(), why))
}
