package main

import (
	"fmt"

	"github.com/epistle-kafka/epistle/protocol"
)

// A batch is one being built.
type batch struct {
	buf   []byte // header first
	count int32
}

func (b *batch) open() {
	if b.buf == nil {
		b.buf = make([]byte, 0, 4<<10)
	}
	b.buf = b.buf[:protocol.BatchHeaderSize]
	b.count = 0
}

// append encodes a record in place, with the one copy of its value. Its timestamp is the batch's. The encoding is written out
// here: the library's Record also has headers and times, and a limit does without.
func (b *batch) append(key, value []byte) {
	const fixed = 3 // attributes, timestamp delta, and the number of headers
	offset, keySize, valueSize := uint32(b.count)<<1, uint32(len(key))<<1, uint32(len(value))<<1
	if key == nil {
		keySize = 1 // -1
	}
	body := fixed + varintSize(offset) + varintSize(keySize) + len(key) + varintSize(valueSize) + len(value)
	at := len(b.buf)
	end := at + varintSize(uint32(body)<<1) + body
	if end > cap(b.buf) {
		grown := make([]byte, at, 2*end)
		copy(grown, b.buf)
		b.buf = grown
	}
	b.buf = b.buf[:end]
	dst := b.buf
	at = putVarint(dst, at, uint32(body)<<1)
	dst[at], dst[at+1] = 0, 0
	at = putVarint(dst, at+2, offset)
	at = putVarint(dst, at, keySize)
	at += copy(dst[at:], key)
	at = putVarint(dst, at, valueSize)
	at += copy(dst[at:], value)
	dst[at] = 0
	b.count++
}

// varintSize returns the number of bytes of u, which is zig-zag already.
func varintSize(u uint32) int {
	switch {
	case u < 1<<7:
		return 1
	case u < 1<<14:
		return 2
	case u < 1<<21:
		return 3
	case u < 1<<28:
		return 4
	}
	return 5
}

func putVarint(dst []byte, at int, u uint32) int {
	for u >= 0x80 {
		dst[at] = byte(u) | 0x80
		at++
		u >>= 7
	}
	dst[at] = byte(u)
	return at + 1
}

// seal compresses the batch, and puts header and CRC in front.
func (b *batch) seal(p *packer, producerID int64, sequence int32, nowMs int64) error {
	h := protocol.BatchHeader{
		LastOffsetDelta: b.count - 1, BaseTimestamp: nowMs, MaxTimestamp: nowMs,
		ProducerID: producerID, BaseSequence: sequence, Count: b.count, PartitionLeaderEpoch: -1,
	}
	if p != nil {
		out, err := p.compressor.Compress(p.out[:0], [][]byte{b.buf[protocol.BatchHeaderSize:]})
		if err != nil {
			return err
		}
		p.out = out
		if len(out) < len(b.buf)-protocol.BatchHeaderSize {
			b.buf = append(b.buf[:protocol.BatchHeaderSize], out...)
			h.Codec = p.codec
		}
	}
	const counted = 12 // what comes before the length's end
	h.Length = int32(len(b.buf) - counted)
	h.Put(b.buf)
	protocol.PutBatchCRC([][]byte{b.buf})
	return nil
}

// A packer compresses batches, one after the other.
type packer struct {
	codec      protocol.Codec
	compressor *protocol.Compressor
	out        []byte
}

// newPacker returns nil for none.
func newPacker(codec string) (*packer, error) {
	levels := map[protocol.Codec]int{ // Java's defaults
		protocol.CodecNone: 0, protocol.CodecGzip: -1, protocol.CodecSnappy: 0, protocol.CodecLZ4: 9, protocol.CodecZstd: 3,
	}
	for c, level := range levels {
		if c.String() != codec {
			continue
		}
		if c == protocol.CodecNone {
			return nil, nil
		}
		compressor, err := protocol.NewCompressor(c, level)
		return &packer{codec: c, compressor: compressor}, err
	}
	return nil, fmt.Errorf("no codec %q", codec)
}
