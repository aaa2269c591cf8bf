package ui

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

// On a terminal the status line is replaced in place, and lasting output goes above it; elsewhere there is none.
func TestScreen(t *testing.T) {
	var b bytes.Buffer
	s := NewScreen(&b, true, func() int { return 10 })
	s.Status("one")
	s.Status("a long status line")
	s.Write([]byte("lasting\n"))
	s.Status("two")
	s.Status("")
	if want := "one\r\x1b[Ka long st\r\x1b[Klasting\ntwo\r\x1b[K"; b.String() != want {
		t.Errorf("screen = %q, want %q", b.String(), want)
	}
	b.Reset()
	s = NewScreen(&b, false, nil)
	s.Status("one")
	s.Write([]byte("lasting\n"))
	if want := "lasting\n"; b.String() != want {
		t.Errorf("without a terminal = %q, want %q", b.String(), want)
	}
}

// Somebody types at the terminal. A message begins on a line of its own, and leaves no empty line where nothing was typed.
func TestMessagesBesideWhatIsTyped(t *testing.T) {
	const width = 20
	for _, test := range []struct {
		name  string
		typed string
		write []string
		want  []string // the rows of the terminal
	}{
		{"nothing is typed", "", []string{"message\n"}, []string{"message", ""}},
		{"a line has ended", "one\n", []string{"message\n"}, []string{"one", "message", ""}},
		{"in the middle of a line", "hello two", []string{"message\n"}, []string{"hello two", "message", ""}},
		{"after one character", "h", []string{"message\n"}, []string{"h", "message", ""}},
		{"one column is left", strings.Repeat("x", width-1), []string{"message\n"}, []string{strings.Repeat("x", width-1), "message", ""}},
		{"the row is full", strings.Repeat("x", width), []string{"message\n"}, []string{strings.Repeat("x", width), "message", ""}},
		{"a line of two rows", strings.Repeat("x", width+3), []string{"message\n"}, []string{strings.Repeat("x", width), "xxx", "message", ""}},
		{"Ctrl-C", "hello^C", []string{"stopped reading\n"}, []string{"hello^C", "stopped reading", ""}},
		{"several messages", "hello", []string{"one\n", "  more of it\n", "two\n"}, []string{"hello", "one", "  more of it", "two", ""}},
		{"a message in pieces", "hello", []string{"one", " and the same", "\n", "two\n"}, []string{"hello", "one and the same", "two", ""}},
		{"a message that is as wide", "hello", []string{strings.Repeat("m", width) + "\n", "two\n"}, []string{"hello", strings.Repeat("m", width), "two", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var term terminal
			s := NewScreen(&term, true, func() int { return width })
			s.Still()
			term.width = width
			term.Write([]byte(test.typed)) // its echo
			for _, text := range test.write {
				if n, err := s.Write([]byte(text)); n != len(text) || err != nil {
					t.Errorf("Write of %d bytes = %d, %v", len(text), n, err)
				}
			}
			if got := term.shown(); !slices.Equal(got, test.want) {
				t.Errorf("the terminal shows %q, want %q", got, test.want)
			}
		})
	}
}

// Where the width is not known, a message begins on a new line at any rate. What is no terminal, or has nobody who types, gets
// the message alone.
func TestNothingIsAddedWhereNobodyTypes(t *testing.T) {
	for _, test := range []struct {
		live, still bool
		width       func() int
		want        string
	}{
		{true, true, nil, "\nmessage\n"}, {true, true, func() int { return 0 }, "\nmessage\n"}, {true, true, func() int { return 1 << 16 }, "\nmessage\n"},
		{true, false, func() int { return 20 }, "message\n"}, {false, true, func() int { return 20 }, "message\n"}, {false, false, nil, "message\n"},
	} {
		var b bytes.Buffer
		s := NewScreen(&b, test.live, test.width)
		if test.still {
			s.Still()
		}
		s.Write([]byte("message\n"))
		if b.String() != test.want {
			t.Errorf("a terminal: %v, somebody types: %v: %q, want %q", test.live, test.still, b.String(), test.want)
		}
	}
}

// A terminal shows what is written to it. After the last column it waits for the next character before it begins a new row, as
// all terminals do today.
type terminal struct {
	width  int
	rows   []string
	column int
}

func (t *terminal) Write(b []byte) (int, error) {
	if t.rows == nil {
		t.rows = []string{""}
	}
	for _, c := range string(b) {
		switch {
		case c == '\r':
			t.column = 0
			continue
		case c == '\n', t.column == t.width:
			t.rows, t.column = append(t.rows, ""), 0
		}
		if c == '\n' {
			continue
		}
		row := t.rows[len(t.rows)-1]
		t.rows[len(t.rows)-1] = row[:t.column] + string(c) + row[min(t.column+1, len(row)):]
		t.column++
	}
	return len(b), nil
}

// shown returns the rows, without spaces at their ends, which nobody sees.
func (t *terminal) shown() (rows []string) {
	for _, row := range t.rows {
		rows = append(rows, strings.TrimRight(row, " "))
	}
	return rows
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{Count(0), "0"}, {Count(999), "999"}, {Count(1000), "1,000"}, {Count(-1234567), "-1,234,567"},
		{Number(1, "line"), "1 line"}, {Number(2000, "line"), "2,000 lines"}, {Number(3, "batch"), "3 batches"},
		{PerSecond(1000, 500*time.Millisecond), "2,000"}, {PerSecond(5, 0), "0"},
		{MegabytesPerSecond(1_500_000, time.Second), "1.5 MB/s"}, {Megabytes(250e6), "250 MB"}, {Megabytes(1234), "0.001 MB"},
		{Elapsed(1234567 * time.Microsecond), "1.23s"}, {Elapsed(12345 * time.Millisecond), "12.3s"}, {Elapsed(1234 * time.Microsecond), "1.2ms"}, {Elapsed(12 * time.Microsecond), "12µs"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

// A stranger's words neither command the terminal nor fill it.
func TestWhatIsNotOurs(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{Text("größer 日本\n\tnext"), "größer 日本\n\tnext"},
		{Text("\x1b]0;title\a\x1b[2J\r"), `\x1b]0;title\x07\x1b[2J\r`},
		{Text("a\u202eb\u0085c\xff"), `a\u202eb\u0085c\xff`},
		{Plain("a\nepistle: forged"), `a\nepistle: forged`},
		{Text(strings.Repeat("x", maxText+5)), strings.Repeat("x", maxText) + "… (5 bytes more)"},
	} {
		if test.got != test.want {
			t.Errorf("got %.80q, want %.80q", test.got, test.want)
		}
	}
	if n := len(Text(strings.Repeat("\x1b", 1<<20))); n > maxText+100 {
		t.Errorf("a message has %d bytes, want about %d at most", n, maxText)
	}
	for _, test := range []struct {
		text, want string
		n          int64
		whole      bool
	}{
		{"line", "line", 4, true}, {"line", "line… (1,000,000 bytes)", 1_000_000, false}, {"a\x1b", `a\x1b`, 2, false}, {"0123456789abc", "0123456789… (13 bytes)", 13, false},
	} {
		if got, whole := Excerpt([]byte(test.text), test.n, 10); got != test.want || whole != test.whole {
			t.Errorf("excerpt of %q = %q, %v, want %q, %v", test.text, got, whole, test.want, test.whole)
		}
	}
}
