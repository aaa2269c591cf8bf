package main

import (
	"testing"

	"github.com/epistle-kafka/epistle/bench/driver"
)

// BenchmarkRecord is what a record of 100 bytes costs the limit program besides the write.
func BenchmarkRecord(b *testing.B) {
	values := driver.Values(100, driver.RingBytes)
	var open batch
	open.open()
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		open.append(nil, values.At(i))
		if i++; i == values.Len() {
			i = 0
		}
		if len(open.buf) >= 1<<20 {
			if err := open.seal(nil, 1, 0, 1_700_000_000_000); err != nil {
				b.Fatal(err)
			}
			open.open()
		}
	}
}
