package accumulator

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/epistle-kafka/epistle/protocol"
)

// crcAt is where a batch's CRC is.
const crcAt = 17

// checkCRC compares the CRC of b with that of its bytes.
func checkCRC(t *testing.T, what string, b *Batch) {
	t.Helper()
	h := b.Header()
	b.PutHeader(&h)
	for range 2 { // a retry does it again
		b.PutCRC()
	}
	whole := slices.Concat(b.Bytes(nil)...)
	got := binary.BigEndian.Uint32(whole[crcAt:])
	protocol.PutBatchCRC([][]byte{whole})
	if want := binary.BigEndian.Uint32(whole[crcAt:]); got != want {
		t.Fatalf("%s: %d records in %d chunks, %d bytes: CRC %08x, want %08x", what, b.Count(), len(b.chunks), b.Size(), got, want)
	}
}

// Records are summed while they come, in steps that know nothing of chunks: the CRC is that of the batch's bytes all the same.
func TestRecordsAreSummedAsTheyCome(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	a := small(func(c *Config) { c.BatchSize, c.MaxBatchBytes, c.Memory = 1<<20, 1<<20, 16<<20 })
	q := a.Topic("t", 1).Queues()[0]
	summed := 0
	for range 300 {
		size := 1 + random.IntN(1<<random.IntN(15))
		for range 1 + random.IntN(200) {
			e := sized(random.IntN(size))
			random32 := random.Uint32()
			for i := range e.Value {
				e.Value[i] = byte(random32 >> (i % 25))
			}
			add(t, q, e, noon)
		}
		for b := drain(q); b != nil; b = drain(q) {
			if b.sum.size > 0 {
				summed++
			}
			checkCRC(t, "whole", b)
			if b.Count() > 1 && random.IntN(4) == 0 {
				pieces, err := b.halve()
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range pieces {
					checkCRC(t, "a piece", p)
					end(p, 0, nil)
				}
			} else {
				end(b, 0, nil)
			}
		}
	}
	if summed < 100 {
		t.Errorf("%d batches were summed as they came, want many of them", summed)
	}
	used(t, a, 0, "at the end")
}

// What will be compressed is not summed: its bytes go another way.
func TestACompressedBatchIsSummedAtTheEnd(t *testing.T) {
	a := small(func(c *Config) { c.Compressed = true; c.MaxBatchBytes = 1 << 20 })
	q := a.Topic("t", 1).Queues()[0]
	for range 500 {
		add(t, q, &Entry{Record: protocol.Record{Value: bytes.Repeat([]byte("kafka "), 20)}, Timestamp: noon.UnixMilli()}, noon)
	}
	b := drain(q)
	if b.sum.size != 0 {
		t.Errorf("%d bytes were summed in vain", b.sum.size)
	}
	c, err := protocol.NewCompressor(protocol.CodecLZ4, 9)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Compress(protocol.CodecLZ4, c, new(Scratch)); err != nil {
		t.Fatal(err)
	}
	checkCRC(t, "compressed", b)
}

// A queue counts the bytes of a series until another begins.
func TestSeries(t *testing.T) {
	q := small(func(c *Config) { c.MaxBatchBytes = 1 << 20 }).Topic("t", 1).Queues()[0]
	first, second := new(int32), new(int32)
	sum := int64(0)
	for i := range 100 {
		e := sized(i)
		e.Series = first
		ticket := add(t, q, e, noon)
		if sum += int64(ticket.Size); ticket.SeriesBytes != sum {
			t.Fatalf("after record %d the series has %d bytes, want %d", i, ticket.SeriesBytes, sum)
		}
		if ticket = add(t, q, sized(i), noon); ticket.SeriesBytes != 0 {
			t.Fatalf("a record of no series has %d bytes in one", ticket.SeriesBytes)
		}
	}
	e := sized(7)
	e.Series = second
	if ticket := add(t, q, e, noon); ticket.SeriesBytes != int64(ticket.Size) {
		t.Errorf("another series begins with %d bytes, want %d", ticket.SeriesBytes, ticket.Size)
	}
}

// A batch begins with room for as much as those before have held, and with little again when they hold little.
func TestABatchBeginsAsLargeAsUsual(t *testing.T) {
	a := small(func(c *Config) { c.MaxBatchBytes = 1 << 20 })
	q := a.Topic("t", 1).Queues()[0]
	chunks := func(records int) int {
		for range records {
			add(t, q, sized(100), noon)
		}
		b := drain(q)
		n := len(b.chunks)
		end(b, 0, nil)
		return n
	}
	if n := chunks(100); n < 3 {
		t.Fatalf("the first batch of 100 records has %d chunks, want several", n)
	}
	for range 5 {
		chunks(100)
	}
	if n := chunks(100); n != 1 {
		t.Errorf("a batch of 100 records, as usual, has %d chunks, want 1", n)
	}
	for range 20 {
		chunks(1)
	}
	add(t, q, sized(100), noon)
	used(t, a, firstChunk, "for a single record after many of them")
}
