package producer_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// A layout is how a burst lies when its topic refuses the first batch of it.
type layout struct {
	brokers, partitions int
	limit               int // bytes that the topic takes
	largest             int // that a batch grows to
	batches             int // of that size in each partition
	size                int // of a record's value
	mixed               bool
	proven              bool // the partitions have had records before
	idempotent          bool
	inFlight            int
	codec               producer.Compression
}

func someLayout(r *rand.Rand) layout {
	l := layout{
		brokers: 1 + r.IntN(3), partitions: 1 << r.IntN(4),
		limit: []int{1000, 4000, 10_000, 40_000}[r.IntN(4)], largest: []int{64 << 10, 128 << 10, 256 << 10}[r.IntN(3)],
		batches: 1 + r.IntN(6), size: []int{20, 100, 300}[r.IntN(3)], mixed: r.IntN(3) == 0, proven: r.IntN(2) == 0,
		idempotent: r.IntN(5) > 0, inFlight: []int{1, 2, 5, 5}[r.IntN(4)],
	}
	if !l.mixed && r.IntN(3) == 0 { // records of all sizes are compressed more in one batch than in another
		l.codec = producer.Snappy
	}
	l.batches = min(l.batches, max(1, (1<<20)/(l.largest*l.partitions)))
	return l
}

// value makes a record's value, of which compression leaves half.
func (l *layout) value(r *rand.Rand) []byte {
	n := l.size
	if l.mixed && r.IntN(10) == 0 {
		n = min(l.size*(1+r.IntN(20)), l.limit/4)
	}
	v := make([]byte, n)
	for i := range n / 2 {
		v[i] = byte(r.IntN(256))
	}
	return v
}

// roundTrip is how long each answer takes.
const roundTrip = 10 * time.Millisecond

// burst sends it to a topic of that limit. It returns the batches that the brokers were sent, and how many of them were in
// flight when the first was refused.
func (l *layout) burst(t *testing.T, r *rand.Rand) (s sizes, inFlight int) {
	c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(l.brokers), brokertest.Topic("t", l.partitions),
		brokertest.KeepRequests(100_000), brokertest.Delay(roundTrip))
	p := start(t, c, func(cfg *producer.Config) {
		cfg.EnableIdempotence, cfg.MaxInFlightRequestsPerConnection = l.idempotent, l.inFlight
		cfg.Compression, cfg.MaxBatchBytes = l.codec, l.largest
	})
	warm(t, p, "t")
	send := func(partition int, value []byte) {
		p.SendFunc(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(int32(partition)), Value: value},
			func(_ producer.RecordMetadata, err error) {
				if err != nil {
					t.Errorf("a record failed: %v", err)
				}
			})
	}
	flush := func() {
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if l.proven {
		for i := range l.partitions {
			send(i, []byte("x"))
		}
		flush()
		c.ForgetRequests()
	}
	if err := c.SetTopicMaxBytes("t", l.limit); err != nil {
		t.Fatal(err)
	}
	slow := make(chan struct{})
	c.On(brokertest.Produce).Times(l.brokers * l.inFlight).Do(brokertest.Pass().Held(slow))
	for sent := 0; sent < l.batches*l.largest*l.partitions; {
		for i := range l.partitions {
			v := l.value(r)
			send(i, v)
			sent += len(v)
		}
	}
	synctest.Wait()
	close(slow)
	flush()
	if err := c.Verify(nil); err != nil && l.idempotent {
		t.Error(err)
	}
	requests := c.Requests()
	first := slices.IndexFunc(requests, func(r brokertest.Request) bool {
		return sizesOf([]brokertest.Request{r}, l.limit).refused > 0
	})
	for i := first; i >= 0 && i < len(requests); i++ {
		if !requests[i].At.After(requests[first].At.Add(roundTrip)) { // some go out in the same moment, before the answer is seen
			inFlight += len(requests[i].Batches)
		}
	}
	return sizesOf(requests, l.limit), inFlight
}

// However a burst lies, its batches are refused no more often than it takes to halve each that was in flight when the topic
// refused the first, of which each partition has one. One more confirms what the pieces of one batch have told.
func TestRefusalsOfABurst(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	for i := range 24 {
		l := someLayout(r)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, inFlight := l.burst(t, r)
				if s.refused == 0 {
					return
				}
				inFlight = max(inFlight, l.partitions)
				halvings := int(math.Ceil(math.Log2(float64(s.largest) / float64(l.limit))))
				if most := inFlight*halvings + 1; s.refused > most {
					t.Errorf("%+v: %+v, want no more than %d refused: %d were in flight", l, s, most, inFlight)
				}
			})
		})
	}
}
