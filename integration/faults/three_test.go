package faults_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// partitionsOfThree spreads leaders unevenly over three brokers.
const partitionsOfThree = 7

// TestFaultThreeBrokers has a cluster of three lose what it can do without, under load: every
// partition has three replicas, two of which must have each record.
func TestFaultThreeBrokers(t *testing.T) {
	c := kafka.New(t, kafka.Options{Brokers: 3, Config: map[string]string{"min.insync.replicas": "2"}})
	type fault struct {
		name string
		do   func(*testing.T, *kafka.Cluster)
	}
	faults := []fault{
		{"each killed in turn", threeKilled},
		{"each shut down in turn", threeStopped},
		{"leaders moved", leadersMoved},
		{"partitions moved", partitionsMoved},
		{"a leader frozen and replaced", leaderFrozen},
		{"too few in sync", tooFewInSync},
		{"two and then all killed", allKilled},
	}
	if *rounds > 0 { // to look for what nobody has thought of, at leisure
		faults = append(faults, fault{"at random", atRandom})
	}
	for _, fault := range faults {
		if !t.Run(fault.name, func(t *testing.T) { fault.do(t, c) }) {
			return // the brokers may be in any state
		}
	}
}

// threeKilled kills each broker, always the one that leads most next.
func threeKilled(t *testing.T, c *kafka.Cluster) {
	s := newSite(t, c, partitionsOfThree, 3, nil)
	l := s.load(manyBatches(s.config()))
	killed := make(map[int]bool)
	for range c.Brokers() {
		i := s.busiest(killed)
		killed[i] = true
		do(t, c.Kill(i))
		l.backlog(warm)
		s.restart(i)
		l.progress(warm)
		do(t, s.admin.AwaitInSync(t.Context(), s.topic, 3))
	}
	s.exactlyOnce(l, s.config().DeliveryTimeout)
}

// threeStopped is a rolling restart: each broker hands over its leaders before it goes.
func threeStopped(t *testing.T, c *kafka.Cluster) {
	s := newSite(t, c, partitionsOfThree, 3, nil)
	l := s.load(s.config())
	for i := range c.Brokers() {
		do(t, c.Stop(i))
		s.restart(i)
		do(t, s.admin.AwaitInSync(t.Context(), s.topic, 3))
	}
	s.exactlyOnce(l, s.config().DeliveryTimeout)
}

// leadersMoved has every partition led by each of its replicas.
func leadersMoved(t *testing.T, c *kafka.Cluster) {
	s := newSite(t, c, partitionsOfThree, 3, nil)
	l := s.load(manyBatches(s.config()))
	for range 3 {
		do(t, s.admin.MoveLeaders(t.Context(), s.topic))
		l.progress(warm)
	}
	s.exactlyOnce(l, s.config().DeliveryTimeout)
}

// partitionsMoved has every partition move to another broker altogether: the old one no longer knows
// of it, and its state of the producer has travelled with the log.
func partitionsMoved(t *testing.T, c *kafka.Cluster) {
	s := newSite(t, c, partitionsOfThree, 1, map[string]string{"min.insync.replicas": "1"})
	l := s.load(manyBatches(s.config()))
	for range 2 {
		leaders, err := s.admin.Leaders(t.Context(), s.topic)
		do(t, err)
		wanted := make(map[int32]int32)
		var moves kadm.AlterPartitionAssignmentsReq
		for partition, leader := range leaders {
			next := c.NodeID((c.Index(leader) + 1) % c.Brokers())
			wanted[partition] = next
			moves.Assign(s.topic, partition, []int32{next})
		}
		answers, err := s.admin.Client().AlterPartitionAssignments(t.Context(), moves)
		do(t, errors.Join(err, answers.Error()))
		l.await("partitions led by their new brokers", func() bool {
			leaders, err := s.admin.Leaders(t.Context(), s.topic)
			for partition, leader := range wanted {
				if err != nil || leaders[partition] != leader {
					return false
				}
			}
			return true
		})
		l.progress(warm)
	}
	s.exactlyOnce(l, s.config().DeliveryTimeout)
}

// leaderFrozen has a leader stand still until the others have replaced it. When it goes on it finds
// requests in its sockets from when it was the leader still.
func leaderFrozen(t *testing.T, c *kafka.Cluster) {
	s := newSite(t, c, partitionsOfThree, 3, nil)
	cfg := s.config()
	cfg.RequestTimeout = 2 * time.Second
	l := s.load(manyBatches(cfg))
	i := s.busiest(nil)
	do(t, c.Pause(i))
	l.backlog(warm)
	s.awaitReplaced(i)
	l.progress(2 * warm)
	do(t, c.Resume(i))
	l.progress(warm)
	do(t, s.admin.AwaitInSync(t.Context(), s.topic, 3))
	s.exactlyOnce(l, cfg.DeliveryTimeout)
}

// awaitReplaced waits until broker i leads nothing of the topic any more, as another broker sees it.
func (s *site) awaitReplaced(i int) {
	s.t.Helper()
	if !eventually(s.t, patience, func() bool {
		leaders, err := s.admin.Leaders(s.t.Context(), s.topic)
		if err != nil {
			return false
		}
		for _, node := range leaders {
			if node < 0 || s.cluster.Index(node) == i {
				return false
			}
		}
		return true
	}) {
		s.t.Fatalf("broker %d goes on leading partitions of the topic", i)
	}
}

// tooFewInSync asks for three copies where two can be had. Records wait for the third broker, and
// those that may not wait for so long fail with the reason, and are certainly not in the log.
func tooFewInSync(t *testing.T, c *kafka.Cluster) {
	s := newSite(t, c, partitionsOfThree, 3, map[string]string{"min.insync.replicas": "3"})
	cfg := s.config()
	cfg.RequestTimeout = 2 * time.Second
	l := s.load(cfg)
	do(t, c.Kill(1))
	l.backlog(warm)
	s.awaitReplaced(1)
	do(t, s.admin.AwaitInSync(t.Context(), s.topic, 2))

	impatient := cfg
	impatient.RequestTimeout, impatient.DeliveryTimeout = time.Second, 2*time.Second
	short := newLoad(t, s.topic, "impatient", impatient)
	round := func() []*sent {
		for _, key := range short.keys {
			short.send(key)
		}
		return short.finish()
	}
	// One broker has told that a replica is gone; a leader that has not heard of it yet still appends, and
	// says so. By the end of a first round all have heard, and refuse before they append.
	refused := round()
	first := len(refused)
	round()
	refused = round()
	inTime(t, refused, impatient.DeliveryTimeout)
	for i, r := range refused {
		if !errors.Is(r.err, producer.ErrDeliveryTimeout) {
			t.Fatalf("%v: want delivery.timeout", r)
		}
		if i < first {
			continue
		}
		if !errors.Is(r.err, protocol.NotEnoughReplicas) {
			t.Fatalf("%v: want delivery.timeout, because of %v", r, protocol.NotEnoughReplicas)
		}
		if text := r.err.Error(); !strings.Contains(text, "NOT_ENOUGH_REPLICAS") {
			t.Fatalf("the error is %q, want the broker's reason in it", text)
		}
		if producer.MayBeWritten(r.err) {
			t.Fatalf("%v: it may be written, it says, and the brokers have refused it each time", r)
		}
	}

	s.restart(1)
	l.progress(warm)
	do(t, s.admin.AwaitInSync(t.Context(), s.topic, 3))
	records := l.finish()
	noErrors(t, records)
	inTime(t, records, cfg.DeliveryTimeout)
	s.clean(append(records, refused...))
}

// allKilled takes two brokers away, so that the one left can neither copy records nor be told that it
// is alone, and then the last one. After a crash a broker remembers one batch of each producer only,
// and would not know an older one again; so no second one goes out while the first is not answered.
func allKilled(t *testing.T, c *kafka.Cluster) {
	s := newSite(t, c, partitionsOfThree, 3, nil)
	cfg := s.config()
	cfg.RequestTimeout, cfg.MaxInFlightRequestsPerConnection = time.Second, 1
	l := s.load(cfg)
	survivor := s.busiest(nil)
	for i := range c.Brokers() {
		if i != survivor {
			do(t, c.Kill(i))
		}
	}
	sentAgain := l.producer.Stats().Retried
	l.await("records sent again to the last broker", func() bool { return l.producer.Stats().Retried > sentAgain })
	time.Sleep(2 * cfg.RequestTimeout)
	do(t, c.Kill(survivor))
	for i := range c.Brokers() {
		do(t, c.Launch(t.Context(), i))
	}
	for i := range c.Brokers() {
		do(t, c.Ready(t.Context(), i))
	}
	s.exactlyOnce(l, cfg.DeliveryTimeout)
}
