package lines

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// StdinName is what standard input is called.
const StdinName = "standard input"

// container is a format that does not hold lines as text, if it holds lines at all.
type container struct {
	name   string
	magic  string // how it begins
	unpack string // the command that makes lines of FILE; "" if there is none
}

const gzipped = "gzip"

// containers begin with bytes that no text has.
var containers = []container{
	{gzipped, "\x1f\x8b\x08", "gzip -dc FILE"},
	{"compress", "\x1f\x9d", "gzip -dc FILE"},
	{"zstd", "\x28\xb5\x2f\xfd", "zstd -dc FILE"},
	{"xz", "\xfd7zXZ\x00", "xz -dc FILE"},
	{"bzip2", "BZh11AY&SY", "bzip2 -dc FILE"}, // the first digit is any, see identify
	{"lz4", "\x04\x22\x4d\x18", "lz4 -dc FILE"},
	{"lz4", "\x02\x21\x4c\x18", "lz4 -dc FILE"},
	{"lzip", "LZIP\x01", "lzip -dc FILE"},
	{"snappy", "\xff\x06\x00\x00sNaPpY", ""},
	{"a zip archive", "PK\x03\x04", "unzip -p FILE"},
	{"an empty zip archive", "PK\x05\x06", ""},
	{"a 7z archive", "7z\xbc\xaf\x27\x1c", "7z e -so FILE"},
	{"a RAR archive", "Rar!\x1a\x07", ""},
	{"Parquet", "PAR1\x15", ""},
	{"ORC", "ORC\x08", ""},
	{"Avro", "Obj\x01", ""},
	{"an SQLite database", "SQLite format 3\x00", ""},
}

// byteOrderMark is what some programs write before UTF-8.
const byteOrderMark = "\xef\xbb\xbf"

// sniffSize is how much of an input's beginning tells what it is, a tar archive included.
const sniffSize = 512 // bytes

// identify returns the container that begins with head, or nil. undecided says that more bytes could tell.
func identify(head []byte) (c *container, undecided bool) {
	const tarAt = 257
	if len(head) > tarAt && bytes.HasPrefix(head[tarAt:], []byte("ustar")) {
		return &container{name: "a tar archive", unpack: "tar -xOf FILE"}, false
	}
	for i := range containers {
		c, n := &containers[i], 0
		for n < len(c.magic) && n < len(head) && (head[n] == c.magic[n] || c.name == "bzip2" && n == 3) {
			n++
		}
		switch {
		case n == len(c.magic):
			return c, false
		case n == len(head) && n > 0:
			undecided = true
		}
	}
	return nil, undecided
}

// containerError says that an input is no text.
type containerError struct {
	file string
	is   *container
}

func (e *containerError) Error() string {
	text := fmt.Sprintf("%s is %s, and its bytes are no lines", e.file, e.is.name)
	if e.is.unpack == "" {
		return text + "; make text of it first"
	}
	return text + "; unpack it first: " + strings.ReplaceAll(e.is.unpack, "FILE", quote(e.file)) + " | epistle produce …"
}

// quote writes a file's name for a shell. Standard input has none.
func quote(name string) string {
	switch {
	case name == StdinName:
		return "FILE"
	case strings.ContainsAny(name, " \t\n'\"\\$`!*?[](){}<>|&;#~"):
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return name
}

// doubt says what a part of an input looks like if it is no text, and no container; "" if it looks like text. first says that
// it is the beginning.
func doubt(head, delimiter []byte, first bool) string {
	switch {
	case first && (bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff"))):
		return "looks like UTF-16, and is sent as it is; iconv -f UTF-16 -t UTF-8 makes UTF-8 of it"
	case first && bytes.HasPrefix(head, []byte(byteOrderMark)):
		return "begins with a byte order mark, and is sent as it is: the first line has three bytes that nobody sees"
	case bytes.IndexByte(head, 0) >= 0 && bytes.IndexByte(delimiter, 0) < 0:
		return "has bytes that no text has; it is sent as it is, cut where a newline happens to be"
	}
	return ""
}

// Unpacked reads an input of text, and unpacks gzip. The first Read fails if the input is in a form that nobody can have meant
// to send as lines. say is called for what looks odd. delimiters are bytes that are expected.
func Unpacked(in io.Reader, name string, delimiters []byte, say func(format string, args ...any)) io.Reader {
	return &sniffer{in: in, name: name, delimiter: delimiters, say: say}
}

// sniffer is Unpacked's reader.
type sniffer struct {
	in        io.Reader
	name      string
	delimiter []byte
	say       func(format string, args ...any)
	unpacked  bool // in is what gzip held

	r    io.Reader // nil until the beginning is known
	seen int       // bytes that were looked at; sniffSize: no more are
}

func (s *sniffer) Read(b []byte) (int, error) {
	if s.r == nil {
		if err := s.begin(); err != nil {
			return 0, err
		}
	}
	n, err := s.r.Read(b)
	s.look(b[:n])
	return n, err
}

// look warns of a beginning that is no text.
func (s *sniffer) look(b []byte) {
	if s.seen >= sniffSize || s.r == nil {
		return
	}
	b = b[:min(len(b), sniffSize-s.seen)]
	text := doubt(b, s.delimiter, s.seen == 0)
	s.seen += len(b)
	if text != "" {
		s.say("note: %s %s", s.name, text)
		s.seen = sniffSize
	}
}

// begin reads only as much as it needs to tell what the input is: lines that somebody types must go on at once.
func (s *sniffer) begin() error {
	head := make([]byte, 0, sniffSize)
	var c *container
	var ended error
	for undecided := true; undecided && ended == nil && len(head) < cap(head); {
		n, err := s.in.Read(head[len(head):cap(head)])
		head, ended = head[:len(head)+n], err
		c, undecided = identify(head)
		undecided = undecided || n == 0 || len(head) < len(byteOrderMark) && strings.HasPrefix(byteOrderMark, string(head))
	}
	rest := s.in
	if ended != nil {
		rest = &failingReader{ended}
	}
	whole := io.MultiReader(bytes.NewReader(head), rest)
	switch {
	case c == nil:
		s.r = whole
	case c.name != gzipped || s.unpacked:
		return &containerError{s.name, c}
	default:
		unzipped, err := gzip.NewReader(whole)
		if err != nil {
			return fmt.Errorf("%s looks like gzip, and cannot be unpacked: %w", s.name, err)
		}
		s.seen = sniffSize // it is for the other to say
		s.r = &sniffer{in: unzipped, name: s.name, delimiter: s.delimiter, say: s.say, unpacked: true}
	}
	return nil
}

// failingReader always returns an error.
type failingReader struct{ err error }

func (r *failingReader) Read([]byte) (int, error) { return 0, r.err }

// TryFile reads the beginning of a file, to see whether it can be read and is text.
func TryFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	s := &sniffer{in: f, name: ui.Plain(name), say: func(string, ...any) {}}
	if _, err := s.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
