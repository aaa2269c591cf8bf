package accumulator

import (
	"bytes"
	"testing"
)

// Fetch is a hint, whatever the value's length: it changes nothing.
func TestFetch(t *testing.T) {
	Fetch(nil)
	for _, n := range []int{0, 1, fetchFrom - 1, fetchFrom, fetchFrom + 1, fetchMost, fetchMost + 1, 1 << 20} {
		value := bytes.Repeat([]byte{7}, n)
		Fetch(value)
		if got := bytes.Count(value, []byte{7}); got != n {
			t.Errorf("%d of %d bytes are as they were", got, n)
		}
	}
}
