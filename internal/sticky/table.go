package sticky

import (
	"math/rand/v2"
	"slices"

	"github.com/epistle-kafka/epistle/partition"
)

// table has the partitions to draw from, with their weights. Building it costs a walk over the topic, and a draw a binary
// search. So a switch stays cheap with ten thousand partitions.
type table struct {
	partitions []int32
	cumulative []int64          // weight of partitions[:i+1], strictly ascending; empty if all weigh the same
	topic      *partition.Topic // what it was built from
	builtMs    int64
	dealt      int // of partitions, since they were last shuffled; see deal
}

const (
	// tableAgeMs is how old the loads may be. A queue of a busy partition changes by a few batches in that time.
	tableAgeMs = 10

	// maxQueued keeps the sum of weights of any topic far below 1<<63.
	maxQueued = 1 << 40
)

// stale reports whether the table must be built again before a draw.
func (tb *table) stale(t *partition.Topic, load Load, nowMs int64) bool {
	return tb.topic != t || load != nil && nowMs-tb.builtMs >= tableAgeMs
}

func (tb *table) build(t *partition.Topic, load Load, adaptive bool, batchSize, nowMs int64) {
	tb.topic, tb.builtMs, tb.dealt = t, nowMs, 0
	tb.choose(t, load, nowMs)
	tb.cumulative = tb.cumulative[:0]
	if adaptive {
		tb.weigh(load, batchSize)
	}
}

// choose takes the best kind of partitions that there is: in our rack and accepting, accepting, in our rack, with a leader,
// all.
func (tb *table) choose(t *partition.Topic, load Load, nowMs int64) {
	if load != nil {
		for _, list := range [][]int32{t.Local, t.Available} {
			tb.partitions = tb.partitions[:0]
			for _, p := range list {
				if load.Available(p, nowMs) {
					tb.partitions = append(tb.partitions, p)
				}
			}
			if len(tb.partitions) > 0 {
				return
			}
		}
	}
	for _, list := range [][]int32{t.Local, t.Available} {
		if len(list) > 0 {
			tb.partitions = append(tb.partitions[:0], list...)
			return
		}
	}
	tb.partitions = tb.partitions[:0]
	for p := range t.Partitions {
		tb.partitions = append(tb.partitions, p)
	}
}

// weigh gives each partition the weight of KIP-794: the largest load + 1 - its own load, where a load is queued bytes /
// batch.size. All is multiplied by batch.size, so that there are no fractions.
func (tb *table) weigh(load Load, batchSize int64) {
	var most int64
	for _, p := range tb.partitions {
		queued := min(max(load.Queued(p), 0), maxQueued)
		most = max(most, queued)
		tb.cumulative = append(tb.cumulative, queued)
	}
	var sum int64
	for i, queued := range tb.cumulative {
		sum += most - queued + batchSize
		tb.cumulative[i] = sum
	}
}

// deal returns the partitions in turn, each time in another order.
func (tb *table) deal(r *rand.Rand) int32 {
	if tb.dealt %= len(tb.partitions); tb.dealt == 0 {
		r.Shuffle(len(tb.partitions), func(i, j int) {
			tb.partitions[i], tb.partitions[j] = tb.partitions[j], tb.partitions[i]
		})
	}
	tb.dealt++
	return tb.partitions[tb.dealt-1]
}

func (tb *table) draw(r *rand.Rand) int32 {
	if len(tb.cumulative) == 0 {
		return tb.partitions[r.IntN(len(tb.partitions))]
	}
	total := tb.cumulative[len(tb.cumulative)-1]
	// Partition i owns the numbers from cumulative[i-1] up to, not including, cumulative[i].
	i, _ := slices.BinarySearch(tb.cumulative, r.Int64N(total)+1)
	return tb.partitions[i]
}
