package protocol

// Record is one record as it stands in a batch: its offset and timestamp are relative to the batch's.
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
	size := 1 + varintSize(r.TimestampDelta) + varintSize(int64(r.OffsetDelta)) +
		nullableSize(r.Key) + nullableSize(r.Value) + lengthSize(len(r.Headers))
	for i := range r.Headers {
		h := &r.Headers[i]
		size += lengthSize(len(h.Key)) + len(h.Key) + nullableSize(h.Value)
	}
	return size
}

// RecordSize returns the number of bytes of a record with a body of bodySize bytes: the body and the length in front of it.
func RecordSize(bodySize int) int { return lengthSize(bodySize) + bodySize }

// SizeAlone returns the number of bytes of a batch of this record alone, where both deltas are 0.
func (r *Record) SizeAlone() int {
	alone := Record{Key: r.Key, Value: r.Value, Headers: r.Headers}
	return BatchHeaderSize + RecordSize(alone.BodySize())
}

// Append appends the record, its length first, to dst. bodySize must be what BodySize returns. It does not allocate where dst
// has room for RecordSize(bodySize) bytes.
func (r *Record) Append(dst []byte, bodySize int) []byte {
	at, end := len(dst), len(dst)+RecordSize(bodySize)
	if end > cap(dst) {
		dst = append(make([]byte, 0, end), dst...)
	}
	dst = dst[:end]
	r.Put(dst, at, bodySize)
	return dst
}

// Put is Append into dst[at:], which the record must fill.
func (r *Record) Put(dst []byte, at, bodySize int) {
	at = putLength(dst, at, bodySize)
	dst[at] = 0 // attributes: none is defined
	at = putVarint(dst, at+1, r.TimestampDelta)
	at = putVarint(dst, at, int64(r.OffsetDelta))
	at = putNullable(dst, at, r.Key)
	at = putNullable(dst, at, r.Value)
	at = putLength(dst, at, len(r.Headers))
	for i := range r.Headers {
		h := &r.Headers[i]
		at = putLength(dst, at, len(h.Key))
		at += copy(dst[at:], h.Key)
		at = putNullable(dst, at, h.Value)
	}
	if at != len(dst) {
		panic("protocol: Record.Put: bodySize is not the record's")
	}
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
