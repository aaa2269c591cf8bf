package producer_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

var (
	flipSeed  = flag.Uint64("flip.seed", 0, "run the one flipped bit of this seed")
	flipCount = flag.Int("flip.count", 150, "how many bits to flip")
)

// One bit of one answer is flipped on its way, in whatever request's answer and wherever in it. Nobody can know what is
// true then. But nothing crashes and nothing hangs: each record has its outcome in bounded time, each call returns, and
// afterwards records get through again.
func TestOneFlippedBit(t *testing.T) {
	eachSeed(t, seeds{flag: "-flip.seed", one: *flipSeed, count: fewer(*flipCount, 4)}, flipOne)
}

// flipTimes bound everything in these tests.
const (
	flipRequest  = 2 * time.Second
	flipDelivery = 10 * time.Second
	flipBlock    = 30 * time.Second
)

func flipOne(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(seed, 7))
		options := []brokertest.Option{
			brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 2), brokertest.Seed(seed),
		}
		if r.IntN(3) == 0 {
			options = append(options, brokertest.Kafka3_9()) // with the old protocol of transactions
		}
		c := brokertest.New(t, options...)
		apis := []int16{
			brokertest.Produce, brokertest.Metadata, brokertest.ApiVersions, brokertest.InitProducerID,
			brokertest.FindCoordinator, brokertest.EndTxn, brokertest.TxnOffsetCommit, brokertest.AddPartitionsToTxn,
			brokertest.AddOffsetsToTxn,
		}
		transactional := r.IntN(2) == 0
		if !transactional {
			apis = apis[:4]
		}
		flip{t: t, seed: seed, dice: r, c: c, apis: apis, transactional: transactional}.run()
	})
}

// A flip is one bit of one answer, among those to some APIs.
type flip struct {
	t             *testing.T
	seed          uint64
	dice          *rand.Rand
	c             *brokertest.Cluster
	apis          []int16
	transactional bool
	change        func(*producer.Config)
}

func (f flip) run() {
	t, r, c, apis, transactional := f.t, f.dice, f.c, f.apis, f.transactional
	api, nth, flipped := apis[r.IntN(len(apis))], r.IntN(3), ""
	edit := func(key, version int16, frame []byte) []byte {
		if key != api {
			return frame
		}
		if nth--; nth == -1 {
			at, bit := r.IntN(len(frame)), r.IntN(8)
			frame[at] ^= 1 << bit
			flipped = fmt.Sprintf("bit %d of byte %d of an answer of API %d v%d", bit, at, key, version)
		}
		return frame
	}
	p := start(t, c, func(cfg *producer.Config) {
		cfg.DialContext = tamper(c, edit)
		cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.MaxBlock = flipRequest, flipDelivery, flipBlock
		cfg.MetadataMaxAge = 5 * time.Second
		if transactional {
			cfg.TransactionalID = fmt.Sprint("flip-", f.seed)
		}
		if f.change != nil {
			f.change(cfg)
		}
	})
	rounds := &flipping{t: t, p: p, transactional: transactional}
	ok := 0
	for range 40 {
		ok = rounds.round(ok)
		time.Sleep(time.Second)
	}
	// A transactional producer that got a wrong id, or was told that it is fenced, takes that for the truth, and says so.
	// So does one of which a broker says that it does not know its versions, for as long as the connection lasts.
	if ok < 5 && !transactional && api != brokertest.ApiVersions {
		t.Errorf("%s: only %d of the last rounds went through: %v", flipped, ok, rounds.last)
	}
	ctx, cancel := context.WithTimeout(t.Context(), flipBlock)
	defer cancel()
	begin := time.Now()
	p.Close(ctx)
	if took := time.Since(begin); took > flipBlock+2*time.Second {
		t.Errorf("%s: Close took %v", flipped, took)
	}
}

// So it is with a bit of what brokers answer to a login, again and again as sessions end, and of what they say of metrics.
func TestOneFlippedBitOfALogin(t *testing.T) {
	eachSeed(t, seeds{flag: "-flip.seed", one: *flipSeed, count: fewer(*flipCount/2, 4)}, func(t *testing.T, seed uint64) {
		synctest.Test(t, func(t *testing.T) { flipLogin(t, seed) })
	})
}

func flipLogin(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 8))
	login, mechanism := brokertest.Plain("alice", "secret"), sasl.Plain("alice", "secret")
	if r.IntN(2) == 0 {
		login, mechanism = brokertest.SCRAM256("alice", "secret"), sasl.ScramSHA256("alice", "secret")
	}
	c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 2), brokertest.Seed(seed),
		brokertest.SASL(login), brokertest.SessionLifetime(5*time.Second), brokertest.Telemetry())
	c.SubscribeMetrics(brokertest.MetricsSubscription{Metrics: []string{"*"}, Interval: time.Second})
	apis := []int16{
		brokertest.SaslHandshake, brokertest.SaslAuthenticate, brokertest.SaslAuthenticate,
		brokertest.GetTelemetrySubscriptions, brokertest.PushTelemetry,
	}
	change := func(cfg *producer.Config) { cfg.SASL = mechanism }
	flip{t: t, seed: seed, dice: r, c: c, apis: apis, change: change}.run()
}

// flipping sends rounds of records.
type flipping struct {
	t             *testing.T
	p             *producer.Producer
	transactional bool
	ready         bool
	last          error
}

// round sends some records, each of which must end in time, and returns the length of the row of rounds that went well.
func (f *flipping) round(ok int) int {
	begin := time.Now()
	var err error
	if f.transactional {
		err = f.transaction()
	} else {
		err = f.records(f.t.Context(), f.p.Send)
	}
	if took := time.Since(begin); took > 4*flipBlock {
		f.t.Errorf("a round took %v: %v", took, err)
	}
	if err == nil {
		return ok + 1
	}
	f.last = err
	if *flipSeed != 0 {
		f.t.Logf("%v: %v", time.Since(begin), err)
	}
	f.heed(err)
	return 0
}

// heed does what a transaction's error says.
func (f *flipping) heed(err error) {
	if !f.transactional {
		return
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), flipBlock)
	defer cancel()
	var failed *producer.TransactionError
	switch {
	case !errors.As(err, &failed) || failed.Next == producer.NextAbort:
		_ = f.p.AbortTransaction(ctx)
	case failed.Next == producer.NextRetryCall && f.ready:
		_ = f.p.CommitTransaction(ctx)
	}
}

func (f *flipping) records(ctx context.Context, send func(context.Context, producer.Record) producer.Future) (failed error) {
	for partition := range int32(2) {
		future := send(ctx, producer.Record{Topic: "t", Partition: producer.OnPartition(partition), Value: []byte("x")})
		begin := time.Now()
		if _, err := future.Wait(f.t.Context()); err != nil {
			failed = err
		}
		if took := time.Since(begin); took > flipDelivery+10*time.Millisecond {
			f.t.Errorf("a record ended after %v", took)
		}
	}
	return failed
}

func (f *flipping) transaction() error {
	if !f.ready {
		if err := f.p.InitTransactions(f.t.Context()); err != nil {
			return err
		}
		f.ready = true
	}
	return f.p.Transact(f.t.Context(), func(tx *producer.Tx) error {
		if err := f.records(f.t.Context(), tx.Send); err != nil {
			return err
		}
		next := map[producer.TopicPartition]producer.OffsetAndMetadata{{Topic: "t", Partition: 0}: {Offset: 1}}
		return tx.SendOffsets(f.t.Context(), next, producer.ConsumerGroupMetadata{GroupID: "g", GenerationID: -1})
	})
}
