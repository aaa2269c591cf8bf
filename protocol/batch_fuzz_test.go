package protocol

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
)

// fuzzMaxRaw bounds what the fuzz targets let data grow to.
const fuzzMaxRaw = 1 << 20

// batchSeeds are small, since the fuzzer spends its time making large ones smaller.
func batchSeeds(f *testing.F) [][]byte {
	rnd := rand.New(rand.NewPCG(1, 1))
	var seeds [][]byte
	for c := CodecNone; c <= CodecZstd; c++ {
		records := randomRecords(rnd, 3)
		for i := range records {
			records[i].Value = records[i].Value[:min(20, len(records[i].Value))]
		}
		seeds = append(seeds, encodeBatch(f, BatchHeader{Codec: c, ProducerID: 5}, records))
	}
	return seeds
}

// A batch that decodes must decode to the same when it is put together again. The target sets the CRC, or hardly anything would
// get past it.
func FuzzDecodeBatch(f *testing.F) {
	for _, b := range batchSeeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= BatchHeaderSize {
			b = bytes.Clone(b)
			PutBatchCRC([][]byte{b})
		}
		h, records, err := DecodeBatch(b, fuzzMaxRaw)
		if err != nil {
			return
		}
		if int(h.Count) != len(records) {
			t.Errorf("%d records, the header says %d", len(records), h.Count)
		}
		var raw []byte
		for i := range records {
			raw = records[i].Append(raw, records[i].BodySize())
		}
		// Varints may have been longer than they need be, so the bytes can differ; what they say cannot.
		again, err := decodeRecords(raw, h.Count)
		if err != nil || !reflect.DeepEqual(again, records) {
			t.Errorf("read %+v, %v\nwrote %+v", again, err, records)
		}
	})
}

func FuzzReadBatchHeader(f *testing.F) {
	for _, b := range batchSeeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ReadBatchHeader(b)
		if err == nil {
			got := make([]byte, BatchHeaderSize)
			h.Put(got)
			if again, err := ReadBatchHeader(got); err != nil || again != h {
				t.Errorf("got %+v, %v, want %+v", again, err, h)
			}
		}
		for rest := b; len(rest) > 0; {
			batch, r, err := SplitBatch(rest)
			if err != nil {
				break
			}
			if len(batch) < BatchHeaderSize || len(batch)+len(r) != len(rest) {
				t.Fatalf("cut %d bytes into %d and %d", len(rest), len(batch), len(r))
			}
			rest = r
		}
	})
}

func fuzzDecompress(f *testing.F, c Codec) {
	for _, data := range [][]byte{nil, []byte("short"), sample(300), noise(50)} {
		b, err := compressor(f, c, LevelDefault).Compress(nil, [][]byte{data})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		raw, err := Decompress(nil, c, b, fuzzMaxRaw)
		if len(raw) > fuzzMaxRaw || err != nil && raw != nil {
			t.Errorf("%d bytes, error %v", len(raw), err)
		}
	})
}

func FuzzDecompressGzip(f *testing.F)   { fuzzDecompress(f, CodecGzip) }
func FuzzDecompressSnappy(f *testing.F) { fuzzDecompress(f, CodecSnappy) }
func FuzzDecompressLZ4(f *testing.F)    { fuzzDecompress(f, CodecLZ4) }
func FuzzDecompressZstd(f *testing.F)   { fuzzDecompress(f, CodecZstd) }

// Whatever is compressed, and however its chain is cut, comes back.
func FuzzCompress(f *testing.F) {
	f.Add(byte(0), 5, []byte("some text, some text"))
	f.Add(byte(3), 70, sample(300))
	f.Fuzz(func(t *testing.T, codec byte, first int, data []byte) {
		c := codecs[int(codec)%len(codecs)]
		b, err := compressor(t, c, LevelDefault).Compress(nil, chain(data, 1+first&0xffff))
		if err != nil {
			t.Fatal(err)
		}
		if raw, err := Decompress(nil, c, b, len(data)); err != nil || !bytes.Equal(raw, data) {
			t.Errorf("%v: got %x, %v, want %x", c, raw, err, data)
		}
	})
}
