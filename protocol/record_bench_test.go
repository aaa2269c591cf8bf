package protocol

import (
	"bytes"
	"testing"
)

// The cost of encoding one record of 100 bytes into a batch that has room.
func BenchmarkAppendRecord(b *testing.B) {
	value := bytes.Repeat([]byte("v"), 100)
	key := []byte("key-1234")
	dst := make([]byte, 0, 1<<14)

	b.ReportAllocs()
	i := int32(0)
	for b.Loop() {
		r := Record{OffsetDelta: i & 127, TimestampDelta: 3, Key: key, Value: value}
		size := r.BodySize()
		if len(dst)+RecordSize(size) > cap(dst) {
			dst = dst[:0]
		}
		dst = r.Append(dst, size)
		i++
	}
}

// The cost of encoding eight records of 100 bytes and no key that follow each other.
func BenchmarkPutRun(b *testing.B) {
	records := make([]KeyValue, 8)
	for i := range records {
		records[i].Value = bytes.Repeat([]byte("v"), 100)
	}
	dst := make([]byte, 1<<14)

	b.ReportAllocs()
	at, i := 0, int32(0)
	for b.Loop() {
		run := NewRun(3)
		n, end := run.Put(dst, at, i&127, records, len(dst))
		if n < len(records) {
			end = 0
		}
		at = end
		i++
	}
}
