package producer

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
)

// Serializer turns a key or a value of type T into bytes. All goroutines that send call it, so it must be safe for concurrent
// use.
//
// Serializer gets no further methods. What it is told, and what it may add to the record, may grow by fields of Serialization.
type Serializer[T any] interface {
	// Serialize appends v to dst and returns the result. dst is empty but not nil, and must not be kept after the call. A nil
	// result is null: a null value is a tombstone, which deletes the key from a compacted topic. An empty result is an empty
	// key or value. Serialize may return a buffer of its own in place of dst, if it leaves that alone until the Send has
	// returned. An error means that the record is not sent.
	//
	// ctx is that of the Send, for a look-up such as one in a schema registry. That of TrySend never ends. s must not be kept.
	Serialize(ctx context.Context, dst []byte, s *Serialization, v T) ([]byte, error)
}

// Serialization is what a Serializer is told of the record, and what it may add to it. It may get further fields.
type Serialization struct {
	Topic string
	Part  string // "key" or "value"
	// Headers are the record's. A serializer may append to them or replace them, but must not write into them, since the
	// elements are the caller's. The serializer of the value runs after that of the key, and sees its headers.
	Headers []Header
}

// SerializerFunc makes a Serializer of a function.
type SerializerFunc[T any] func(ctx context.Context, dst []byte, s *Serialization, v T) ([]byte, error)

// Serialize calls f.
func (f SerializerFunc[T]) Serialize(ctx context.Context, dst []byte, s *Serialization, v T) ([]byte, error) {
	return f(ctx, dst, s, v)
}

// Nullable returns a serializer that turns a nil pointer into null, and any other by the serializer of what it points to.
// Java's serializers treat null so. It is the way to send tombstones of types that have no null of their own.
func Nullable[T any](of Serializer[T]) Serializer[*T] {
	return SerializerFunc[*T](func(ctx context.Context, dst []byte, s *Serialization, v *T) ([]byte, error) {
		if v == nil {
			return nil, nil
		}
		return of.Serialize(ctx, dst, s, *v)
	})
}

// The serializers below write the bytes that Java's serializers of the same name write.

// BytesSerializer writes bytes as they are; nil is null. It is Java's ByteArraySerializer, ByteBufferSerializer and
// BytesSerializer.
type BytesSerializer struct{}

// Serialize implements Serializer.
func (BytesSerializer) Serialize(_ context.Context, dst []byte, _ *Serialization, v []byte) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	return append(dst, v...), nil
}

// StringSerializer writes the string's bytes, without a check that they are UTF-8. The empty string is empty, not null.
type StringSerializer struct{}

// Serialize implements Serializer.
func (StringSerializer) Serialize(_ context.Context, dst []byte, _ *Serialization, v string) ([]byte, error) {
	return append(dst, v...), nil
}

// BoolSerializer writes one byte, 1 or 0: Java's BooleanSerializer.
type BoolSerializer struct{}

// Serialize implements Serializer.
func (BoolSerializer) Serialize(_ context.Context, dst []byte, _ *Serialization, v bool) ([]byte, error) {
	if v {
		return append(dst, 1), nil
	}
	return append(dst, 0), nil
}

// Int16Serializer writes 2 bytes, big-endian: Java's ShortSerializer.
type Int16Serializer struct{}

// Serialize implements Serializer.
func (Int16Serializer) Serialize(_ context.Context, dst []byte, _ *Serialization, v int16) ([]byte, error) {
	return binary.BigEndian.AppendUint16(dst, uint16(v)), nil
}

// Int32Serializer writes 4 bytes, big-endian: Java's IntegerSerializer.
type Int32Serializer struct{}

// Serialize implements Serializer.
func (Int32Serializer) Serialize(_ context.Context, dst []byte, _ *Serialization, v int32) ([]byte, error) {
	return binary.BigEndian.AppendUint32(dst, uint32(v)), nil
}

// Int64Serializer writes 8 bytes, big-endian: Java's LongSerializer.
type Int64Serializer struct{}

// Serialize implements Serializer.
func (Int64Serializer) Serialize(_ context.Context, dst []byte, _ *Serialization, v int64) ([]byte, error) {
	return binary.BigEndian.AppendUint64(dst, uint64(v)), nil
}

// Float32Serializer writes 4 bytes, IEEE 754 and big-endian: Java's FloatSerializer.
type Float32Serializer struct{}

// Serialize implements Serializer.
func (Float32Serializer) Serialize(_ context.Context, dst []byte, _ *Serialization, v float32) ([]byte, error) {
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(v)), nil
}

// Float64Serializer writes 8 bytes, IEEE 754 and big-endian: Java's DoubleSerializer. Every NaN becomes the one that Java
// writes.
type Float64Serializer struct{}

// Serialize implements Serializer.
func (Float64Serializer) Serialize(_ context.Context, dst []byte, _ *Serialization, v float64) ([]byte, error) {
	bits := math.Float64bits(v)
	if v != v {
		bits = 0x7ff8000000000000
	}
	return binary.BigEndian.AppendUint64(dst, bits), nil
}

// UUIDSerializer writes the text of a UUID, 36 characters in lower case, as Java does. It does not write its 16 bytes.
type UUIDSerializer struct{}

// Serialize implements Serializer.
func (UUIDSerializer) Serialize(_ context.Context, dst []byte, _ *Serialization, v [16]byte) ([]byte, error) {
	for i, group := range [][]byte{v[:4], v[4:6], v[6:8], v[8:10], v[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, group)
	}
	return dst, nil
}

// Void is the type of keys or values that are always null.
type Void struct{}

// VoidSerializer writes null.
type VoidSerializer struct{}

// Serialize implements Serializer.
func (VoidSerializer) Serialize(context.Context, []byte, *Serialization, Void) ([]byte, error) {
	return nil, nil
}

// JSONSerializer writes what encoding/json makes of v, but leaves <, > and & as they are. A nil pointer becomes the JSON text
// null; for a tombstone use Nullable.
type JSONSerializer[T any] struct{}

// Serialize implements Serializer.
func (JSONSerializer[T]) Serialize(_ context.Context, dst []byte, _ *Serialization, v T) ([]byte, error) {
	w := appender{dst}
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return w.b[:len(w.b)-1], nil // Encode ends in a newline
}

// appender is an io.Writer that appends.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}
