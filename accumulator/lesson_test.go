package accumulator

import (
	"testing"
	"time"
)

// refused returns a batch of so many bytes that has been sent.
func refused(q *Queue, serial int64, size int) *Batch {
	return &Batch{queue: q, serial: serial, size: size, count: 10}
}

// pieceOf returns a piece of b.
func pieceOf(b *Batch, size int) *Batch {
	return &Batch{queue: b.queue, serial: b.serial, size: size, count: 5, piece: true}
}

func oneQueue(change ...func(*Config)) (*Topic, *Queue) {
	topic := small(change...).Topic("t", 1)
	return topic, topic.Queues()[0]
}

// A topic that has refused a batch gets smaller ones from then on. What larger ones that were on their way are answered changes
// nothing.
func TestRefusedBatchTeaches(t *testing.T) {
	topic, q := oneQueue()
	topic.Refused(noon, refused(q, 1, 4000))
	topic.Refused(noon, refused(q, 2, 8000))
	for range 100 {
		add(t, q, sized(90), noon)
	}
	for b := drain(q); b != nil; b = drain(q) {
		if b.Size() > 2000 {
			t.Errorf("a batch of %d bytes, want at most 2000", b.Size())
		}
	}
	if other := topic.acc.Topic("u", 1); other.cap() != 100_000 {
		t.Errorf("another topic's cap is %d, want 100000", other.cap())
	}
}

// A minute after the last refusal one batch is tried that is up to twice as large. While it is on its way, and for a minute if
// it is refused, no other is. If it is taken the next follows at once, until nothing is left of the lesson.
func TestBatchesGrowAgain(t *testing.T) {
	topic, q := oneQueue()
	topic.Refused(noon, refused(q, 1, 40_000))
	at := noon.Add(probeEvery - 1)
	topic.Accepted(at, refused(q, 2, 20_000))
	if topic.cap() != 20_000 || topic.Fits(at, refused(q, 3, 30_000)) {
		t.Fatalf("the cap is %d before a minute has passed, want 20000 and nothing larger to fit", topic.cap())
	}
	at = noon.Add(probeEvery)
	topic.Accepted(at, refused(q, 3, 19_000))
	if topic.cap() != 40_000 {
		t.Fatalf("the cap is %d after a quiet minute, want 40000", topic.cap())
	}
	probe := refused(q, 4, 38_000)
	if !topic.Fits(at, probe) || topic.Fits(at, refused(q, 5, 38_000)) {
		t.Fatal("want one larger batch to fit, and not the next")
	}
	topic.Refused(at, probe)
	if topic.cap() != 20_000 {
		t.Errorf("the cap is %d after a larger batch was refused, want 20000 as before", topic.cap())
	}
	topic.Accepted(at.Add(probeEvery/2), refused(q, 6, 19_000))
	if topic.Fits(at.Add(probeEvery/2), probe) {
		t.Error("a second larger batch is tried within a minute")
	}
	at = at.Add(probeEvery)
	for serial := int64(7); topic.HasLimit(); serial++ {
		if serial == 20 {
			t.Fatalf("the cap is %d still", topic.cap())
		}
		topic.Accepted(at, refused(q, serial, topic.cap()*99/100))
	}
	if topic.cap() != 100_000 {
		t.Errorf("the cap is %d in the end, want 100000", topic.cap())
	}
}

// The pieces of the batch that taught the limit are no further lesson: the limit may be so low for a moment only. But if a
// piece of another batch is refused, they were right.
func TestPiecesTeachNothingAlone(t *testing.T) {
	topic, q := oneQueue()
	root := refused(q, 1, 64_000)
	topic.Refused(noon, root)
	for size := 32_000; size >= 4000; size /= 2 {
		topic.Refused(noon, pieceOf(root, size))
	}
	if topic.cap() != 32_000 {
		t.Errorf("the cap is %d, want 32000", topic.cap())
	}
	if got, other := topic.Limit(noon, pieceOf(root, 100)), topic.Limit(noon, refused(q, 2, 100)); got != 2000 || other != 32_000 {
		t.Errorf("the limit is %d for other pieces, want 2000, and %d for other batches, want 32000", got, other)
	}
	topic.Refused(noon, pieceOf(refused(q, 2, 64_000), 32_000))
	if topic.cap() != 2000 {
		t.Errorf("the cap is %d when another batch has said the same, want 2000", topic.cap())
	}
}

// filled returns a batch of n records, of 109 bytes each, that was sent.
func filled(t *testing.T, q *Queue, n int) *Batch {
	t.Helper()
	for range n {
		add(t, q, sized(100), noon)
	}
	return drain(q)
}

// A batch that is refused while the pieces of another one have told more than that is split to what they have told. To halve it
// from the top would tell the same again. Nor does what was on its way before they did make the topic's limit larger.
func TestARefusedBatchIsSplitToWhatPiecesHaveTold(t *testing.T) {
	topic, q := oneQueue(func(c *Config) { c.BatchSize = 100_000 })
	root, second := filled(t, q, 200), filled(t, q, 200)
	topic.Refused(noon, root)
	for size := root.Size() / 2; size > 4000; size /= 2 {
		topic.Refused(noon, pieceOf(root, size))
	}
	topic.Refused(noon, pieceOf(root, root.Size()/2))
	topic.Refused(noon, second)
	pieces, limit, err := topic.Split(noon, second)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pieces {
		if p.Size() > 3000 {
			t.Errorf("a piece of %d bytes, made for a limit of %d; want 3000 at most", p.Size(), limit)
		}
	}
	if topic.cap() != root.Size()/2 {
		t.Errorf("the cap is %d, want %d: no other batch has confirmed what the pieces have told", topic.cap(), root.Size()/2)
	}
}

// Of the batches that wait one finds out whether what pieces have told holds for all. Those behind it keep to that until it is
// answered.
func TestOneBatchTriesWhatPiecesHaveTold(t *testing.T) {
	topic, q := oneQueue()
	root := refused(q, 1, 64_000)
	told := func() {
		topic.Refused(noon, root)
		topic.Refused(noon, pieceOf(root, 32_000))
		topic.Refused(noon, pieceOf(root, 4000))
	}
	told()
	if !topic.Fits(noon, refused(q, 2, 30_000)) || topic.Fits(noon, refused(q, 3, 30_000)) || !topic.Fits(noon, refused(q, 3, 2000)) {
		t.Fatal("want one batch of 30000 bytes to fit, and behind it no more than 2000")
	}
	topic.Accepted(noon, refused(q, 2, 30_000))
	if !topic.Fits(noon, refused(q, 4, 30_000)) || !topic.Fits(noon, refused(q, 5, 30_000)) {
		t.Error("30000 bytes were taken, and others of that size do not fit")
	}

	topic, q = oneQueue()
	told()
	topic.Fits(noon, refused(q, 2, 30_000))
	topic.Refused(noon, refused(q, 2, 30_000))
	if topic.cap() != 2000 {
		t.Errorf("the cap is %d when the one that tried was refused, want 2000", topic.cap())
	}

	topic, q = oneQueue()
	told()
	topic.Fits(noon, refused(q, 2, 30_000))
	if later := noon.Add(probeEvery); !topic.Fits(later, refused(q, 3, 30_000)) {
		t.Error("no other tries a minute after the one that did, of which nothing came")
	}
}

// What the pieces said is forgotten when a larger batch is taken.
func TestAMomentIsNoLesson(t *testing.T) {
	topic, q := oneQueue()
	root := refused(q, 1, 64_000)
	topic.Refused(noon, root)
	topic.Refused(noon, pieceOf(root, 32_000))
	topic.Refused(noon, pieceOf(root, 100))
	topic.Accepted(noon, refused(q, 2, 30_000))
	topic.Refused(noon, refused(q, 3, 31_000))
	if topic.cap() != 30_000 {
		t.Errorf("the cap is %d, want 30000: so much was taken", topic.cap())
	}
	topic.Refused(noon, refused(q, 4, 30_000))
	if topic.cap() != 15_000 {
		t.Errorf("the cap is %d, want 15000: what was taken is refused by now", topic.cap())
	}
}

// Brokers look at what compression has left. So does the lesson, and batches of data that compress better may be larger.
func TestLessonCountsCompressedBytes(t *testing.T) {
	packed := func(serial int64, raw, size int) *Batch {
		b := refused(nil, serial, size)
		b.raw = raw
		return b
	}
	topic, _ := oneQueue()
	topic.Refused(noon, packed(1, 80_000, 8000))
	if topic.cap() != 40_000 {
		t.Errorf("the cap is %d, want 40000: compressed to a tenth", topic.cap())
	}
	topic.Accepted(noon, packed(2, 12_000, 4000))
	if topic.cap() != 12_000 {
		t.Errorf("the cap is %d, want 12000: compressed to a third by now", topic.cap())
	}
	if b := packed(3, 40_000, 4000); !topic.Fits(noon, b) {
		t.Error("what is compressed to less than the limit does not fit")
	}
	if b := packed(4, 30_000, 6000); topic.Fits(noon, b) || topic.Most(noon, b) != 20_000 {
		t.Errorf("a piece of what is compressed to a fifth may have %d bytes, want 20000", topic.Most(noon, b))
	}
}

// A batch is split to what was learned at once, into few pieces if these would be very many.
func TestSplitTo(t *testing.T) {
	tests := []struct{ records, most, pieces int }{
		{10, 600, 2}, {10, 5000, 1}, {10, 1, 10}, {100, 1, 17}, {1, 1, 1},
	}
	for _, tt := range tests {
		_, q := oneQueue(func(c *Config) { c.BatchSize = 50_000 })
		for range tt.records {
			add(t, q, sized(90), noon)
		}
		b := drain(q)
		pieces, err := b.SplitTo(tt.most)
		if err != nil {
			t.Fatal(err)
		}
		next := int32(0)
		for _, p := range pieces {
			if p.First() != next || len(pieces) < 15 && p.Size() > tt.most && p.Count() > 1 {
				t.Errorf("%+v: a piece of %d records and %d bytes begins at %d, want %d", tt, p.Count(), p.Size(), p.First(), next)
			}
			next += p.Count()
		}
		if len(pieces) != tt.pieces || next != int32(tt.records) {
			t.Errorf("%+v: %d pieces with %d records", tt, len(pieces), next)
		}
	}
}

// Time goes on while nothing is sent; the lesson holds until something is.
func TestLessonHoldsWhileNothingIsSent(t *testing.T) {
	topic, q := oneQueue()
	topic.Refused(noon, refused(q, 1, 4000))
	late := noon.Add(time.Hour)
	if topic.cap() != 2000 || !topic.Fits(late, refused(q, 2, 4000)) || topic.Fits(late, refused(q, 3, 4000)) {
		t.Error("want the cap to hold, and one larger batch to be tried")
	}
}

// Halves have about the same number of bytes, however records lie, so that each halving brings a batch as close to the limit.
func TestHalvesAreOfBytes(t *testing.T) {
	tests := []struct {
		sizes []int
		first int32
	}{
		{[]int{100, 100, 100, 100}, 2},
		{[]int{100, 100, 100, 100, 100}, 2},
		{[]int{10, 10, 10, 10, 900, 900}, 5},
		{[]int{900, 10, 10, 10, 10, 10}, 1},
		{[]int{10, 10, 10, 10, 10, 900}, 5},
		{[]int{10, 900}, 1},
	}
	for _, tt := range tests {
		_, q := oneQueue(func(c *Config) { c.BatchSize = 50_000 })
		for _, n := range tt.sizes {
			add(t, q, sized(n), noon)
		}
		halves, err := drain(q).halve()
		if err != nil {
			t.Fatal(err)
		}
		if len(halves) != 2 || halves[0].Count() != tt.first || halves[1].First() != tt.first || halves[0].Count()+halves[1].Count() != int32(len(tt.sizes)) {
			t.Errorf("%v: the first of %d pieces has %d records, want %d of 2", tt.sizes, len(halves), halves[0].Count(), tt.first)
		}
	}
}
