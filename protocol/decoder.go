package protocol

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// maxTagged is how many tagged fields one structure may have, as in Kafka 4.4.
const maxTagged = 10_000

// decoder reads a message in one version. It knows whether that version is flexible, so that messages need not.
//
// The first error sticks: from then on every read returns a zero value and consumes nothing. Bytes and records that it returns
// alias the input; strings are copies.
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
	d.err = fmt.Errorf("%s: %s", what, fmt.Sprintf(format, args...))
}

// left returns how many bytes are still to be read.
func (d *decoder) left() int { return len(d.buf) - d.off }

// end refuses bytes that are left over.
func (d *decoder) end() {
	if n := d.left(); d.err == nil && n > 0 {
		d.fail("%d bytes too many from byte %d on", n, d.off)
		d.err = &SurplusError{d.err}
	}
}

// SurplusError says that a message was read completely, and that bytes were left over. Either the writer has counted them
// wrongly, or the message was misread.
type SurplusError struct{ Err error }

func (e *SurplusError) Error() string { return e.Err.Error() }

func (e *SurplusError) Unwrap() error { return e.Err }

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

// present makes an error of null where the schema does not allow it.
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

// stringLike is string, without an allocation if the string equals used, which was read last time.
func (d *decoder) stringLike(used string) string {
	at := d.off
	b := d.take(d.present(d.stringLength(), at))
	if string(b) == used {
		return used
	}
	return string(b)
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

// tags ends a structure of which no tagged field is known. Any that it has are skipped.
func (d *decoder) tags() { d.taggedFields(func(uint32) bool { return false }) }

// taggedFields ends a structure. It calls read for each tagged field. read either decodes the field, or reports that it does
// not know the tag; then the field is skipped.
func (d *decoder) taggedFields(read func(tag uint32) bool) {
	if !d.flexible || d.err != nil {
		return
	}
	at := d.off
	n := d.uvarint()
	if n > maxTagged {
		d.fail("%d tagged fields at byte %d: at most %d are taken", n, at, maxTagged)
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
