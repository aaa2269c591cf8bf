package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/metadata"
)

// effects is what the core wants done. None of it blocks; what comes of it
// comes back as an event.
type effects interface {
	// dial begins d to connect to n, sets d.stop, and delivers dialed in the end.
	dial(n *node, which lane, d *dial)
	// pack compresses d, and then delivers packedUp for r if its packedOne says so.
	pack(r *request, d *delivery)
	// post delivers an event on the loop.
	post(e event)
	// end completes an outcome that has ended and has callbacks, in order.
	end(o *accumulator.Outcome)
	// after runs g.Exit when all callbacks handed to end so far have run.
	after(g *accumulator.Group)
	// random returns a number in [0, 1).
	random() float64
}

// A core is the state of the loop, without a clock and without I/O.
type core struct {
	cfg        *Config
	out        effects
	acc        *accumulator.Accumulator
	meta       *metadata.Cluster
	stat       *counters
	news       *news     // nil without a log
	hooks      *hooks    // nil without any
	now        time.Time // of the step or event at hand
	troubledAt time.Time // when stat.trouble was last set
	old        time.Time // what came then or before has expired by now
	pause      pause     // the last
	soon       time.Time // what lingers until then goes now: now, unless early says later

	topics map[string]*topic
	listed []*topic // the same, in an order that is the same whenever the same happens
	nodes  map[int32]*node
	order  []*node // the same
	alarms alarms
	build  uint64 // number of the request being built
	pool   pool

	identity  identity
	txn       manager
	lookups   lookups
	met       bool        // there was a connection to somebody
	reception reception   // by those who are to let us in
	unsure    *node       // it has answered, and may be another cluster's; nil: there is no such doubt. See unsure.go
	pings     []*ping     // callers that wait for a word of any broker
	questions []*question // that have no answer yet

	hurry   bool        // nothing lingers: closing, or a caller waits for memory
	closing bool        // no more records
	aborted bool        // no more work
	before  Undelivered // had failed when it was aborted
	pending int         // events that will come: requests, compressions, dials
	flying  int         // batches in a request that has not ended

	firstChoice uint32 // odd; a different order of brokers for each producer

	learned []string           // topics that OnTopic was told of and Publish was not
	hinted  []string           // topics with a leader that the answer at hand has named
	noted   []accumulator.Note // scratch
	looked  []*partition       // scratch
}

func newCore(cfg *Config, out effects, acc *accumulator.Accumulator, meta *metadata.Cluster, stat *counters) *core {
	c := &core{
		cfg: cfg, out: out, acc: acc, meta: meta, stat: stat,
		topics:   map[string]*topic{},
		nodes:    map[int32]*node{},
		identity: newIdentity(cfg.Idempotent), lookups: newLookups(),
	}
	c.hooks = newHooks(c, cfg.Hooks)
	c.firstChoice = uint32(out.random()*(1<<31))<<1 | 1
	c.txn = ordinary{c}
	if cfg.TransactionalID != "" {
		c.txn = newTransactor(c)
	}
	c.addBootstrap()
	return c
}

// addBootstrap makes nodes of the bootstrap servers. Their ids are negative.
func (c *core) addBootstrap() {
	for i, addr := range c.cfg.Bootstrap {
		id := int32(-1 - i)
		if c.nodes[id] == nil {
			c.addNode(id, addr)
		}
	}
}

// handle applies one event.
func (c *core) handle(now time.Time, e event) {
	c.pass(now)
	e.apply(c)
}

func (c *core) pass(now time.Time) {
	c.now, c.soon = now, now
	c.old = c.judged().Add(-c.cfg.DeliveryTimeout)
	c.txn.Pass(now)
}

// step does everything that can be done now, and returns when it wants to be
// called again at the latest; the zero time if only an event can change
// anything.
func (c *core) step(now time.Time) time.Time {
	c.pass(now)
	c.seeNoted()
	c.txn.stir()
	for p := c.alarms.next(now); p != nil; p = c.alarms.next(now) {
		c.look(p)
	}
	c.early()
	at := c.watch()
	at = sooner(at, c.steer())
	for _, n := range c.order {
		if n.ready.len() > 0 {
			at = sooner(at, c.serve(n))
		}
	}
	at = sooner(at, c.txn.ask()) // a partition may just have found that its id has run out of epochs, or that it has to be added
	return sooner(sooner(at, c.news.step()), c.alarms.rings())
}

// briefLinger is a linger that even one who waits for memory can sit out while
// something is in flight, whose answer will bring some.
const briefLinger = 100 * time.Millisecond

// seeNoted looks at the partitions whose head has changed. Nothing lingers while
// somebody waits for memory that only sending can free: but with many
// partitions and little for each, to send it all at once would be to send it in
// the smallest batches just when there is the most of it.
func (c *core) seeNoted() {
	if waiting := c.acc.Memory.Waiting(); waiting && !c.hurry && (c.flying == 0 || c.cfg.Linger > briefLinger) {
		c.hurry = true
		c.lookAll()
	} else if !waiting && !c.closing {
		c.hurry = false
	}
	c.noted = c.acc.Noted(c.noted[:0])
	for i := range c.noted {
		p := c.noted[i].Queue.Owner.(*partition)
		p.noted(c.noted[i].Head)
		c.look(p)
	}
}

// lookAll looks at every partition that has work and an alarm for it.
func (c *core) lookAll() {
	parts := c.alarms.partitions(c.looked[:0])
	c.looked = nil // in use
	for _, p := range parts {
		c.look(p)
	}
	c.looked = parts[:0]
}

// sooner returns the earlier of two times, where zero means never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
