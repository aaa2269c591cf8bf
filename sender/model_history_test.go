package sender

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/internal/backoff"
	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/protocol"
)

// A history is one core with all that is around it: the model of the brokers, the connections, the callers, and the dice.
type history struct {
	seed    uint64
	rng     *rand.Rand
	now     time.Time
	started time.Time
	core    *core
	cfg     *Config
	counts  [tallies]int64
	tracing bool
	trace   []string
	sent    []string // what the step at hand has sent, to several brokers in the order of a map

	// The dice's limits.
	faults float64 // how likely a broker does not do what it should, or says so
	calm   bool    // not any more

	answers  int  // how many might have made no sense
	mumbling bool // brokers often write a batch and do not say so, while many are in flight

	// The brokers.
	cluster      string        // its id
	epochs       int           // how often it was made again
	hosts        map[int32]int // how often a broker has moved
	brokers      int32
	oldBrokers   bool
	refusing     map[int32]bool
	topics       []*modelTopic
	lives        map[protocol.UUID]int
	logs         []*modelLog
	txn          *modelTxn
	coordinator  int32
	decisions    map[int64]decision
	added        map[addition]bool
	level        int16
	flips        bool
	featureEpoch int64
	lastID       int64
	firstEpoch   int16
	exhausting   bool   // epochs run out just when something else happens
	mayDie       string // why a producer may be of no use any more
	unmet        int64  // the producer id that EndTxn gave last and the coordinator was asked for before it knew it; 0: none
	unmetSince   time.Time
	timedOut     bool // a transaction has; nobody but its producer's Produce may learn of it without being fenced
	hurt         bool // a transaction may fail because of what happened to the one before
	taken        bool // another producer has the transactional id
	strangers    []*stranger
	replacing    bool           // clusters are made again, and brokers move, in each history of this kind
	given        map[int64]bool // producer ids that this cluster has given us
	spoiled      map[int64]bool // those of which a broker has called our epoch old
	spoils       []int64        // those of which an answer says so that the core has not handled yet

	// What is between them and the core.
	events []event
	conns  []*modelConn
	late   [][]*flight
	dials  []dialed
	packs  []packing
	ends   []completion
	wakeAt time.Time

	// The callers.
	caller       *modelCaller // nil without transactions
	records      []*modelRecord
	roots        []*modelRoot
	transactions map[int64]*modelTransaction
	nextOffset   int64
	groups       []*accumulator.Group
	closing      bool
	closed       time.Time // when Close was called
	toldFailed   int64     // records, by the log
	nearTheEnd   bool      // sequences begin shortly before they wrap

	extras
}

func newHistory(seed uint64, tracing bool) *history {
	h := &history{
		seed: seed, tracing: tracing, rng: rand.New(rand.NewPCG(seed, 0x657069)), now: scriptStart, started: scriptStart,
		cluster: "cluster 0", given: map[int64]bool{}, spoiled: map[int64]bool{}, hosts: map[int32]int{}, lives: map[protocol.UUID]int{}, refusing: map[int32]bool{}, decisions: map[int64]decision{}, added: map[addition]bool{},
		extras: newExtras(seed), transactions: map[int64]*modelTransaction{}, coordinator: 1, featureEpoch: 1, lastID: 1000,
		txn: &modelTxn{id: -1, epoch: -1, previousID: -1, lastEpoch: -1, nextID: -1, parts: map[*modelPart]bool{}},
	}
	h.faults = pick(h, []float64{0, 0.02, 0.1, 0.1, 0.3})
	h.brokers = int32(1 + h.rng.IntN(3))
	h.cfg = h.newConfig()
	h.setMode()
	if h.faults > 0 && h.cfg.Idempotent && h.chance(0.15) {
		h.mumbling, h.faults = true, 0.02
		h.cfg.BatchSize, h.cfg.MaxBatchBytes, h.cfg.MaxInFlight, h.cfg.Linger = 100, 200, 5, 0
		h.cfg.DeliveryTimeout = 20 * time.Second
	}
	h.makeTopics()
	acc := accumulator.New(accumulator.Config{
		BatchSize: h.cfg.BatchSize, MaxBatchBytes: h.cfg.MaxBatchBytes, Memory: h.cfg.Memory,
		SealAge: max(h.cfg.Linger, h.cfg.DeliveryTimeout/20), Wake: func() {},
	})
	h.core = newCore(h.cfg, h, acc, metadata.New(h.cfg.Metadata), new(published))
	h.listen()
	if seed%2 == 0 {
		// Nothing is used again, so that whoever uses a request or delivery after its end panics. In the other histories
		// it would get somebody else's.
		h.core.requests.pool.hold = math.MaxInt
	}
	if h.cfg.TransactionalID != "" {
		h.caller = &modelCaller{h: h}
	}
	return h
}

func (h *history) newConfig() *Config {
	ms := time.Millisecond
	cfg := &Config{
		Bootstrap: []string{"boot:9092"}, Clock: new(Clock),
		Metadata: metadata.Config{
			MaxAge: pick(h, []time.Duration{200 * ms, 5 * time.Minute}), MaxIdle: pick(h, []time.Duration{100 * ms, time.Second, 5 * time.Minute}), RetryBackoff: 10 * ms, RetryBackoffMax: 100 * ms,
			Jitter: func() float64 { return 0.5 },
		},
		BatchSize: pick(h, []int{100, 150, 300, 4000}), MaxBatchBytes: 4000, MaxRequestSize: 1 << 20, Memory: 1 << 20,
		Acks: -1, Idempotent: true, MaxInFlight: 1 + h.rng.IntN(5), Retries: math.MaxInt32,
		DeliveryTimeout: pick(h, []time.Duration{300 * ms, 2 * time.Second, 20 * time.Second}),
		RequestTimeout:  pick(h, []time.Duration{100 * ms, 250 * ms}),
		RetryBackoff:    backoff.Policy{Base: 10 * ms, Max: 100 * ms, Jitter: 0.2},
		Reconnect:       backoff.Policy{Base: 5 * ms, Max: 100 * ms, Jitter: 0.2},
		ConnectTimeout:  backoff.Policy{Base: 100 * ms, Max: 300 * ms, Jitter: 0.2},
		Linger:          pick(h, []time.Duration{0, 0, 5 * ms, 30 * ms}),
		OnTopic:         func(*accumulator.Topic, *metadata.Topic, *metadata.Snapshot) {},
		OnForget:        func(string) {},
		Publish:         func() {},
	}
	if h.seed%8 == 3 {
		cfg.RequestTimeout = 3 * time.Second // long enough for a broker to count as silent
	}
	cfg.FailRecreated = h.chance(0.2)
	if h.chance(0.5) {
		cfg.ClusterCheck, cfg.Metadata.Rebootstrap, cfg.Metadata.RebootstrapTrigger = true, true, time.Second
	}
	if h.chance(0.1) {
		cfg.Codec = protocol.CodecSnappy // the model's compressors take their time
	}
	if h.chance(0.1) {
		cfg.Memory = 16 << 10
	}
	if h.chance(0.1) {
		cfg.Retries = int32(h.rng.IntN(4))
		h.hurt = true // one failure may be one too many
	}
	return cfg
}

// setMode says with what guarantees the history runs: without transactions, in one of their protocols, or between them.
func (h *history) setMode() {
	h.replacing = h.faults > 0 && h.chance(0.2)
	r := h.rng.IntN(20)
	if h.mode != modeNone {
		defer h.suitMode()
	}
	if h.replacing && h.chance(0.7) || plain[h.mode] {
		r = 6
	}
	switch {
	case r < 1: // ordered by one in flight
		h.cfg.Idempotent, h.cfg.Acks, h.cfg.MaxInFlight = false, 1, 1
		return
	case r < 7:
		if h.chance(0.2) {
			h.firstEpoch = math.MaxInt16 - int16(h.rng.IntN(3))
		}
		h.nearTheEnd = h.chance(0.2)
		return
	case r < 13:
		h.level = 2
	case r < 18:
		h.level = int16(h.rng.IntN(2))
		h.oldBrokers = h.chance(0.4)
	default:
		h.flips, h.level = true, int16(1+h.rng.IntN(2))
	}
	h.cfg.TransactionalID = "id"
	h.cfg.TransactionTimeout = pick(h, []time.Duration{time.Second, 10 * time.Second, time.Minute})
	if h.chance(0.2) {
		h.firstEpoch = lastClientEpoch - int16(h.rng.IntN(4))
		h.exhausting = h.seed%3 != 0
	}
}

func (h *history) makeTopics() {
	names, parts := []string{"t", "u"}[:1+h.rng.IntN(2)], 3
	if h.mumbling {
		names, parts = names[:1], 1
	}
	for _, name := range names {
		t := &modelTopic{name: name, maxBatch: pick(h, []int{1 << 20, 1 << 20, 1 << 20, 200})}
		for range 1 + h.rng.IntN(parts) {
			p := &modelPart{topic: t, index: int32(len(t.parts)), leader: 1 + h.rng.Int32N(h.brokers)}
			t.parts = append(t.parts, p)
		}
		h.topics = append(h.topics, t)
		h.makeTopic(t)
	}
	if len(h.topics) == 1 && h.chance(0.2) {
		// What fits into a request then depends on the order of its partitions, which with more topics is that of a map.
		h.cfg.BatchSize, h.cfg.MaxBatchBytes, h.cfg.MaxRequestSize = 150, 500, 900
	}
}

// makeTopic begins a new life of a topic.
func (h *history) makeTopic(t *modelTopic) {
	t.life++
	t.id = protocol.UUID{0: t.name[0], 1: byte(t.life)}
	h.lives[t.id] = t.life
	for _, p := range t.parts {
		p.log = newModelLog(p, t.life)
		p.log.strict = h.mode == modeForgetting
		if h.mode == modeOldest {
			p.log.most = 1
		}
		h.logs = append(h.logs, p.log)
	}
}

func (h *history) chance(p float64) bool { return h.rng.Float64() < p }

// fault throws the dice on whether a broker fails now.
func (h *history) fault() bool { return !h.calm && h.faults > 0 && h.chance(h.faults) }

func (h *history) fail(format string, args ...any) { panic(violation(fmt.Sprintf(format, args...))) }

func (h *history) tracef(format string, args ...any) {
	if h.tracing {
		h.trace = append(h.trace, fmt.Sprintf("%8v "+format, append([]any{h.now.Sub(h.started)}, args...)...))
	}
}

// The effects.

func (h *history) dial(n *node, which lane, at *dial) {
	h.checkDial(n, which, at.addr)
	d := dialed{node: n, which: which, dial: at}
	if h.refusing[n.id] {
		d.err = fmt.Errorf("node %d: connection refused", n.id)
	}
	if !at.elder {
		h.counts[tallyBeside]++
	}
	h.dials = append(h.dials, d)
}

func (h *history) pack(r *request, d *delivery) { h.packs = append(h.packs, packing{r, d}) }
func (h *history) post(e event)                 { h.events = append(h.events, e) }
func (h *history) end(o *accumulator.Outcome)   { h.ends = append(h.ends, completion{outcome: o}) }
func (h *history) after(g *accumulator.Group)   { h.ends = append(h.ends, completion{group: g}) }

// random depends on the time alone: how often the core asks depends on the order of its maps.
func (h *history) random() float64 {
	return float64(uint64(h.now.UnixNano())*0x9e3779b97f4a7c15>>11) / (1 << 53)
}

// completeOne does what the completion goroutine would do next: it runs a batch's callbacks, or ends a wait for them.
func (h *history) completeOne() {
	c := h.ends[0]
	h.ends = slices.Delete(h.ends, 0, 1)
	if c.group != nil {
		c.group.Exit()
		return
	}
	h.poll()
	c.outcome.Complete(func(o *accumulator.Outcome) {
		o.EachCallback(func(cb *accumulator.Callback) {
			r := cb.Fn.(*modelRecord)
			switch {
			case !r.done:
				h.fail("I4: the callback of record %d runs before its future has an outcome", r.id)
			case r.called:
				h.fail("I4: the callback of record %d runs twice", r.id)
			}
			r.called = true
		})
	})
}

// settle lets the core run until nothing more happens without time, brokers or callers.
func (h *history) settle() {
	for round := 0; ; round++ {
		if round == 500 {
			h.fail("I4: the core comes to no rest")
		}
		h.sortEvents()
		events := h.takeEvents()
		for _, e := range events {
			told, doubted, nothing := h.tells(e), h.core.nodes.doubted(), h.tellsNothing(e)
			h.core.handle(h.now, e)
			h.checkDoubt(nothing)
			h.tell(told, doubted && !h.core.nodes.doubted())
		}
		for _, id := range h.spoils {
			h.spoiled[id] = true
		}
		h.spoils = h.spoils[:0]
		h.wakeAt = h.core.step(h.now)
		slices.Sort(h.sent)
		for _, text := range h.sent {
			h.tracef("%s", text)
		}
		h.sent = h.sent[:0]
		h.check()
		h.seeWaiter()
		if len(h.events) == 0 && (h.wakeAt.IsZero() || h.wakeAt.After(h.now)) {
			break
		}
	}
	slices.SortStableFunc(h.packs, func(a, b packing) int { return int(a.request.node.id - b.request.node.id) })
	slices.SortFunc(h.dials, func(a, b dialed) int { return int(a.node.id-b.node.id)*4 + int(a.which) - int(b.which) })
	slices.SortFunc(h.conns, func(a, b *modelConn) int {
		return int(a.node.id-b.node.id)*4 + int(a.which) - int(b.which)
	})
}

// sortEvents puts what the core has caused on several nodes at once, in the order of a map, in that of the nodes.
func (h *history) sortEvents() {
	key := func(e event) int {
		switch e := e.(type) {
		case hungUp:
			return int(e.node.id)*4 + int(e.which)
		case answered:
			return int(e.request.node.id) * 4
		case replied:
			return int(e.node.id)*4 + int(control)
		}
		return math.MaxInt32
	}
	if h.core.aborted {
		slices.SortStableFunc(h.events, func(a, b event) int { return key(a) - key(b) })
	}
}

// recordOf returns the record that a value belongs to.
func (h *history) recordOf(value []byte) *modelRecord {
	id := int(binary.BigEndian.Uint32(value))
	if id >= len(h.records) {
		h.fail("I5: a record is sent that nobody has appended")
	}
	return h.records[id]
}
