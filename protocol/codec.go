package protocol

import (
	"errors"
	"fmt"
	"strconv"
)

// Codec is how the records of a batch are compressed. The values are Kafka's.
type Codec int8

const (
	CodecNone   Codec = 0
	CodecGzip   Codec = 1
	CodecSnappy Codec = 2
	CodecLZ4    Codec = 3
	CodecZstd   Codec = 4
)

// ErrRawTooLarge is the error of [Decompress] and [DecodeBatch] for data that would take more memory than the caller allows.
var ErrRawTooLarge = errors.New("decompressed size is over the limit")

// String returns the codec's name as in Java's compression.type.
func (c Codec) String() string {
	switch c {
	case CodecNone:
		return "none"
	case CodecGzip:
		return "gzip"
	case CodecSnappy:
		return "snappy"
	case CodecLZ4:
		return "lz4"
	case CodecZstd:
		return "zstd"
	}
	return "Codec(" + strconv.Itoa(int(c)) + ")"
}

// Decompress appends the decompressed src to dst. If that is more than maxRaw bytes it fails with ErrRawTooLarge, before it has
// allocated much more. It reads every variant that Kafka's clients are known to write: gzip of several members, snappy with and
// without framing, lz4 frames with independent and with linked blocks, zstd with any window.
//
// Nothing is shared between calls, so it may be called concurrently. It is not made for speed, since a producer decompresses
// nothing.
func Decompress(dst []byte, c Codec, src []byte, maxRaw int) ([]byte, error) {
	var err error
	switch c {
	case CodecNone:
		if len(src) > maxRaw {
			err = ErrRawTooLarge
		} else {
			dst = append(dst, src...)
		}
	case CodecGzip:
		dst, err = decompressGzip(dst, src, maxRaw)
	case CodecSnappy:
		dst, err = decompressSnappy(dst, src, maxRaw)
	case CodecLZ4:
		dst, err = decompressLZ4(dst, src, maxRaw)
	case CodecZstd:
		dst, err = decompressZstd(dst, src, maxRaw)
	default:
		err = errors.New("unknown codec")
	}
	if err != nil {
		return nil, fmt.Errorf("decompressing %v: %w", c, err)
	}
	return dst, nil
}

// appendAll appends what read yields up to its io.EOF, at most maxRaw bytes.
func appendAll(dst []byte, read func([]byte) (int, error), maxRaw int) ([]byte, error) {
	start := len(dst)
	for {
		if room := cap(dst) - len(dst); room == 0 {
			// The size doubles, but stops at the byte that proves the data too large. So less than three times maxRaw is
			// allocated in all.
			size := min(max(2*(len(dst)-start), 4<<10), maxRaw+1)
			grown := make([]byte, len(dst), start+size)
			copy(grown, dst)
			dst = grown
		}
		n, err := read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if len(dst)-start > maxRaw {
			return dst, ErrRawTooLarge
		}
		if err != nil {
			return dst, err
		}
	}
}
