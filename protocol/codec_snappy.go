package protocol

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/golang/snappy"
)

// snappyEncoder writes the framing of the Java library, which Java's clients expect: a header, and then snappy blocks, each
// behind its length in big endian. Other clients write the bare format, one block without a length.
type snappyEncoder struct{ blocks blockCutter }

// snappyHeader is a magic string, the version, and the version of the oldest reader that understands it.
const snappyHeader = snappyMagic + "\x00\x00\x00\x01" + "\x00\x00\x00\x01"

const snappyMagic = "\x82SNAPPY\x00"

const snappyBlockSize = 32 << 10 // bytes before compression, as in Java

func (e *snappyEncoder) encode(dst []byte, src [][]byte) ([]byte, error) {
	dst = append(dst, snappyHeader...)
	e.blocks.size = snappyBlockSize
	e.blocks.cut(src)
	for b := e.blocks.next(); b != nil; b = e.blocks.next() {
		dst = slices.Grow(dst, 4+snappy.MaxEncodedLen(len(b)))
		at := len(dst)
		body := snappy.Encode(dst[at+4:cap(dst)], b)
		binary.BigEndian.PutUint32(dst[at:at+4], uint32(len(body)))
		dst = dst[:at+4+len(body)]
	}
	return dst, nil
}

func decompressSnappy(dst, src []byte, maxRaw int) ([]byte, error) {
	blocks := [][]byte{src}
	if len(src) >= len(snappyMagic) && string(src[:len(snappyMagic)]) == snappyMagic {
		var err error
		if blocks, err = cutSnappy(src); err != nil {
			return nil, err
		}
	}
	// The sizes come first, so that dst grows once, and not beyond the limit.
	total := 0
	for _, b := range blocks {
		size, err := snappy.DecodedLen(b)
		if err != nil {
			return nil, err
		}
		if size > maxRaw-total {
			return nil, ErrRawTooLarge
		}
		total += size
	}
	dst = slices.Grow(dst, total)
	for _, b := range blocks {
		// Decode writes in place, since there is room for the whole block.
		got, err := snappy.Decode(dst[len(dst):cap(dst)], b)
		if err != nil {
			return nil, err
		}
		dst = dst[:len(dst)+len(got)]
	}
	return dst, nil
}

// cutSnappy returns the blocks of data that has Java's framing.
func cutSnappy(src []byte) ([][]byte, error) {
	if len(src) < len(snappyHeader) {
		return nil, errors.New("the header is cut short")
	}
	var blocks [][]byte
	for src = src[len(snappyHeader):]; len(src) > 0; {
		if len(src) < 4 {
			return nil, errors.New("a block's length is cut short")
		}
		size := binary.BigEndian.Uint32(src)
		if uint64(size) > uint64(len(src)-4) {
			return nil, errors.New("a block is longer than what is left")
		}
		blocks = append(blocks, src[4:4+size])
		src = src[4+size:]
	}
	return blocks, nil
}
