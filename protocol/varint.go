package protocol

import "math/bits"

// Only records have signed numbers of variable length: zig-zag, then seven bits a byte, least significant first. An int32 and
// an int64 of the same value have the same bytes. Only the range that a reader accepts differs.

const (
	maxVarintSize  = 5  // bytes of the longest varint of an int32
	maxVarlongSize = 10 // bytes of the longest varint of an int64
)

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// uvarintLen returns the number of bytes of u, 1 to 10. Most numbers of a record take one byte: the branch for it is faster
// than counting bits.
func uvarintLen(u uint64) int {
	if u < 1<<7 {
		return 1
	}
	if u < 1<<14 {
		return 2
	}
	// Seven bits a byte, rounded up: (9n+64)/64 is ceil(n/7) for n from 1 to 64.
	return (9*bits.Len64(u) + 64) >> 6
}

// varintSize returns the number of bytes that putVarint writes for v.
func varintSize(v int64) int { return uvarintLen(zigzag(v)) }

// lengthSize is varintSize for a length, which is not negative.
func lengthSize(n int) int { return uvarintLen(uint64(n) << 1) }

// putUvarint writes u at dst[at:] and returns the index behind it. It panics where dst is too short.
func putUvarint(dst []byte, at int, u uint64) int {
	for u >= 0x80 {
		dst[at] = byte(u) | 0x80
		at++
		u >>= 7
	}
	dst[at] = byte(u)
	return at + 1
}

// putVarint writes v, zig-zag, at dst[at:] and returns the index behind it.
func putVarint(dst []byte, at int, v int64) int { return putUvarint(dst, at, zigzag(v)) }

// putLength is putVarint for a length, which is not negative.
func putLength(dst []byte, at, n int) int { return putUvarint(dst, at, uint64(n)<<1) }

// readVarint reads a number of at most maxSize bytes. n is the number of bytes read, or 0 where b ends inside the number or the
// number is too long.
func readVarint(b []byte, maxSize int) (v int64, n int) {
	var u uint64
	for i := 0; i < len(b) && i < maxSize; i++ {
		c := b[i]
		u |= uint64(c&0x7f) << (7 * i)
		if c >= 0x80 {
			continue
		}
		// The last byte of a full-length number has fewer than seven bits left.
		if i == maxVarlongSize-1 && c > 1 {
			return 0, 0
		}
		if maxSize == maxVarintSize && u > 1<<32-1 {
			return 0, 0
		}
		return unzigzag(u), i + 1
	}
	return 0, 0
}
