package sender

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
)

// What modes are worth: how many of some histories of a mode notice a patch of testdata/mutants that takes a promise out. The
// numbers of histories are rounded.
//
//	14 modeDisagreeing     address-storm                   590 of 1,000  an end is dialled elsewhere too often
//	12 modeContradicting   news-without-bound               25 of 1,000  a batch is sent too often at one time
//	12 modeContradicting   news-leader-unheard             629 of 1,000  there is another leader, and the backoff stays
//	15 modeDoubting        doubtful-fails-as-a-whole       126 of 5,000  a batch in no log fails as too large
//	13 modeResizing        lesson-for-the-future-alone      24 of 1,000  too many batches are refused for their size
//	13 modeResizing        lesson-never-forgotten             81 of 156  batches stay small when the limit has gone
//	 7 modePauses          pause-deadline-before-answers   227 of 1,000  answers lie ready, and the clock counts
//	 7 modePauses          pause-after-pause                52 of 1,000  the same, after two pauses
//	 5 modeUnacknowledged  i6-never-sent-without-acks        5 of 5,000  what was never sent may be written
//	11 modeStrangers       old-epoch-raised                163 of 5,000  a connection has outlived its cluster, and the producer
//	11 modeStrangers       old-epoch-one-partition          42 of 5,000  sends to the new one before it has asked who that is
//	11 modeStrangers       duplicate-of-nothing             58 of 5,000  the same
//	11 modeStrangers       former-cluster-believed          23 of 5,000  the same, and hears of the new one before its answer
//	11 modeStrangers       metadata-news-forgotten          22 of 5,000  a topic is made again, and forgotten in the same breath
//	   any                 news-backoff-slept-out           46 of 5,000  a topic is made again, and its backoff stays
//
// Nothing compares these numbers. They change with the model's dice and with the core, so count them anew when either has
// changed much: apply the patch, run `go test ./sender -run 'TestModel$' -v -args -model.mode=N -model.count=5000 -model.keep`,
// and read how many fail. N is the mode's number, and so many histories of that mode are run; without -model.mode they are of
// all modes. Where none fails, the script or the test that the patch names still finds it, and the mode no longer does.

// A mode is what a history is made for. What is rare in any history is frequent in those of its mode; half of all
// histories have none. It is chosen by dice of its own, so that those of the others fall as if there were no modes.
type mode uint8

const (
	modeNone           mode = iota
	modeGrowing             // topics get partitions, or are made again with fewer
	modeForgetting          // brokers of before Kafka 2.5, which say so, forget who wrote to a partition
	modeMembership          // brokers join and leave, and partitions have no leader meanwhile
	modeRebootstrap         // brokers want the client to begin at the bootstrap servers, or all refuse connections for long
	modeUnacknowledged      // acks=0
	modeWaiting             // there is little memory, and one caller waits for it
	modePauses              // the process stands still
	modeThrottling          // for longer than anything has time
	modeOldest              // Kafka 0.11, whose brokers remember one batch
	modeLending             // callers do steps, and the inbox is read in part
	modeStrangers           // who has our producer id in another cluster is ahead of us
	modeContradicting       // brokers name each other as leaders, with rising epochs
	modeResizing            // limits are learned, hold, and go
	modeDisagreeing         // brokers disagree about their addresses
	modeDoubting            // of many batches an answer is lost, and the next refuses them for good
	modeRestarting          // brokers restart as older or newer ones, between transactions and inside of them
	modes
)

// plain says which modes are about producers without transactions.
var plain = map[mode]bool{
	modeWaiting:    true,
	modeForgetting: true, modeUnacknowledged: true, modeOldest: true, modeStrangers: true, modeContradicting: true, modeResizing: true, modeDoubting: true,
}

// extras is what modes need of a history.
type extras struct {
	mode    mode
	away    map[int32]bool // brokers that have left
	older   map[int32]bool // brokers that speak the old protocol of transactions alone, whatever is finalised
	waiter  *modelWaiter
	stood   time.Time // when the process last went on
	inRow   int       // how often it has stood still without a moment in between
	blind   bool      // a connection has outlived the cluster before
	live    liveness
	untold  modelSilence
	ignore  time.Time // until then brokers know no topic
	storage *accumulator.Scratch
}

func newExtras(seed uint64) extras {
	dice := rand.New(rand.NewPCG(seed, 0x6d6f6465))
	e := extras{away: map[int32]bool{}, older: map[int32]bool{}}
	if dice.IntN(2) == 0 {
		e.mode = 1 + mode(dice.IntN(int(modes)-1))
	}
	return e
}

// suitMode changes a history's settings for its mode.
func (h *history) suitMode() {
	h.faults = max(h.faults, 0.02)
	switch h.mode {
	case modeNone:
	case modeUnacknowledged:
		h.cfg.Idempotent, h.cfg.Acks = false, 0
		h.replacing = false
	case modeWaiting:
		h.cfg.Memory, h.cfg.MaxBatchBytes, h.cfg.BatchSize = pick(h, []int64{2 << 10, 8 << 10}), 1000, 300
		h.cfg.DeliveryTimeout = max(h.cfg.DeliveryTimeout, 2*time.Second)
	case modeOldest:
		h.replacing = false
	case modeRestarting:
		h.cfg.Idempotent, h.cfg.Acks, h.cfg.TransactionalID = true, -1, "id"
		h.cfg.TransactionTimeout = max(h.cfg.TransactionTimeout, 10*time.Second)
		h.level, h.flips, h.oldBrokers, h.exhausting, h.nearTheEnd, h.replacing = 2, false, false, false, false, false
		h.firstEpoch = 0
	case modeStrangers:
		h.replacing, h.cfg.ClusterCheck = true, false
		h.cfg.DeliveryTimeout = 20 * time.Second
	case modeContradicting, modeDoubting:
		h.faults, h.brokers = 0.1, max(h.brokers, 2)
		h.cfg.DeliveryTimeout = 20 * time.Second
		h.replacing = h.mode == modeDoubting && h.seed%2 == 0
	case modeResizing:
		h.cfg.BatchSize, h.cfg.MaxBatchBytes, h.cfg.Linger = 800, 800, 30*time.Millisecond
		h.cfg.DeliveryTimeout, h.cfg.Metadata.MaxIdle = 20*time.Second, 5*time.Minute
	}
}

// actMore does what a history's mode is about.
func (h *history) actMore() {
	if h.mode == modeNone || !h.chance(0.15) || h.core.aborted {
		return
	}
	switch h.mode {
	case modeGrowing:
		h.addPartitionsTo(pick(h, h.topics))
	case modeForgetting:
		h.forgetProducers(pick(h, pick(h, h.topics).existing()))
	case modeMembership:
		h.changeMembers()
	case modeRebootstrap:
		if h.chance(0.3) {
			h.refuseAll()
			h.beIgnorant()
		}
	case modeWaiting:
		for range 20 {
			h.send()
		}
	case modeRestarting:
		if h.chance(0.5) {
			h.restart(1 + h.rng.Int32N(h.brokers))
		}
	case modePauses:
		if h.chance(0.4) {
			h.standStill()
		}
	case modeThrottling:
		if len(h.conns) > 0 && h.chance(0.5) {
			mc := pick(h, h.conns)
			d := min(time.Duration(h.rng.IntN(5000))*time.Millisecond, h.cfg.DeliveryTimeout) // as package wire does
			mc.throttled = h.now.Add(d)
			h.hurt = true
			h.tracef("connection %d.%d is throttled for %v", mc.node.id, mc.which, d)
		}
	case modeStrangers:
		if h.chance(0.15) {
			h.makeAgainUnawares()
		}
		h.strangerWrites()
	case modeContradicting:
		h.send()
		for range 30 {
			h.serve()
			h.settle()
		}
	case modeDisagreeing:
		h.moveBroker()
		for range 8 {
			h.core.meta.RequestUpdate()
			h.pass(20 * time.Millisecond)
			h.serve()
		}
	case modeResizing:
		if h.chance(0.3) {
			h.resize()
		} else if p := pick(h, pick(h, h.topics).existing()); h.chance(0.3) {
			for range 150 {
				h.append(p, 0, false)
			}
		}
	}
}

// existing returns the partitions that the topic has now.
func (t *modelTopic) existing() []*modelPart { return t.parts[:len(t.parts)-t.gone] }

// addPartitionsTo adds a partition to a topic, or has it made again with fewer. Nobody adds to a transaction what is gone.
func (h *history) addPartitionsTo(t *modelTopic) {
	if n := len(t.existing()); n > 1 && h.caller == nil && h.chance(0.3) {
		t.gone++
		h.recreate(t)
	} else if t.gone > 0 {
		t.gone--
	} else if len(t.parts) < 6 {
		p := &modelPart{topic: t, index: int32(len(t.parts)), leader: 1 + h.rng.Int32N(h.brokers)}
		p.log = newModelLog(p, t.life)
		h.logs = append(h.logs, p.log)
		t.parts = append(t.parts, p)
	}
	h.counts[tallyPartitions]++
	h.tracef("topic %s has %d partitions", t.name, len(t.existing()))
	if h.chance(0.7) {
		h.core.meta.RequestUpdate()
	}
}

// forgetProducers has a partition's leader forget who has written to it, at a moment at which no batch depends on that: one
// that is written, and comes again, nobody could tell from a new one.
func (h *history) forgetProducers(p *modelPart) {
	if len(h.late)+len(h.packs) > 0 || len(p.log.producers) == 0 || slices.ContainsFunc(p.attempts, func(a *modelAttempt) bool {
		return a.fate == pending || a.fate == written && slices.ContainsFunc(a.records, func(r *modelRecord) bool { return !r.done })
	}) {
		return
	}
	clear(p.log.producers)
	h.counts[tallyForgotten]++
	h.hurt = true
	h.tracef("%s-%d forgets its producers", p.topic.name, p.index)
}

// changeMembers has a broker join, leave or come back.
func (h *history) changeMembers() {
	h.counts[tallyMembers]++
	id := 1 + h.rng.Int32N(h.brokers)
	switch {
	case h.away[id]:
		delete(h.away, id)
		delete(h.refusing, id)
		h.tracef("broker %d is back", id)
	case h.brokers < 5 && h.chance(0.3):
		h.brokers++
		h.tracef("broker %d joins", h.brokers)
	case h.brokers-int32(len(h.away)) > 1:
		h.away[id], h.refusing[id] = true, true
		h.tracef("broker %d leaves", id)
		for _, mc := range slices.Clone(h.conns) {
			if mc.broker == id {
				mc.hangUp(errReset, hangWay(h.rng.IntN(3)))
			}
		}
	}
	for _, t := range h.topics {
		for _, p := range t.parts {
			if p.leader < 0 && h.chance(0.7) || h.away[p.leader] {
				p.leader = 1 + h.rng.Int32N(h.brokers)
				if h.away[p.leader] || h.chance(0.2) {
					p.leader = -1
				}
				p.epoch++
			}
		}
	}
	if h.away[h.coordinator] {
		h.coordinator = 1 + h.rng.Int32N(h.brokers)
	}
}

// restart has a broker come back as an older one, or as a newer one. Each connection speaks what its broker did when it was
// made.
func (h *history) restart(id int32) {
	h.older[id] = !h.older[id]
	h.counts[tallyRestarted]++
	h.hurt = true
	h.mayDie = "an EndTxn of the new protocol is in doubt, and a coordinator that knows the old one alone cannot say what became of it"
	h.tracef("broker %d restarts; older: %v", id, h.older[id])
	for _, mc := range slices.Clone(h.conns) {
		if mc.broker == id {
			mc.hangUp(errReset, hangWay(h.rng.IntN(3)))
		}
	}
}

// mixes reports whether a transaction may be ended in another protocol than it was begun in.
func (h *history) mixes() bool { return h.flips || h.mode == modeRestarting }

// refuseAll has all brokers refuse connections for longer than the client tries those that it knows.
func (h *history) refuseAll() {
	h.tracef("nobody takes connections")
	for id := int32(1); id <= h.brokers; id++ {
		h.refusing[id] = true
	}
	for _, mc := range slices.Clone(h.conns) {
		mc.hangUp(errReset, hangDrop)
	}
	for range 8 {
		h.pass(200 * time.Millisecond)
		for len(h.dials) > 0 {
			h.dialDone()
		}
	}
	clear(h.refusing)
	maps.Copy(h.refusing, h.away)
	h.hurt = true
}

// comeBack ends what modes have done to the brokers.
func (h *history) comeBack() {
	clear(h.away)
	for _, t := range h.topics {
		for _, p := range t.parts {
			if p.leader < 0 {
				p.leader = 1 + h.rng.Int32N(h.brokers)
				p.epoch++
			}
		}
	}
	if h.mode == modeGrowing || h.mode == modeMembership || h.mode == modeRebootstrap {
		h.hurt = true // what was sent to whom is no more may end so
	}
}

// compressors are used again by the next history.
var compressors = sync.Pool{New: func() any {
	c, err := protocol.NewCompressor(protocol.CodecSnappy, protocol.LevelDefault)
	if err != nil {
		panic(err)
	}
	return c
}}

// compress does what a compressor does.
func (h *history) compress(d *delivery) {
	c := compressors.Get().(*protocol.Compressor)
	defer compressors.Put(c)
	if h.storage == nil {
		h.storage = new(accumulator.Scratch)
	}
	before := d.Size()
	if err := d.Compress(protocol.CodecSnappy, c, h.storage); err != nil {
		h.fail("a batch cannot be compressed: %v", err)
	}
	if d.Size() < before {
		h.counts[tallyCompressed]++
	}
}

// takeEvents takes what the core is to handle next. With callers that do steps it may be a part of what there is.
func (h *history) takeEvents() []event {
	n := len(h.events)
	if h.mode == modeLending && n > 1 && h.chance(0.3) {
		n = 1 + h.rng.IntN(n)
	}
	events := slices.Clone(h.events[:n])
	h.events = slices.Delete(h.events, 0, n)
	return events
}
