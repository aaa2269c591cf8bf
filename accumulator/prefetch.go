//go:build (amd64 || arm64) && !purego

package accumulator

import "unsafe"

// prefetchValues knows what a KeyValue looks like.
var _ = [1]struct{}{}[unsafe.Sizeof(KeyValue{})-48+unsafe.Offsetof(KeyValue{}.Value)-24]

// prefetch asks the processor for the two lines of memory behind that of byte at
// from p on, to be written. It touches nothing and cannot fail, wherever that is.
//
//go:noescape
func prefetch(p *byte, at int)

// prefetchRange asks the processor for the lines of bytes from to to of what p
// points to, at least one, to be written. It touches nothing and cannot fail.
//
//go:noescape
func prefetchRange(p *byte, from, to int)

// prefetchValues asks the processor for the first lines and the last of the
// values of n records, at least one, to be read. It reads the records.
//
//go:noescape
func prefetchValues(records *KeyValue, n int)

// prefetchLines asks the processor for the lines of the n bytes at p, at least
// one, to be read. It touches nothing and cannot fail.
//
//go:noescape
func prefetchLines(p *byte, n int)
