package protocol

// Record is one record as it stands in a batch: its offset and timestamp are
// relative to the batch's.
type Record struct {
	OffsetDelta    int32
	TimestampDelta int64  // milliseconds
	Key            []byte // nil = null
	Value          []byte // nil = null
	Headers        []Header
}

// Header is a record header. Keys may repeat, and their order is kept.
type Header struct {
	Key   string
	Value []byte // nil = null
}

// BodySize returns the number of bytes of the record after its length.
func (r *Record) BodySize() int {
	return RecordBodySize(r.OffsetDelta, r.TimestampDelta, r.Key, r.Value, r.Headers)
}

// Append appends the record, its length first, to dst. bodySize must be what
// BodySize returns. It does not allocate where dst has room for
// RecordSize(bodySize) bytes.
func (r *Record) Append(dst []byte, bodySize int) []byte {
	return AppendRecord(dst, bodySize, r.OffsetDelta, r.TimestampDelta, r.Key, r.Value, r.Headers)
}

// RecordSize returns the number of bytes of a record with a body of bodySize
// bytes: the body and the length in front of it.
func RecordSize(bodySize int) int { return lengthSize(bodySize) + bodySize }

// RecordBodySize is [Record.BodySize] without a Record.
func RecordBodySize(offsetDelta int32, timestampDelta int64, key, value []byte, headers []Header) int {
	size := 1 + varintSize(timestampDelta) + varintSize(int64(offsetDelta)) +
		nullableSize(key) + nullableSize(value) + lengthSize(len(headers))
	for i := range headers {
		h := &headers[i]
		size += lengthSize(len(h.Key)) + len(h.Key) + nullableSize(h.Value)
	}
	return size
}

// AppendRecord is [Record.Append] without a Record.
func AppendRecord(dst []byte, bodySize int, offsetDelta int32, timestampDelta int64, key, value []byte, headers []Header) []byte {
	at, end := len(dst), len(dst)+RecordSize(bodySize)
	if end > cap(dst) {
		dst = append(make([]byte, 0, end), dst...)
	}
	dst = dst[:end]
	at = putLength(dst, at, bodySize)
	dst[at] = 0 // attributes: none is defined
	at = putVarint(dst, at+1, timestampDelta)
	at = putVarint(dst, at, int64(offsetDelta))
	at = putNullable(dst, at, key)
	at = putNullable(dst, at, value)
	at = putLength(dst, at, len(headers))
	for i := range headers {
		h := &headers[i]
		at = putLength(dst, at, len(h.Key))
		at += copy(dst[at:], h.Key)
		at = putNullable(dst, at, h.Value)
	}
	if at != end {
		panic("protocol: AppendRecord: bodySize is not the record's")
	}
	return dst
}

func nullableSize(b []byte) int {
	return lengthSize(len(b)) + len(b) // -1, for null, takes one byte as 0 does
}

func putNullable(dst []byte, at int, b []byte) int {
	if b == nil {
		dst[at] = 1 // -1
		return at + 1
	}
	at = putLength(dst, at, len(b))
	return at + copy(dst[at:], b)
}
