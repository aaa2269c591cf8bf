package protocol

import (
	"encoding/binary"
	"fmt"
)

// BatchHeader is the fixed part of a record batch of magic 2, in front of its records.
type BatchHeader struct {
	BaseOffset           int64
	Length               int32 // bytes of the batch after this field: the size of the whole less 12
	PartitionLeaderEpoch int32
	CRC                  uint32 // CRC32C of everything from the attributes on

	// The attributes.
	Codec         Codec
	LogAppendTime bool // every record has the timestamp MaxTimestamp, given by the broker
	Transactional bool
	Control       bool // the records are markers written by the broker: see ParseControlType
	DeleteHorizon bool // BaseTimestamp is when the log cleaner may drop tombstones; set by brokers alone

	LastOffsetDelta int32
	BaseTimestamp   int64 // milliseconds since 1970
	MaxTimestamp    int64 // milliseconds since 1970
	ProducerID      int64 // -1 = none
	ProducerEpoch   int16 // -1 = none
	BaseSequence    int32 // -1 = none
	Count           int32 // records
}

// BatchHeaderSize is the size in bytes of a batch's header.
const BatchHeaderSize = 61

// Where the fields of the header are, in bytes.
const (
	batchLengthAt     = 8
	batchFirstCounted = 12 // Length counts from here
	batchEpochAt      = 12
	batchMagicAt      = 16
	batchCRCAt        = 17
	batchFirstSummed  = 21 // the CRC counts from here
)

const batchMagic = 2

// Bits of the attributes; the codec is the lowest three.
const (
	attrCodec         = 0x07
	attrLogAppendTime = 0x08
	attrTransactional = 0x10
	attrControl       = 0x20
	attrDeleteHorizon = 0x40
)

// Put writes the header to dst[:BatchHeaderSize], with the CRC as it is in h. PutBatchCRC sets the right CRC, once the rest of
// the batch is in place.
func (h *BatchHeader) Put(dst []byte) {
	dst = dst[:BatchHeaderSize]
	be := binary.BigEndian
	be.PutUint64(dst, uint64(h.BaseOffset))
	be.PutUint32(dst[batchLengthAt:], uint32(h.Length))
	be.PutUint32(dst[batchEpochAt:], uint32(h.PartitionLeaderEpoch))
	dst[batchMagicAt] = batchMagic
	be.PutUint32(dst[batchCRCAt:], h.CRC)
	be.PutUint16(dst[batchFirstSummed:], h.attributes())
	be.PutUint32(dst[23:], uint32(h.LastOffsetDelta))
	be.PutUint64(dst[27:], uint64(h.BaseTimestamp))
	be.PutUint64(dst[35:], uint64(h.MaxTimestamp))
	be.PutUint64(dst[43:], uint64(h.ProducerID))
	be.PutUint16(dst[51:], uint16(h.ProducerEpoch))
	be.PutUint32(dst[53:], uint32(h.BaseSequence))
	be.PutUint32(dst[57:], uint32(h.Count))
}

func (h *BatchHeader) attributes() uint16 {
	a := uint16(h.Codec) & attrCodec
	if h.LogAppendTime {
		a |= attrLogAppendTime
	}
	if h.Transactional {
		a |= attrTransactional
	}
	if h.Control {
		a |= attrControl
	}
	if h.DeleteHorizon {
		a |= attrDeleteHorizon
	}
	return a
}

// ReadBatchHeader reads the header at the beginning of b, which may end anywhere behind it. It checks the magic byte, the
// codec, and that Length and Count are possible. It checks neither the CRC nor the records. Its errors are *BatchError.
func ReadBatchHeader(b []byte) (BatchHeader, error) {
	if len(b) < BatchHeaderSize {
		return BatchHeader{}, batchErrorf("%d bytes, fewer than the %d of a header", len(b), BatchHeaderSize)
	}
	if m := b[batchMagicAt]; m != batchMagic {
		return BatchHeader{}, batchErrorf("magic byte %d, only %d is supported", m, batchMagic)
	}
	be := binary.BigEndian
	a := be.Uint16(b[batchFirstSummed:])
	h := BatchHeader{
		BaseOffset:           int64(be.Uint64(b)),
		Length:               int32(be.Uint32(b[batchLengthAt:])),
		PartitionLeaderEpoch: int32(be.Uint32(b[batchEpochAt:])),
		CRC:                  be.Uint32(b[batchCRCAt:]),
		Codec:                Codec(a & attrCodec),
		LogAppendTime:        a&attrLogAppendTime != 0,
		Transactional:        a&attrTransactional != 0,
		Control:              a&attrControl != 0,
		DeleteHorizon:        a&attrDeleteHorizon != 0,
		LastOffsetDelta:      int32(be.Uint32(b[23:])),
		BaseTimestamp:        int64(be.Uint64(b[27:])),
		MaxTimestamp:         int64(be.Uint64(b[35:])),
		ProducerID:           int64(be.Uint64(b[43:])),
		ProducerEpoch:        int16(be.Uint16(b[51:])),
		BaseSequence:         int32(be.Uint32(b[53:])),
		Count:                int32(be.Uint32(b[57:])),
	}
	switch {
	case h.Length < BatchHeaderSize-batchFirstCounted:
		return BatchHeader{}, batchErrorf("length %d, less than a header's", h.Length)
	case h.Codec > CodecZstd:
		return BatchHeader{}, batchErrorf("unknown compression codec %d", int8(h.Codec))
	case h.Count < 0:
		return BatchHeader{}, batchErrorf("negative record count %d", h.Count)
	case h.LastOffsetDelta < 0:
		return BatchHeader{}, batchErrorf("negative last offset delta %d", h.LastOffsetDelta)
	}
	return h, nil
}

// Timestamp returns the timestamp of one of the batch's records, in milliseconds since 1970.
func (h *BatchHeader) Timestamp(r *Record) int64 {
	if h.LogAppendTime {
		return h.MaxTimestamp
	}
	return h.BaseTimestamp + r.TimestampDelta
}

// SplitBatch cuts the first batch off records, which is a sequence of whole batches, as in a broker's log or a fetch. It checks
// what ReadBatchHeader checks, and that the batch is complete. Its errors are *BatchError. Neither result is a copy.
func SplitBatch(records []byte) (batch, rest []byte, err error) {
	h, err := ReadBatchHeader(records)
	if err != nil {
		return nil, nil, err
	}
	size := int64(batchFirstCounted) + int64(h.Length)
	if size > int64(len(records)) {
		return nil, nil, batchErrorf("%d bytes, of which %d are there", size, len(records))
	}
	return records[:size:size], records[size:], nil
}

// BatchError says why bytes are not a sound record batch. Nothing of such a batch can be used.
type BatchError struct {
	Reason string
	Err    error // the cause, where there is one: a decompressor's error
}

func (e *BatchError) Error() string {
	if e.Err != nil {
		return "corrupt record batch: " + e.Reason + ": " + e.Err.Error()
	}
	return "corrupt record batch: " + e.Reason
}

func (e *BatchError) Unwrap() error { return e.Err }

func batchErrorf(format string, args ...any) *BatchError {
	return &BatchError{Reason: fmt.Sprintf(format, args...)}
}
