package ui

import (
	"bytes"
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
