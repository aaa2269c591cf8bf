package perf

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// load sends records from several goroutines, on a schedule or as fast as the producer takes them.
type load struct {
	producer   *producer.Producer
	topic      string
	size       int // bytes of a value
	keySize    int // bytes of a key; 0 is no key
	goroutines int
	rate       float64   // records a second of all goroutines; 0 is no schedule
	payloads   []payload // nil: records are made up
	headers    []producer.Header
	random     []byte        // the windows on it are the keys and values; read only
	txns       *transactions // nil: none
	stopped    atomic.Bool
	bytes      atomic.Int64 // of keys and values that this phase has sent
}

const (
	randomSize = 1 << 20 // bytes besides the size of one value
)

// randomText is capital letters, as kafka-producer-perf-test has them: they compress to about 60 %.
func randomText(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, n)
	for i := range text {
		text[i] = 'A' + byte(r.IntN(26))
	}
	return text
}

// run sends n records and returns how many it has sent; fewer if it was stopped. Their outcomes go to o, with the latency of
// one in every records.
func (l *load) run(n int64, every int, o *outcomes) int64 {
	l.bytes.Store(0)
	o.base = time.Now()
	streams := make([]*stream, l.goroutines)
	for g := range streams {
		streams[g] = &stream{load: l, o: o, every: uint64(every), seed: uint64(g)*0x9E3779B97F4A7C15 + 1, next: int64(g)}
	}
	if l.txns != nil {
		return l.txns.run(streams, n, o, &l.stopped)
	}
	return send(streams, n)
}

// send lets the streams send what is left of the schedule up to record n, side by side, and returns how many records that were.
func send(streams []*stream, n int64) int64 {
	var sent atomic.Int64
	var all sync.WaitGroup
	for _, s := range streams {
		all.Go(func() { sent.Add(s.run(n)) })
	}
	all.Wait()
	return sent.Load()
}

// stream is what one goroutine sends.
type stream struct {
	load  *load
	o     *outcomes
	every uint64        // one record in so many is measured, on average
	seed  uint64        // of the random numbers
	until uint64        // records until the next that is measured
	now   time.Duration // since o.base; as old as the last look at the clock
	next  int64         // number of the next record
	sent  int64         // records
}

// run sends every n-th record of the schedule up to number upTo, n being the number of goroutines.
func (s *stream) run(upTo int64) int64 {
	l := s.load
	rec := producer.Record{Topic: l.topic, Headers: l.headers}
	before, bytes := s.sent, 0
	for ; s.next < upTo && !l.stopped.Load(); s.next += int64(l.goroutines) {
		i := s.next
		if l.rate > 0 {
			s.await(time.Duration(float64(i) * float64(time.Second) / l.rate))
		}
		s.fill(&rec, i)
		bytes += len(rec.Key) + len(rec.Value)
		l.producer.SendFunc(context.Background(), rec, s.callback(i))
		s.sent++
	}
	l.bytes.Add(int64(bytes))
	return s.sent - before
}

// fill makes record i: the next one of the file, or random letters.
func (s *stream) fill(rec *producer.Record, i int64) {
	l := s.load
	if l.payloads != nil {
		p := &l.payloads[i%int64(len(l.payloads))]
		rec.Headers, rec.Key, rec.Value = p.headers, p.key, p.value
		return
	}
	at := s.random() % randomSize
	rec.Value = l.random[at : at+uint64(l.size)]
	if l.keySize > 0 {
		at = s.random() % randomSize
		rec.Key = l.random[at : at+uint64(l.keySize)]
	}
}

// await waits until a moment of the schedule. If that has passed it returns at once. A record that is late is measured from
// when it was due.
func (s *stream) await(due time.Duration) {
	for due > s.now && !s.load.stopped.Load() {
		if s.now = time.Since(s.o.base); due > s.now {
			const attentive = 100 * time.Millisecond // to Ctrl-C
			nap(min(due-s.now, attentive))
		}
	}
}

// callback returns the callback of record i.
func (s *stream) callback(i int64) producer.Callback {
	if s.until > 0 {
		s.until--
		return s.o.plain
	}
	// The gaps are random, so that they do not keep step with the batches.
	s.until = s.random() % (2*s.every - 1)
	intended := time.Duration(0)
	if s.load.rate > 0 {
		intended = time.Duration(float64(i) * float64(time.Second) / s.load.rate)
	} else {
		intended = time.Since(s.o.base)
	}
	return s.o.sample(intended)
}

// random is xorshift64*.
func (s *stream) random() uint64 {
	s.seed ^= s.seed >> 12
	s.seed ^= s.seed << 25
	s.seed ^= s.seed >> 27
	return s.seed * 0x2545F4914F6CDD1D
}
