//go:build unix

package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// fakeScript has steps as scripts/test.sh has them, and runs them by jobs.
const fakeScript = `set -eu
. "$(dirname "$0")/lib.sh"
alone='sh scripts/fake.sh'
case $1 in
  quick) usual='1 s' step quick true ;;
  long) usual='1 min' step long sh -c 'sleep 100 & echo $! >child; echo >begun; wait' ;;
  breaks) step breaks sh -c 'read x <go-on; echo why; exit 3' ;;
  interrupted) run_jobs -meanwhile "$alone long" "$alone quick" ;;
  broken) run_jobs -meanwhile "$alone long" "$alone quick" -then "$alone breaks" -then "$alone quick" ;;
esac
`

// A fakeRun is one of fakeScript, which has come to the step that is long.
type fakeRun struct {
	cmd  *exec.Cmd
	out  *bufio.Reader
	said strings.Builder
}

// fake starts a run in a tree of its own, as from a terminal: in a process group of its own.
func fake(t *testing.T, word string) *fakeRun {
	t.Helper()
	tools, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	pipes(t, "begun", "go-on")
	err = errors.Join(os.Mkdir("scripts", 0o755), os.Symlink(tools, "tools"),
		os.Symlink(filepath.Join(tools, "..", "scripts", "lib.sh"), filepath.Join("scripts", "lib.sh")),
		os.WriteFile(filepath.Join("scripts", "fake.sh"), []byte(fakeScript), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "scripts/fake.sh", word)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &fakeRun{cmd: cmd, out: bufio.NewReader(out)}
	for !strings.Contains(r.said.String(), "── long … (usually 1 min)\n") {
		line, err := r.out.ReadString('\n')
		r.said.WriteString(line)
		if err != nil {
			t.Fatalf("%v, after\n%s", err, r.said.String())
		}
	}
	if _, err := os.ReadFile("begun"); err != nil {
		t.Fatal(err)
	}
	return r
}

// expectEnd demands an exit status, and returns all that the run has said.
func (r *fakeRun) expectEnd(t *testing.T, want int) string {
	t.Helper()
	if _, err := r.out.WriteTo(&r.said); err != nil {
		t.Fatal(err)
	}
	if status := exitStatus(r.cmd.Wait()); status != want {
		t.Errorf("status %d, want %d", status, want)
	}
	return r.said.String()
}

// A signal that ends the script leaves nothing behind, whether jobs gets it too, as with Ctrl-C at a terminal, or not.
func TestASignalEndsTheScripts(t *testing.T) {
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		to     func(script int) int
	}{
		{"Ctrl-C", syscall.SIGINT, func(script int) int { return -script }}, // the whole group
		{"kill", syscall.SIGTERM, func(script int) int { return script }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := fake(t, "interrupted")
			if err := syscall.Kill(c.to(r.cmd.Process.Pid), c.signal); err != nil {
				t.Fatal(err)
			}
			expectContains(t, r.expectEnd(t, 128+int(c.signal)), "── long: stopped\n")
			expectGone(t, "child")
		})
	}
}

// A step that fails ends the run, and is printed last.
func TestAStepThatFailsEndsTheScripts(t *testing.T) {
	r := fake(t, "broken")
	if err := os.WriteFile("go-on", []byte("\n"), 0); err != nil {
		t.Fatal(err)
	}
	text := r.expectEnd(t, 3)
	expectOrder(t, text, "── quick … (usually 1 s)\n", "── quick: ", "── breaks …\n", "── long: stopped\n", "── breaks:\nwhy\n")
	if last := text[strings.LastIndex(strings.TrimSpace(text), "\n")+1:]; !strings.HasPrefix(last, "── breaks: FAILED after ") || !strings.HasSuffix(last, "(status 3)\n") {
		t.Errorf("the last line is %q, want that the step has failed", last)
	}
	if n := strings.Count(text, "── quick …"); n != 1 {
		t.Errorf("the step behind the failure has begun:\n%s", text)
	}
	expectGone(t, "child")
}
