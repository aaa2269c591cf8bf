package protocol

import (
	"encoding/binary"
	"strconv"
)

// minRecordSize is the size of a record without key, value and headers: seven numbers of one byte each.
const minRecordSize = 7

// DecodeBatch decodes b, which must be one whole batch of magic 2 and no more. It checks length, CRC and the number of records.
// If the records have more than maxRaw bytes after decompression, the error is ErrRawTooLarge. Errors are *BatchError. A broken
// batch yields no records.
//
// Keys and values point into b where the batch is not compressed.
func DecodeBatch(b []byte, maxRaw int) (BatchHeader, []Record, error) {
	h, err := ReadBatchHeader(b)
	if err != nil {
		return BatchHeader{}, nil, err
	}
	if got, want := int64(len(b)), int64(batchFirstCounted)+int64(h.Length); got != want {
		return BatchHeader{}, nil, batchErrorf("%d bytes, its length says %d", got, want)
	}
	if sum := SumBatch([][]byte{b}); sum != h.CRC {
		return BatchHeader{}, nil, batchErrorf("CRC32C is %#08x, the header says %#08x", sum, h.CRC)
	}
	raw := b[BatchHeaderSize:]
	if h.Codec != CodecNone {
		if raw, err = Decompress(nil, h.Codec, raw, maxRaw); err != nil {
			return BatchHeader{}, nil, &BatchError{Reason: "its records", Err: err}
		}
	} else if len(raw) > maxRaw {
		return BatchHeader{}, nil, &BatchError{Reason: "its records", Err: ErrRawTooLarge}
	}
	records, err := decodeRecords(raw, h.Count)
	if err != nil {
		return BatchHeader{}, nil, err
	}
	return h, records, nil
}

func decodeRecords(raw []byte, count int32) ([]Record, error) {
	if int64(count)*minRecordSize > int64(len(raw)) {
		return nil, batchErrorf("%d records cannot be in %d bytes", count, len(raw))
	}
	d := recordDecoder{rest: raw}
	records := make([]Record, count)
	for i := range records {
		d.record(&records[i])
		if d.reason != "" {
			return nil, batchErrorf("record %d, at byte %d of the records: %s", i, len(raw)-len(d.rest), d.reason)
		}
	}
	if len(d.rest) > 0 {
		return nil, batchErrorf("%d bytes behind the last of its %d records", len(d.rest), count)
	}
	return records, nil
}

// recordDecoder reads records one after the other. The first error sticks: everything that is read after it is zero.
type recordDecoder struct {
	rest   []byte
	reason string // what is wrong; empty = nothing
}

func (d *recordDecoder) fail(reason string) {
	if d.reason == "" {
		d.reason = reason
	}
}

func (d *recordDecoder) record(r *Record) {
	size := d.varint("length")
	if size < 0 || size > int64(len(d.rest)) {
		d.fail("its length is not possible")
	}
	if d.reason != "" {
		return
	}
	behind := d.rest[size:]
	d.rest = d.rest[:size]
	d.body(r)
	if len(d.rest) > 0 {
		d.fail("its length is more than its content")
	}
	if d.reason == "" {
		d.rest = behind
	}
}

func (d *recordDecoder) body(r *Record) {
	d.take(1, "attributes") // none is defined
	r.TimestampDelta = d.number("timestamp delta", maxVarlongSize)
	r.OffsetDelta = int32(d.varint("offset delta"))
	r.Key = d.nullable("key")
	r.Value = d.nullable("value")
	n := d.varint("header count")
	if n < 0 || n > int64(len(d.rest)/2) { // a header takes two bytes at least
		d.fail("its header count is not possible")
	}
	if d.reason != "" || n == 0 {
		return
	}
	r.Headers = make([]Header, n)
	for i := range r.Headers {
		key := d.nullable("header key")
		if key == nil {
			d.fail("a header key is null")
			return
		}
		r.Headers[i] = Header{Key: string(key), Value: d.nullable("header value")}
	}
}

// nullable reads a length and as many bytes; nil stands for the length -1.
func (d *recordDecoder) nullable(what string) []byte {
	switch n := d.varint(what + " length"); {
	case d.reason != "" || n == -1:
		return nil
	case n < 0 || n > int64(len(d.rest)):
		d.fail("its " + what + " has " + strconv.FormatInt(n, 10) + " bytes, which is not possible")
		return nil
	default:
		return d.take(int(n), what)
	}
}

func (d *recordDecoder) varint(what string) int64 { return d.number(what, maxVarintSize) }

func (d *recordDecoder) number(what string, maxSize int) int64 {
	v, n := readVarint(d.rest, maxSize)
	if n == 0 {
		d.fail("its " + what + " is cut short or too large")
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *recordDecoder) take(n int, what string) []byte {
	if n > len(d.rest) {
		d.fail("its " + what + " is cut short")
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

// ControlType is the kind of a control record. Brokers write control records, one to a batch, and no application sees them.
type ControlType int16

const (
	ControlAbort  ControlType = 0 // the producer's transaction was aborted
	ControlCommit ControlType = 1 // the producer's transaction was committed
)

// String returns abort or commit, or the number of another type.
func (t ControlType) String() string {
	switch t {
	case ControlAbort:
		return "abort"
	case ControlCommit:
		return "commit"
	}
	return "ControlType(" + strconv.Itoa(int(t)) + ")"
}

// ParseControlType reads the key of a record in a batch that has Control set. Types that are not named here are returned as
// they are. Newer brokers may have more types, which readers ignore.
func ParseControlType(key []byte) (ControlType, error) {
	if len(key) < 4 {
		return 0, batchErrorf("a control record's key has %d bytes, want 4", len(key))
	}
	if v := int16(binary.BigEndian.Uint16(key)); v < 0 {
		return 0, batchErrorf("a control record's key has version %d", v)
	}
	return ControlType(binary.BigEndian.Uint16(key[2:])), nil
}
