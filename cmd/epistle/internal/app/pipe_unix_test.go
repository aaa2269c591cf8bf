//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package app

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
)

// pipe makes a named pipe, at whose other end is nobody. What waits for somebody there is let go when the test ends.
func pipe(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if f, err := os.OpenFile(name, os.O_RDWR, 0); err == nil { // which is both ends
			defer f.Close()
			eventually(t, "nobody waits at the pipe", func() bool { return !opens("cmd/epistle/internal/") })
		}
	})
	return name
}

// Whatever waits at a pipe for somebody at its other end, the first Ctrl-C ends it: nothing was read or sent yet.
func TestTheFirstInterruptEndsTheWaitAtAPipe(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("t", 1))
	for _, tt := range []struct {
		name string
		args func(pipe string) []string
		at   string // the function that waits
		says []string
	}{
		{"undelivered lines", func(pipe string) []string {
			return []string{"produce", "-b", b, "-t", "t", "--failed-to", pipe, file(t, "a\n")}
		}, "produce.openKept", []string{"waiting for somebody to read the pipe", "--failed-to: stopped by signal", "nothing was read or sent"}},
		{"settings", func(pipe string) []string {
			return []string{"produce", "-b", b, "-t", "t", "--config", pipe, file(t, "a\n")}
		}, "cli.(*Settings).resolve", []string{"the settings: stopped by signal"}},
		{"settings of perf", func(pipe string) []string { return []string{"perf", "-b", b, "-t", "t", "--config", pipe} }, "cli.(*Settings).resolve", []string{"stopped by signal"}},
		{"settings of demo", func(pipe string) []string { return []string{"demo", "--config", pipe} }, "cli.(*Settings).resolve", []string{"stopped by signal"}},
		{"lines of demo", func(pipe string) []string { return []string{"demo", "--file-out", pipe} }, "demo.writeOut", []string{"stopped by signal"}},
		{"payloads", func(pipe string) []string { return []string{"perf", "-b", b, "-t", "t", "--payload-file", pipe} }, "perf.(*options).payloads", []string{"stopped by signal"}},
		{"lines", func(pipe string) []string { return []string{"produce", "-b", b, "-t", "t", pipe} }, "produce.(*source).open", []string{"stopped reading; waiting", "0 lines read"}},
		{"lines of transactions", func(pipe string) []string {
			return []string{"produce", "-b", b, "-t", "t", "--transactional-id", "x", pipe}
		}, "produce.(*source).open", []string{"stopped reading; waiting", "0 lines read"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, strings.NewReader(""), tt.args(pipe(t))...)
			eventually(t, "the program waits in "+tt.at, func() bool { return opens(tt.at) })
			s.interrupt()
			if got := s.wait(); got != 130 {
				t.Errorf("exit status %d, want 130; standard error:\n%s", got, s.stderr.String())
			}
			s.wantErr(tt.says...)
		})
	}
}

// A file of certificates is read again, which a pipe cannot be: nobody waits at one.
func TestCertificatesOfAPipeAreRefused(t *testing.T) {
	s := start(t, strings.NewReader(""), "produce", "-b", "h:1", "-t", "t", "-X", "security.protocol=SSL", "-X", "ssl.truststore.type=PEM", "-X", "ssl.truststore.location="+pipe(t))
	if got := s.wait(); got != 2 {
		t.Errorf("exit status %d, want 2; standard error:\n%s", got, s.stderr.String())
	}
	s.wantErr("ssl.truststore.location", "no regular file")
}

// opens reports whether a goroutine opens a file for a function.
func opens(function string) bool {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, stack := range strings.Split(string(stacks), "\n\n") {
		if strings.Contains(stack, "syscall.open") && strings.Contains(stack, function) {
			return true
		}
	}
	return false
}

// A pipe with somebody at its other end is read.
func TestPipesAreRead(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	settings, lines := pipe(t), pipe(t)
	s := start(t, strings.NewReader(""), "produce", "-t", "t", "--config", settings, lines)
	for name, text := range map[string]string{settings: "bootstrap.servers=" + b + "\n", lines: "a\n"} {
		go os.WriteFile(name, []byte(text), 0)
	}
	if got := s.wait(); got != 0 {
		t.Errorf("exit status %d, want 0; standard error:\n%s", got, s.stderr.String())
	}
	if got := logged(c, "t"); len(got) != 1 || got[0] != "<null>=a" {
		t.Errorf("log = %q, want the line", got)
	}
}
