package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"testing"
)

func distinctHeader() BatchHeader {
	return BatchHeader{
		BaseOffset: 0x0102030405060708, Length: 0x090a0b0c, PartitionLeaderEpoch: 0x0d0e0f10,
		CRC: 0xf1f2f3f4, Codec: CodecLZ4, Transactional: true,
		LastOffsetDelta: 0x15161718, BaseTimestamp: 0x191a1b1c1d1e1f20, MaxTimestamp: 0x2122232425262728,
		ProducerID: 0x292a2b2c2d2e2f30, ProducerEpoch: 0x3132, BaseSequence: 0x33343536, Count: 0x3738393a,
	}
}

func TestBatchHeaderRoundTrip(t *testing.T) {
	headers := []BatchHeader{
		distinctHeader(),
		{Length: 49, PartitionLeaderEpoch: -1, ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1, MaxTimestamp: -1},
	}
	for bit := range 16 {
		headers = append(headers, BatchHeader{Length: 49, LogAppendTime: bit&1 > 0, Transactional: bit&2 > 0, Control: bit&4 > 0, DeleteHorizon: bit&8 > 0})
	}
	for c := CodecNone; c <= CodecZstd; c++ {
		headers = append(headers, BatchHeader{Length: 49, Codec: c})
	}
	for _, want := range headers {
		b := bytes.Repeat([]byte{0xee}, BatchHeaderSize+3)
		want.Put(b)
		if got := b[BatchHeaderSize:]; !bytes.Equal(got, []byte{0xee, 0xee, 0xee}) {
			t.Errorf("Put wrote behind the header: %x", got)
		}
		got, err := ReadBatchHeader(b)
		if err != nil || got != want {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
}

func TestReadBatchHeaderRefuses(t *testing.T) {
	for _, test := range []struct {
		name, want string
		change     func(b []byte) []byte
	}{
		{"a header cut short", "60 bytes", func(b []byte) []byte { return b[:60] }},
		{"nothing", "0 bytes", func(b []byte) []byte { return nil }},
		{"an older format", "magic byte 1", func(b []byte) []byte { b[16] = 1; return b }},
		{"a length less than the header", "length 48", func(b []byte) []byte { binary.BigEndian.PutUint32(b[8:], 48); return b }},
		{"a negative length", "length -1", func(b []byte) []byte { binary.BigEndian.PutUint32(b[8:], 1<<32-1); return b }},
		{"an unknown codec", "codec 5", func(b []byte) []byte { b[22] = 5; return b }},
		{"a negative count", "record count -2", func(b []byte) []byte { binary.BigEndian.PutUint32(b[57:], 1<<32-2); return b }},
		{"a negative last offset", "last offset delta -3", func(b []byte) []byte { binary.BigEndian.PutUint32(b[23:], 1<<32-3); return b }},
	} {
		h := distinctHeader()
		b := make([]byte, BatchHeaderSize)
		h.Put(b)
		_, err := ReadBatchHeader(test.change(b))
		if batchErr := (*BatchError)(nil); !errors.As(err, &batchErr) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want a *BatchError with %q", test.name, err, test.want)
		}
	}
}

// The CRC is over the whole chain from the attributes on, wherever it is cut.
func TestSumBatchOverAChain(t *testing.T) {
	whole := make([]byte, 300)
	for i := range whole {
		whole[i] = byte(i * 7)
	}
	want := crc32.Checksum(whole[21:], crc32.MakeTable(crc32.Castagnoli))
	for first := BatchHeaderSize; first <= len(whole); first += 13 {
		for second := first; second <= len(whole); second += 17 {
			chain := [][]byte{whole[:first], whole[first:second], {}, whole[second:]}
			if got := SumBatch(chain); got != want {
				t.Fatalf("cut at %d and %d: %#x, want %#x", first, second, got, want)
			}
		}
	}
	before := bytes.Clone(whole)
	PutBatchCRC([][]byte{whole[:100], whole[100:]})
	binary.BigEndian.PutUint32(before[17:], want)
	if !bytes.Equal(whole, before) {
		t.Error("PutBatchCRC wrote something else than the CRC at byte 17")
	}
}

func TestSplitBatch(t *testing.T) {
	one := encodeBatch(t, BatchHeader{BaseOffset: 1}, []Record{{Value: []byte("one")}})
	two := encodeBatch(t, BatchHeader{BaseOffset: 2}, []Record{{Value: []byte("two, longer")}})
	rest := bytes.Join([][]byte{one, two}, nil)
	for i, want := range [][]byte{one, two} {
		var got []byte
		var err error
		if got, rest, err = SplitBatch(rest); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("batch %d: %x, %v, want %x", i, got, err, want)
		}
		if cap(got) != len(got) {
			t.Errorf("appending to batch %d would write over the next", i)
		}
	}
	if len(rest) != 0 {
		t.Errorf("%d bytes are left, want none", len(rest))
	}
	for cut := range one {
		if _, _, err := SplitBatch(one[:cut]); err == nil {
			t.Errorf("a batch of %d bytes was taken though %d are there", len(one), cut)
		}
	}
}

func TestBatchTimestamps(t *testing.T) {
	r := Record{TimestampDelta: -5}
	h := BatchHeader{BaseTimestamp: 1000, MaxTimestamp: 2000}
	if got := h.Timestamp(&r); got != 995 {
		t.Errorf("create time %d, want 995", got)
	}
	h.LogAppendTime = true
	if got := h.Timestamp(&r); got != 2000 {
		t.Errorf("log append time %d, want 2000", got)
	}
}
