package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// A load is records at an even rate, whatever becomes of them. Record i goes to partition i mod partitions, where its number is
// i / partitions, and it is due i / rate seconds after the beginning. Its latency is counted from when it was due, so that a
// Send that has to wait is not left out.
type load struct {
	topic            string
	partitions, size int
	rate             int           // records a second
	every            time.Duration // how often it is looked which are due

	began time.Time
	from  time.Time // what was due before is sent and checked, and not measured
	acks  *acks
}

// lead is how long a load lasts before it is measured: the first records wait for a connection.
const lead = 2 * time.Second

// load is one to a topic that begins now.
func (s *soak) load(topic string) *load {
	l := &load{topic: topic, partitions: s.partitions, size: s.size, rate: s.rate, every: s.every, began: time.Now()}
	l.from = l.began.Add(lead)
	l.acks = &acks{load: l, counts: make([]int64, s.partitions), last: l.began}
	return l
}

// due is how many records are due: the first is at once.
func (l *load) due(now time.Time) int64 { return 1 + int64(now.Sub(l.began).Seconds()*float64(l.rate)) }

// dueAt is when record i is due.
func (l *load) dueAt(i int64) time.Time {
	return l.began.Add(time.Duration(float64(i) / float64(l.rate) * float64(time.Second)))
}

// sent is how many of the first n records are each partition's.
func (l *load) sent(n int64) []int64 {
	each := make([]int64, l.partitions)
	for i := range each {
		each[i] = (n + int64(l.partitions-1-i)) / int64(l.partitions)
	}
	return each
}

// run sends until then, or until ctx ends, and returns how many records that were, and what CPU time the process took for what
// was measured. It does not wait for their acknowledgements.
func (l *load) run(ctx context.Context, p *producer.Producer, until time.Time) (n int64, cpu time.Duration) {
	callbacks := make([]producer.Callback, l.partitions)
	for i := range callbacks {
		callbacks[i] = func(_ producer.RecordMetadata, err error) { l.acks.note(i, time.Now(), err) }
	}
	rec := producer.Record{Topic: l.topic, Value: make([]byte, l.size)}
	tick := time.NewTicker(l.every)
	defer tick.Stop()
	measured := false
	for {
		now := time.Now()
		if !measured && !now.Before(l.from) {
			measured, cpu = true, cpuTime()
		}
		if !now.Before(until) || ctx.Err() != nil {
			break
		}
		for due := l.due(now); n < due; n++ {
			i := int(n % int64(l.partitions))
			putNumber(rec.Value, int32(i), n/int64(l.partitions), false)
			rec.Partition = producer.OnPartition(int32(i))
			p.SendFunc(context.Background(), rec, callbacks[i]) // the end of ctx is no reason to refuse a record
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	if !measured {
		return n, 0
	}
	return n, cpuTime() - cpu
}

// acks is what a load was told of its records.
type acks struct {
	load *load

	mu      sync.Mutex // guards the following
	counts  []int64    // outcomes, by partition
	failed  int64
	errors  []string // the first few
	latency histogram
	seconds []int64       // acknowledgements in each second since load.from
	last    time.Time     // the last acknowledgement
	pause   time.Duration // the longest time without one, since load.from
}

// note takes the outcome of a partition's next record: outcomes come in the order of the records, unless one was lost on the way,
// and then the latencies of a few are exchanged.
func (a *acks) note(partition int, now time.Time, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	due := a.load.dueAt(a.counts[partition]*int64(a.load.partitions) + int64(partition))
	a.counts[partition]++
	if err != nil {
		a.failed++
		if text := err.Error(); len(a.errors) < mostExamples && !slices.Contains(a.errors, text) {
			a.errors = append(a.errors, text)
		}
		return
	}
	since := now.Sub(a.load.from)
	if since >= 0 {
		second := int(since / time.Second)
		for len(a.seconds) <= second {
			a.seconds = append(a.seconds, 0)
		}
		a.seconds[second]++
		a.pause = max(a.pause, now.Sub(a.last))
	}
	if !due.Before(a.load.from) {
		a.latency.add(now.Sub(due))
	}
	a.last = now
}

// figures is what was measured of a load.
type figures struct {
	failed  int64
	errors  []string
	latency histogram
	pause   time.Duration
	rate    float64 // acknowledgements a second, in the whole seconds that were measured
	lowest  int64   // acknowledgements in the second with the fewest
	seconds int     // how many whole seconds were measured
	slow    int     // how many of them do not sustain the rate
}

// figures are of the seconds from load.from until then.
func (a *acks) figures(until time.Time) figures {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := figures{failed: a.failed, errors: slices.Clone(a.errors), latency: a.latency, pause: a.pause}
	f.seconds = max(int(until.Sub(a.load.from)/time.Second), 0)
	if f.seconds == 0 {
		return f
	}
	var sum int64
	for i := range f.seconds {
		var n int64
		if i < len(a.seconds) {
			n = a.seconds[i]
		}
		if sum += n; i == 0 || n < f.lowest {
			f.lowest = n
		}
		if float64(n) < sustained*float64(a.load.rate) {
			f.slow++
		}
	}
	f.rate = float64(sum) / float64(f.seconds)
	return f
}
