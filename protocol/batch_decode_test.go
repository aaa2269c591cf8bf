package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// encodeBatch makes a whole batch; it fills in length, count and CRC.
func encodeBatch(t testing.TB, h BatchHeader, records []Record) []byte {
	t.Helper()
	var raw []byte
	for i := range records {
		raw = records[i].Append(raw, records[i].BodySize())
	}
	h.Count = int32(len(records))
	return encodeRaw(t, h, raw)
}

// encodeRaw makes a batch of records that need not be sound; it fills in length and CRC.
func encodeRaw(t testing.TB, h BatchHeader, raw []byte) []byte {
	t.Helper()
	c, err := NewCompressor(h.Codec, LevelDefault)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Compress(make([]byte, BatchHeaderSize), [][]byte{raw})
	if err != nil {
		t.Fatal(err)
	}
	h.Length = int32(len(b) - batchFirstCounted)
	h.Put(b)
	PutBatchCRC([][]byte{b})
	return b
}

func randomRecords(rnd *rand.Rand, count int) []Record {
	blob := func(limit int) []byte {
		if rnd.IntN(4) == 0 {
			return nil
		}
		b := make([]byte, rnd.IntN(limit))
		for i := range b {
			b[i] = "abcdefgh"[rnd.IntN(8)]
		}
		return b
	}
	records := make([]Record, count)
	for i := range records {
		r := &records[i]
		*r = Record{OffsetDelta: int32(i), TimestampDelta: rnd.Int64N(1<<rnd.IntN(40)+1) - 10, Key: blob(100), Value: blob(3000)}
		for range rnd.IntN(3) {
			r.Headers = append(r.Headers, Header{Key: string(blob(70)), Value: blob(200)})
		}
	}
	return records
}

func TestDecodeBatchRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for c := CodecNone; c <= CodecZstd; c++ {
		for _, count := range []int{0, 1, 2, 70, 200} {
			want := randomRecords(rnd, count)
			h := BatchHeader{Codec: c, LastOffsetDelta: int32(max(count-1, 0)), BaseTimestamp: rnd.Int64(), ProducerID: rnd.Int64(), BaseSequence: rnd.Int32()}
			b := encodeBatch(t, h, want)
			got, records, err := DecodeBatch(b, 1<<20)
			if err != nil {
				t.Fatalf("%v, %d records: %v", c, count, err)
			}
			if !reflect.DeepEqual(records, want) {
				t.Errorf("%v, %d records: got %+v\nwant %+v", c, count, records, want)
			}
			for _, r := range records {
				if cap(r.Key) != len(r.Key) || cap(r.Value) != len(r.Value) {
					t.Fatalf("%v: appending to a key or value would write over what is behind it", c)
				}
			}
			h.Count, h.Length, h.CRC = int32(count), got.Length, got.CRC
			if got != h {
				t.Errorf("%v: got header %+v\nwant %+v", c, got, h)
			}
		}
	}
}

func TestDecodeBatchRefusesPartsAndMore(t *testing.T) {
	for c := CodecNone; c <= CodecZstd; c++ {
		b := encodeBatch(t, BatchHeader{Codec: c}, randomRecords(rand.New(rand.NewPCG(1, 2)), 3))
		for cut := range b {
			refused(t, fmt.Sprintf("%v: %d of %d bytes", c, cut, len(b)), b[:cut])
		}
		refused(t, fmt.Sprintf("%v: one byte more", c), append(bytes.Clone(b), 0))
	}
}

// One bit that tips over anywhere under the CRC, or in the fields that say where the batch ends and what it is, must not go
// unnoticed. Offset and leader epoch are the broker's to change.
func TestDecodeBatchRefusesFlippedBits(t *testing.T) {
	b := encodeBatch(t, BatchHeader{}, []Record{{Key: []byte("key"), Value: []byte("value"), Headers: []Header{{Key: "h"}}}})
	for at := batchLengthAt; at < len(b); at++ {
		if at >= batchEpochAt && at < batchMagicAt {
			continue
		}
		for bit := range 8 {
			b[at] ^= 1 << bit
			refused(t, fmt.Sprintf("bit %d of byte %d", bit, at), b)
			b[at] ^= 1 << bit
		}
	}
	if _, _, err := DecodeBatch(b, 1<<20); err != nil {
		t.Errorf("the batch unchanged: %v", err)
	}
}

func refused(t *testing.T, what string, b []byte) {
	t.Helper()
	_, records, err := DecodeBatch(b, 1<<20)
	if batchErr := (*BatchError)(nil); !errors.As(err, &batchErr) || records != nil {
		t.Errorf("%s: %d records, error %v, want a *BatchError", what, len(records), err)
	}
}

// With a CRC that is right, the records themselves must be checked: every prefix, and one byte too many.
func TestDecodeBatchRefusesBrokenRecords(t *testing.T) {
	r := Record{TimestampDelta: 300, Key: []byte("key"), Value: []byte("value"), Headers: []Header{{Key: "h", Value: []byte("v")}}}
	body := r.BodySize()
	whole := r.Append(nil, body)
	for cut := 1; cut <= body; cut++ {
		// the length agrees, the content ends early
		short := putBody(whole[len(whole)-body:][:body-cut])
		refused(t, fmt.Sprintf("a record without its last %d bytes", cut), encodeRaw(t, BatchHeader{Count: 1}, short))
	}
	refused(t, "a record with a byte more", encodeRaw(t, BatchHeader{Count: 1}, putBody(append(bytes.Clone(whole[len(whole)-body:]), 0))))

	for _, test := range []struct {
		name, want string
		count      int32
		raw        []byte
	}{
		{"a record too many", "behind the last", 1, append(bytes.Clone(whole), whole...)},
		{"a record too few", "record 1", 2, whole},
		{"a count that cannot be", "cannot be in", 1 << 30, whole},
		{"a count and nothing", "cannot be in", 1, nil},
		{"a record longer than the rest", "length is not possible", 1, []byte{100, 0, 0, 0, 1, 1, 0}},
		{"a negative record length", "length is not possible", 1, []byte{1, 0, 0, 0, 1, 1, 0}},
		{"a key length of -2", "key has -2 bytes", 1, putBody([]byte{0, 0, 0, 3, 1, 0})},
		{"a value longer than the record", "value has 50 bytes", 1, putBody([]byte{0, 0, 0, 1, 100, 0})},
		{"headers that cannot be", "header count", 1, putBody([]byte{0, 0, 0, 1, 1, 2, 0})},
		{"a negative header count", "header count", 1, putBody([]byte{0, 0, 0, 1, 1, 1})},
		{"a null header key", "header key is null", 1, putBody([]byte{0, 0, 0, 1, 1, 2, 1, 1})},
	} {
		b := encodeRaw(t, BatchHeader{Count: test.count}, test.raw)
		refused(t, test.name, b)
		if _, _, err := DecodeBatch(b, 1<<20); err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %q, want %q in it", test.name, err, test.want)
		}
	}
}

func putBody(body []byte) []byte {
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

func TestDecodeBatchIsBounded(t *testing.T) {
	records := []Record{{Value: make([]byte, 100_000)}}
	for c := CodecNone; c <= CodecZstd; c++ {
		b := encodeBatch(t, BatchHeader{Codec: c}, records)
		size := RecordSize(records[0].BodySize())
		if _, _, err := DecodeBatch(b, size); err != nil {
			t.Errorf("%v at the limit: %v", c, err)
		}
		if _, _, err := DecodeBatch(b, size-1); !errors.Is(err, ErrRawTooLarge) {
			t.Errorf("%v over the limit: error %v, want %v", c, err, ErrRawTooLarge)
		}
	}
}

func TestParseControlType(t *testing.T) {
	for _, test := range []struct {
		key  []byte
		want ControlType
	}{
		{[]byte{0, 0, 0, 0}, ControlAbort},
		{[]byte{0, 0, 0, 1}, ControlCommit},
		{[]byte{0, 1, 0, 1, 9}, ControlCommit}, // a newer version may have more fields
		{[]byte{0, 0, 0, 2}, ControlType(2)},
	} {
		if got, err := ParseControlType(test.key); err != nil || got != test.want {
			t.Errorf("%x: %v, %v, want %v", test.key, got, err, test.want)
		}
	}
	for _, key := range [][]byte{nil, {0, 0, 0}, {0xff, 0xff, 0, 0}} {
		if got, err := ParseControlType(key); err == nil {
			t.Errorf("%x: %v, want it refused", key, got)
		}
	}
}
