package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/pierrec/lz4/v4"
)

// lz4Encoder writes lz4 frames as Java does: independent blocks of up to 64 KiB, no checksum but the header's, no content size.
// All of Java's blocks but the last are full. Here, what lies in one chunk is a block of its own if it is at least half a block
// long. The frame is so simple that it is written here: the library's own Writer would copy every chunk once more.
type lz4Encoder struct {
	compressor lz4BlockCompressor
	blocks     blockCutter
}

// lz4BlockCompressor is *lz4.Compressor or *lz4.CompressorHC. It returns 0 or an error for a block that does not fit dst.
type lz4BlockCompressor interface {
	CompressBlock(src, dst []byte) (int, error)
}

const (
	// magic, little endian; version 1 with independent blocks; 64 KiB; the second byte of the xxHash32 of the two bytes before
	lz4Header    = "\x04\x22\x4d\x18" + "\x60" + "\x40" + "\x82"
	lz4EndMark   = "\x00\x00\x00\x00"
	lz4BlockSize = 64 << 10
	lz4Stored    = 1 << 31 // in a block's size: it is not compressed

	lz4LevelDefault = 9 // Java's
)

func newLZ4Encoder(level int) *lz4Encoder {
	if level == lz4LevelDefault {
		return &lz4Encoder{compressor: &lz4.Compressor{}}
	}
	return &lz4Encoder{compressor: &lz4.CompressorHC{Level: 1 << (level - 1)}}
}

func (e *lz4Encoder) encode(dst []byte, src [][]byte) ([]byte, error) {
	dst = append(dst, lz4Header...)
	e.blocks.size, e.blocks.alone = lz4BlockSize, lz4BlockSize/2
	e.blocks.cut(src)
	for b := e.blocks.next(); b != nil; b = e.blocks.next() {
		dst = slices.Grow(dst, 4+len(b))
		at := len(dst)
		body := dst[at+4 : at+4+len(b)]
		// There is no room for more than the block has, so an error means that it does not shrink.
		n, err := e.compressor.CompressBlock(b, body)
		size := uint32(n)
		if err != nil || n == 0 || n >= len(b) {
			n = copy(body, b)
			size = uint32(n) | lz4Stored
		}
		binary.LittleEndian.PutUint32(dst[at:at+4], size)
		dst = dst[:at+4+n]
	}
	return append(dst, lz4EndMark...), nil
}

func decompressLZ4(dst, src []byte, maxRaw int) ([]byte, error) {
	r := lz4.NewReader(bytes.NewReader(src))
	dst, err := appendAll(dst, r.Read, maxRaw)
	if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return dst, nil
}
