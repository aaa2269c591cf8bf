//go:build unix

package accumulator

import (
	"syscall"
	"testing"
	"unsafe"
)

// Memory that must not be touched can be asked for all the same: what a hint is
// wrong about costs nothing else.
func TestHintsTouchNothing(t *testing.T) {
	page, err := syscall.Mmap(-1, 0, 1<<16, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(page)
	Fetch(page[:fetchFrom])
	Fetch(page[len(page)-fetchMost:])
	prefetch(unsafe.SliceData(page), 0)
	prefetch(unsafe.SliceData(page), len(page)-1)
}
