package accumulator

import (
	"errors"
	"slices"
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

// A batch that cannot be drained grows far beyond batch.size, up to its cap;
// only then a second one is opened.
func TestABatchGrowsWhileItWaits(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	first := add(t, q, sized(90), noon)
	size := protocol.BatchHeaderSize + int(first.Size)
	full := false
	for range 900 {
		ticket := add(t, q, sized(90), noon)
		if ticket.Batch != first.Batch {
			t.Fatalf("record of batch %p, want all in one batch", ticket.Batch)
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
	for add(t, q, sized(90), noon).Batch == first.Batch {
		if q.tip.size() > 100_000 {
			t.Fatalf("the batch has %d bytes, want at most max.batch.bytes", q.tip.size())
		}
	}
	if n := first.Batch.Size(); n < 99_000 || n > 100_000 {
		t.Errorf("the batch was closed at %d bytes, want nearly 100000", n)
	}
	if b := drain(q); b != first.Batch {
		t.Error("the younger batch came first")
	}
}

// Memory follows the data: a batch of few bytes takes one small chunk.
func TestMemoryFollowsTheData(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	add(t, q, sized(10), noon)
	used(t, a, firstChunk, "one small record")
	for q.tip.size() < 50_000 {
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

// A record larger than any chunk, and larger than the cap on batches, gets a
// chunk and a batch of its own.
func TestAnOversizedRecordIsABatchOfItsOwn(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	before := add(t, q, text("before"), noon)
	large := add(t, q, sized(300_000), noon)
	after := add(t, q, text("after"), noon)
	if large.Batch == before.Batch || after.Batch == large.Batch {
		t.Error("the large record shares a batch")
	}
	if n := len(large.Batch.chunks); n != 1 {
		t.Errorf("it is in %d chunks, want 1", n)
	}
	for _, want := range []Ticket{before, large, after} {
		b := drain(q)
		if b != want.Batch {
			t.Fatal("batches came in another order")
		}
		decode(t, b)
		end(b, 0, nil)
	}
	used(t, a, 0, "at the end")
}

// A batch takes no record that is so much younger than its first that it could
// expire with it.
func TestSealAge(t *testing.T) {
	tests := []struct {
		after time.Duration
		same  bool
	}{{time.Second - time.Millisecond, true}, {time.Second, true}, {time.Second + time.Millisecond, false}}
	for _, tt := range tests {
		q := small().Topic("t", 1).Queues()[0]
		first := add(t, q, text("a"), noon)
		second := add(t, q, text("b"), noon.Add(tt.after))
		if same := first.Batch == second.Batch; same != tt.same {
			t.Errorf("a record %v younger joined = %v, want %v", tt.after, same, tt.same)
		}
		if head := q.Look(); head.Ready == tt.same {
			t.Errorf("after %v the head is ready = %v, want a sealed batch to be ready, an open one not", tt.after, head.Ready)
		}
	}
}

// The loop hears of a head when it is opened and when it becomes ready, with all
// that it needs to know, and not again.
func TestTheLoopIsToldOnce(t *testing.T) {
	wakes := 0
	a := small(func(c *Config) { c.Wake = func() { wakes++ } })
	q := a.Topic("t", 1).Queues()[0]
	noted := func(when string, want ...Head) {
		t.Helper()
		var got []Head
		for _, n := range a.Noted(nil) {
			if n.Queue != q {
				t.Errorf("%s: another queue is noted", when)
			}
			got = append(got, n.Head)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: noted %+v, want %+v", when, got, want)
		}
	}
	add(t, q, sized(100), noon)
	first := q.tip.size()
	add(t, q, sized(100), noon)
	noted("opened", Head{Opened: noon, Size: first, Serial: 1})
	for !q.tip.filled {
		add(t, q, sized(100), noon)
	}
	full := q.tip.size()
	add(t, q, sized(100), noon)
	noted("filled, and grown beyond", Head{Opened: noon, Size: full, Serial: 1, Ready: true})
	b, next := q.Drain()
	if b.Serial() != 1 || next != (Head{}) || q.Look() != next {
		t.Errorf("batch %d was drained, and the head is %+v, want the first, and none", b.Serial(), next)
	}
	later := noon.Add(time.Minute)
	add(t, q, &Entry{Record: protocol.Record{Value: make([]byte, 2000)}, Timestamp: noon.UnixMilli(), Txn: 7}, later)
	full = q.tip.size()
	noted("opened by what fills it", Head{Opened: later, Size: full, Serial: 2, Txn: 7, Ready: true})
	if wakes != 3 {
		t.Errorf("the loop was woken %d times, want 3", wakes)
	}
}

// Who drains is told of the next head, ready or not, and of an open one hears
// again when it has become ready.
func TestTheNextHeadIsToldWithTheDrain(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	for i := range 3 {
		add(t, q, text("a"), noon.Add(time.Duration(i)*2*time.Second))
	}
	a.Noted(nil)
	if _, next := q.Drain(); next.Serial != 2 || !next.Ready {
		t.Errorf("the next head is %+v, want the second batch, sealed", next)
	}
	if _, next := q.Drain(); next.Serial != 3 || next.Ready || !next.Opened.Equal(noon.Add(4*time.Second)) {
		t.Errorf("the next head is %+v, want the third batch, open", next)
	}
	for !q.tip.filled {
		add(t, q, sized(100), noon.Add(4*time.Second))
	}
	if notes := a.Noted(nil); len(notes) != 1 || !notes[0].Head.Ready || notes[0].Head.Serial != 3 {
		t.Errorf("the third batch was filled, and noted is %+v", notes)
	}
}

// A batch behind the head changes nothing for the loop; the first one behind it
// does, since it seals the head.
func TestASealedHeadIsReady(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	add(t, q, text("a"), noon)
	a.Noted(nil)
	if head := q.Look(); head.Ready {
		t.Error("a batch that may linger is ready")
	}
	add(t, q, text("b"), noon.Add(2*time.Second))
	if n := len(a.Noted(nil)); n != 1 {
		t.Errorf("the head was sealed, and %d queues are noted, want 1", n)
	}
	if head := q.Look(); !head.Ready {
		t.Error("a sealed head is not ready")
	}
	add(t, q, text("c"), noon.Add(4*time.Second))
	if n := len(a.Noted(nil)); n != 0 {
		t.Errorf("a third batch was opened, and %d queues are noted, want 0", n)
	}
}

// Whoever waits for a batch ends its linger, once.
func TestUrge(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	ticket := add(t, q, text("a"), noon)
	a.Noted(nil)
	ticket.Batch.Urge()
	ticket.Batch.Urge()
	if n := len(a.Noted(nil)); n != 1 {
		t.Errorf("%d queues noted, want 1", n)
	}
	if head := q.Look(); !head.Ready {
		t.Error("a batch that somebody waits for lingers")
	}
	for !q.tip.filled {
		add(t, q, sized(100), noon)
	}
	if n := len(a.Noted(nil)); n != 0 {
		t.Errorf("a batch that was ready is full now: %d queues noted, want 0", n)
	}
	// One that is behind the head, or drained, concerns nobody now.
	second := add(t, q, text("b"), noon.Add(2*time.Second))
	a.Noted(nil)
	second.Batch.Urge()
	if n := len(a.Noted(nil)); n != 0 {
		t.Errorf("a batch behind the head was urged: %d queues noted, want 0", n)
	}
	drain(q)
	ticket.Batch.Urge()
	if head := q.Look(); !head.Ready {
		t.Error("the urge was forgotten when the batch became the head")
	}
}

func TestUrgeAllSeesEveryBatch(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	var want []*Batch
	for i := range 3 {
		want = append(want, add(t, q, text("a"), noon.Add(time.Duration(i)*2*time.Second)).Batch)
	}
	var got []*Batch
	head := q.UrgeAll(func(b *Batch) { got = append(got, b) })
	if !head.Ready || head.Serial != 1 {
		t.Errorf("the head is %+v, want the first batch, ready", head)
	}
	if !slices.Equal(got, want) {
		t.Errorf("saw %d batches, want all %d in order", len(got), len(want))
	}
	drain(q)
	drain(q)
	if head := q.Look(); !head.Ready {
		t.Error("the last batch was not urged")
	}
}

// A queue that is refused takes nothing, keeps what it has, and can be opened
// again.
func TestRefuse(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	add(t, q, text("a"), noon)
	gone := errors.New("gone")
	q.Refuse(gone)
	if status := q.Append(text("b"), noon.UnixMilli()); status != Refused || q.Err() != gone {
		t.Errorf("append = %v, %v; want it refused", status, q.Err())
	}
	before := a.Memory.Used()
	chunk, err := a.Memory.TryChunk(5000)
	if err != nil {
		t.Fatal(err)
	}
	if status := q.AppendWith(text("b"), chunk, noon); status != Refused {
		t.Errorf("append with room = %v, want it refused", status)
	}
	used(t, a, before, "after the refusal")
	if b := drain(q); b == nil || b.Count() != 1 {
		t.Error("what had been appended is gone")
	}
	q.Refuse(nil)
	add(t, q, text("c"), noon)
}

// Between the reservation of room and its use the queue may change: a chunk
// that is not needed any more, or too small, is given back.
func TestRoomThatIsNotNeededIsGivenBack(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	add(t, q, sized(10), noon)
	before := a.Memory.Used()
	chunk, err := a.Memory.TryChunk(q.Room(text("b"), noon))
	if err != nil {
		t.Fatal(err)
	}
	if status := q.AppendWith(text("b"), chunk, noon); status != Appended {
		t.Fatalf("append = %v", status)
	}
	used(t, a, before, "the record fits without the chunk")

	// The batch was drained meanwhile, so a whole batch has to be opened.
	e := sized(firstChunk - 10)
	room := q.Room(e, noon)
	end(drain(q), 0, nil)
	small, err := a.Memory.TryChunk(firstChunk)
	if err != nil {
		t.Fatal(err)
	}
	if status := q.AppendWith(e, small, noon); status != NeedRoom {
		t.Errorf("append into %d bytes = %v, want NeedRoom again (first asked for %d)", firstChunk, status, room)
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
		if q.Partition() != int32(i) || q.Topic() != topic {
			t.Errorf("queue %d is of partition %d", i, q.Partition())
		}
	}
}

// A topic that has refused a batch gets smaller ones from then on, and what it
// taught is not forgotten for a better answer.
func TestLearn(t *testing.T) {
	a := small()
	topic := a.Topic("t", 1)
	q := topic.Queues()[0]
	topic.Learn(4000)
	topic.Learn(8000)
	for range 100 {
		add(t, q, sized(90), noon)
	}
	for b := drain(q); b != nil; b = drain(q) {
		if b.Size() > 2000 {
			t.Errorf("a batch of %d bytes, want at most 2000", b.Size())
		}
	}
	if other := a.Topic("u", 1); other.cap() != 100_000 {
		t.Errorf("another topic's cap is %d, want 100000", other.cap())
	}
}

// A chunk that a batch grows by is never asked for larger than the memory there is: a record that fits would be refused as
// too large for ever.
func TestGrowthStaysWithinMemory(t *testing.T) {
	const limit = 40_000
	acc := New(Config{BatchSize: 16384, MaxBatchBytes: 1 << 20, Memory: limit, SealAge: time.Hour, Wake: func() {}})
	q := acc.Topic("t", 1).Queues()[0]
	now := time.Now()
	e := Entry{Record: protocol.Record{Value: make([]byte, 30_000)}, Timestamp: now.UnixMilli()}
	chunk, err := acc.Memory.TryChunk(q.Room(&e, now))
	if err != nil {
		t.Fatal(err)
	}
	if status := q.AppendWith(&e, chunk, now); status != Appended {
		t.Fatalf("the first record: status %d, want Appended", status)
	}
	if room := q.Room(&e, now); room > limit {
		t.Errorf("the second record of %d bytes asks for %d of %d bytes of memory", len(e.Value), room, limit)
	}
}
