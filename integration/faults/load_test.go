package faults_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// load sends numbered records, each key's by a goroutine of its own, while a test does its worst to
// the brokers, and notes what it is told of each. Nothing in it retries or forgets.
type load struct {
	t        *testing.T
	producer *producer.Producer
	topic    string
	keys     []string
	pace     time.Duration // between two records of a key
	padding  string        // after the number, to make records larger

	senders sync.WaitGroup
	stop    chan struct{} // closed to end the senders; nil while they are at rest

	mu      sync.Mutex // guards the following
	next    map[string]int
	records []*sent
	ended   int // records with an outcome
	acked   int // of them those that were acknowledged
}

// sent is one record and what its sender knows of it.
type sent struct {
	key      string
	n        int       // counts the key's records from 0
	admitted time.Time // when SendFunc returned
	ended    time.Time
	outcomes int // how often the callback was called
	md       producer.RecordMetadata
	err      error
}

// value is unique in the topic, and says whose record it is and which.
func (s *sent) value() string { return fmt.Sprintf("%s/%d", s.key, s.n) }

func (s *sent) String() string {
	if s.err != nil {
		return fmt.Sprintf("%s (%v)", s.value(), s.err)
	}
	return fmt.Sprintf("%s (partition %d, offset %d)", s.value(), s.md.Partition, s.md.Offset)
}

// Each load has this many keys, and each key this pause: about 800 records a second.
const (
	keysOfLoad = 8
	paceOfLoad = 10 * time.Millisecond
)

// patience is how long a test waits for what must happen, on a machine whose cores are busy.
const patience = 90 * time.Second

// newLoad makes a producer with the settings, and a load that sends by it; run starts it. prefix sets
// its keys apart from those of another load.
func newLoad(t *testing.T, topic, prefix string, cfg producer.Config) *load {
	t.Helper()
	p, err := producer.New(cfg)
	do(t, err)
	l := &load{t: t, producer: p, topic: topic, pace: paceOfLoad, next: map[string]int{}}
	for i := range keysOfLoad {
		l.keys = append(l.keys, fmt.Sprintf("%s%d", prefix, i))
	}
	t.Cleanup(func() { // t.Context has ended by then
		l.quiet()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := p.Close(ctx); err != nil && !t.Failed() {
			t.Errorf("close the producer: %v", err)
		}
		if left := p.Stats().BufferedBytes; left != 0 && !t.Failed() {
			t.Errorf("%d bytes of buffer.memory in use after Close, want 0", left)
		}
	})
	return l
}

// run starts the senders, where they left off.
func (l *load) run() {
	stop := make(chan struct{})
	l.stop = stop
	for _, key := range l.keys {
		l.senders.Go(func() {
			tick := time.NewTicker(l.pace)
			defer tick.Stop()
			for {
				select {
				case <-stop:
					return
				case <-tick.C:
					l.send(key)
				}
			}
		})
	}
}

// quiet ends the senders; what they have sent goes on.
func (l *load) quiet() {
	if l.stop != nil {
		close(l.stop)
		l.stop = nil
	}
	l.senders.Wait()
}

// send sends the next record of a key.
func (l *load) send(key string) {
	l.mu.Lock()
	s := &sent{key: key, n: l.next[key]}
	l.next[key]++
	l.records = append(l.records, s)
	l.mu.Unlock()
	r := producer.Record{Topic: l.topic, Key: []byte(key), Value: []byte(s.value() + l.padding)}
	l.producer.SendFunc(context.Background(), r, func(md producer.RecordMetadata, err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		s.outcomes++
		s.ended, s.md, s.err = time.Now(), md, err
		l.ended++
		if err == nil {
			l.acked++
		}
	})
	l.mu.Lock()
	s.admitted = time.Now()
	l.mu.Unlock()
}

// finish ends the senders, waits until every record has its outcome, and returns all of them.
func (l *load) finish() []*sent {
	l.t.Helper()
	l.quiet()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	if err := l.producer.Flush(ctx); err != nil {
		l.t.Fatalf("%v, with %d of %d records without an outcome; %s", err, l.waiting(), l.count(), l.stats())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.records)
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.records)
}

// waiting is the number of records without an outcome, those in SendFunc included.
func (l *load) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.records) - l.ended
}

func (l *load) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked
}

// failed is the number of records that ended with an error.
func (l *load) failed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended - l.acked
}

func (l *load) stats() string { return fmt.Sprintf("%+v", l.producer.Stats()) }

// progress waits until n more records are acknowledged.
func (l *load) progress(n int) {
	l.t.Helper()
	goal := l.acknowledged() + n
	l.await(fmt.Sprintf("%d more records acknowledged", n), func() bool { return l.acknowledged() >= goal })
}

// backlog waits until n records wait for their outcome: the fault is felt.
func (l *load) backlog(n int) {
	l.t.Helper()
	l.await(fmt.Sprintf("%d records without an outcome", n), func() bool { return l.waiting() >= n })
}

func (l *load) await(what string, done func() bool) {
	l.t.Helper()
	if !eventually(l.t, patience, done) {
		l.t.Fatalf("not within %s: %s; %d sent, %d waiting; %s", patience, what, l.count(), l.waiting(), l.stats())
	}
}

// eventually polls until done, and gives up when limit has passed.
func eventually(t *testing.T, limit time.Duration, done func() bool) bool {
	t.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) || t.Context().Err() != nil {
			return false
		}
	}
	return true
}

// lateness is by how much an outcome may come after its time here, where the test's own goroutines
// have to be given a core as well.
const lateness = time.Second

// inTime demands that every record had its outcome by limit after it was admitted.
func inTime(t *testing.T, records []*sent, limit time.Duration) {
	t.Helper()
	if took := slowest(records); took > limit+lateness {
		t.Errorf("a record had its outcome %s after it was admitted, want at most %s", took, limit)
	}
}

// slowest is the longest that a record waited for its outcome.
func slowest(records []*sent) time.Duration {
	var most time.Duration
	for _, s := range records {
		most = max(most, s.ended.Sub(s.admitted))
	}
	return most
}

// noErrors demands that every record was acknowledged.
func noErrors(t *testing.T, records []*sent) {
	t.Helper()
	failed := make(map[string]int)
	for _, s := range records {
		if s.err != nil {
			failed[cause(s.err)]++
		}
	}
	for text, n := range failed {
		t.Errorf("%d of %d records failed with %s", n, len(records), text)
	}
}

// cause is an error without what differs from record to record.
func cause(err error) string {
	var send *producer.SendError
	if errors.As(err, &send) {
		return strings.TrimSpace(fmt.Sprintf("%v (may be written: %t)", send.Err, send.MayBeWritten))
	}
	return err.Error()
}
