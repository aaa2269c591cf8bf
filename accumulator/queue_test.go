package accumulator

import (
	"errors"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// What is appended is what a broker reads: keys, nulls, headers, timestamps.
func TestABatchHoldsWhatWasAppended(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	at := noon.UnixMilli()
	entries := []*Entry{
		{Record: protocol.Record{Key: []byte("k"), Value: []byte("v")}, Timestamp: at},
		{Timestamp: at + 7},
		{Record: protocol.Record{Key: []byte{}, Value: []byte{}, Headers: []protocol.Header{{Key: "h", Value: []byte("x")}, {Key: "n"}}}, Timestamp: at - 5},
	}
	for i, e := range entries {
		if ticket := add(t, q, e, noon); ticket.Index != int32(i) {
			t.Errorf("record %d has the index %d", i, ticket.Index)
		}
	}
	b := drain(q)
	h, records := decode(t, b)
	if h.Count != 3 || h.LastOffsetDelta != 2 || h.BaseTimestamp != at || h.MaxTimestamp != at+7 {
		t.Errorf("header = %+v, want 3 records from %d to %d", h, at, at+7)
	}
	for i, e := range entries {
		r := records[i]
		if string(r.Key) != string(e.Key) || (r.Key == nil) != (e.Key == nil) ||
			string(r.Value) != string(e.Value) || (r.Value == nil) != (e.Value == nil) {
			t.Errorf("record %d = %q=%q, want %q=%q, null where it was null", i, r.Key, r.Value, e.Key, e.Value)
		}
		if got := h.BaseTimestamp + r.TimestampDelta; got != e.Timestamp {
			t.Errorf("record %d is of %d, want %d", i, got, e.Timestamp)
		}
		if len(r.Headers) != len(e.Headers) {
			t.Errorf("record %d has headers %v, want %v", i, r.Headers, e.Headers)
		}
	}
	if h := records[2].Headers; h[0].Key != "h" || string(h[0].Value) != "x" || h[1].Value != nil {
		t.Errorf("headers = %v, want h=x and a null n", h)
	}
}

// The caller may reuse its slices at once.
func TestAppendCopies(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	e := text("before")
	add(t, q, e, noon)
	copy(e.Value, "after!")
	if _, records := decode(t, drain(q)); string(records[0].Value) != "before" {
		t.Errorf("value = %q, want what it was at the append", records[0].Value)
	}
}

// A batch that cannot be drained grows far beyond batch.size, up to its cap; only then a second one is opened.
func TestABatchGrowsWhileItWaits(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	first := add(t, q, sized(90), noon)
	batch := q.tail
	size := protocol.BatchHeaderSize + int(first.Size)
	full := false
	for range 900 {
		ticket := add(t, q, sized(90), noon)
		if ticket.Outcome != first.Outcome {
			t.Fatal("a record is in another batch, want all in one")
		}
		size += int(ticket.Size)
		if ticket.Full != (size >= 1000) {
			t.Fatalf("Full = %v at %d bytes, want it from 1000 bytes on", ticket.Full, size)
		}
		full = full || ticket.Full
	}
	if !full {
		t.Error("the batch never was full")
	}
	for add(t, q, sized(90), noon).Outcome == first.Outcome {
		if q.current.size() > 100_000 {
			t.Fatalf("the batch has %d bytes, want at most max.batch.bytes", q.current.size())
		}
	}
	if n := batch.Size(); n < 99_000 || n > 100_000 {
		t.Errorf("the batch was closed at %d bytes, want nearly 100000", n)
	}
	if b := drain(q); b != batch {
		t.Error("the younger batch came first")
	}
}

// Memory follows the data: a batch of few bytes takes one small chunk.
func TestMemoryFollowsTheData(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	add(t, q, sized(10), noon)
	used(t, a, firstChunk, "one small record")
	for q.current.size() < 50_000 {
		add(t, q, sized(100), noon)
	}
	if got := a.Memory.Used(); got > 2*50_000+lastChunk/2 {
		t.Errorf("50000 bytes of records take %d bytes", got)
	}
	if got := q.Queued(); got != a.Memory.Used() {
		t.Errorf("Queued = %d, want the %d reserved", got, a.Memory.Used())
	}
	end(drain(q), 0, nil)
	used(t, a, 0, "at the end")
	if got := q.Queued(); got != 0 {
		t.Errorf("Queued = %d at the end, want 0", got)
	}
}

// A record larger than any chunk, and larger than the cap on batches, gets a chunk and a batch of its own.
func TestAnOversizedRecordIsABatchOfItsOwn(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	before := add(t, q, text("before"), noon)
	large := add(t, q, sized(300_000), noon)
	batch := q.tail
	after := add(t, q, text("after"), noon)
	if large.Outcome == before.Outcome || after.Outcome == large.Outcome {
		t.Error("the large record shares a batch")
	}
	if n := len(batch.chunks); n != 1 {
		t.Errorf("it is in %d chunks, want 1", n)
	}
	for _, want := range []Entry{before, large, after} {
		b := drain(q)
		if b.Outcome() != want.Outcome {
			t.Fatal("batches came in another order")
		}
		decode(t, b)
		end(b, 0, nil)
	}
	used(t, a, 0, "at the end")
}

// A batch takes no record that is so much younger than its first that it could expire with it.
func TestSealAge(t *testing.T) {
	tests := []struct {
		after time.Duration
		same  bool
	}{{time.Second - time.Millisecond, true}, {time.Second, true}, {time.Second + time.Millisecond, false}}
	for _, tt := range tests {
		q := small().Topic("t", 1).Queues()[0]
		first := add(t, q, text("a"), noon)
		second := add(t, q, text("b"), noon.Add(tt.after))
		if same := first.Outcome == second.Outcome; same != tt.same {
			t.Errorf("a record %v younger joined = %v, want %v", tt.after, same, tt.same)
		}
		if head := q.Look(); head.Ready == tt.same {
			t.Errorf("after %v the head is ready = %v, want a sealed batch to be ready, an open one not", tt.after, head.Ready)
		}
	}
}

// A queue that is refused takes nothing, keeps what it has, and can be opened again.
func TestRefuse(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	add(t, q, text("a"), noon)
	gone := errors.New("gone")
	q.Refuse(gone)
	if q.TryAppend(text("b"), noon.UnixMilli()) {
		t.Error("it took a record that fits")
	}
	if err := q.Append(text("b"), noon, nil); err != gone {
		t.Errorf("append = %v, want it refused", err)
	}
	before := a.Memory.Used()
	if room, err := q.attempt(text("b"), noon, reserve(t, a, 5000)); room != 0 || err != gone {
		t.Errorf("append with room = %d, %v, want it refused", room, err)
	}
	used(t, a, before, "after the refusal")
	if b := drain(q); b == nil || b.Count() != 1 {
		t.Error("what had been appended is gone")
	}
	q.Refuse(nil)
	add(t, q, text("c"), noon)
}

// reserve returns a chunk, as somebody has it who is about to append.
func reserve(t *testing.T, a *Accumulator, n int) *chunk {
	t.Helper()
	c, err := a.Memory.tryChunk(n)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Between the reservation of room and its use the queue may change: a chunk that is not needed any more, or too small, is given
// back.
func TestRoomThatIsNotNeededIsGivenBack(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	add(t, q, sized(10), noon)
	before := a.Memory.Used()
	if room, err := q.attempt(text("b"), noon, reserve(t, a, firstChunk)); room != 0 || err != nil {
		t.Fatalf("append = %d, %v, want it done", room, err)
	}
	used(t, a, before, "the record fits without the chunk")

	// The batch was drained meanwhile, so a whole batch has to be opened.
	e := sized(firstChunk - 10)
	first, err := q.attempt(e, noon, nil)
	if first == 0 || err != nil {
		t.Fatalf("append without room = %d, %v, want to be asked for some", first, err)
	}
	end(drain(q), 0, nil)
	if room, err := q.attempt(e, noon, reserve(t, a, firstChunk)); room == 0 || err != nil {
		t.Errorf("append into %d bytes = %d, %v, want to be asked for more (first asked for %d)", firstChunk, room, err, first)
	}
	used(t, a, 0, "a chunk that is too small")
}

// A topic only grows, and keeps the queues that it has.
func TestGrow(t *testing.T) {
	topic := small().Topic("t", 2)
	first := topic.Queues()
	topic.Grow(5)
	topic.Grow(3)
	grown := topic.Queues()
	if len(first) != 2 || len(grown) != 5 || grown[0] != first[0] || grown[1] != first[1] {
		t.Errorf("%d queues became %d; want 2 and 5, the first ones the same", len(first), len(grown))
	}
	for i, q := range grown {
		if q.Partition() != int32(i) || q.topic != topic {
			t.Errorf("queue %d is of partition %d", i, q.Partition())
		}
	}
}

// A chunk that a batch grows by is never asked for larger than the memory there is: a record that fits would be refused as too
// large for ever.
func TestGrowthStaysWithinMemory(t *testing.T) {
	const limit = 40_000
	acc := New(Config{BatchSize: 16384, MaxBatchBytes: 1 << 20, Memory: limit, SealAge: time.Hour, Wake: func() {}})
	q := acc.Topic("t", 1).Queues()[0]
	now := time.Now()
	e := Entry{Record: protocol.Record{Value: make([]byte, 30_000)}, Timestamp: now.UnixMilli()}
	if err := q.Append(&e, now, nil); err != nil {
		t.Fatalf("the first record: %v", err)
	}
	if room, _ := q.attempt(&e, now, nil); room == 0 || room > limit {
		t.Errorf("the second record of %d bytes asks for %d of %d bytes of memory", len(e.Value), room, limit)
	}
}
