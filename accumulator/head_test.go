package accumulator

import (
	"slices"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// The loop hears of a head when it is opened and when it becomes ready, with all that it needs to know, and not again.
func TestTheLoopIsToldOnce(t *testing.T) {
	wakes := 0
	a := small(func(c *Config) { c.Wake = func() { wakes++ } })
	q := a.Topic("t", 1).Queues()[0]
	reported := func(when string, want ...Head) {
		t.Helper()
		var got []Head
		for _, n := range a.TakeChanges(nil) {
			if n.Queue != q {
				t.Errorf("%s: another queue is reported", when)
			}
			got = append(got, n.Head)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: reported %+v, want %+v", when, got, want)
		}
	}
	add(t, q, sized(100), noon)
	first := q.current.size()
	add(t, q, sized(100), noon)
	reported("opened", Head{Opened: noon, Size: first, Serial: 1})
	for !q.current.filled {
		add(t, q, sized(100), noon)
	}
	full := q.current.size()
	add(t, q, sized(100), noon)
	reported("filled, and grown beyond", Head{Opened: noon, Size: full, Serial: 1, Ready: true})
	b, next := q.Drain()
	if b.Serial() != 1 || next != (Head{}) || q.Look() != next {
		t.Errorf("batch %d was drained, and the head is %+v, want the first, and none", b.Serial(), next)
	}
	later := noon.Add(time.Minute)
	add(t, q, &Entry{Record: protocol.Record{Value: make([]byte, 2000)}, Timestamp: noon.UnixMilli(), Txn: 7}, later)
	full = q.current.size()
	reported("opened by what fills it", Head{Opened: later, Size: full, Serial: 2, Txn: 7, Ready: true})
	if wakes != 3 {
		t.Errorf("the loop was woken %d times, want 3", wakes)
	}
}

// Who drains is told of the next head, ready or not, and of an open one hears again when it has become ready.
func TestTheNextHeadIsToldWithTheDrain(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	for i := range 3 {
		add(t, q, text("a"), noon.Add(time.Duration(i)*2*time.Second))
	}
	a.TakeChanges(nil)
	if _, next := q.Drain(); next.Serial != 2 || !next.Ready {
		t.Errorf("the next head is %+v, want the second batch, sealed", next)
	}
	if _, next := q.Drain(); next.Serial != 3 || next.Ready || !next.Opened.Equal(noon.Add(4*time.Second)) {
		t.Errorf("the next head is %+v, want the third batch, open", next)
	}
	for !q.current.filled {
		add(t, q, sized(100), noon.Add(4*time.Second))
	}
	if changes := a.TakeChanges(nil); len(changes) != 1 || !changes[0].Head.Ready || changes[0].Head.Serial != 3 {
		t.Errorf("the third batch was filled, and reported is %+v", changes)
	}
}

// A batch behind the head changes nothing for the loop; the first one behind it does, since it seals the head.
func TestASealedHeadIsReady(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	add(t, q, text("a"), noon)
	a.TakeChanges(nil)
	if head := q.Look(); head.Ready {
		t.Error("a batch that may linger is ready")
	}
	add(t, q, text("b"), noon.Add(2*time.Second))
	if n := len(a.TakeChanges(nil)); n != 1 {
		t.Errorf("the head was sealed, and %d queues are reported, want 1", n)
	}
	if head := q.Look(); !head.Ready {
		t.Error("a sealed head is not ready")
	}
	add(t, q, text("c"), noon.Add(4*time.Second))
	if n := len(a.TakeChanges(nil)); n != 0 {
		t.Errorf("a third batch was opened, and %d queues are reported, want 0", n)
	}
}

// Whoever waits for a batch ends its linger, once.
func TestUrge(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	ticket := add(t, q, text("a"), noon)
	a.TakeChanges(nil)
	ticket.Outcome.Urge()
	ticket.Outcome.Urge()
	if n := len(a.TakeChanges(nil)); n != 1 {
		t.Errorf("%d queues reported, want 1", n)
	}
	if head := q.Look(); !head.Ready {
		t.Error("a batch that somebody waits for lingers")
	}
	for !q.current.filled {
		add(t, q, sized(100), noon)
	}
	if n := len(a.TakeChanges(nil)); n != 0 {
		t.Errorf("a batch that was ready is full now: %d queues reported, want 0", n)
	}
	// One that is behind the head, or drained, concerns nobody now.
	second := add(t, q, text("b"), noon.Add(2*time.Second))
	a.TakeChanges(nil)
	second.Outcome.Urge()
	if n := len(a.TakeChanges(nil)); n != 0 {
		t.Errorf("a batch behind the head was urged: %d queues reported, want 0", n)
	}
	drain(q)
	ticket.Outcome.Urge()
	if head := q.Look(); !head.Ready {
		t.Error("the urge was forgotten when the batch became the head")
	}
}

func TestUrgeAllSeesEveryBatch(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	var want []*Outcome
	for i := range 3 {
		want = append(want, add(t, q, text("a"), noon.Add(time.Duration(i)*2*time.Second)).Outcome)
	}
	var got []*Outcome
	head := q.UrgeAll(func(o *Outcome) { got = append(got, o) })
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

// A batch that somebody waits for is urgent, once, and another change is not.
func TestWhoWaitsIsUrgent(t *testing.T) {
	wakes, urgent := 0, 0
	a := small(func(c *Config) { c.Wake, c.Urgent = func() { wakes++ }, func() { urgent++ } })
	q := a.Topic("t", 1).Queues()[0]
	o := add(t, q, text("a"), noon).Outcome
	o.Urge()
	o.Urge()
	if wakes != 1 || urgent != 1 {
		t.Errorf("the loop was woken %d times, and %d times for what is urgent, want once each", wakes, urgent)
	}
	if head := a.TakeChanges(nil); len(head) != 2 || !head[1].Head.Ready {
		t.Errorf("reported %+v, want that there is one, and that it is ready", head)
	}
}
