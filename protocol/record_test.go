package protocol

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// The accumulator reserves what the size functions say and then writes without looking again, so they must be right to the
// byte, most of all where a length takes one byte more.
func TestRecordSizesAreWhatAppendWrites(t *testing.T) {
	lengths := []int{-1, 0, 1, 62, 63, 64, 65, 8190, 8191, 8192, 1<<20 - 1, 1 << 20}
	bytesOf := func(n int) []byte {
		if n < 0 {
			return nil
		}
		return bytes.Repeat([]byte{'x'}, n)
	}
	check := func(r Record) {
		t.Helper()
		size := r.BodySize()
		got := r.Append([]byte("before"), size)
		if !bytes.HasPrefix(got, []byte("before")) {
			t.Fatalf("Append changed what stood before the record: %.20q", got)
		}
		if want := len("before") + RecordSize(size); len(got) != want {
			t.Errorf("key %d, value %d, headers %d: %d bytes, want %d", len(r.Key), len(r.Value), len(r.Headers), len(got), want)
		}
	}
	for _, n := range lengths {
		check(Record{Key: bytesOf(n)})
		check(Record{Value: bytesOf(n)})
		check(Record{Headers: []Header{{Key: string(bytesOf(n)), Value: nil}}})
		check(Record{Headers: []Header{{Key: "k", Value: bytesOf(n)}, {}}})
		if n >= 0 && n <= 8192 {
			check(Record{Headers: make([]Header, n)})
		}
	}
	for _, v := range varintEdges() {
		check(Record{TimestampDelta: v})
		if v >= math.MinInt32 && v <= math.MaxInt32 {
			check(Record{OffsetDelta: int32(v)})
		}
	}
	// The length itself gets longer at bodies of 64 and of 8192 bytes.
	for n := range 130 {
		check(Record{Value: bytesOf(n)})
		check(Record{Value: bytesOf(8100 + n)})
	}
}

func TestAppendGrowsWhereThereIsNoRoom(t *testing.T) {
	r := Record{Value: []byte("value")}
	full := []byte("full")
	got := r.Append(full[:4:4], r.BodySize())
	if !bytes.HasPrefix(got, full) || !bytes.Contains(got, r.Value) {
		t.Errorf("got %q, want what was there and the record", got)
	}
}

// A record too long for the size that was reserved would write over what belongs to the next one.
func TestAppendRefusesAWrongSize(t *testing.T) {
	for _, off := range []int{-1, 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a body size off by %d was taken", off)
				}
			}()
			r := Record{Key: []byte("key"), Value: []byte("value"), Headers: []Header{{Key: "h"}}}
			r.Append(make([]byte, 0, 100), r.BodySize()+off)
		}()
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 4096)
	key, value := []byte("key"), []byte(strings.Repeat("v", 100))
	headers := []Header{{Key: "trace", Value: []byte("0123456789abcdef")}}
	if got := testing.AllocsPerRun(1000, func() {
		r := Record{OffsetDelta: 5, TimestampDelta: 17, Key: key, Value: value, Headers: headers}
		dst = r.Append(dst[:0], r.BodySize())
		r = Record{OffsetDelta: 6, TimestampDelta: 18, Key: key, Value: value}
		dst = r.Append(dst, r.BodySize())
	}); got != 0 {
		t.Errorf("%v allocations for two records, want 0", got)
	}
}
