package protocol

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// Limits on what a message may claim, those of Kafka 4.4.
const (
	maxArray  = 1_000_000 // elements of one array
	maxTagged = 10_000    // tagged fields of one structure
)

// decoder reads a message in one version. It knows whether that version is flexible, so that messages need not.
//
// The first error sticks: from then on every read returns a zero value and consumes nothing. Bytes and records that
// it returns alias the input; strings are copies.
type decoder struct {
	buf []byte
	off int // of the next byte; errors name it, counted from the start of the frame
	err error

	version  int16
	flexible bool

	name string // of the API; empty while a request's header is read
	kind string // "request" or "response"
}

// fail records the first error. The text says what is wrong and at which byte.
func (d *decoder) fail(format string, args ...any) {
	if d.err != nil {
		return
	}
	what := "request header"
	if d.name != "" {
		what = fmt.Sprintf("%s v%d %s", d.name, d.version, d.kind)
	}
	d.err = fmt.Errorf("protocol: %s: %s", what, fmt.Sprintf(format, args...))
}

// left is how many bytes are still to be read.
func (d *decoder) left() int { return len(d.buf) - d.off }

// end refuses bytes that the message did not ask for.
func (d *decoder) end() {
	if n := d.left(); d.err == nil && n > 0 {
		d.fail("%d bytes too many from byte %d on", n, d.off)
	}
}

// take returns the next n bytes, nil after an error.
func (d *decoder) take(n int) []byte {
	if d.err != nil {
		return nil
	}
	if d.left() < n {
		d.fail("truncated at byte %d: want %d more, have %d", d.off, n, d.left())
		return nil
	}
	b := d.buf[d.off : d.off+n : d.off+n]
	d.off += n
	return b
}

func (d *decoder) int8() int8 {
	if b := d.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (d *decoder) int16() int16 {
	if b := d.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (d *decoder) int32() int32 {
	if b := d.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (d *decoder) int64() int64 {
	if b := d.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (d *decoder) uuid() (u UUID) {
	copy(u[:], d.take(len(u)))
	return u
}

// bool takes any byte but 0 for true, as Java does.
func (d *decoder) bool() bool { return d.int8() != 0 }

func (d *decoder) errorCode() ErrorCode { return ErrorCode(d.int16()) }

// uvarint reads an unsigned number of at most 32 bits.
func (d *decoder) uvarint() uint32 {
	if d.err != nil {
		return 0
	}
	v, n := binary.Uvarint(d.buf[d.off:])
	switch {
	case n == 0:
		d.fail("truncated at byte %d: variable-length number without an end", d.off)
	case n < 0 || n > binary.MaxVarintLen32 || v > math.MaxUint32:
		d.fail("variable-length number at byte %d exceeds 32 bits", d.off)
	default:
		d.off += n
		return uint32(v)
	}
	return 0
}

// millis reads 32 bits of milliseconds.
func (d *decoder) millis() time.Duration { return time.Duration(d.int32()) * time.Millisecond }

// millis64 reads 64 bits of milliseconds; more than a Duration holds (292 years) becomes the longest Duration.
func (d *decoder) millis64() time.Duration {
	const limit = math.MaxInt64 / int64(time.Millisecond)
	return time.Duration(min(max(d.int64(), -limit), limit)) * time.Millisecond
}

// length reads the length of an array or of bytes; -1 is null.
func (d *decoder) length() int {
	at := d.off
	n := int64(-1)
	if d.flexible {
		n = int64(d.uvarint()) - 1
	} else {
		n = int64(d.int32())
	}
	if n < -1 || n > math.MaxInt32 {
		d.fail("impossible length %d at byte %d", n, at)
	}
	if d.err != nil {
		return -1
	}
	return int(n)
}

// present turns null, where the schema has none, into an error.
func (d *decoder) present(n int, at int) int {
	if n < 0 {
		d.fail("null at byte %d where a value is needed", at)
		return 0
	}
	return n
}

func (d *decoder) stringLength() int {
	at := d.off
	n := int64(-1)
	if d.flexible {
		n = int64(d.uvarint()) - 1
	} else {
		n = int64(d.int16())
	}
	if n < -1 || n > maxString {
		d.fail("impossible string length %d at byte %d", n, at)
	}
	if d.err != nil {
		return -1
	}
	return int(n)
}

func (d *decoder) string() string {
	at := d.off
	return string(d.take(d.present(d.stringLength(), at)))
}

func (d *decoder) nullableString() *string {
	n := d.stringLength()
	if n < 0 {
		return nil
	}
	b := d.take(n)
	if d.err != nil {
		return nil
	}
	s := string(b)
	return &s
}

// bytes returns nil for length 0. The result aliases the input.
func (d *decoder) bytes() []byte {
	at := d.off
	n := d.present(d.length(), at)
	if n == 0 {
		return nil
	}
	return d.take(n)
}

// records reads one record batch as a single chunk, which aliases the input. Null is nil.
func (d *decoder) records() [][]byte {
	n := d.length()
	if n < 0 {
		return nil
	}
	b := d.take(n)
	if d.err != nil {
		return nil
	}
	return [][]byte{b}
}

// arrayLength reads the length of an array whose elements take at least minSize bytes each; -1 is null. A length
// that the rest of the input cannot hold is refused here, before anything is allocated.
func (d *decoder) arrayLength(minSize int) int {
	at := d.off
	n := d.length()
	switch {
	case n > maxArray:
		d.fail("array of %d elements at byte %d: at most %d are taken", n, at, maxArray)
	case n > 0 && n > d.left()/minSize:
		d.fail("array of %d elements at byte %d: they take at least %d bytes each, and %d are left", n, at, minSize, d.left())
	default:
		return n
	}
	return -1
}

func (d *decoder) int8s() []int8     { return decodeValues(d, 1, (*decoder).int8) }
func (d *decoder) int32s() []int32   { return decodeValues(d, 4, (*decoder).int32) }
func (d *decoder) strings() []string { return decodeValues(d, 1, (*decoder).string) }

// decodeValues reads an array of plain values. Length 0 is nil.
func decodeValues[T any](d *decoder, minSize int, read func(*decoder) T) []T {
	at := d.off
	n := d.present(d.arrayLength(minSize), at)
	if n == 0 {
		return nil
	}
	v := make([]T, n)
	for i := range v {
		v[i] = read(d)
	}
	return v
}

// decodable is a pointer to an element of an array.
type decodable[T any] interface {
	*T
	decode(*decoder)
}

// decodeArray reads an array of structures that take at least minSize bytes each in every version. Length 0 is nil.
func decodeArray[T any, P decodable[T]](d *decoder, minSize int) []T {
	at := d.off
	n := d.present(d.arrayLength(minSize), at)
	if n == 0 {
		return nil
	}
	return decodeElements[T, P](d, n)
}

// decodeNullableArray is decodeArray for an array that may be null: null is nil, and length 0 is not.
func decodeNullableArray[T any, P decodable[T]](d *decoder, minSize int) []T {
	n := d.arrayLength(minSize)
	if n < 0 {
		return nil
	}
	return decodeElements[T, P](d, n)
}

func decodeElements[T any, P decodable[T]](d *decoder, n int) []T {
	v := make([]T, n)
	for i := range v {
		if d.err != nil {
			return nil
		}
		P(&v[i]).decode(d)
	}
	return v
}

// tags ends a structure without tagged fields; those that it has all the same are skipped.
func (d *decoder) tags() { d.taggedFields(func(uint32) bool { return false }) }

// taggedFields ends a structure. It calls read for each tagged field; read either decodes the field or reports that
// it does not know the tag, and the field is skipped.
func (d *decoder) taggedFields(read func(tag uint32) bool) {
	if !d.flexible || d.err != nil {
		return
	}
	at := d.off
	n := d.uvarint()
	if n > maxTagged || int(n) > d.left()/2 {
		d.fail("%d tagged fields at byte %d: at most %d are taken, and %d bytes are left", n, at, maxTagged, d.left())
	}
	for ; n > 0 && d.err == nil; n-- {
		d.taggedField(read)
	}
}

func (d *decoder) taggedField(read func(tag uint32) bool) {
	tag := d.uvarint()
	size := d.uvarint()
	if d.err != nil {
		return
	}
	if int64(size) > int64(d.left()) {
		d.fail("truncated at byte %d: tagged field %d wants %d more, have %d", d.off, tag, size, d.left())
		return
	}
	whole := d.buf
	end := d.off + int(size)
	d.buf = whole[:end]
	known := read(tag)
	d.buf = whole
	switch {
	case d.err != nil:
	case !known:
		d.off = end
	case d.off != end:
		d.fail("tagged field %d leaves %d bytes from byte %d on", tag, end-d.off, d.off)
	}
}
