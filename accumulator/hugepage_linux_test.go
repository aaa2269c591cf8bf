package accumulator

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"
)

// Large slabs are where Linux may have huge pages, from end to end.
func TestHugePagesAreAskedFor(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("this kernel has no huge pages: ", err)
	}
	s := newSlab(mostSlab)
	for _, b := range s.spare {
		if at := uintptr(unsafe.Pointer(&b.memory[0])); !mayBeHuge(t, at) || !mayBeHuge(t, at+lastChunk-1) {
			t.Errorf("a block's memory at %#x may have no huge pages", at)
		}
	}
}

// mayBeHuge reports whether the mapping with that address is one with huge pages, by the flag that the kernel shows of it.
func mayBeHuge(t *testing.T, at uintptr) bool {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	within, found := false, false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var from, to uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); n == 2 {
			within = from <= at && at < to
		}
		found = found || within
		if flags, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok && within {
			return strings.Contains(flags+" ", " hg ")
		}
	}
	if found {
		t.Skip("not to be seen here: this kernel, or the emulator of its calls, shows no flags of mappings")
	}
	t.Fatalf("no mapping has address %#x", at)
	return false
}
