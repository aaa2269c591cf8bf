package accumulator

import "unsafe"

// What is fetched of a value in advance: a smaller one is there before it is
// needed, and of a larger one the processor sees what comes.
const (
	fetchFrom = 256     // bytes
	fetchMost = 2 << 10 // bytes
)

// Fetch says that value is about to be appended. A large one that has not been
// touched lately is then on its way while its place is looked for, and not
// waited for line by line when it is copied, behind the lock.
func Fetch(value []byte) {
	if len(value) >= fetchFrom {
		prefetchLines(unsafe.SliceData(value), min(len(value), fetchMost))
	}
}

// Fetch says that records are about to be appended to q: the lines that this
// needs are on their way then, and not waited for.
func (q *Queue) Fetch() { prefetch((*byte)(unsafe.Pointer(q)), -64) }
