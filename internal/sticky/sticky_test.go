package sticky

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/epistle-kafka/epistle/partition"
)

// queues is a Load made of tables.
type queues struct {
	queued      map[int32]int64
	unavailable map[int32]bool
	asked       atomic.Int64
}

func (q *queues) Queued(p int32) int64 {
	q.asked.Add(1)
	return q.queued[p]
}

func (q *queues) Available(p int32, _ int64) bool { return !q.unavailable[p] }

func topicOf(partitions int32, available ...int32) *partition.Topic {
	return &partition.Topic{Name: "t", Partitions: partitions, Available: available}
}

func upTo(n int32) []int32 {
	var all []int32
	for p := range n {
		all = append(all, p)
	}
	return all
}

var (
	appendedMu sync.Mutex
	appended   = map[*Pick]int64{}
)

// put appends a record to p, as whoever holds the lock of its partition's queue does.
func put(s *Sticky, p *Pick, bytes int, full bool, nowMs int64) {
	appendedMu.Lock()
	appended[p] += int64(bytes)
	n := appended[p]
	appendedMu.Unlock()
	s.Appended(p, n, full, nowMs)
}

// drawn counts where each of n picks goes. A pick is used up by one batch.
func drawn(s *Sticky, n int, batchSize int, nowMs int64) map[int32]int {
	counts := make(map[int32]int)
	for range n {
		p := s.Pick()
		counts[p.Partition]++
		put(s, p, batchSize, true, nowMs)
	}
	return counts
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 794)) }

// chiSquare of counts against weights of the expected shares.
func chiSquare(counts map[int32]int, weights map[int32]float64) float64 {
	var total, sum float64
	for p, w := range weights {
		total += float64(counts[p])
		sum += w
	}
	x := 0.0
	for p, w := range weights {
		want := total * w / sum
		x += (float64(counts[p]) - want) * (float64(counts[p]) - want) / want
	}
	return x
}

// The whole point of KIP-794 against KIP-480: with nothing queued, each partition gets the same share of the batches.
func TestStickyIsUniform(t *testing.T) {
	for _, adaptive := range []bool{false, true} {
		s := New(Config{BatchSize: 100, Adaptive: adaptive, Load: &queues{}, Rand: seeded(1)}, topicOf(10, upTo(10)...), 0)
		counts := drawn(s, 50_000, 100, 0)
		weights := make(map[int32]float64)
		for p := range int32(10) {
			weights[p] = 1
		}
		// 27.9 is exceeded once in a thousand seeds with 9 degrees of freedom.
		if x := chiSquare(counts, weights); x > 27.9 || len(counts) != 10 {
			t.Errorf("adaptive=%v, seed 1: chi-square %.1f, want at most 27.9: %v", adaptive, x, counts)
		}
	}
}

// KIP-794: weight = largest queue + 1 - own queue, in batches.
func TestStickyPrefersShortQueues(t *testing.T) {
	load := &queues{queued: map[int32]int64{0: 0, 1: 300, 2: 100, 3: 50}}
	s := New(Config{BatchSize: 100, Adaptive: true, Load: load, Rand: seeded(2)}, topicOf(4, upTo(4)...), 0)
	counts := drawn(s, 40_000, 100, 0)
	weights := map[int32]float64{0: 4, 1: 1, 2: 3, 3: 3.5}
	if x := chiSquare(counts, weights); x > 16.3 { // once in a thousand, 3 degrees of freedom
		t.Errorf("seed 2: chi-square %.1f, want at most 16.3: %v against weights %v", x, counts, weights)
	}
}

// With Even the shares are equal, not only likely to be, and what waits or is full changes nothing of it.
func TestStickyEvenIsIndependentOfTheLoad(t *testing.T) {
	load := &queues{queued: map[int32]int64{0: 1 << 20}, unavailable: map[int32]bool{1: true}}
	s := New(Config{BatchSize: 100, Even: true, Adaptive: true, Load: load, Rand: seeded(12)}, topicOf(3, upTo(3)...), 0)
	bytes := make(map[int32]int)
	for i := range 3 * 10 * 50 {
		p := s.Pick()
		bytes[p.Partition] += 10
		put(s, p, 10, p.Partition == 2, int64(i))
	}
	for p, n := range bytes {
		if n != 50*100 {
			t.Errorf("partition %d got %d bytes, want 5,000 of 15,000", p, n)
		}
	}
	s.Update(topicOf(4, 0, 3), 1)
	got := drawn(s, 4, 100, 1)
	if len(got) > 3 || got[3] == 0 {
		t.Errorf("after the leaders have changed picks went to %v, want the two that have one", got)
	}
}

// The loads are looked at again after ten milliseconds, not before: that is what keeps a switch cheap.
func TestStickyLooksAtQueuesEveryTenMilliseconds(t *testing.T) {
	load := &queues{queued: map[int32]int64{0: 0, 1: 0}}
	s := New(Config{BatchSize: 100, Adaptive: true, Load: load, Rand: seeded(3)}, topicOf(2, 0, 1), 1000)
	load.queued[1] = 1 << 50 // as good as infinite: all go to 0, once that is seen

	if got := drawn(s, 1000, 100, 1009); got[1] < 400 {
		t.Errorf("9 ms after the table was built: partition 1 got %d of 1000, want about half", got[1])
	}
	drawn(s, 1, 100, 1010)
	if got, want := load.asked.Load(), int64(4); got != want {
		t.Errorf("10 ms after the table was built: queues were asked %d times in all, want %d", got, want)
	}
	if got := drawn(s, 1000, 100, 1019); got[1] != 0 {
		t.Errorf("after 10 ms: partition 1 with an endless queue got %d of 1000, want 0", got[1])
	}
	if got, want := load.asked.Load(), int64(4); got != want {
		t.Errorf("queues were asked %d times for two tables of two partitions, want %d", got, want)
	}
}

func TestStickyChoosesAmongTheBestKind(t *testing.T) {
	tests := []struct {
		name        string
		topic       partition.Topic
		unavailable []int32
		want        []int32
	}{
		{"with a leader", partition.Topic{Partitions: 6, Available: []int32{1, 2, 4}}, nil, []int32{1, 2, 4}},
		{"with a leader that takes batches", partition.Topic{Partitions: 6, Available: []int32{1, 2, 4}}, []int32{2}, []int32{1, 4}},
		{"none takes batches: with a leader", partition.Topic{Partitions: 6, Available: []int32{1, 2}}, []int32{1, 2}, []int32{1, 2}},
		{"no leader anywhere: all", partition.Topic{Partitions: 3}, nil, []int32{0, 1, 2}},
		{"in the rack", partition.Topic{Partitions: 6, Available: []int32{1, 2, 4}, Local: []int32{2, 4}}, nil, []int32{2, 4}},
		{"in the rack and taking batches", partition.Topic{Partitions: 6, Available: []int32{1, 2, 4}, Local: []int32{2, 4}}, []int32{2}, []int32{4}},
		{"the rack takes none: others", partition.Topic{Partitions: 6, Available: []int32{1, 2, 4}, Local: []int32{2}}, []int32{2}, []int32{1, 4}},
		{"nobody takes any: the rack", partition.Topic{Partitions: 6, Available: []int32{1, 2}, Local: []int32{2}}, []int32{1, 2}, []int32{2}},
	}
	for _, test := range tests {
		for _, adaptive := range []bool{false, true} {
			load := &queues{unavailable: make(map[int32]bool)}
			for _, p := range test.unavailable {
				load.unavailable[p] = true
			}
			s := New(Config{BatchSize: 1, Adaptive: adaptive, Load: load, Rand: seeded(4)}, &test.topic, 0)
			counts := drawn(s, 200, 1, 0)
			var got []int32
			for p := range counts {
				got = append(got, p)
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("%s, adaptive=%v: picked %v, want %v", test.name, adaptive, got, test.want)
			}
		}
	}
}

// A pick lasts from one to two times batch.size: it ends where that leaves no half-filled batch behind, or at last anyway.
func TestStickySwitchesAtABatchBoundary(t *testing.T) {
	type step struct {
		bytes int
		full  bool
	}
	tests := []struct {
		name     string
		appends  []step
		switched bool
	}{
		{"a full batch of less than batch.size", []step{{99, true}}, false},
		{"batch.size exactly, and full", []step{{50, false}, {50, true}}, true},
		{"batch.size exactly, half-filled", []step{{100, false}}, false},
		{"just under twice, half-filled", []step{{100, false}, {99, false}}, false},
		{"twice, half-filled", []step{{100, false}, {100, false}}, true},
		{"above batch.size, then full", []step{{150, false}, {1, true}}, true},
		{"one record above twice", []step{{1000, false}}, true},
	}
	for _, test := range tests {
		s := New(Config{BatchSize: 100, Rand: seeded(5)}, topicOf(3, 0, 1, 2), 0)
		p := s.Pick()
		for i, a := range test.appends {
			if !s.Current(p) {
				t.Errorf("%s: switched before append %d", test.name, i)
			}
			put(s, p, a.bytes, a.full, 0)
		}
		if got := !s.Current(p); got != test.switched {
			t.Errorf("%s: switched = %v, want %v", test.name, got, test.switched)
		}
	}
}

// A goroutine that was slow between Pick and Appended must not end the pick that came after its own.
func TestStickyIgnoresAStalePick(t *testing.T) {
	s := New(Config{BatchSize: 100, Rand: seeded(6)}, topicOf(8, upTo(8)...), 0)
	stale := s.Pick()
	put(s, stale, 100, true, 0)
	current := s.Pick()
	if current == stale {
		t.Fatal("the pick did not change after a full batch")
	}
	put(s, stale, 1000, true, 0)
	if s.Pick() != current {
		t.Errorf("a stale pick ended the current one")
	}
	put(s, current, 99, true, 0)
	if s.Pick() != current {
		t.Errorf("bytes of a stale pick were counted to the current one")
	}
}

func TestStickyFollowsTheTopic(t *testing.T) {
	s := New(Config{BatchSize: 100, Rand: seeded(7)}, topicOf(2, 0), 0)
	if got := s.Pick().Partition; got != 0 {
		t.Fatalf("picked %d, want 0, the only one with a leader", got)
	}
	s.Update(topicOf(2, 0, 1), 0)
	if got := s.Pick().Partition; got != 0 {
		t.Errorf("a change elsewhere ended the pick: %d, want 0", got)
	}
	s.Update(topicOf(2, 1), 0)
	if got := s.Pick().Partition; got != 1 {
		t.Errorf("the pick's leader is gone, and it is %d, want 1", got)
	}
	s.Update(topicOf(5, upTo(5)...), 0)
	if got := drawn(s, 200, 100, 0); len(got) != 5 {
		t.Errorf("after the topic grew to 5 partitions picks went to %v, want all", got)
	}
	if got := s.Topic().Partitions; got != 5 {
		t.Errorf("Topic has %d partitions, want 5", got)
	}
}

// A switch takes a table already built, and the queue of each of ten thousand partitions is looked at once in 10 ms.
func TestStickyWithTenThousandPartitions(t *testing.T) {
	load := &queues{}
	s := New(Config{BatchSize: 1, Adaptive: true, Load: load, Rand: seeded(8)}, topicOf(10_000, upTo(10_000)...), 0)
	for ms := range int64(100) {
		for range 100 {
			put(s, s.Pick(), 1, true, ms)
		}
	}
	if got, want := load.asked.Load(), int64(100_000); got != want {
		t.Errorf("queues were asked %d times in 100 ms and 10,000 switches, want %d", got, want)
	}
}

// Everybody appends and switches at once while the topic changes. Run under -race. No partition without a leader may be the
// pick once all is quiet, and the switching must not stop.
func TestStickyConcurrently(t *testing.T) {
	const goroutines, appends = 8, 5000
	load := &queues{}
	s := New(Config{BatchSize: 64, Adaptive: true, Load: load, Rand: seeded(9)}, topicOf(6, upTo(6)...), 0)
	var wg sync.WaitGroup
	var switches atomic.Int64
	for range goroutines {
		wg.Go(func() {
			for i := range appends {
				p := s.Pick()
				put(s, p, 8, i%2 == 0, int64(i))
				if !s.Current(p) {
					switches.Add(1)
				}
			}
		})
	}
	for i := range 200 {
		s.Update(topicOf(6, int32(i%6), 5), int64(i))
	}
	s.Update(topicOf(6, 2, 3), 200)
	wg.Wait()
	if p := s.Pick().Partition; p != 2 && p != 3 {
		t.Errorf("the pick is %d, want 2 or 3, those with a leader", p)
	}
	if got := switches.Load(); got < 50 {
		t.Errorf("%d of 40,000 appends, 5,000 batches, saw their pick end, want at least 50", got)
	}
}

func TestPickAndAppendAllocateNothing(t *testing.T) {
	s := New(Config{BatchSize: 1 << 30, Adaptive: true, Load: &queues{}, Rand: seeded(10)}, topicOf(3, 0, 1, 2), 0)
	if got := testing.AllocsPerRun(1000, func() { put(s, s.Pick(), 100, false, 0) }); got != 0 {
		t.Errorf("%v allocations a record, want 0", got)
	}
}

func BenchmarkStickyPick(b *testing.B) {
	s := New(Config{BatchSize: 16384}, topicOf(12, upTo(12)...), 0)
	p := partition.Default(partition.JavaMurmur2)
	var sum int32
	for b.Loop() {
		if n, _ := p.Partition(partition.Record{}, s.Topic()); n == partition.Any {
			sum += s.Pick().Partition
		}
	}
	_ = sum
}

func BenchmarkStickyAppended(b *testing.B) {
	for _, partitions := range []int32{12, 10_000} {
		b.Run(fmt.Sprint(partitions), func(b *testing.B) {
			s := New(Config{BatchSize: 16384, Adaptive: true, Load: &queues{}}, topicOf(partitions, upTo(partitions)...), 0)
			for i := 0; b.Loop(); i++ {
				put(s, s.Pick(), 100, i%160 == 0, int64(i/5000))
			}
		})
	}
}
