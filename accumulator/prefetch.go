//go:build (amd64 || arm64) && !purego

package accumulator

// prefetch asks the processor for the two lines of memory behind that of byte at
// from p on, to be written. It touches nothing and cannot fail, wherever that is.
//
//go:noescape
func prefetch(p *byte, at int)

// prefetchLines asks the processor for the lines of the n bytes at p, at least
// one, to be read. It touches nothing and cannot fail.
//
//go:noescape
func prefetchLines(p *byte, n int)
