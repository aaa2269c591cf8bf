package ui

import (
	"bytes"
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
