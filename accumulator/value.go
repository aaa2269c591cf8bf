package accumulator

import "unsafe"

// Of which values how much is prefetched. A smaller value arrives before it is needed. Of a larger one the processor sees by
// itself what comes.
const (
	fetchFrom = 256     // bytes
	fetchMost = 2 << 10 // bytes
)

// Fetch says that value is about to be appended. A large value that has not been touched lately is then on its way while its
// place is found. Otherwise the copy, under the lock, would wait for it line by line.
func Fetch(value []byte) {
	if len(value) >= fetchFrom {
		prefetchLines(unsafe.SliceData(value), min(len(value), fetchMost))
	}
}

// Fetch says that records are about to be appended to q, so that the lines of memory which that needs are on their way.
func (q *Queue) Fetch() { prefetch((*byte)(unsafe.Pointer(q)), -64) }
