package accumulator

import (
	"runtime"
	"syscall"
	"unsafe"
)

// adviseHuge asks Linux for huge pages for memory. Linux gives them where /sys/kernel/mm/transparent_hugepage/enabled is
// "madvise" or "always". The advice is about whole huge pages. Those in which memory begins and ends may also hold what is
// beside it in the Go heap, often another slab. An error, as of a kernel without huge pages, has no consequence. Both ends are
// touched, since that is when a huge page is cleared: a tenth of a millisecond that nobody should wait for behind a lock.
func adviseHuge(memory []byte) {
	from := uintptr(unsafe.Pointer(unsafe.SliceData(memory))) &^ (hugePage - 1)
	to := (uintptr(unsafe.Pointer(&memory[len(memory)-1])) | (hugePage - 1)) + 1
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_HUGEPAGE)
	memory[0], memory[len(memory)-1] = 0, 0
	runtime.KeepAlive(memory)
}
