//go:build unix

package accumulator

import (
	"syscall"
	"testing"
	"unsafe"
)

// Memory that must not be touched can be asked for all the same: what a hint is wrong about costs nothing else.
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
	prefetchRange(unsafe.SliceData(page), 0, 1000)
	prefetchRange(unsafe.SliceData(page), len(page)-1, len(page)+1000)
	fetchNext(nil)
	fetchNext([]KeyValue{{}, {Value: page[:100]}, {Value: page[len(page)-1:]}, {Value: page[len(page):]}})
	fetchNext([]KeyValue{{Value: page}})
}
