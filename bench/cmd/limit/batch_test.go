package main

import (
	"bytes"
	"testing"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/epistle-kafka/epistle/protocol"
)

// TestBatchesAreSound reads what the limit program builds with the library's decoder: a limit that wrote anything else than a
// record batch would be one of nothing.
func TestBatchesAreSound(t *testing.T) {
	for _, codec := range []string{"none", "lz4", "zstd"} {
		t.Run(codec, func(t *testing.T) {
			p, err := newPacker(codec)
			if err != nil {
				t.Fatal(err)
			}
			type pair struct{ key, value []byte }
			pairs := []pair{
				{nil, []byte("v")}, {[]byte{}, nil}, {[]byte("key"), bytes.Repeat([]byte("v"), 63)},
				{nil, bytes.Repeat([]byte("w"), 64)}, {bytes.Repeat([]byte("k"), 200), bytes.Repeat([]byte("x"), 20_000)},
			}
			var b batch
			b.open()
			const records = 20_000 // offset deltas of one to three bytes
			for i := range records {
				b.append(pairs[i%len(pairs)].key, pairs[i%len(pairs)].value)
			}
			if err := b.seal(p, 7, 42, 1_700_000_000_000); err != nil {
				t.Fatal(err)
			}
			h, got, err := protocol.DecodeBatch(b.buf, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			if h.ProducerID != 7 || h.BaseSequence != 42 || h.Count != records || h.LastOffsetDelta != records-1 || h.Codec.String() != codec {
				t.Errorf("header is %+v", h)
			}
			for i, r := range got {
				want := pairs[i%len(pairs)]
				if !bytes.Equal(r.Key, want.key) || (r.Key == nil) != (want.key == nil) || !bytes.Equal(r.Value, want.value) || r.OffsetDelta != int32(i) {
					t.Fatalf("record %d is %q = %q at offset delta %d, want %q = %q", i, r.Key, r.Value, r.OffsetDelta, want.key, want.value)
				}
			}
		})
	}
}

// TestCodecAloneHasAllValues guards what a codec is measured with when it is alone: every value once, in batches of the size
// that was asked for.
func TestCodecAloneHasAllValues(t *testing.T) {
	const size = 16 << 10
	values := driver.Values(100, 1<<20)
	batches, records := batchesOf(values, size), 0
	for i := range batches {
		records += int(batches[i].count)
		if n := len(batches[i].buf); i < len(batches)-1 && (n < size || n > size+200) {
			t.Errorf("batch %d has %d bytes, want %d and a record more at most", i, n, size)
		}
		if i > 0 && !bytes.Contains(batches[i].buf, values.At(records-1)) {
			t.Errorf("batch %d does not end with value %d", i, records-1)
		}
	}
	if records != values.Len() {
		t.Errorf("%d records of %d values", records, values.Len())
	}
}
