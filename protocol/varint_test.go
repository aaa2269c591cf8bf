package protocol

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"testing"
)

// Go's own varints are the same zig-zag numbers, so they tell what to expect.
func TestVarintIsZigZag(t *testing.T) {
	for _, v := range varintEdges() {
		want := binary.AppendVarint(nil, v)
		got := make([]byte, maxVarlongSize)
		got = got[:putVarint(got, 0, v)]
		if !bytes.Equal(got, want) {
			t.Errorf("putVarint(%d) = %x, want %x", v, got, want)
		}
		if n := varintSize(v); n != len(want) {
			t.Errorf("varintSize(%d) = %d, want %d", v, n, len(want))
		}
		if back, n := readVarint(want, maxVarlongSize); back != v || n != len(want) {
			t.Errorf("readVarint(%x) = %d, %d bytes, want %d, %d bytes", want, back, n, v, len(want))
		}
		for cut := range want {
			if _, n := readVarint(want[:cut], maxVarlongSize); n != 0 {
				t.Errorf("readVarint took %x, the beginning of %x, for a number", want[:cut], want)
			}
		}
		if v < 0 || v > math.MaxInt32/2 {
			continue
		}
		got = got[:putLength(got[:maxVarlongSize], 0, int(v))]
		if !bytes.Equal(got, want) || lengthSize(int(v)) != len(want) {
			t.Errorf("as a length, %d is %x of %d bytes, want %x", v, got, lengthSize(int(v)), want)
		}
	}
}

// varintEdges returns the numbers at which a varint gets longer, and their neighbours.
func varintEdges() []int64 {
	edges := []int64{0, math.MaxInt64, math.MinInt64, math.MaxInt32, math.MinInt32}
	for n := range 63 {
		v := int64(1) << n
		edges = append(edges, v-1, v, v+1, -v-1, -v, -v+1)
	}
	return edges
}

func TestReadVarintRefusesWhatDoesNotFit(t *testing.T) {
	for _, test := range []struct {
		name    string
		b       []byte
		maxSize int
	}{
		{"nothing", nil, maxVarintSize},
		{"an int32 of six bytes", []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, maxVarintSize},
		{"an int32 of 33 bits", []byte{0xff, 0xff, 0xff, 0xff, 0x1f}, maxVarintSize},
		{"an int64 of eleven bytes", []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, maxVarlongSize},
		{"an int64 of 65 bits", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03}, maxVarlongSize},
	} {
		if v, n := readVarint(test.b, test.maxSize); n != 0 {
			t.Errorf("%s: got %d of %d bytes, want it refused", test.name, v, n)
		}
	}
}

func FuzzReadVarint(f *testing.F) {
	f.Add([]byte{0x96, 0x01})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, n := readVarint(b, maxVarlongSize)
		want, wantN := binary.Varint(b)
		if wantN <= 0 {
			want, wantN = 0, 0
		}
		if v != want || n != wantN {
			t.Errorf("readVarint(%x) = %d, %d bytes, want %d, %d bytes", b, v, n, want, wantN)
		}
		if v32, n := readVarint(b, maxVarintSize); n != 0 && (v32 != v || bits.Len64(zigzag(v)) > 32) {
			t.Errorf("readVarint(%x) as an int32 = %d, want %d or nothing", b, v32, v)
		}
	})
}
