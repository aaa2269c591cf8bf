package app

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// However much fails, the screen gets a bounded part of it, and no line is dropped.
func TestFailureIsBounded(t *testing.T) {
	const lines = 40_000
	c, b := brokers(t, brokertest.Topic("t", 6))
	c.DenyWrite("t")
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var input strings.Builder
	for i := range lines {
		fmt.Fprintf(&input, "%d:some text, and more of it\n", i)
	}
	s := epistle(t, 1, input.String(), "produce", "-b", b, "-t", "t", "-K", ":")
	if got := s.stderr.String(); strings.Count(got, "\n") > 60 || len(got) > 10_000 {
		t.Errorf("%d lines fill the screen with %d lines, %d bytes:\n%.3000s", lines, strings.Count(got, "\n"), len(got), got)
	}
	s.wantErr("40,000 lines not delivered: TOPIC_AUTHORIZATION_FAILED", "more lines were not delivered; the summary tells which", "all of these lines are in "+dir)
	kept, err := filepath.Glob(dir + "/epistle-undelivered-*.txt")
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept in %q, %v, want one file", kept, err)
	}
	wantSameLines(t, read(t, kept[0]), input.String())
	if n := explained(t, read(t, kept[0]+".reasons"), "not-written"); n != lines {
		t.Errorf("%d lines have a reason beside the file that nobody has named, want %d", n, lines)
	}
	if runtime.GOOS != "windows" {
		wantMode(t, kept[0], 0o600)
		wantMode(t, kept[0]+".reasons", 0o600)
	}

	// With a file for them, the reasons take less room than the lines.
	failed := filepath.Join(dir, "failed.txt")
	s = epistle(t, 1, input.String(), "produce", "-b", b, "-t", "t", "-K", ":", "--failed-to", failed)
	if got := s.stderr.String(); strings.Count(got, "\n") > 20 {
		t.Errorf("the screen gets:\n%s", got)
	}
	wantSameLines(t, read(t, failed), input.String())
	reasons := read(t, failed+".reasons")
	if n := explained(t, reasons, "not-written"); n != lines {
		t.Errorf("%d lines have a reason, want %d", n, lines)
	}
	if n := strings.Count(reasons, "TOPIC_AUTHORIZATION_FAILED"); n != 1 {
		t.Errorf("the reason is written out %d times, want once", n)
	}
	if len(reasons) > input.Len()/2 {
		t.Errorf("the reasons have %d bytes for %d of lines", len(reasons), input.Len())
	}
}

func wantSameLines(t *testing.T, got, want string) {
	t.Helper()
	lines := make(map[string]int)
	for line := range strings.Lines(want) {
		lines[line]++
	}
	for line := range strings.Lines(got) {
		lines[line]--
	}
	for line, n := range lines {
		if n != 0 {
			t.Fatalf("%d times too few: %q", n, line)
		}
	}
}

func wantMode(t *testing.T, name string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != want {
		t.Errorf("%s has mode %v, %v, want %v", name, info.Mode(), err, want)
	}
}

// A line that is shown is cut; the whole of it is kept.
func TestALongLineIsShownInPart(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("t", 1))
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	long := strings.Repeat("0123456789", 1_000_000)
	s := epistle(t, 1, "fine\n"+long+"\n"+"also fine\n", "produce", "-b", b, "-t", "t")
	s.wantErr("standard input:2 was not delivered", "0123456789… (10,000,000 bytes)", "1 line not delivered: the record is larger than max.request.size, 1,048,576 bytes: raise it with -X max.request.size=…; the topic's max.message.bytes must not be below it either (standard input:2)")
	if n := len(s.stderr.String()); n > 2000 {
		t.Errorf("standard error has %d bytes", n)
	}
	kept, _ := filepath.Glob(dir + "/*")
	if len(kept) != 2 || read(t, kept[0]) != long+"\n" || explained(t, read(t, kept[1]), "not-written") != 1 {
		t.Errorf("kept in %q, want the line in one file, and the reason beside it", kept)
	}
}

func TestMaxErrorsStopsReading(t *testing.T) {
	for _, args := range [][]string{nil, {"--transactional-id", "x", "--transaction-size", "10"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			c, b := brokers(t, brokertest.Topic("t", 1))
			c.DenyWrite("t")
			lines := &endless{}
			s := start(t, lines, append([]string{"produce", "-b", b, "-t", "t", "--max-errors", "25", "--failed-to", t.TempDir() + "/failed.txt"}, args...)...)
			if got := s.wait(); got != 1 {
				t.Errorf("exit status %d, want 1", got)
			}
			s.wantErr("stopped reading: --max-errors is 25, and ", " of them had been read when so many had failed", "of standard input, ")
		})
	}
	epistle(t, 2, "", "produce", "-b", "h:1", "-t", "t", "--max-errors", "-1").wantErr("--max-errors -1")
}

// Nothing that is there already is written over or removed, neither the file that is named nor the one beside it.
func TestUndeliveredLinesTouchNothingOfOthers(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(at(name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := func(name, to string) {
		t.Helper()
		if err := os.Symlink(to, at(name)); err != nil {
			t.Skip(err)
		}
	}
	write("full", "precious\n")
	write("beside.reasons", "precious\n")
	write("empty", "")
	write("target", "precious\n")
	write("empty-target", "")
	link("link", "target")
	link("dangling", "nowhere")
	link("linked.reasons", "target")
	link("link-to-empty", "empty-target")
	if err := os.Mkdir(at("directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, want string }{
		{"full", "is not empty"}, {"beside", "beside.reasons is not empty"}, {"link", "is not empty"},
		{"dangling", "a link that leads to nothing"}, {"linked", "linked.reasons is not empty"}, {"directory", "is a directory"},
	} {
		epistle(t, 2, "x\n", "produce", "-b", b, "-t", "t", "--failed-to", at(test.name)).wantErr("--failed-to: ", test.want)
	}
	for _, name := range []string{"empty", "link-to-empty", "new"} {
		epistle(t, 0, "x\n", "produce", "-b", b, "-t", "t", "--failed-to", at(name))
	}
	for name, want := range map[string]string{"full": "precious\n", "beside.reasons": "precious\n", "target": "precious\n", "empty": "", "link-to-empty": ""} {
		if got := read(t, at(name)); got != want {
			t.Errorf("%s = %q, want %q as before", name, got, want)
		}
	}
	for _, name := range []string{"beside", "linked", "nowhere", "new", "new.reasons", "empty.reasons", "link-to-empty.reasons"} {
		if _, err := os.Lstat(at(name)); err == nil {
			t.Errorf("%s was left behind", name)
		}
	}

	c.DenyWrite("t")
	for _, name := range []string{"made", "link-to-empty"} {
		epistle(t, 1, "x\n", "produce", "-b", b, "-t", "t", "--failed-to", at(name))
		if got := read(t, at(name)); got != "x\n" {
			t.Errorf("%s = %q, want the line", name, got)
		}
	}
	if runtime.GOOS != "windows" {
		wantMode(t, at("made"), 0o600)
		wantMode(t, at("made.reasons"), 0o600)
	}
}

// A device gets the lines, and no file beside it.
func TestUndeliveredLinesToADevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	c, b := brokers(t, brokertest.Topic("t", 1))
	c.DenyWrite("t")
	s := epistle(t, 1, "x\n", "produce", "-b", b, "-t", "t", "--failed-to", "/dev/full")
	s.wantErr("standard input:1 was not delivered: ", "/dev/full cannot be written: ", "\nx\n")
	s = epistle(t, 1, "x\n", "produce", "-b", b, "-t", "t", "--failed-to", "/dev/null")
	s.wantErr("standard input:1 was not delivered: ", "the lines went to /dev/null")
	for _, name := range []string{"/dev/full.reasons", "/dev/null.reasons"} {
		if _, err := os.Lstat(name); err == nil {
			os.Remove(name)
			t.Errorf("%s was made", name)
		}
	}
}

func gzipped(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, content)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What nobody can have meant to send as lines is unpacked, or refused before anything is sent.
func TestInputThatIsNoText(t *testing.T) {
	tar := "name" + strings.Repeat("\x00", 253) + "ustar\x00" + strings.Repeat("\x00", 300)
	for _, test := range []struct {
		name, content string
		status        int
		want          string // of standard error
		log           string
	}{
		{"gzip", gzipped(t, "one\ntwo\n"), 0, "2 lines read, 2 acknowledged", "<null>=one <null>=two"},
		{"two members of gzip", gzipped(t, "one\n") + gzipped(t, "two"), 0, "2 lines read, 2 acknowledged", "<null>=one <null>=two"},
		{"gzip in gzip", gzipped(t, gzipped(t, "one\n")), 1, "is gzip", ""},
		{"tar in gzip", gzipped(t, tar), 1, "is a tar archive", ""},
		{"gzip that ends early", gzipped(t, strings.Repeat("one\n", 2))[:15], 1, "unexpected EOF", "<null>=one"},
		{"zstd", "\x28\xb5\x2f\xfd\x04\x00\n\n", 1, "zstd -dc ", ""},
		{"xz", "\xfd7zXZ\x00\x00", 1, "xz -dc ", ""},
		{"bzip2", "BZh91AY&SY\n", 1, "bzip2 -dc ", ""},
		{"zip", "PK\x03\x04\n", 1, "a zip archive", ""},
		{"tar", tar, 1, "a tar archive", ""},
		{"Parquet", "PAR1\x15\x04\n", 1, "Parquet", ""},
		{"text that begins alike", "BZh9 is no archive\nPK\n", 0, "2 lines read", "<null>=BZh9 is no archive <null>=PK"},
		{"UTF-16", "\xff\xfea\x00\n\x00", 0, "looks like UTF-16", "<null>=\xff\xfea\x00 <null>=\x00"},
		{"UTF-8 with a byte order mark", "\xef\xbb\xbfone\ntwo\n", 0, "begins with a byte order mark", "<null>=\xef\xbb\xbfone <null>=two"},
		{"bytes", "a\x00b\n", 0, "bytes that no text has", "<null>=a\x00b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, from := range []string{"file", "standard input", "standard input in pieces"} {
				c, b := brokers(t, brokertest.Topic("t", 1))
				args := []string{"produce", "-b", b, "-t", "t"}
				var in io.Reader = strings.NewReader("")
				switch from {
				case "file":
					args = append(args, file(t, test.content))
				case "standard input":
					in = strings.NewReader(test.content)
				default:
					in = &trickle{strings.NewReader(test.content)}
				}
				if test.name == "tar" && from == "standard input in pieces" {
					continue // it shows only after 262 bytes, and the first lines may have been sent by then
				}
				s := start(t, in, args...)
				if got := s.wait(); got != test.status {
					t.Errorf("from %s: exit status %d, want %d", from, got, test.status)
				}
				s.wantErr(test.want)
				if got := strings.Join(logged(c, "t"), " "); got != test.log {
					t.Errorf("from %s: log = %q, want %q", from, got, test.log)
				}
			}
		})
	}
}

// trickle gives a byte at a time.
type trickle struct{ r io.Reader }

func (r *trickle) Read(b []byte) (int, error) { return r.r.Read(b[:min(len(b), 1)]) }

func TestClosedStandardInput(t *testing.T) {
	s := &session{t: t, interrupts: make(chan os.Signal, 4)}
	env := &cli.Env{Stdin: strings.NewReader(""), Stdout: &s.stdout, Screen: ui.NewScreen(&s.stderr, false, nil), StdinClosed: true}
	if got := Run(env, []string{"produce", "-b", "h:1", "-t", "t"}); got != 2 {
		t.Errorf("exit status %d, want 2", got)
	}
	s.wantErr("standard input is closed", "name a FILE")

	_, b := brokers(t, brokertest.Topic("t", 1))
	if got := Run(env, []string{"produce", "-b", b, "-t", "t", file(t, "one\n")}); got != 0 {
		t.Errorf("with a FILE: exit status %d, want 0", got)
	}
}

// Nothing is written over the words of somebody who types, and on a terminal alone trouble shows in the line of progress.
func TestProgressLeavesTypingAlone(t *testing.T) {
	for _, interactive := range []bool{true, false} {
		c, b := brokers(t, brokertest.Topic("t", 1))
		answer := make(chan struct{})
		c.On(brokertest.Produce).Do(brokertest.Pass().Held(answer))
		s := &session{t: t, interrupts: make(chan os.Signal, 4), status: make(chan int, 1)}
		env := &cli.Env{Stdin: strings.NewReader("one\n"), Stdout: &s.stdout, Screen: ui.NewScreen(&s.stderr, true, nil), Interrupts: s.interrupts, Interactive: interactive}
		go func() { s.status <- Run(env, []string{"produce", "-b", b, "-t", "t"}) }()
		s.says("no record was acknowledged for ") // by now the progress has had its turns
		if !interactive {
			s.says(", NOTHING acknowledged for ")
		}
		close(answer)
		if got := s.wait(); got != 0 {
			t.Errorf("exit status %d, want 0", got)
		}
		if got := strings.Contains(s.stderr.String(), "in flight"); got == interactive {
			t.Errorf("typed at a terminal: %v, progress: %v, of %q", interactive, got, s.stderr.String())
		}
	}
}

// A cluster that takes nothing is told of within seconds, not when the last record has failed.
func TestTroubleIsToldWhileItLasts(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	answer := make(chan struct{})
	c.On(brokertest.Produce).Do(brokertest.Pass().Held(answer))
	s := start(t, strings.NewReader("x\n"), "produce", "-b", b, "-t", "t")
	s.says("no record was acknowledged for ")
	close(answer)
	if got := s.wait(); got != 0 {
		t.Errorf("exit status %d, want 0", got)
	}
}

// With acks=0 nobody acknowledges anything.
func TestAcksNoneSaysWritten(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("t", 1))
	s := epistle(t, 0, "x\n", "produce", "-b", b, "-t", "t", "-X", "acks=0")
	s.wantErr("1 line read, 1 written, 0 failed")
	if got := s.stderr.String(); strings.Contains(got, "acknowledged") {
		t.Errorf("it says: %s", got)
	}
}
