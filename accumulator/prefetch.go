//go:build (amd64 || arm64) && !purego

package accumulator

import "unsafe"

// This does not compile if the size of a KeyValue, or the place of Value in it, is not what prefetchValues expects.
var _ = [1]struct{}{}[unsafe.Sizeof(KeyValue{})-48+unsafe.Offsetof(KeyValue{}.Value)-24]

// prefetch asks the processor for the two lines of memory behind the one that has byte at from p on, to be written. It touches
// nothing and cannot fail, wherever that is.
//
//go:noescape
func prefetch(p *byte, at int)

// prefetchRange asks the processor for the lines that have bytes from to to, counted from p, and for one at least, to be
// written. It touches nothing and cannot fail.
//
//go:noescape
func prefetchRange(p *byte, from, to int)

// prefetchValues asks the processor for the first lines and the last line of the values of n records, to be read. n is at least
// 1. It reads the records.
//
//go:noescape
func prefetchValues(records *KeyValue, n int)

// prefetchLines asks the processor for the lines of the n bytes at p, at least one, to be read. It touches nothing and cannot
// fail.
//
//go:noescape
func prefetchLines(p *byte, n int)
