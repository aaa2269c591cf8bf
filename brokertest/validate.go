package brokertest

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/epistle-kafka/epistle/protocol"
)

// checkedBatch is what a check of one partition's records finds without knowing the topic. It is made without the cluster's
// lock, since decompression takes time.
type checkedBatch struct {
	header  protocol.BatchHeader
	bytes   []byte // the one batch
	records []protocol.Record

	// What is wrong with it, in the order in which Kafka looks: the first before it knows the partition, the last after it
	// knows that the batch is not too large.
	unreadable           string // the text of what makes Kafka refuse all of the request
	shape                protocol.ErrorCode
	offset, crc, content protocol.ErrorCode
}

// maxBatchBytes bounds what a batch may decompress to.
const maxBatchBytes = 1 << 30

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkBatch checks the records of a partition in a Produce request of that version.
func checkBatch(records []byte, version int16) (b checkedBatch) {
	if b.unreadable = unreadable(records); b.unreadable != "" {
		return b
	}
	b.bytes, b.shape = soleBatch(records)
	if b.shape != protocol.NoError {
		return b
	}
	if len(b.bytes) < protocol.BatchHeaderSize || crc32.Checksum(b.bytes[21:], castagnoli) != binary.BigEndian.Uint32(b.bytes[17:]) {
		b.crc = protocol.CorruptMessage
	}
	if len(b.bytes) >= protocol.BatchHeaderSize && version < 7 && b.bytes[22]&0x07 == byte(protocol.CodecZstd) {
		b.shape = protocol.UnsupportedCompressionType
		return b
	}
	if binary.BigEndian.Uint64(b.bytes) != 0 {
		b.offset = protocol.InvalidRecord
	}
	if b.crc != protocol.NoError {
		return b
	}
	h, err := protocol.ReadBatchHeader(b.bytes)
	b.header = h
	if b.bytes[22]&0x07 > byte(protocol.CodecZstd) {
		b.content = protocol.UnknownServerError
		return b
	}
	if err != nil || h.Count <= 0 || h.LastOffsetDelta+1 != h.Count || h.Control || h.ProducerID >= 0 && h.BaseSequence < 0 {
		b.content = protocol.InvalidRecord
		return b
	}
	if _, b.records, err = protocol.DecodeBatch(b.bytes, maxBatchBytes); err != nil {
		b.content = protocol.InvalidRecord
		if h.Codec != protocol.CodecNone {
			b.content = protocol.UnknownServerError // for whatever a decompressor throws
		}
		return b
	}
	for i := range b.records {
		// Kafka numbers the records of a batch that is not compressed itself.
		if h.Codec != protocol.CodecNone && b.records[i].OffsetDelta != int32(i) {
			b.content = protocol.UnknownServerError
		}
	}
	return b
}

// soleBatch returns the first batch in records. Behind it there may be a part of a batch, but not another one.
func soleBatch(records []byte) ([]byte, protocol.ErrorCode) {
	batch, code := nextBatch(records)
	if code != protocol.NoError || batch == nil {
		return nil, either(code, protocol.InvalidRecord)
	}
	if batch[16] != 2 {
		return nil, protocol.InvalidRecord
	}
	if second, code := nextBatch(records[len(batch):]); code != protocol.NoError || second != nil {
		return nil, either(code, protocol.InvalidRecord)
	}
	return batch, protocol.NoError
}

const (
	upToMagic   = 17 // bytes that have to be there for more to be read
	overhead    = 12 // bytes in front of what a batch's length counts
	leastLength = 14 // the least length of a batch of any version
)

// unreadable returns why records cannot be read at all; "" if they can.
func unreadable(records []byte) string {
	if len(records) < upToMagic {
		return ""
	}
	if length := int32(binary.BigEndian.Uint32(records[8:])); length < leastLength {
		return fmt.Sprintf("Record size %d is less than the minimum record overhead (14)", length)
	}
	if magic := int8(records[16]); magic < 0 || magic > 2 {
		return fmt.Sprintf("Invalid magic found in record: %d", magic)
	}
	return ""
}

// nextBatch returns the batch that records begins with; nil if there is no whole one.
func nextBatch(records []byte) ([]byte, protocol.ErrorCode) {
	if len(records) < upToMagic {
		return nil, protocol.NoError
	}
	if unreadable(records) != "" {
		return nil, protocol.CorruptMessage
	}
	length := int32(binary.BigEndian.Uint32(records[8:]))
	if int64(len(records)) < overhead+int64(length) {
		return nil, protocol.NoError
	}
	return records[:overhead+int(length)], protocol.NoError
}

func either(code, otherwise protocol.ErrorCode) protocol.ErrorCode {
	if code != protocol.NoError {
		return code
	}
	return otherwise
}

// recordErrors lists the records that a topic does not take, with the code and text for the whole batch. now is in milliseconds
// since 1970.
func (b *checkedBatch) recordErrors(t *topic, index int32, now int64) (errs []protocol.RecordError, code protocol.ErrorCode, text string) {
	code = protocol.InvalidRecord
	note := func(i int, message string) {
		errs = append(errs, protocol.RecordError{BatchIndex: int32(i), Message: &message})
	}
	oldest, newest := now-t.config.before.Milliseconds(), now+t.config.after.Milliseconds()
	for i := range b.records {
		r := &b.records[i]
		at := timestamp(&b.header, r)
		switch {
		case t.config.compacted && r.Key == nil:
			note(i, fmt.Sprintf("Compacted topic cannot accept message without key in topic partition %s-%d", t.name, index))
		case !t.config.logAppendTime && at != -1 && (at < oldest || at > newest):
			code = protocol.InvalidTimestamp
			note(i, fmt.Sprintf("Timestamp %d of message with offset %d is out of range. The timestamp should be within [%d, %d]",
				at, r.OffsetDelta, oldest, newest))
		}
	}
	text = "One or more records have been rejected due to "
	if code == protocol.InvalidTimestamp {
		return errs, code, text + "invalid timestamp"
	}
	var first []string
	for _, e := range errs[:min(3, len(errs))] {
		first = append(first, fmt.Sprintf("RecordError(batchIndex=%d, message='%s')", e.BatchIndex, *e.Message))
	}
	text += fmt.Sprintf("%d record errors in total, and only showing the first three errors at most: [%s]", len(errs), strings.Join(first, ", "))
	return errs, code, text
}
