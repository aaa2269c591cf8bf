package produce

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// fullDisk takes so many bytes.
type fullDisk struct{ left int }

func (d *fullDisk) Write(b []byte) (int, error) {
	n := min(d.left, len(b))
	d.left -= n
	if n < len(b) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

// Lines that their file does not take are not lost: they go to standard error, from the first byte that is missing.
func TestAFullDiskDropsNothing(t *testing.T) {
	var stderr bytes.Buffer
	env := &cli.Env{Screen: ui.NewScreen(&stderr, false, nil)}
	s := &spool{env: env, name: "failed.txt", w: &fullDisk{left: 7}}
	s.Write([]byte("first\nsecond\n"))
	s.flush()
	s.Write([]byte("third\n"))
	s.flush()
	got := stderr.String()
	if !strings.HasPrefix(got, "epistle: failed.txt cannot be written: no space left on device") || !strings.HasSuffix(got, "\necond\nthird\n") {
		t.Errorf("standard error = %q, want the failure and what the file lacks", got)
	}
}
