package accumulator

import (
	"runtime"
	"syscall"
	"unsafe"
)

// adviseHuge asks Linux for huge pages for memory, which it gives where
// /sys/kernel/mm/transparent_hugepage/enabled is "madvise", the default of most
// distributions, or "always". The pages that memory begins and ends in are meant
// as well: the Go heap, which has what is beside it, often next to another such
// piece, may have huge pages too. It is advice, so that an error, of a kernel that
// has no huge pages, is of no consequence. The pages are touched, for this is
// where they are cleared: a tenth of a millisecond that nobody should wait for
// behind a lock.
func adviseHuge(memory []byte) {
	from := uintptr(unsafe.Pointer(unsafe.SliceData(memory))) &^ (hugePage - 1)
	to := (uintptr(unsafe.Pointer(&memory[len(memory)-1])) | (hugePage - 1)) + 1
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_HUGEPAGE)
	memory[0], memory[len(memory)-1] = 0, 0
	runtime.KeepAlive(memory)
}
