//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A command that runs quietly is seen to go on, with its last line; one that is quick says nothing, and a failure says why.
func TestWhatRunsQuietlyIsSeenToGoOn(t *testing.T) {
	tools, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	const script = `set -eu
. "$(dirname "$0")/lib.sh"
quietly sh -c 'echo unseen'
alive_every=1
quietly sh -c 'echo go: downloading a module; n=0; until [ -e told ] || [ $((n += 1)) -gt 200 ]; do sleep 0.1; done' | while read -r line; do say "$line"; : >told; done
quietly sh -c 'echo why; exit 3' || say "status $?"
`
	err = errors.Join(os.Mkdir("scripts", 0o755),
		os.Symlink(filepath.Join(tools, "..", "scripts", "lib.sh"), filepath.Join("scripts", "lib.sh")),
		os.WriteFile(filepath.Join("scripts", "quiet.sh"), []byte(script), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "scripts/quiet.sh").CombinedOutput()
	first, rest, _ := strings.Cut(string(out), "\n")
	if err != nil || !strings.HasSuffix(first, " s so far: go: downloading a module") || !strings.HasSuffix(rest, "why\nstatus 1\n") {
		t.Errorf("it ended by %v, and said\n%s", err, out)
	}
}
