package accumulator

import (
	"runtime"
	"syscall"
	"unsafe"
)

// adviseHuge asks Linux for huge pages for memory, which it gives where
// /sys/kernel/mm/transparent_hugepage/enabled is "madvise" or "always". The huge
// pages that memory begins and ends in are meant as well: what the Go heap has
// beside it, often another slab, may lie in them too. It is advice, so that an
// error, of a kernel that has no huge pages, is of no consequence. Both ends are
// touched, for this is when a huge page is cleared: a tenth of a millisecond that
// nobody should wait for behind a lock.
func adviseHuge(memory []byte) {
	from := uintptr(unsafe.Pointer(unsafe.SliceData(memory))) &^ (hugePage - 1)
	to := (uintptr(unsafe.Pointer(&memory[len(memory)-1])) | (hugePage - 1)) + 1
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_HUGEPAGE)
	memory[0], memory[len(memory)-1] = 0, 0
	runtime.KeepAlive(memory)
}
