package main

import (
	"encoding/binary"
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

// append encodes a record into place: the one copy of its value. Its timestamp is the batch's.
func (b *batch) append(key, value []byte) {
	size := protocol.RecordBodySize(b.count, 0, key, value, nil)
	if need := len(b.buf) + size + binary.MaxVarintLen32; need > cap(b.buf) {
		grown := make([]byte, len(b.buf), 2*need)
		copy(grown, b.buf)
		b.buf = grown
	}
	b.buf = protocol.AppendRecord(b.buf, size, b.count, 0, key, value, nil)
	b.count++
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
