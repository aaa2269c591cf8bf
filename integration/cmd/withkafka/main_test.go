//go:build unix

package main

import (
	"bufio"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
)

// build makes the binary, as a user runs it: `go run` would pass neither signals nor exit status on.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "withkafka")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

func status(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatal(err)
	}
	return exit.ExitCode()
}

func TestExitStatusIsTheCommands(t *testing.T) {
	cluster := kafka.Shared(t)
	binary := build(t)
	tests := []struct {
		name      string
		arguments []string
		want      int
	}{
		{"success", []string{"--", "true"}, 0},
		{"failure", []string{"--", "sh", "-c", "exit 7"}, 7},
		{"ended by a signal", []string{"--", "sh", "-c", "kill -KILL $$"}, 128 + 9},
		{"no such command", []string{"--", "no-such-command"}, 127},
		{"not a program", []string{"--", "./main.go"}, 126},
		{"no command", nil, 125},
		{"no such flag", []string{"-borkers", "3", "--", "true"}, 125},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command(binary, test.arguments...)
			cmd.Env = append(os.Environ(), "KAFKA_KIND=bootstrap", "KAFKA_BOOTSTRAP="+cluster.Bootstrap())
			out, err := cmd.CombinedOutput()
			if got := status(t, err); got != test.want {
				t.Errorf("status %d, want %d; it said:\n%s", got, test.want, out)
			}
		})
	}
}

func TestCommandKeepsDirectoryAndStreams(t *testing.T) {
	cluster := kafka.Shared(t)
	cmd := exec.Command(build(t), "--", "sh", "-c", "cat; pwd; echo $KAFKA_BOOTSTRAP")
	cmd.Env = append(os.Environ(), "KAFKA_KIND=bootstrap", "KAFKA_BOOTSTRAP="+cluster.Bootstrap())
	cmd.Stdin = strings.NewReader("input\n")
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	directory, err := filepath.EvalSymlinks(cmd.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := "input\n" + directory + "\n" + cluster.Bootstrap() + "\n"; string(out) != want {
		t.Errorf("the command saw %q, want %q", out, want)
	}
}

func TestNoKafkaToBeHadSaysWhy(t *testing.T) {
	cmd := exec.Command(build(t), "--", "true")
	cmd.Env = append(os.Environ(), "KAFKA_KIND=bootstrap", "KAFKA_BOOTSTRAP=")
	out, err := cmd.CombinedOutput()
	if got := status(t, err); got != statusUnavailable {
		t.Errorf("status %d, want %d", got, statusUnavailable)
	}
	if !strings.Contains(string(out), "bootstrap: KAFKA_BOOTSTRAP is not set") {
		t.Errorf("it does not say why: %s", out)
	}
}

// start runs the command with a broker of its own until that is up, and returns the broker's address.
func start(t *testing.T, script string) (*exec.Cmd, string) {
	t.Helper()
	if os.Getenv("KAFKA_BOOTSTRAP") != "" {
		kafka.NotRun(t, "KAFKA_BOOTSTRAP names a cluster that withkafka will not end")
	}
	cmd := exec.Command(build(t), "--", "sh", "-c", script)
	said := &strings.Builder{}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		if err := cmd.Wait(); status(t, err) == statusUnavailable {
			kafka.NotRun(t, said.String())
		}
		t.Fatalf("the command did not run:\n%s", said)
	}
	address := lines.Text()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	return cmd, address
}

// gone waits until nobody listens at the address.
func gone(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			conn.Close()
		}
		if time.Now().After(deadline) {
			t.Fatalf("the broker at %s outlived withkafka by a minute", address)
		}
	}
}

func TestSignalGoesToTheCommandAndThenTheBrokerEnds(t *testing.T) {
	cmd, address := start(t, `trap 'exit 42' TERM; echo $KAFKA_BOOTSTRAP; while :; do sleep 0.1; done`)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := status(t, cmd.Wait()); got != 42 {
		t.Errorf("status %d, want the command's 42", got)
	}
	gone(t, address)
}

// TestKilledItselfItLeavesNoBroker kills withkafka in a way that it cannot notice.
func TestKilledItselfItLeavesNoBroker(t *testing.T) {
	cmd, address := start(t, `echo $KAFKA_BOOTSTRAP; exec sleep 30`)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	gone(t, address)
}
