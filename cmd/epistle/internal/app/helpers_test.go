package app

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// session is one run of the program.
type session struct {
	t          *testing.T
	stdout     syncBuffer
	stderr     syncBuffer
	interrupts chan os.Signal
	status     chan int
}

// start runs the program with arguments and a standard input.
func start(t *testing.T, stdin io.Reader, args ...string) *session {
	t.Helper()
	s := &session{t: t, interrupts: make(chan os.Signal, 4), status: make(chan int, 1)}
	env := &cli.Env{Stdin: stdin, Stdout: &s.stdout, Screen: ui.NewScreen(&s.stderr, false, nil), Interrupts: s.interrupts}
	go func() { s.status <- Run(env, args) }()
	return s
}

// wait returns the exit status.
func (s *session) wait() int {
	s.t.Helper()
	select {
	case status := <-s.status:
		return status
	case <-time.After(30 * time.Second):
		s.t.Fatalf("the program has not ended within 30 s; standard error so far:\n%s", s.stderr.String())
		return 0
	}
}

// interrupt presses Ctrl-C.
func (s *session) interrupt() { s.interrupts <- syscall.SIGINT }

// givesUp presses Ctrl-C, and once more when the command has said what that does. The command ends with the status of it.
func (s *session) givesUp() {
	s.t.Helper()
	s.interrupt()
	s.says("Ctrl-C again gives it up")
	s.interrupt()
	if got := s.wait(); got != 130 {
		s.t.Errorf("exit status %d, want 130", got)
	}
}

// says waits until standard error has a text.
func (s *session) says(text string) {
	s.t.Helper()
	eventually(s.t, "standard error says "+text, func() bool { return strings.Contains(s.stderr.String(), text) })
}

// epistle runs the program to its end and checks the exit status.
func epistle(t *testing.T, wantStatus int, stdin string, args ...string) *session {
	t.Helper()
	s := start(t, strings.NewReader(stdin), args...)
	if got := s.wait(); got != wantStatus {
		t.Fatalf("epistle %s: exit status %d, want %d; standard error:\n%s", strings.Join(args, " "), got, wantStatus, s.stderr.String())
	}
	return s
}

// wantErr checks that standard error has each of some texts.
func (s *session) wantErr(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if got := s.stderr.String(); !strings.Contains(got, text) {
			s.t.Errorf("standard error does not say %q:\n%s", text, got)
		}
	}
}

// eventually waits for something that comes about on other goroutines.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// syncBuffer is a buffer for several goroutines.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// brokers starts a cluster over TCP.
func brokers(t *testing.T, opts ...brokertest.Option) (c *brokertest.Cluster, bootstrap string) {
	t.Helper()
	c = brokertest.New(t, opts...)
	return c, strings.Join(c.Bootstrap(), ",")
}

// file writes a file and returns its name.
func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "input.txt")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// logged writes what the only partition of a topic has, as key=value, with <null> for null.
func logged(c *brokertest.Cluster, topic string) (records []string) {
	text := func(b []byte) string {
		if b == nil {
			return "<null>"
		}
		return string(b)
	}
	for _, r := range c.Records(topic, 0) {
		records = append(records, text(r.Key)+"="+text(r.Value))
	}
	return records
}

// count is how many records all partitions of a topic have.
func count(c *brokertest.Cluster, topic string) (n int64) {
	for p := range int32(c.Partitions(topic)) {
		n += c.EndOffset(topic, p)
	}
	return n
}

// explained counts the lines that a file of reasons has for a fate.
func explained(t *testing.T, reasons, fate string) (n int) {
	t.Helper()
	for row := range strings.Lines(reasons) {
		fields := strings.Split(row, "\t")
		if len(fields) != 4 || fields[2] != fate {
			continue
		}
		from, to, several := strings.Cut(fields[0], "-")
		if !several {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		n += last - first + 1
	}
	return n
}
