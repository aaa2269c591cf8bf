package faults_test

import (
	"errors"
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

var (
	seed   = flag.Uint64("faults.seed", 0, "the seed of the random faults; 0 takes a new one")
	rounds = flag.Int("faults.rounds", 0, "how many producers meet random faults, after the planned ones")
)

// atRandom has producers with random settings meet random faults, of two brokers at once at times. A
// seed gives the same settings and faults again; what the brokers make of them is up to them.
func atRandom(t *testing.T, c *kafka.Cluster) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	for i := range *rounds {
		t.Logf("-faults.seed=%d, round %d", *seed, i)
		randomFaults(t, c, rand.New(rand.NewPCG(*seed, uint64(i))))
	}
}

func randomFaults(t *testing.T, c *kafka.Cluster, r *rand.Rand) {
	s := newSite(t, c, 1+r.Int32N(8), 3, nil)
	cfg := s.config()
	if r.IntN(2) == 0 {
		cfg = manyBatches(cfg)
	}
	cfg.MaxInFlightRequestsPerConnection = 1 + r.IntN(5)
	cfg.RequestTimeout = time.Duration(500+r.IntN(3000)) * time.Millisecond
	cfg.Compression = producer.Compression(r.IntN(5))
	mayFail := r.IntN(2) == 0
	if mayFail {
		cfg.DeliveryTimeout = cfg.RequestTimeout + cfg.Linger + time.Duration(r.IntN(5000))*time.Millisecond
	}
	t.Logf("in flight %d, request.timeout %s, delivery.timeout %s, batch.size %d, %v",
		cfg.MaxInFlightRequestsPerConnection, cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.BatchSize, cfg.Compression)
	l := s.load(cfg)
	defer l.quiet()
	for range 2 {
		s.randomFault(l, r)
		l.progress(warm)
	}
	records := l.finish()
	if !mayFail {
		noErrors(t, slices.DeleteFunc(slices.Clone(records), forgotten))
	}
	inTime(t, records, cfg.DeliveryTimeout)
	s.clean(records)
	t.Logf("%d records, %d failed, %d sent again, %s for the slowest", len(records), l.failed(),
		l.producer.Stats().Retried, slowest(records).Round(time.Millisecond))
}

// forgotten says that a broker has refused the record as out of order, and that it may be in the log.
// So it may be: after a crash a broker remembers the last batch of each producer only, and refuses an
// older one that it has, if requests had timed out so that two were open when it crashed.
func forgotten(s *sent) bool {
	return errors.Is(s.err, protocol.OutOfOrderSequenceNumber) && producer.MayBeWritten(s.err)
}

// randomFault hurts one broker or two, and leaves the cluster whole.
func (s *site) randomFault(l *load, r *rand.Rand) {
	s.t.Helper()
	c := s.cluster
	hurt := r.Perm(c.Brokers())[:1+r.IntN(2)]
	how := r.IntN(4)
	hold := time.Duration(r.IntN(4000)) * time.Millisecond
	s.t.Logf("%s of %v for %s", []string{"kill", "stop", "freeze", "freeze and move"}[how], hurt, hold)
	for _, i := range hurt {
		switch how {
		case 0:
			do(s.t, c.Kill(i))
		case 1:
			do(s.t, c.Stop(i))
		default:
			do(s.t, c.Pause(i))
		}
	}
	time.Sleep(hold)
	for _, i := range hurt {
		if how < 2 {
			do(s.t, c.Launch(s.t.Context(), i))
		} else {
			do(s.t, c.Resume(i))
		}
	}
	for _, i := range hurt {
		do(s.t, c.Ready(s.t.Context(), i))
	}
	if how == 3 {
		do(s.t, s.admin.AwaitInSync(s.t.Context(), s.topic, 3))
		do(s.t, s.admin.MoveLeaders(s.t.Context(), s.topic))
	}
}
