package protocol

import (
	"bytes"
	"math"
	"testing"
)

// oneByOne encodes records of a run as Record does.
func oneByOne(timestampDelta int64, offsetDelta int32, records []KeyValue) (out []byte) {
	for i, kv := range records {
		r := Record{TimestampDelta: timestampDelta, OffsetDelta: offsetDelta + int32(i), Key: kv.Key, Value: kv.Value}
		out = r.Append(out, r.BodySize())
	}
	return out
}

// valuesOf returns a record without a key for each length, with null for -1.
func valuesOf(lengths ...int) (records []KeyValue) {
	for _, n := range lengths {
		var value []byte
		if n >= 0 {
			value = bytes.Repeat([]byte{'x'}, n)
		}
		records = append(records, KeyValue{Value: value})
	}
	return records
}

// Wherever one of a record's numbers takes a byte more, a run has the bytes that Record writes.
func TestARunIsItsRecords(t *testing.T) {
	lengths := []int{-1, 0, 1, 7, 8, 9, 53, 54, 55, 56, 57, 62, 63, 64, 65, 8180, 8185, 8190, 8191, 8192, 1<<20 - 40, 1<<20 - 20, 1 << 20, 100, -1}
	records := valuesOf(lengths...)
	check := func(timestampDelta int64, offsetDelta int32, records []KeyValue) {
		t.Helper()
		want := oneByOne(timestampDelta, offsetDelta, records)
		for _, slack := range []int{0, 1, 8, 15, 16, 17, 100} { // the last records are written otherwise where dst ends with them
			got := make([]byte, 3+len(want)+slack)
			run := NewRun(timestampDelta)
			n, end := run.Put(got, 3, offsetDelta, records, math.MaxInt)
			if n != len(records) || end != 3+len(want) || !bytes.Equal(got[3:end], want) {
				t.Fatalf("timestamp delta %d, offset delta %d, %d bytes behind: %d of %d records in %d bytes, want %d, or they differ",
					timestampDelta, offsetDelta, slack, n, len(records), end-3, len(want))
			}
			if !bytes.Equal(got[:3], make([]byte, 3)) || slack > 16 && !bytes.Equal(got[end+16:], make([]byte, slack-16)) {
				t.Fatalf("timestamp delta %d, offset delta %d: it wrote before the records, or far behind them", timestampDelta, offsetDelta)
			}
		}
	}
	small := valuesOf(-1, 0, 1, 40, 64, 100)
	for _, v := range varintEdges() {
		check(v, 0, small)
		if v >= 0 && v <= math.MaxInt32-int64(len(small)) {
			check(0, int32(v), small)
			check(v, int32(v), small)
		}
	}
	check(0, 0, records)
	check(1<<20-1, 1<<27-2, records)
	check(1<<20, 1<<27-2, records)
	for n := range 130 {
		check(3, 60, valuesOf(n, 8100+n, n))
	}
}

// It stops where dst has no room for a whole record, and has then written no part of one.
func TestARunStopsWhereThereIsNoRoom(t *testing.T) {
	records := valuesOf(100, 3, 100, 0, 200)
	want := oneByOne(1, 0, records)
	for room := range len(want) {
		dst := make([]byte, room)
		run := NewRun(1)
		n, end := run.Put(dst, 0, 0, records, math.MaxInt)
		fit := oneByOne(1, 0, records[:n])
		if next := oneByOne(1, 0, records[:n+1]); end != len(fit) || len(next) <= room || !bytes.Equal(dst[:end], fit) {
			t.Fatalf("in %d bytes there are %d records of %d bytes, want %d, and the next would have ended at %d", room, n, end, len(fit), len(next))
		}
	}
}

// It stops before a key, and behind the record that reaches until.
func TestARunStopsWhereItIsTold(t *testing.T) {
	records := valuesOf(100, 100, 100, 100)
	one := len(oneByOne(0, 0, records[:1]))
	for _, stop := range []struct{ until, n, end int }{
		{0, 0, 0}, {1, 1, one}, {one, 1, one}, {one + 1, 2, 2 * one}, {3 * one, 3, 3 * one}, {3*one + 1, 4, 4 * one},
	} {
		run := NewRun(0)
		if n, end := run.Put(make([]byte, 1000), 0, 0, records, stop.until); n != stop.n || end != stop.end {
			t.Errorf("until %d: %d records in %d bytes, want %d in %d", stop.until, n, end, stop.n, stop.end)
		}
	}
	records[2].Key = []byte{}
	run := NewRun(0)
	if n, _ := run.Put(make([]byte, 1000), 0, 0, records, math.MaxInt); n != 2 {
		t.Errorf("it has written %d records, want the 2 before the one with a key", n)
	}
}

// FuzzRun has a run of any values, of the lengths that bytes say, in any room.
func FuzzRun(f *testing.F) {
	f.Add(int64(0), int32(0), []byte{100, 0, 255, 3}, 1000)
	f.Add(int64(-1), int32(63), []byte{16, 17}, 40)
	f.Add(int64(1<<27), int32(1<<27-1), []byte{250, 251}, 200_000)
	f.Fuzz(func(t *testing.T, timestampDelta int64, offsetDelta int32, lengths []byte, room int) {
		var records []KeyValue
		for _, n := range lengths[:min(len(lengths), 50)] {
			switch {
			case n == 255:
				records = append(records, KeyValue{}) // null
			case n > 240:
				records = append(records, KeyValue{Value: bytes.Repeat([]byte{n}, int(n-240)<<12)})
			default:
				records = append(records, KeyValue{Value: bytes.Repeat([]byte{n}, int(n))})
			}
		}
		all := oneByOne(timestampDelta, offsetDelta, records)
		dst := make([]byte, min(uint(room), uint(len(all)+20)))
		run := NewRun(timestampDelta)
		n, end := run.Put(dst, 0, offsetDelta, records, math.MaxInt)
		want := oneByOne(timestampDelta, offsetDelta, records[:n])
		if end != len(want) || !bytes.Equal(dst[:end], want) {
			t.Fatalf("%d records are %d bytes, want %d, or they differ", n, end, len(want))
		}
		if n < len(records) {
			if next := oneByOne(timestampDelta, offsetDelta, records[:n+1]); len(next) <= len(dst) {
				t.Fatalf("it stopped after %d records, at %d bytes of %d, where there was room for the next", n, end, len(dst))
			}
		}
	})
}
