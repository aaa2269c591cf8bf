package accumulator

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// noon is when these tests happen, unless time passes.
var noon = time.UnixMilli(1_700_000_000_000)

// small returns an accumulator with a batch.size of 1,000 bytes and room for 1 MiB.
func small(change ...func(*Config)) *Accumulator {
	c := Config{BatchSize: 1000, MaxBatchBytes: 100_000, Memory: 1 << 20, SealAge: time.Second, Wake: func() {}}
	for _, f := range change {
		f(&c)
	}
	return New(c)
}

func text(s string) *Entry {
	return &Entry{Record: protocol.Record{Value: []byte(s)}, Timestamp: noon.UnixMilli()}
}

func sized(n int) *Entry {
	return &Entry{Record: protocol.Record{Value: make([]byte, n)}, Timestamp: noon.UnixMilli()}
}

// add appends e as a caller of TrySend does, and returns what is said of it.
func add(t testing.TB, q *Queue, e *Entry, now time.Time) Entry {
	t.Helper()
	if !q.TryAppend(e, now.UnixMilli()) {
		if err := q.Append(e, now, nil); err != nil {
			t.Fatal(err)
		}
	}
	return *e
}

// forever is a Wait of somebody with all the patience in the world, for whom it is always noon.
func forever(ready <-chan struct{}) (time.Time, bool) {
	<-ready
	return noon, true
}

// A patience waits until it hears from over.
type patience struct{ over <-chan time.Time }

func (p *patience) await(ready <-chan struct{}) (time.Time, bool) {
	select {
	case <-ready:
		return noon, true
	case <-p.over:
		return noon, false
	}
}

// chunk waits for one of n bytes.
func (m *Memory) chunk(n int, wait Wait) (*chunk, error) {
	c, _, err := m.await(n, noon, wait)
	return c, err
}

// drain is Drain for one who does not ask for the next.
func drain(q *Queue) *Batch {
	b, _ := q.Drain()
	return b
}

// end resolves b, and ends its outcome if that was all.
func end(b *Batch, offset int64, err error) {
	o := b.outcome
	if b.Resolve(offset, -1, err) && o.End() {
		o.Complete(callNothing)
	}
}

func callNothing(o *Outcome) { o.EachCallback(func(*Callback) {}) }

// decode returns the records of a batch as a broker would read them.
func decode(t testing.TB, b *Batch) (protocol.BatchHeader, []protocol.Record) {
	t.Helper()
	h := b.Header()
	b.PutHeader(&h)
	chunks := b.Bytes(nil)
	protocol.PutBatchCRC(chunks)
	whole := slices.Concat(chunks...)
	if len(whole) != b.Size() {
		t.Errorf("the batch has %d bytes, and its Size is %d", len(whole), b.Size())
	}
	header, records, err := protocol.DecodeBatch(whole, 1<<24)
	if err != nil {
		t.Fatalf("the batch cannot be read: %v", err)
	}
	return header, records
}

func values(records []protocol.Record) []string {
	var out []string
	for _, r := range records {
		out = append(out, string(r.Value))
	}
	return out
}

func used(t testing.TB, a *Accumulator, want int64, when string) {
	t.Helper()
	if got := a.Memory.Used(); got != want {
		t.Errorf("%s: %d bytes are reserved, want %d", when, got, want)
	}
}

func isDone(o *Outcome) bool {
	select {
	case <-o.Done():
		return true
	default:
		return false
	}
}

func outcomeOf(o *Outcome, i int32) string {
	offset, appendTime, err := o.Of(i)
	return fmt.Sprintf("%d %d %v", offset, appendTime, err)
}
