package protocol

import (
	"errors"

	"github.com/klauspost/compress/zstd"
)

// zstdEncoder writes one zstd frame for each batch. It has no checksum, since the batch has one.
type zstdEncoder struct {
	w     *zstd.Encoder
	out   appender
	whole bool // data that is one block is compressed without a copy
}

const zstdLevelDefault = 3 // Java's

// zstdWindow bounds the history that an encoder keeps, and that a reader needs. It is the default of max.batch.bytes. A larger
// batch is compressed a little less.
const zstdWindow = 1 << 20

func newZstdEncoder(level int) (*zstdEncoder, error) {
	speed := zstd.EncoderLevelFromZstd(level)
	w, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(speed),
		zstd.WithEncoderConcurrency(1), // no goroutine
		zstd.WithWindowSize(zstdWindow),
		zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	// The library needs extra tables for that. At slower levels they cost more than two copies of a block.
	return &zstdEncoder{w: w, whole: speed <= zstd.SpeedDefault}, nil
}

func (e *zstdEncoder) encode(dst []byte, src [][]byte) ([]byte, error) {
	if e.whole && len(src) == 1 && len(src[0]) <= zstdBlock {
		return e.w.EncodeAll(src[0], dst), nil
	}
	size := 0
	for _, c := range src {
		size += len(c)
	}
	e.out.b = dst
	defer e.out.release()
	// The size lets the reader allocate the right amount, and choose the window.
	e.w.ResetContentSize(&e.out, int64(size))
	for _, c := range src {
		if _, err := e.w.Write(c); err != nil {
			return nil, err
		}
	}
	if err := e.w.Close(); err != nil {
		return nil, err
	}
	return e.out.b, nil
}

// zstdBlock is the most that one block of a frame can hold, in bytes.
const zstdBlock = 128 << 10

// decompressZstd gives the decoder some memory, and tries again with more if that was not enough. The library's own bound is of
// no use here. It refuses any frame with a larger window, and a Java client's window is 2 MiB or more, however little the frame
// has.
func decompressZstd(dst, src []byte, maxRaw int) ([]byte, error) {
	// Each call makes a decoder. It has a channel, so a shared one would tie synctest bubbles together.
	r, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for room := min(max(4*len(src), 4<<10), maxRaw); ; {
		// The errors do not tell a frame that is too large from a broken one. So the memory is one block larger than room: a
		// frame that fails because it is too large has filled room.
		grown := make([]byte, len(dst), len(dst)+room+zstdBlock)
		copy(grown, dst)
		out, err := r.DecodeAll(src, grown)
		over := len(out)-len(dst) > room || errors.Is(err, zstd.ErrDecoderSizeExceeded)
		switch {
		case err == nil && len(out)-len(dst) <= maxRaw:
			return out, nil
		case !over:
			return nil, err
		case room == maxRaw:
			return nil, ErrRawTooLarge
		case room > maxRaw/4:
			room = maxRaw
		default:
			room *= 4
		}
	}
}
