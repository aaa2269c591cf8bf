package protocol

import (
	"runtime"
	"testing"
)

// A Compressor is made once for many batches: what it needs it keeps.
func TestCompressDoesNotAllocate(t *testing.T) {
	for _, c := range codecs {
		for _, size := range []int{16 << 10, 300 << 10} {
			cmp := compressor(t, c, LevelDefault)
			dst := make([]byte, 0, 2*size)
			// A zstd frame of several blocks costs the library two small ones, whatever its size.
			limit := 0.0
			if c == CodecZstd && size > 128<<10 {
				limit = 2
			}
			data := sample(size)
			for _, chunks := range [][][]byte{{data}, chain(data, 2048)} {
				if got := testing.AllocsPerRun(20, func() {
					if _, err := cmp.Compress(dst, chunks); err != nil {
						t.Fatal(err)
					}
				}); got > limit {
					t.Errorf("%v, %d bytes in %d chunks: %v allocations a batch, want %v", c, size, len(chunks), got, limit)
				}
			}
		}
	}
}

// What a Compressor says it holds is what a producer needs besides its buffer, for each processor: small batches and large ones
// must not make it twice as much.
func TestCompressorHoldsNoMoreThanItSays(t *testing.T) {
	data := sample(2 << 20)
	small, large := [][]byte{data[:16<<10]}, chain(data, 2048)
	dst := make([]byte, 0, len(data))
	for _, test := range []struct {
		codec Codec
		level int
		most  float64 // MiB
	}{
		{CodecSnappy, LevelDefault, 0.1}, {CodecLZ4, LevelDefault, 0.3}, {CodecGzip, LevelDefault, 1.4},
		{CodecZstd, 1, 4}, {CodecZstd, 3, 4}, {CodecZstd, 9, 6}, {CodecZstd, 22, 36},
	} {
		heap := func() float64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return float64(m.HeapAlloc) / (1 << 20)
		}
		before := heap()
		c := compressor(t, test.codec, test.level)
		for _, chunks := range [][][]byte{small, large, small} {
			if _, err := c.Compress(dst, chunks); err != nil {
				t.Fatal(err)
			}
		}
		if got := heap() - before; got > test.most*1.05 {
			t.Errorf("%v at level %d holds %.1f MiB, want %.1f at most", test.codec, test.level, got, test.most)
		}
		runtime.KeepAlive(c)
	}
	runtime.KeepAlive(data)
	runtime.KeepAlive(dst)
}
