package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/metadata"
)

func newCore(cfg *Config, out effects, acc *accumulator.Accumulator, meta *metadata.Cluster, pub *published) *core {
	c := &core{
		cfg: cfg, out: out, acc: acc, meta: meta, published: pub,
		topics: newTopics(), nodes: newNodes(pub, cfg.Bootstrap, out.random()),
		identity: newIdentity(cfg.Idempotent), lookups: newLookups(),
	}
	c.hooks = newHooks(c, cfg.Hooks)
	c.txn = ordinary{c}
	if cfg.TransactionalID != "" {
		c.txn = newTransactor(c)
	}
	return c
}

// handle applies one event.
func (c *core) handle(now time.Time, e event) {
	c.pass(now)
	e.apply(c)
}

func (c *core) pass(now time.Time) {
	c.now = now
	c.schedule.pass(now, c.pause.judged(now).Add(-c.cfg.DeliveryTimeout))
	c.metrics.pass(now, c.nodes.all(), &c.published.callers)
	c.txn.Pass(now)
}

// step does everything that can be done now. It returns when it must be called again at the latest; the zero time if only an
// event can change anything.
func (c *core) step(now time.Time) time.Time {
	c.pass(now)
	c.takeChanges()
	c.txn.stir()
	for p := c.schedule.next(now); p != nil; p = c.schedule.next(now) {
		c.refresh(p)
	}
	c.early()
	at := c.watch()
	at = sooner(at, c.steer())
	for _, n := range c.nodes.all() {
		if n.ready.len() > 0 {
			at = sooner(at, c.serve(n))
		}
	}
	at = sooner(at, c.txn.ask()) // a partition may just have run out of epochs, or may have to be added
	return sooner(sooner(at, c.news.step()), c.schedule.rings())
}
