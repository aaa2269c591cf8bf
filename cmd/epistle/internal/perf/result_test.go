package perf

import (
	"bytes"
	"strings"
	"testing"
)

// A slow load has a throughput, too.
func TestASmallThroughputIsNotZero(t *testing.T) {
	var out bytes.Buffer
	(&result{RecordsPerSecond: 499, MegabytesPerSecond: 0.0499}).write(&out)
	if want := "throughput  499 records/s, 0.050 MB/s\n"; !strings.Contains(out.String(), want) {
		t.Errorf("it writes\n%s, want %q", out.String(), want)
	}
}
