package accumulator

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/epistle-kafka/epistle/protocol"
)

// Offsets are the base and the index; a failure, and an offset that is not known, have none (pitfall 12).
func TestOutcome(t *testing.T) {
	failed := errors.New("failed")
	tests := []struct {
		offset, appendTime int64
		err                error
		want               string // of the third record
	}{
		{40, -1, nil, "42 -1 <nil>"},
		{40, 123, nil, "42 123 <nil>"},
		{0, -1, nil, "2 -1 <nil>"},
		{-1, -1, nil, "-1 -1 <nil>"},
		{-1, 5, failed, "-1 -1 failed"},
	}
	for _, tt := range tests {
		q := small().Topic("t", 1).Queues()[0]
		for range 3 {
			add(t, q, text("a"), noon)
		}
		b := drain(q)
		o := b.Outcome()
		if isDone(o) {
			t.Error("done before it was resolved")
		}
		if !b.Resolve(tt.offset, tt.appendTime, tt.err) {
			t.Error("the last record was resolved, and that was not the end")
		}
		o.End()
		if !isDone(o) {
			t.Error("not done")
		}
		if got := outcomeOf(o, 2); got != tt.want {
			t.Errorf("resolved with %d, %d, %v: outcome = %s, want %s", tt.offset, tt.appendTime, tt.err, got, tt.want)
		}
	}
}

// A record has one outcome (I4).
func TestResolvingTwicePanics(t *testing.T) {
	q := small().Topic("t", 1).Queues()[0]
	add(t, q, text("a"), noon)
	b := drain(q)
	b.Resolve(0, -1, nil)
	defer func() {
		if recover() == nil {
			t.Error("a record was resolved twice")
		}
	}()
	b.Resolve(0, -1, nil)
}

// Bytes go back with the last holder, whoever that is (I5, pitfall 11).
func TestBytesStayWithTheLastHolder(t *testing.T) {
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	add(t, q, text("a"), noon)
	b := drain(q)
	b.Hold() // a connection that may still write them
	end(b, 0, nil)
	used(t, a, firstChunk, "while the connection holds them")
	if len(b.Bytes(nil)) == 0 {
		t.Error("the bytes are gone while they may be written")
	}
	b.Drop()
	used(t, a, 0, "after the last drop")
	defer func() {
		if recover() == nil {
			t.Error("dropped once more, and nobody noticed")
		}
	}()
	b.Drop()
}

// fill makes a batch of n records with keys, headers and timestamps.
func fill(t *testing.T, q *Queue, n int) *Batch {
	t.Helper()
	for i := range n {
		add(t, q, &Entry{
			Record: protocol.Record{
				Key: fmt.Appendf(nil, "key-%d", i), Value: fmt.Appendf(nil, "value-%d", i),
				Headers: []protocol.Header{{Key: "h", Value: fmt.Append(nil, i)}},
			},
			Callback: i, Timestamp: noon.UnixMilli() + int64(i*10),
		}, noon)
	}
	b := drain(q)
	h := b.Header()
	b.PutHeader(&h) // as it was sent
	return b
}

// check demands that piece holds the records from index from on, unchanged.
func check(t *testing.T, piece *Batch, from int) {
	t.Helper()
	h, records := decode(t, piece)
	if int(piece.First()) != from || int(piece.Count()) != len(records) {
		t.Errorf("piece is of %d records from %d, and holds %d; want them from %d", piece.Count(), piece.First(), len(records), from)
	}
	for i, r := range records {
		n := from + i
		want := fmt.Sprintf("key-%d value-%d %d %d", n, n, n, noon.UnixMilli()+int64(n*10))
		if got := fmt.Sprintf("%s %s %s %d", r.Key, r.Value, r.Headers[0].Value, h.BaseTimestamp+r.TimestampDelta); got != want {
			t.Errorf("record %d of the piece = %q, want %q", i, got, want)
		}
	}
	if last := noon.UnixMilli() + int64((from+len(records)-1)*10); h.MaxTimestamp != last {
		t.Errorf("the piece's largest timestamp is %d, want %d", h.MaxTimestamp, last)
	}
}

// A batch that is too large is split in halves, and these again. They have its outcome, each a part of it, and it ends with the
// last of them.
func TestSplitInHalves(t *testing.T) {
	a := small()
	root := fill(t, a.Topic("t", 1).Queues()[0], 5)
	halves, err := root.halve()
	if err != nil {
		t.Fatal(err)
	}
	check(t, halves[0], 0)
	check(t, halves[1], 2)
	quarters, err := halves[1].halve()
	if err != nil {
		t.Fatal(err)
	}
	check(t, quarters[0], 2)
	check(t, quarters[1], 3)
	o := root.Outcome()
	if quarters[0].Outcome() != o || !quarters[0].IsPiece() || root.IsPiece() {
		t.Error("a piece of a piece has another outcome, or does not know what it is")
	}

	failed := errors.New("failed")
	if halves[0].Resolve(70, -1, nil) || quarters[1].Resolve(100, 5, nil) {
		t.Error("the outcome ended before the last piece")
	}
	if !quarters[0].Resolve(-1, -1, failed) {
		t.Error("the outcome did not end with the last piece")
	}
	o.End()
	want := []string{"70 -1 <nil>", "71 -1 <nil>", "-1 -1 failed", "100 5 <nil>", "101 5 <nil>"}
	for i, w := range want {
		if got := outcomeOf(o, int32(i)); got != w {
			t.Errorf("record %d: %s, want %s", i, got, w)
		}
	}
	o.Complete(callNothing)
	used(t, a, 0, "at the end")
}

// Records are taken out of a batch, and the others keep their places.
func TestSplitWithout(t *testing.T) {
	tests := []struct {
		bad  []int32
		want []Range
	}{
		{[]int32{0}, []Range{{1, 5}}},
		{[]int32{5}, []Range{{0, 5}}},
		{[]int32{2}, []Range{{0, 2}, {3, 3}}},
		{[]int32{1, 2, 4}, []Range{{0, 1}, {3, 1}, {5, 1}}},
		{[]int32{0, 1, 2, 3, 4, 5}, nil},
		{nil, []Range{{0, 6}}},
	}
	for _, tt := range tests {
		a := small()
		root := fill(t, a.Topic("t", 1).Queues()[0], 6)
		ranges := root.Without(tt.bad)
		if !slices.Equal(ranges, tt.want) {
			t.Errorf("without %v: %v, want %v", tt.bad, ranges, tt.want)
			continue
		}
		pieces, err := root.Split(ranges)
		if err != nil {
			t.Fatal(err)
		}
		ended := false
		for i, p := range pieces {
			check(t, p, int(ranges[i].First))
			ended = p.Resolve(int64(1000*i), -1, nil)
		}
		failed := errors.New("at fault")
		for _, i := range tt.bad {
			ended = root.ResolveRange(i, 1, -1, -1, failed)
		}
		o := root.Outcome()
		if !ended || !o.End() {
			t.Errorf("without %v: all records were resolved, and that was not the end", tt.bad)
		}
		for i := range int32(6) {
			_, _, err := o.Of(i)
			if bad := slices.Contains(tt.bad, i); bad != (err != nil) {
				t.Errorf("without %v: record %d ended with %v", tt.bad, i, err)
			}
		}
		o.Complete(callNothing)
		used(t, a, 0, fmt.Sprint("without ", tt.bad))
	}
}

// Splitting waits for no memory, which might be waiting for itself, and gives the old bytes back at once.
func TestSplitNeedsNoRoom(t *testing.T) {
	a := small(func(c *Config) { c.Memory = 4 << 10 }) // for a chunk and the callbacks
	root := fill(t, a.Topic("t", 1).Queues()[0], 40)
	if _, err := a.Memory.tryChunk(1); err == nil {
		t.Fatal("there is room; the test wants none")
	}
	halves, err := root.halve()
	if err != nil {
		t.Fatal(err)
	}
	used(t, a, 6<<10, "after the split: a chunk for each half, and the callbacks")
	end(halves[1], 2, nil)
	used(t, a, 6<<10, "with the callbacks of a half that has ended still to come")
	end(halves[0], 0, nil)
	used(t, a, 0, "at the end")
}

// Compression happens in the batch's own chunks, and gives back those that are no longer needed (I5).
func TestCompressInPlace(t *testing.T) {
	for _, codec := range []protocol.Codec{protocol.CodecGzip, protocol.CodecSnappy, protocol.CodecLZ4, protocol.CodecZstd} {
		t.Run(codec.String(), func(t *testing.T) {
			c, err := protocol.NewCompressor(codec, protocol.LevelDefault)
			if err != nil {
				t.Fatal(err)
			}
			a := small()
			root := fill(t, a.Topic("t", 1).Queues()[0], 500)
			raw, before := root.Size(), a.Memory.Used()
			if err := root.Compress(codec, c, new(Scratch)); err != nil {
				t.Fatal(err)
			}
			if root.Size() >= raw || a.Memory.Used() >= before {
				t.Errorf("%d bytes in %d became %d in %d, want less of both", raw, before, root.Size(), a.Memory.Used())
			}
			if h := root.Header(); h.Codec != codec {
				t.Errorf("the header says %v, want %v", h.Codec, codec)
			}
			check(t, root, 0)

			// It can still be split; the pieces are not compressed.
			halves, err := root.halve()
			if err != nil {
				t.Fatal(err)
			}
			check(t, halves[0], 0)
			check(t, halves[1], int(halves[0].Count()))
			end(halves[0], 0, nil)
			end(halves[1], 0, nil)
			used(t, a, 0, "at the end")
		})
	}
}

// What compressing takes is kept for the batches that follow, and holds none of those that went before.
func TestCompressReusesItsScratch(t *testing.T) {
	for _, codec := range []protocol.Codec{protocol.CodecSnappy, protocol.CodecLZ4} {
		c, err := protocol.NewCompressor(codec, protocol.LevelDefault)
		if err != nil {
			t.Fatal(err)
		}
		q := small().Topic("t", 1).Queues()[0]
		batches := []*Batch{fill(t, q, 500), fill(t, q, 500), fill(t, q, 500)}
		var scratch Scratch
		if got := testing.AllocsPerRun(len(batches)-1, func() {
			if err := batches[0].Compress(codec, c, &scratch); err != nil {
				t.Fatal(err)
			}
			batches = batches[1:]
		}); got > 0 {
			t.Errorf("%v: %v allocations a batch, want none", codec, got)
		}
		if i := slices.IndexFunc(scratch.raw, func(chunk []byte) bool { return chunk != nil }); i >= 0 {
			t.Errorf("%v: chunk %d of a batch that is done with is still referred to", codec, i)
		}
	}
}

// What does not shrink stays as it is.
func TestIncompressibleStaysAsItIs(t *testing.T) {
	c, err := protocol.NewCompressor(protocol.CodecGzip, protocol.LevelDefault)
	if err != nil {
		t.Fatal(err)
	}
	a := small()
	q := a.Topic("t", 1).Queues()[0]
	add(t, q, text("x"), noon)
	b := drain(q)
	raw := b.Size()
	if err := b.Compress(protocol.CodecGzip, c, new(Scratch)); err != nil {
		t.Fatal(err)
	}
	h, records := decode(t, b)
	if b.Size() != raw || h.Codec != protocol.CodecNone || values(records)[0] != "x" {
		t.Errorf("%d bytes became %d of codec %v, want none of it", raw, b.Size(), h.Codec)
	}
}
