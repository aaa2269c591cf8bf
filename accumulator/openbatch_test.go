package accumulator

import (
	"errors"
	"testing"
)

// A cap that was learned holds for the open batch as well, even where its chunk has room for more.
func TestLearnedWhileABatchIsOpen(t *testing.T) {
	q := small(func(c *Config) { c.BatchSize = 50_000 }).Topic("t", 1).Queues()[0]
	first := add(t, q, sized(5000), noon)
	add(t, q, sized(1000), noon)
	if q.current.fastLimit < q.current.size()+1000 {
		t.Fatalf("the chunk has room for %d bytes more, want some for the test to mean anything", q.current.fastLimit-q.current.size())
	}
	q.topic.Refused(noon, refused(q, 1, 2*q.current.size()))
	if second := add(t, q, sized(100), noon); second.Outcome == first.Outcome {
		t.Error("the open batch grew beyond a cap that had been learned")
	}
}

// A queue that is ended refuses the very next record, even where the open batch has room for it, and takes records again when
// it is opened again.
func TestRefusedWhileABatchIsOpen(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	first := add(t, q, sized(100), noon)
	ended := errors.New("ended")
	q.Refuse(ended)
	if q.TryAppend(sized(100), noon.UnixMilli()) {
		t.Error("it took a record")
	}
	if err := q.Append(sized(100), noon, nil); !errors.Is(err, ended) {
		t.Errorf("append = %v, want it refused", err)
	}
	q.Refuse(nil)
	if again := add(t, q, sized(100), noon); again.Outcome != first.Outcome || again.Index != 1 {
		t.Errorf("the next record is number %d of %p, want 1 of %p", again.Index, again.Outcome, first.Outcome)
	}
}

// A batch is kept for one who asks for a future in the midst of others who do not, and has records of one transaction.
func TestNeighboursOfAnotherKind(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	detached := func(txn int64) *Entry {
		e := sized(10)
		e.Detached, e.Txn = true, txn
		return e
	}
	add(t, q, detached(0), noon)
	add(t, q, detached(0), noon)
	kept := add(t, q, sized(10), noon)
	add(t, q, detached(0), noon)
	if kept.Outcome.Done() == nil {
		t.Error("the batch of a future cannot be waited for")
	}
	if other := add(t, q, detached(7), noon); other.Outcome == kept.Outcome || q.tail.Txn() != 7 {
		t.Errorf("a record of transaction 7 is in a batch of %d", q.tail.Txn())
	}
	if b := drain(q); b.Count() != 4 {
		t.Errorf("the batch has %d records, want 4", b.Count())
	}
}

// The header's largest timestamp is that of any record, whatever order they come in.
func TestMaxTimestamp(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	for _, ms := range []int64{0, 0, 9, 9, 4, 4, 7} {
		e := sized(10)
		e.Timestamp += ms
		add(t, q, e, noon)
	}
	h, _ := decode(t, drain(q))
	if got := h.MaxTimestamp - noon.UnixMilli(); got != 9 {
		t.Errorf("the largest timestamp is %d ms after noon, want 9", got)
	}
}

// A batch is full with the record that makes it so, however many chunks it has and whatever of them is left.
func TestFullAcrossChunks(t *testing.T) {
	for size := 10; size < 1500; size += 7 {
		q := small(func(c *Config) { c.BatchSize = 5000 }).Topic("t", 1).Queues()[0]
		for full := false; !full; {
			full = add(t, q, sized(size), noon).Full
			if want := q.current.size() >= 5000; full != want {
				t.Fatalf("records of %d bytes: with %d in the batch it is full = %v, want %v", size, q.current.size(), full, want)
			}
		}
	}
}
