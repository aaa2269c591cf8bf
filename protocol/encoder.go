package protocol

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// messageEncoder appends a message in one version. It knows whether that version is flexible, so that messages need not.
//
// Encoding cannot fail. A string that no version of the protocol can hold is a bug of the caller, and panics.
type messageEncoder struct {
	buf      []byte
	version  int16
	flexible bool

	// With gather set, chunks of record batches are not copied to buf. What goes over the wire is then bufs, in order, and
	// after it buf[cut:].
	gather bool
	bufs   [][]byte
	cut    int
}

// maxString is the longest string, in bytes. Flexible versions could hold more, but no implementation takes it.
const maxString = math.MaxInt16

func (e *messageEncoder) int8(v int8)   { e.buf = append(e.buf, byte(v)) }
func (e *messageEncoder) int16(v int16) { e.buf = binary.BigEndian.AppendUint16(e.buf, uint16(v)) }
func (e *messageEncoder) int32(v int32) { e.buf = binary.BigEndian.AppendUint32(e.buf, uint32(v)) }
func (e *messageEncoder) int64(v int64) { e.buf = binary.BigEndian.AppendUint64(e.buf, uint64(v)) }
func (e *messageEncoder) uuid(v UUID)   { e.buf = append(e.buf, v[:]...) }

func (e *messageEncoder) errorCode(v ErrorCode) { e.int16(int16(v)) }

func (e *messageEncoder) bool(v bool) {
	if v {
		e.buf = append(e.buf, 1)
	} else {
		e.buf = append(e.buf, 0)
	}
}

func (e *messageEncoder) uvarint(v uint32) { e.buf = binary.AppendUvarint(e.buf, uint64(v)) }

// millis writes whole milliseconds as 32 bits; what does not fit becomes the nearest that does.
func (e *messageEncoder) millis(v time.Duration) {
	e.int32(int32(min(max(v.Milliseconds(), math.MinInt32), math.MaxInt32)))
}

// millis64 writes whole milliseconds as 64 bits.
func (e *messageEncoder) millis64(v time.Duration) { e.int64(v.Milliseconds()) }

func (e *messageEncoder) string(v string) {
	if len(v) > maxString {
		panic(fmt.Sprintf("protocol: string of %d bytes starting with %q: at most %d can be sent", len(v), v[:64], maxString))
	}
	if e.flexible {
		e.uvarint(uint32(len(v)) + 1)
	} else {
		e.int16(int16(len(v)))
	}
	e.buf = append(e.buf, v...)
}

func (e *messageEncoder) nullableString(v *string) {
	switch {
	case v != nil:
		e.string(*v)
	case e.flexible:
		e.uvarint(0)
	default:
		e.int16(-1)
	}
}

// length writes the length of an array or of bytes; -1 is null.
func (e *messageEncoder) length(n int) {
	if n > math.MaxInt32-1 {
		panic(fmt.Sprintf("protocol: length %d does not fit a request", n))
	}
	if e.flexible {
		e.uvarint(uint32(n + 1))
	} else {
		e.int32(int32(n))
	}
}

func (e *messageEncoder) bytes(v []byte) {
	e.length(len(v))
	e.buf = append(e.buf, v...)
}

// records writes one record batch, given as a chain of chunks. A nil chain is null.
func (e *messageEncoder) records(chunks [][]byte) {
	if chunks == nil {
		e.length(-1)
		return
	}
	size := 0
	for _, c := range chunks {
		size += len(c)
	}
	e.length(size)
	if !e.gather {
		for _, c := range chunks {
			e.buf = append(e.buf, c...)
		}
		return
	}
	e.flush()
	for _, c := range chunks {
		if len(c) > 0 {
			e.bufs = append(e.bufs, c)
		}
	}
}

// flush adds what was written to buf since the last flush to bufs. If buf moves later, the piece keeps its bytes.
func (e *messageEncoder) flush() {
	if end := len(e.buf); end > e.cut {
		e.bufs = append(e.bufs, e.buf[e.cut:end])
		e.cut = end
	}
}

func (e *messageEncoder) int8s(v []int8) {
	e.length(len(v))
	for _, x := range v {
		e.int8(x)
	}
}

func (e *messageEncoder) int32s(v []int32) {
	e.length(len(v))
	for _, x := range v {
		e.int32(x)
	}
}

func (e *messageEncoder) strings(v []string) {
	e.length(len(v))
	for _, x := range v {
		e.string(x)
	}
}

// encodable is a pointer to an element of an array.
type encodable[T any] interface {
	*T
	encode(*messageEncoder)
}

func encodeArray[T any, P encodable[T]](e *messageEncoder, v []T) {
	e.length(len(v))
	for i := range v {
		P(&v[i]).encode(e)
	}
}

// encodeNullableArray is encodeArray with nil as null.
func encodeNullableArray[T any, P encodable[T]](e *messageEncoder, v []T) {
	if v == nil {
		e.length(-1)
		return
	}
	encodeArray[T, P](e, v)
}

// taggedField is a tagged field to be written; without write it has its default value, and is left out.
type taggedField struct {
	tag   uint32
	write func()
}

// tagged is a tagged field that is written if present is set. The version must allow it.
func tagged(tag uint32, present bool, write func()) taggedField {
	if !present {
		return taggedField{}
	}
	return taggedField{tag, write}
}

// tags ends a structure without tagged fields.
func (e *messageEncoder) tags() {
	if e.flexible {
		e.uvarint(0)
	}
}

// taggedFields ends a structure with tagged fields, which are given in the order of their tags.
func (e *messageEncoder) taggedFields(fields ...taggedField) {
	if !e.flexible {
		return
	}
	n := uint32(0)
	for _, f := range fields {
		if f.write != nil {
			n++
		}
	}
	e.uvarint(n)
	for _, f := range fields {
		if f.write == nil {
			continue
		}
		e.uvarint(f.tag)
		start := len(e.buf)
		f.write()
		e.prependSize(start)
	}
}

// prependSize puts the number of bytes from start on before them.
func (e *messageEncoder) prependSize(start int) {
	size := len(e.buf) - start
	e.uvarint(uint32(size))
	width := len(e.buf) - start - size
	copy(e.buf[start+width:], e.buf[start:start+size])
	binary.PutUvarint(e.buf[start:], uint64(size))
}
