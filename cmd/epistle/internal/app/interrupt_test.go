package app

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/epistle-kafka/epistle/brokertest"
)

// Ctrl-C while the program waits for somebody to type: what was read is delivered, and the exit status tells.
func TestInterruptDrains(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	stdin, typing := io.Pipe()
	defer typing.Close()
	s := start(t, stdin, "produce", "-b", b, "-t", "t", "-X", "linger.ms=60000", "-X", "delivery.timeout.ms=120000")
	io.WriteString(typing, "one\ntwo\nbeg")
	io.WriteString(typing, "un") // by now the lines before have been cut and sent
	s.interrupt()
	if got := s.wait(); got != 130 {
		t.Errorf("exit status %d, want 130", got)
	}
	s.wantErr("stopped reading; waiting", "2 lines read, 2 acknowledged, 0 failed", "of standard input, 2 lines read")
	if want, got := []string{"<null>=one", "<null>=two"}, logged(c, "t"); !slices.Equal(got, want) {
		t.Errorf("log = %q, want %q", got, want)
	}
}

// A second Ctrl-C gives up what is under way, and not a line is dropped silently.
func TestSecondInterruptGivesUp(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	c.On(brokertest.Produce).Always().Do(brokertest.Swallow())
	failed := t.TempDir() + "/failed.txt"
	s := start(t, strings.NewReader("one\ntwo\n"), "produce", "-b", b, "-t", "t", "--failed-to", failed)
	eventually(t, "a batch is under way", func() bool { return c.Count(brokertest.Produce) > 0 })
	s.givesUp()
	if got := read(t, failed); got != "one\ntwo\n" {
		t.Errorf("undelivered lines = %q, want both", got)
	}
	s.wantErr("2 lines not delivered: given up on Ctrl-C")
	if text := s.stderr.String(); strings.Contains(text, "0 records sent again") {
		t.Errorf("it counts what is not there:\n%s", text)
	}
	if got := explained(t, read(t, failed+".reasons"), "may-be-written"); got != 2 {
		t.Errorf("%d lines are marked as may-be-written, want 2", got)
	}
}

// While the cluster takes nothing, reading stops at a bound, and Ctrl-C still gets through.
func TestInterruptWhileTheClusterIsStuck(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	c.On(brokertest.Produce).Always().Do(brokertest.Swallow())
	lines := &endless{}
	s := start(t, lines, "produce", "-b", b, "-t", "t", "-X", "buffer.memory=65536", "--failed-to", t.TempDir()+"/failed.txt")
	eventually(t, "a batch is under way", func() bool { return c.Count(brokertest.Produce) > 0 })
	s.interrupt()
	s.interrupt()
	if got := s.wait(); got != 130 {
		t.Errorf("exit status %d, want 130", got)
	}
	if lines.bytes.Load() > 64<<20 {
		t.Errorf("%d bytes were read while nothing was delivered, want a bound", lines.bytes.Load())
	}
}

// What is given up is in its file as it was read, whatever the partition: the line for which Send has waited, and which fails first,
// comes last.
func TestWhatIsGivenUpKeepsItsOrder(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 3))
	c.On(brokertest.Produce).Always().Do(brokertest.Swallow())
	var input strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&input, "key %d\n", i)
	}
	failed := t.TempDir() + "/failed.txt"
	s := start(t, strings.NewReader(input.String()), "produce", "-b", b, "-t", "t", "-K", " ", "-X", "buffer.memory=65536", "--failed-to", failed)
	eventually(t, "a batch is under way", func() bool { return c.Count(brokertest.Produce) > 0 })
	s.givesUp()
	if got := read(t, failed); got == "" || !strings.HasPrefix(input.String(), got) {
		t.Errorf("the file has %d bytes that are not the beginning of the input", len(got))
	}
}

// endless is an input that never ends.
type endless struct{ bytes atomic.Int64 }

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, fmt.Sprintf("line at %d\n", e.bytes.Load()))
	e.bytes.Add(int64(n))
	return n, nil
}

func TestInterruptWhileConnecting(t *testing.T) {
	c, b := brokers(t)
	c.Pause(1)
	s := start(t, strings.NewReader("x\n"), "produce", "-b", b, "-t", "t")
	eventually(t, "a connection", func() bool { return c.Connections(1) > 0 })
	s.interrupt()
	if got := s.wait(); got != 130 {
		t.Errorf("exit status %d, want 130", got)
	}
}

// A broker that is away for a while is not an error: its records are sent again.
func TestABrokerThatComesBack(t *testing.T) {
	const lines = 50_000
	c, b := brokers(t, brokertest.Topic("t", 1))
	var content strings.Builder
	for i := range lines {
		fmt.Fprintf(&content, "line %d\n", i)
	}
	c.On(brokertest.Produce).Skip(2).Times(3).Do(brokertest.HandleThenDrop())
	s := epistle(t, 0, content.String(), "produce", "-b", b, "-t", "t", "-X", "buffer.memory=262144", "-X", "max.batch.bytes=32768")
	s.wantErr("50,000 lines read, 50,000 acknowledged, 0 failed")
	for i, r := range c.Records("t", 0) {
		if want := fmt.Sprintf("line %d", i); string(r.Value) != want {
			t.Fatalf("record %d = %q, want %q", i, r.Value, want)
		}
	}
	if n := count(c, "t"); n != lines {
		t.Errorf("%d records in the log, want %d", n, lines)
	}
	if n := c.PendingFaults(); n != 0 {
		t.Errorf("%d faults did not happen", n)
	}
}

// Ctrl-C while a line is read that is too large to be held: its beginning is kept, and the reason is that reading was stopped.
func TestInterruptInsideALongLine(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("t", 1))
	stdin, typing := io.Pipe()
	defer typing.Close()
	failed := t.TempDir() + "/failed.txt"
	s := start(t, stdin, "produce", "-b", b, "-t", "t", "--failed-to", failed)
	long := strings.Repeat("x", 3_000_000)
	io.WriteString(typing, "one\n"+long)
	io.WriteString(typing, "y")
	s.interrupt()
	if got := s.wait(); got != 130 {
		t.Errorf("exit status %d, want 130", got)
	}
	s.wantErr("2 lines read, 1 acknowledged, 1 failed", "reading was stopped inside of the line")
	if got := strings.TrimSuffix(read(t, failed), "\n"); !strings.HasPrefix(long+"y", got) || got == "" {
		t.Errorf("%d bytes are kept, want the beginning of the line", len(got))
	}
}

// So it is with an input that fails inside of such a line.
func TestAnInputThatFailsInsideALongLine(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("t", 1))
	failed := t.TempDir() + "/failed.txt"
	in := io.MultiReader(strings.NewReader(strings.Repeat("x", 3_000_000)), iotest.ErrReader(errors.New("the disk is gone")))
	s := start(t, in, "produce", "-b", b, "-t", "t", "--failed-to", failed)
	if got := s.wait(); got != 1 {
		t.Errorf("exit status %d, want 1", got)
	}
	s.wantErr("1 line not delivered: reading failed inside of the line: the disk is gone", "reading stopped after 1 line: the disk is gone")
}
