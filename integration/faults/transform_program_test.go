//go:build unix

package faults_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program is the example integration/cmd/transform, built as its users build it.
type program struct {
	t         *testing.T
	binary    string
	arguments []string // all but the transactional id
	runs      []*running
}

// running is one process of it.
type running struct {
	id     string
	cmd    *exec.Cmd
	stderr string        // a file
	gone   chan struct{} // closed when it has ended and err is set
	err    error
}

func buildTransform(t *testing.T, arguments ...string) *program {
	t.Helper()
	p := &program{t: t, binary: filepath.Join(t.TempDir(), "transform"), arguments: arguments}
	if out, err := exec.Command("go", "build", "-o", p.binary, "../cmd/transform").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Cleanup(p.end)
	return p
}

// start launches an instance, and does not wait for it to do anything.
func (p *program) start(id string, more ...string) *running {
	p.t.Helper()
	r := &running{id: id, gone: make(chan struct{})}
	r.stderr = filepath.Join(p.t.TempDir(), "stderr")
	file, err := os.Create(r.stderr)
	do(p.t, err)
	defer file.Close()
	r.cmd = exec.Command(p.binary, append(append([]string{"--transactional-id", id}, p.arguments...), more...)...)
	r.cmd.Stderr = file
	do(p.t, r.cmd.Start())
	p.runs = append(p.runs, r)
	go func() { // ends with the process
		r.err = r.cmd.Wait()
		close(r.gone)
	}()
	return r
}

// end kills what runs, and puts what all have said under a failed test.
func (p *program) end() {
	for _, r := range p.runs {
		_ = r.cmd.Process.Kill() // it may have ended
		<-r.gone
	}
	if !p.t.Failed() {
		return
	}
	for i, r := range p.runs {
		p.t.Logf("run %d, as %s, %v:\n%s", i, r.id, r.cmd.ProcessState, r.said())
	}
}

func (r *running) said() string {
	text, err := os.ReadFile(r.stderr)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (r *running) ended() bool {
	select {
	case <-r.gone:
		return true
	default:
		return false
	}
}

// kill ends it as a power cut would. It must have run until now.
func (p *program) kill(r *running) {
	p.t.Helper()
	p.demandRunning(r)
	do(p.t, r.cmd.Process.Kill())
	<-r.gone
}

func (p *program) demandRunning(r *running) {
	p.t.Helper()
	if r.ended() {
		p.t.Fatalf("the instance %s has ended by itself: %v", r.id, r.err)
	}
}

func (p *program) freeze(r *running) {
	p.t.Helper()
	p.demandRunning(r)
	do(p.t, r.cmd.Process.Signal(syscall.SIGSTOP))
}

func (p *program) thaw(r *running) {
	p.t.Helper()
	do(p.t, r.cmd.Process.Signal(syscall.SIGCONT))
}

// interrupt asks it to end, and demands that it does, with success.
func (p *program) interrupt(r *running) {
	p.t.Helper()
	p.demandRunning(r)
	do(p.t, r.cmd.Process.Signal(os.Interrupt))
	p.demandEnd(r, 0, "")
}

// demandEnd waits for its end by itself, with that exit status and that text in what it has said.
func (p *program) demandEnd(r *running, status int, text string) {
	p.t.Helper()
	select {
	case <-r.gone:
	case <-time.After(patience):
		p.t.Fatalf("the instance %s has not ended within %s", r.id, patience)
	}
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](r.err); ok {
		got = exit.ExitCode()
	} else if r.err != nil {
		p.t.Fatal(r.err)
	}
	if said := r.said(); got != status || !strings.Contains(said, text) {
		p.t.Fatalf("the instance %s has ended with status %d, want %d and %q in:\n%s", r.id, got, status, text, said)
	}
}
