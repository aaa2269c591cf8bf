package protocol

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

// The CRC of two pieces follows from that of each, whatever their sizes.
func TestJoinCRC(t *testing.T) {
	random := rand.New(rand.NewPCG(32, 7))
	whole := make([]byte, 1<<20)
	for i := range whole {
		whole[i] = byte(random.Uint32())
	}
	sizes := []int{0, 1, 2, 40, 255, 256, 65_535, 65_536, 1_000_000}
	for range 20 {
		sizes = append(sizes, random.IntN(1<<20))
	}
	for _, first := range []int{0, 1, 40, 4096} {
		for _, size := range sizes {
			b := whole[:min(first+size, len(whole))]
			got := joinCRC(UpdateCRC(0, b[:first]), UpdateCRC(0, b[first:]), len(b)-first)
			if want := crc32.Checksum(b, castagnoli); got != want {
				t.Fatalf("%d bytes and %d: got %08x, want %08x", first, len(b)-first, got, want)
			}
		}
	}
}

// A header that comes last makes the same batch as one that comes first.
func TestPutBatchCRCOf(t *testing.T) {
	for _, size := range []int{0, 1, 100, 100_000} {
		batch := make([]byte, BatchHeaderSize+size)
		for i := range batch {
			batch[i] = byte(i * 7)
		}
		PutBatchCRC([][]byte{batch})
		want := binary.BigEndian.Uint32(batch[batchCRCAt:])
		binary.BigEndian.PutUint32(batch[batchCRCAt:], 0)
		PutBatchCRCOf(batch[:BatchHeaderSize], UpdateCRC(0, batch[BatchHeaderSize:]), size)
		if got := binary.BigEndian.Uint32(batch[batchCRCAt:]); got != want {
			t.Errorf("records of %d bytes: got %08x, want %08x", size, got, want)
		}
	}
}
