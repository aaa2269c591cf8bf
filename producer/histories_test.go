package producer_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

var (
	historySeed  = flag.Uint64("history.seed", 0, "run the one fault history of this seed")
	historyCount = flag.Int("history.count", 200, "how many fault histories to run")
	historyFrom  = flag.Uint64("history.from", 1, "run fault histories from this seed on")
	historyKeep  = flag.Bool("history.keep", false, "go on after a fault history that fails")
)

// TestFaultHistories runs a producer against a cluster in which everything
// goes wrong that a network and brokers can do, at random but by a seed, and
// then compares what the log holds with what the callers were told: I1 to I6.
func TestFaultHistories(t *testing.T) {
	eachHistory(t, *historyCount, runHistory)
}

// eachHistory runs the history that was asked for, or as many as count, of which a short test takes a tenth.
func eachHistory(t *testing.T, count int, run func(*testing.T, uint64)) {
	t.Helper()
	eachSeed(t, seeds{flag: "-history.seed", one: *historySeed, from: *historyFrom, count: fewer(count, 10), keep: *historyKeep}, run)
}

// seeds are those that a test is run for: one, or if that is 0 so many from the first on.
type seeds struct {
	flag  string // that names one of them
	one   uint64
	from  uint64 // 0 is 1
	count int
	keep  bool // go on after one that fails
}

// eachSeed runs a test for each of its seeds, and names those that fail by their flag.
func eachSeed(t *testing.T, s seeds, run func(*testing.T, uint64)) {
	t.Helper()
	if s.one != 0 {
		run(t, s.one)
		return
	}
	first := max(s.from, 1)
	for seed := first; seed < first+uint64(s.count); seed++ {
		if t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { run(t, seed) }) {
			continue
		}
		if t.Errorf("%s=%d failed", s.flag, seed); !s.keep {
			return
		}
	}
}

// fewer returns count, or in short tests that part of it.
func fewer(count, part int) int {
	if testing.Short() {
		return count / part
	}
	return count
}

func runHistory(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(t, seed)
		h.run()
		h.check()
	})
}

// A history is one run of it.
type history struct {
	t          *testing.T
	rand       *rand.Rand
	c          *brokertest.Cluster
	p          *producer.Producer
	cfg        producer.Config
	brokers    int
	partitions int32
	senders    int
	wide       bool           // not only Produce fails
	replaced   bool           // topics or the cluster were made again: records may be in a log that is gone
	early      bool           // Close is called while records are under way
	moved      map[int32]bool // brokers that have another address than the producer was given
	login      *login         // nil: there is no SASL
	doors      *rand.Rand     // of what goes wrong with it
	books      *auditor       // nil: nobody keeps them

	mu   sync.Mutex
	sent []*sentRecord
}

// A sentRecord is what its sender knows of a record.
type sentRecord struct {
	sender, n int
	value     string
	admitted  time.Time
	ended     time.Time
	outcomes  int
	md        producer.RecordMetadata
	err       error
}

func newHistory(t *testing.T, seed uint64) *history {
	r := rand.New(rand.NewPCG(seed, 1))
	h := &history{t: t, wide: seed%2 == 0, rand: r, moved: map[int32]bool{}, brokers: 1 + r.IntN(3), partitions: int32(1 + r.IntN(4)), senders: 1 + r.IntN(4)}
	options := []brokertest.Option{
		brokertest.InMemory(), brokertest.Seed(seed), brokertest.Brokers(h.brokers), brokertest.Topic("t", int(h.partitions)),
	}
	if r.IntN(4) == 0 {
		options = append(options, brokertest.Kafka3_9())
	}
	if r.IntN(2) == 0 {
		options = append(options, brokertest.Delay(time.Duration(r.IntN(20))*time.Millisecond))
	}
	options = append(options, h.secure(seed)...)
	h.c = brokertest.New(t, options...)
	h.p = start(t, h.c, func(cfg *producer.Config) {
		if h.login != nil {
			cfg.SASL = h.login
		}
		cfg.BatchSize = []int{0, 200, 1000, 16384}[r.IntN(4)]
		cfg.Linger = time.Duration(r.IntN(3)*5) * time.Millisecond
		cfg.MaxInFlightRequestsPerConnection = 1 + r.IntN(5)
		cfg.Compression = producer.Compression(r.IntN(5))
		cfg.BufferMemory = []int64{20 << 10, 200 << 10, 32 << 20}[r.IntN(3)]
		cfg.RequestTimeout = 2 * time.Second
		cfg.DeliveryTimeout = []time.Duration{2100 * time.Millisecond, 10 * time.Second, time.Minute}[r.IntN(3)]
		cfg.MaxBlock = 2 * time.Minute
		cfg.MetadataMaxAge = time.Duration(1+r.IntN(10)) * time.Second
		h.audit(seed, cfg)
		h.cfg = *cfg
	})
	return h
}

// run sends for some seconds while faults happen, and ends them before the end.
func (h *history) run() {
	calm := make(chan struct{})
	var wg sync.WaitGroup
	chaos := rand.New(rand.NewPCG(h.rand.Uint64(), 2))
	wg.Go(func() { h.chaos(chaos); close(calm) })
	for s := range h.senders {
		r := rand.New(rand.NewPCG(h.rand.Uint64(), uint64(s)))
		wg.Go(func() { h.send(s, r, calm) })
	}
	wg.Wait()
	if h.early {
		return
	}
	if err := h.p.Flush(h.t.Context()); err != nil {
		h.t.Error(err)
	}
}

// send sends records of one key, one after the other, until all is calm and
// then some more.
func (h *history) send(s int, r *rand.Rand, calm chan struct{}) {
	key := fmt.Append(nil, "sender-", s)
	left := -1
	for n := 0; left != 0; n++ {
		rec := &sentRecord{sender: s, n: n, value: fmt.Sprintf("%d/%d", s, n)}
		h.p.SendFunc(h.t.Context(), producer.Record{Topic: "t", Key: key, Value: fmt.Appendf(nil, "%s%*s", rec.value, r.IntN(60), "")},
			func(md producer.RecordMetadata, err error) {
				h.mu.Lock()
				defer h.mu.Unlock()
				rec.outcomes++
				rec.ended, rec.md, rec.err = time.Now(), md, err
			})
		rec.admitted = time.Now()
		h.mu.Lock()
		h.sent = append(h.sent, rec)
		h.mu.Unlock()
		if r.IntN(3) == 0 {
			time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
		}
		select {
		case <-calm:
			if left < 0 {
				left = 20
			}
			left--
		default:
		}
	}
}

// chaos makes things go wrong for a while.
func (h *history) chaos(r *rand.Rand) {
	codes := []protocol.ErrorCode{
		protocol.NotLeaderOrFollower, protocol.UnknownTopicOrPartition, protocol.NotEnoughReplicas,
		protocol.RequestTimedOut, protocol.CorruptMessage, protocol.KafkaStorageError, protocol.LeaderNotAvailable,
	}
	after := []protocol.ErrorCode{protocol.NotEnoughReplicasAfterAppend, protocol.RequestTimedOut, protocol.NotLeaderOrFollower}
	const produce = 0
	for range 3 + r.IntN(12) {
		h.shut()
		broker := int32(1 + r.IntN(h.brokers))
		on := h.c.On(produce).Skip(r.IntN(3)).Times(1 + r.IntN(3))
		if r.IntN(2) == 0 {
			on = on.Topic("t").Partition(r.Int32N(h.partitions))
		}
		if h.wide && r.IntN(2) == 0 {
			h.more(r, broker)
			time.Sleep(time.Duration(r.IntN(2000)) * time.Millisecond)
			continue
		}
		switch r.IntN(13) {
		case 0, 1:
			on.Do(brokertest.Error(codes[r.IntN(len(codes))]))
		case 2, 3:
			on.Do(brokertest.AppendThenError(after[r.IntN(len(after))]))
		case 4:
			on.Do(brokertest.Drop())
		case 5, 6:
			on.Do(brokertest.HandleThenDrop())
		case 7:
			on.Do(brokertest.HandleThenSwallow())
		case 8:
			on.Do(brokertest.Pass().Delayed(time.Duration(r.IntN(4000)) * time.Millisecond))
		case 9:
			h.c.CutConnections(broker, r.IntN(2) == 0)
		case 10:
			h.c.StopBroker(broker)
			time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond)
			if err := h.c.StartBroker(broker); err != nil {
				h.t.Error(err)
			}
		case 11:
			h.c.Pause(broker)
			time.Sleep(time.Duration(r.IntN(4000)) * time.Millisecond)
			h.c.Resume(broker)
		case 12:
			if h.brokers > 1 {
				// It fails for a broker that has no replica; so be it.
				_ = h.c.MoveLeader("t", r.Int32N(h.partitions), broker)
			}
		}
		time.Sleep(time.Duration(r.IntN(2000)) * time.Millisecond)
	}
	h.c.ClearFaults()
	h.calmDown()
}

// check compares the log with what the senders were told.
func (h *history) check() {
	err := h.c.Verify(func(r brokertest.Record) string { return value(r) })
	if err != nil && !h.replaced { // else a new log begins with what was numbered for the old
		h.t.Errorf("the log: %v", err)
	}
	if n := h.c.MaxUnanswered(); n > h.cfg.MaxInFlightRequestsPerConnection {
		h.t.Errorf("%d requests were unanswered on a connection, want at most %d (I1)", n, h.cfg.MaxInFlightRequestsPerConnection)
	}
	h.checkBooks()
	where, late := h.checkOrder()
	for _, r := range h.sent {
		at, written := where[r.value]
		switch {
		case r.outcomes != 1:
			h.t.Errorf("record %s has %d outcomes, want 1 (I4)", r.value, r.outcomes)
		case h.replaced && !written:
			// It may be in a log that is gone.
		case r.err == nil && !written:
			h.t.Errorf("record %s was acknowledged and is not in the log", r.value)
		case r.err == nil && r.md.Offset >= 0 && at != (place{r.md.Partition, r.md.Offset}) && !late[r.value]:
			h.t.Errorf("record %s is at %v, and its metadata say %d at %d", r.value, at, r.md.Partition, r.md.Offset)
		case r.err != nil && written && !producer.MayBeWritten(r.err):
			h.t.Errorf("record %s is in the log, and its error says that it is not: %v (I6)", r.value, r.err)
		case r.err != nil && !errors.Is(r.err, producer.ErrDeliveryTimeout) && !h.follows(r) && !h.mayEnd(r.err) && !h.turnedAway(r.err):
			h.t.Errorf("record %s failed with %v, want nothing but a delivery timeout", r.value, r.err)
		}
		if took := r.ended.Sub(r.admitted); took > h.cfg.DeliveryTimeout+10*time.Millisecond {
			h.t.Errorf("record %s ended %v after its admission, want at most %v (I4)", r.value, took, h.cfg.DeliveryTimeout)
		}
	}
}

// follows reports whether r failed for what became of an older record: one that
// timed out, so that its place in the sequence stayed open, while r was sent
// and its answer lost. Then r can neither be taken in its place nor be
// numbered anew.
func (h *history) follows(r *sentRecord) bool {
	if !producer.MayBeWritten(r.err) {
		return false
	}
	for _, o := range h.sent {
		if o.md.Partition == r.md.Partition && errors.Is(o.err, producer.ErrDeliveryTimeout) && !o.ended.After(r.ended) {
			return true
		}
	}
	return false
}

// value returns what a record's sender called it.
func value(r brokertest.Record) string {
	var s, n int
	fmt.Sscanf(string(r.Value), "%d/%d", &s, &n)
	return fmt.Sprintf("%d/%d", s, n)
}
