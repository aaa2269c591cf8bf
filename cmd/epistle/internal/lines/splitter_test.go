package lines

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// show writes what a line was cut into, with <null> for null.
func show(s *Splitter, line string) string {
	text := func(b []byte) string {
		if b == nil {
			return "<null>"
		}
		return string(b)
	}
	headers, key, value, _ := s.Split([]byte(line))
	var b strings.Builder
	for _, h := range headers {
		fmt.Fprintf(&b, "[%s=%s]", h.Key, text(h.Value))
	}
	return b.String() + text(key) + "=" + text(value)
}

func TestSplit(t *testing.T) {
	for _, test := range []struct {
		splitter   Splitter
		line, want string
	}{
		{Splitter{}, "k:v", "<null>=k:v"},
		{Splitter{Key: []byte(":")}, "k:v:w", "k=v:w"},
		{Splitter{Key: []byte(":")}, "v", "<null>=v"},
		{Splitter{Key: []byte(":"), EmptyIsNull: true}, ":", "<null>=<null>"},
		{Splitter{Key: []byte(":"), NullMarker: []byte("NULL")}, "k:NULL", "k=<null>"},
		{Splitter{Key: []byte(":"), NullMarker: []byte("NULL")}, "NULL:", "<null>="},
		{Splitter{Headers: []byte("\t"), Key: []byte("\t")}, "a:1,b:2\tk\tv", "[a=1][b=2]k=v"},
		{Splitter{Headers: []byte("\t"), Key: []byte("\t")}, "\tk\tv", "k=v"},
		{Splitter{Headers: []byte("\t")}, "a,b:,,:x\tv", "[a=<null>][b=]<null>=v"},
		{Splitter{Headers: []byte("|"), Pair: []byte(";"), Name: []byte("->")}, "a->1;b->2|v", "[a=1][b=2]<null>=v"},
		{Splitter{Headers: []byte("\t")}, "no headers", "<null>=no headers"},
	} {
		if got := show(&test.splitter, test.line); got != test.want {
			t.Errorf("%+v: %q is cut into %s, want %s", test.splitter, test.line, got, test.want)
		}
	}
}

func TestUnescape(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""}, {":", ":"}, {`\t`, "\t"}, {`\\t`, `\t`}, {`a\x1fb`, "a\x1fb"}, {`\0\n\r`, "\x00\n\r"}, {"→", "→"},
	} {
		if got, err := Unescape(test.in); got != test.want || err != nil {
			t.Errorf("Unescape(%q) = %q, %v, want %q", test.in, got, err, test.want)
		}
	}
	for _, wrong := range []string{`\`, `a\`, `\q`, `\x`, `\x1`, `\xgg`} {
		if got, err := Unescape(wrong); err == nil {
			t.Errorf("Unescape(%q) = %q, want an error", wrong, got)
		}
	}
}

// Whatever the line and the delimiters are, nothing of the line is lost: put together again, key and value are the line.
func FuzzSplitter(f *testing.F) {
	f.Add([]byte("k:v"), []byte(":"), []byte(""), false)
	f.Add([]byte("a:1,b\tk=>v"), []byte("=>"), []byte("\t"), true)
	f.Add([]byte("::"), []byte("::"), []byte(":"), true)
	f.Fuzz(func(t *testing.T, line, delimiter, headers []byte, emptyIsNull bool) {
		s := Splitter{Key: delimiter, Headers: headers, EmptyIsNull: emptyIsNull}
		before := bytes.Clone(line)
		got, key, value, _ := s.Split(line)
		if !bytes.Equal(line, before) {
			t.Fatalf("the line was changed from %q to %q", before, line)
		}
		if emptyIsNull && (key != nil && len(key) == 0 || value != nil && len(value) == 0) {
			t.Fatalf("%q: an empty key or value is not null", line)
		}
		if !emptyIsNull && value == nil && line != nil {
			t.Fatalf("%q: the value is null", line)
		}
		for _, h := range got {
			if h.Key == "" {
				t.Fatalf("%q: a header has no name", line)
			}
		}
		rest := line
		if len(headers) > 0 {
			if _, after, found := bytes.Cut(line, headers); found {
				rest = after
			}
		}
		again := value
		if len(delimiter) > 0 && bytes.Contains(rest, delimiter) {
			again = bytes.Join([][]byte{key, value}, delimiter)
		} else if key != nil {
			t.Fatalf("%q has no delimiter %q, and has the key %q", rest, delimiter, key)
		}
		if !bytes.Equal(again, rest) {
			t.Fatalf("key %q and value %q of %q are not the line", key, value, rest)
		}
		if len(delimiter) > 0 && bytes.Contains(key, delimiter) {
			t.Fatalf("the key %q goes beyond the first delimiter %q", key, delimiter)
		}
	})
}

// Text that was escaped by hand is understood, or refused; it never panics, and plain text stays what it is.
func FuzzUnescape(f *testing.F) {
	for _, seed := range []string{``, `\t`, `\x1f`, `\\`, `\`, `a\q`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Unescape(text)
		if err == nil && !strings.Contains(text, `\`) && got != text {
			t.Fatalf("Unescape(%q) = %q, want it as it is", text, got)
		}
		if again, err := Unescape(strings.ReplaceAll(text, `\`, `\\`)); err != nil || again != text {
			t.Fatalf("escaped, %q comes back as %q, %v", text, again, err)
		}
	})
}
