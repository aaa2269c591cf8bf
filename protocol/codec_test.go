package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/golang/snappy"
)

var codecs = []Codec{CodecNone, CodecGzip, CodecSnappy, CodecLZ4, CodecZstd}

// sample returns n bytes that look like log lines: they shrink, but not to nothing.
func sample(n int) []byte {
	rnd := rand.New(rand.NewPCG(3, 4))
	var b []byte
	for len(b) < n {
		b = fmt.Appendf(b, "%d user=%d path=/orders/%d status=200\n", rnd.IntN(1e6), rnd.IntN(50), rnd.IntN(1000))
	}
	return b[:n]
}

// noise returns n bytes that no codec makes smaller.
func noise(n int) []byte {
	rnd := rand.New(rand.NewPCG(5, 6))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// chain cuts b into chunks of rising size, with empty ones in between.
func chain(b []byte, first int) [][]byte {
	chunks := [][]byte{{}}
	for n := first; len(b) > 0; n *= 2 {
		n = min(n, len(b))
		chunks = append(chunks, b[:n:n], nil)
		b = b[n:]
	}
	return chunks
}

func compressor(t testing.TB, c Codec, level int) *Compressor {
	t.Helper()
	cmp, err := NewCompressor(c, level)
	if err != nil {
		t.Fatal(err)
	}
	return cmp
}

// Sizes around the blocks of snappy (32 KiB), lz4 (64 KiB) and zstd (128 KiB), and more than zstd's window, however the chain
// is cut or in one piece, one after the other through the same Compressor.
func TestCompressRoundTrip(t *testing.T) {
	sizes := []int{0, 1, 100, 32<<10 - 1, 32 << 10, 32<<10 + 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 128 << 10, 128<<10 + 1, 200_000, 1<<20 + 200_000}
	for _, c := range codecs {
		cmp := compressor(t, c, LevelDefault)
		for _, size := range sizes {
			for name, data := range map[string][]byte{"lines": sample(size), "noise": noise(size), "zeros": make([]byte, size)} {
				for _, first := range []int{0, 1, 2048, 1 << 30} {
					if size > 1<<20 && first != 2048 {
						continue
					}
					chunks := [][]byte{data}
					if first > 0 {
						chunks = chain(data, first)
					}
					before := slices.Clone(chunks)
					got, err := cmp.Compress([]byte("before"), chunks)
					if err != nil {
						t.Fatalf("%v, %d bytes of %s: %v", c, size, name, err)
					}
					for i := range chunks {
						if len(chunks[i]) != len(before[i]) {
							t.Fatalf("%v changed the caller's chain", c)
						}
					}
					frame, ok := bytes.CutPrefix(got, []byte("before"))
					if !ok {
						t.Fatalf("%v does not append", c)
					}
					raw, err := Decompress([]byte("before"), c, frame, size)
					if err != nil || string(raw[:6]) != "before" || !bytes.Equal(raw[6:], data) {
						t.Fatalf("%v, %d bytes of %s, first chunk %d: %d bytes, %v", c, size, name, first, len(raw), err)
					}
				}
			}
		}
	}
}

func TestCompressRoundTripAtEveryLevel(t *testing.T) {
	data := sample(70_000)
	check := func(c Codec, level int) {
		cmp := compressor(t, c, level)
		for range 2 {
			b, err := cmp.Compress(nil, chain(data, 2048))
			if err != nil {
				t.Fatalf("%v level %d: %v", c, level, err)
			}
			raw, err := Decompress(nil, c, b, len(data))
			if err != nil || !bytes.Equal(raw, data) {
				t.Errorf("%v level %d: %d bytes, %v", c, level, len(raw), err)
			}
			if len(b) > len(data)*2/3 {
				t.Errorf("%v level %d: %d bytes of %d", c, level, len(b), len(data))
			}
		}
	}
	check(CodecGzip, -1)
	for level := 1; level <= 9; level++ {
		check(CodecGzip, level)
	}
	for level := 1; level <= 17; level++ {
		check(CodecLZ4, level)
	}
	for _, level := range []int{-131072, -1, 0, 1, 2, 3, 5, 6, 9, 10, 22} {
		check(CodecZstd, level)
	}
}

// Java's lz4 level 9 is its fast compressor, not the high compression one between 8 and 10: who keeps the default must not pay
// for that.
func TestLZ4DefaultIsFast(t *testing.T) {
	data := sample(200_000)
	size := func(level int) int {
		b, err := compressor(t, CodecLZ4, level).Compress(nil, [][]byte{data})
		if err != nil {
			t.Fatal(err)
		}
		return len(b)
	}
	if d, nine := size(LevelDefault), size(9); d != nine {
		t.Errorf("%d bytes by default, %d at level 9, want the same", d, nine)
	}
	if eight, nine, ten := size(8), size(9), size(10); nine <= eight || eight < ten {
		t.Errorf("%d, %d and %d bytes at levels 8, 9 and 10, want 9 the largest and 10 the smallest", eight, nine, ten)
	}
}

func TestNewCompressorRefusesLevels(t *testing.T) {
	for _, test := range []struct {
		codec Codec
		level int
		want  string
	}{
		{CodecGzip, -2, "compression.gzip.level is -2, want -1 or 1 to 9"},
		{CodecGzip, 0, "compression.gzip.level is 0"},
		{CodecGzip, 10, "compression.gzip.level is 10"},
		{CodecLZ4, 0, "compression.lz4.level is 0, want 1 to 17"},
		{CodecLZ4, 18, "compression.lz4.level is 18"},
		{CodecZstd, -131073, "compression.zstd.level is -131073, want -131072 to 22"},
		{CodecZstd, 23, "compression.zstd.level is 23"},
		{CodecSnappy, 1, "snappy has no levels"},
		{CodecNone, 1, "none has no levels"},
		{Codec(5), LevelDefault, "unknown compression codec 5"},
		{Codec(-1), LevelDefault, "unknown compression codec -1"},
	} {
		if _, err := NewCompressor(test.codec, test.level); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v at %d: error %v, want %q in it", test.codec, test.level, err, test.want)
		}
	}
}

// Producers and the broker that tests them with run in bubbles of fake time. No codec may keep a channel from one bubble for
// the next.
func TestCodecsInBubbles(t *testing.T) {
	data := sample(5000)
	for _, c := range codecs {
		outside := compressor(t, c, LevelDefault) // as a producer's may be, before its first batch
		for _, cmp := range []*Compressor{outside, compressor(t, c, LevelDefault)} {
			synctest.Test(t, func(t *testing.T) {
				b, err := cmp.Compress(nil, [][]byte{data})
				if err != nil {
					t.Fatal(err)
				}
				if raw, err := Decompress(nil, c, b, len(data)); err != nil || !bytes.Equal(raw, data) {
					t.Errorf("%v: %d bytes, %v", c, len(raw), err)
				}
			})
		}
	}
}

func TestDecompressIsBounded(t *testing.T) {
	bomb := make([]byte, 64<<20)
	for _, c := range codecs[1:] {
		b, err := compressor(t, c, LevelDefault).Compress(nil, [][]byte{bomb})
		if err != nil {
			t.Fatal(err)
		}
		for _, limit := range []int{0, 1, 100, 1 << 20, len(bomb) - 1} {
			if raw, err := Decompress(nil, c, b, limit); !errors.Is(err, ErrRawTooLarge) || raw != nil {
				t.Errorf("%v, at most %d bytes: got %d, error %v, want %v", c, limit, len(raw), err, ErrRawTooLarge)
			}
		}
		const limit = 4 << 20
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = Decompress(nil, c, b, limit)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 3*limit+1<<20 {
			t.Errorf("%v: refusing more than %d bytes took %d bytes of memory", c, limit, got)
		}
	}
}

func TestDecompressRefusesParts(t *testing.T) {
	data := sample(40_000)
	for _, c := range codecs[1:] {
		b, err := compressor(t, c, LevelDefault).Compress(nil, [][]byte{data})
		if err != nil {
			t.Fatal(err)
		}
		step := max(len(b)/500, 1)
		for cut := 0; cut < len(b); cut += step {
			raw, err := Decompress(nil, c, b[:cut], 1<<20)
			if err == nil && len(raw) == len(data) {
				t.Errorf("%v: %d of %d bytes gave everything", c, cut, len(b))
			}
		}
	}
	if _, err := Decompress(nil, Codec(5), nil, 1<<20); err == nil {
		t.Error("an unknown codec was taken")
	}
}

// Clients other than Java's write snappy without the framing.
func TestDecompressReadsBareSnappy(t *testing.T) {
	want := sample(100_000)
	got, err := Decompress(nil, CodecSnappy, snappy.Encode(nil, want), len(want))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v, want %d", len(got), err, len(want))
	}
}

func TestSnappyFraming(t *testing.T) {
	data := sample(70_000)
	b, err := compressor(t, CodecSnappy, LevelDefault).Compress(nil, chain(data, 2048))
	if err != nil {
		t.Fatal(err)
	}
	if want := []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"); !bytes.HasPrefix(b, want) {
		t.Fatalf("header %x, want %x", b[:16], want)
	}
	var sizes []int
	for rest := b[16:]; len(rest) > 0; {
		n := binary.BigEndian.Uint32(rest)
		size, err := snappy.DecodedLen(rest[4 : 4+n])
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, size)
		rest = rest[4+n:]
	}
	if want := []int{32768, 32768, 70_000 - 65536}; !slices.Equal(sizes, want) {
		t.Errorf("blocks of %d bytes, want %d", sizes, want)
	}
}

// What is not smaller is stored, so that an lz4 frame grows by its framing only.
func TestLZ4StoresNoise(t *testing.T) {
	data := noise(100_000)
	b, err := compressor(t, CodecLZ4, LevelDefault).Compress(nil, [][]byte{data})
	if err != nil {
		t.Fatal(err)
	}
	if want := 7 + 4 + 4 + len(data) + 4; len(b) != want {
		t.Errorf("%d bytes, want %d", len(b), want)
	}
	if size := binary.LittleEndian.Uint32(b[7:]); size != 1<<31|64<<10 {
		t.Errorf("first block's size %#x, want a stored block of 64 KiB", size)
	}
}

// librdkafka's frames have blocks that refer to the one before.
func TestDecompressReadsLinkedLZ4(t *testing.T) {
	frame := []byte("\x04\x22\x4d\x18" + "\x40\x40\xc0") // as lz4Header, but linked
	block := func(b string) {
		frame = binary.LittleEndian.AppendUint32(frame, uint32(len(b)))
		frame = append(frame, b...)
	}
	block("\x80" + "abcdefgh")                    // eight literals
	block("\x04" + "\x08\x00" + "\x50" + "UVWXY") // eight bytes from eight back, then five literals
	frame = append(frame, lz4EndMark...)
	got, err := Decompress(nil, CodecLZ4, frame, 100)
	if want := "abcdefghabcdefghUVWXY"; err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

// Java's frames name a window of 2 MiB at least, of 128 MiB at level 22, however little is in them. That is no reason to refuse
// them, nor to allocate it.
func TestDecompressReadsZstdOfAnyWindow(t *testing.T) {
	const want = "hello"
	frame := []byte("\x28\xb5\x2f\xfd" + "\x00" + "\x88" + "\x29\x00\x00" + want) // 128 MiB; one stored block of five bytes
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := Decompress(nil, CodecZstd, frame, len(want))
	runtime.ReadMemStats(&after)
	if err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("five bytes took %d bytes of memory", got)
	}
}

// Batches put together by proxies may have several gzip members.
func TestDecompressReadsSeveralGzipMembers(t *testing.T) {
	cmp := compressor(t, CodecGzip, LevelDefault)
	b, err := cmp.Compress(nil, [][]byte{[]byte("one, ")})
	if err != nil {
		t.Fatal(err)
	}
	if b, err = cmp.Compress(b, [][]byte{[]byte("two")}); err != nil {
		t.Fatal(err)
	}
	if got, err := Decompress(nil, CodecGzip, b, 100); err != nil || string(got) != "one, two" {
		t.Errorf("%q, %v, want %q", got, err, "one, two")
	}
}

func TestCodecNames(t *testing.T) {
	want := []string{"none", "gzip", "snappy", "lz4", "zstd", "Codec(5)"}
	for i, name := range want {
		if got := Codec(i).String(); got != name {
			t.Errorf("codec %d is called %q, want %q", i, got, name)
		}
	}
}
