package produce

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/epistle-kafka/epistle/producer"
)

func newTestReader(in io.Reader, maxLine int) *reader {
	p := newPool(1<<30, func(l *line, _ producer.RecordMetadata, _ error) { l.block.release() })
	return &reader{pool: p, gate: newGate(), in: in, source: &source{name: "test"}, maxLine: maxLine}
}

// readAll cuts an input; lines longer than maxLine come from long. Lines are released in random order, late.
func readAll(t *testing.T, in io.Reader, maxLine int, r *rand.Rand) (lines []string) {
	t.Helper()
	rd := newTestReader(in, maxLine)
	var open []*line
	release := func() {
		i := r.IntN(len(open))
		l := open[i]
		open[i] = open[len(open)-1]
		open = open[:len(open)-1]
		if got, want := string(l.text), lines[l.number-1]; got != want {
			t.Fatalf("line %d was %q, and has become %q", l.number, want, got)
		}
		l.done(producer.RecordMetadata{}, nil)
	}
	for {
		l, err := rd.next()
		switch {
		case err == nil:
			lines = append(lines, string(l.text))
			open = append(open, l)
			if len(open) > 3000 {
				release()
			}
			continue
		case errors.Is(err, errTooLong):
			var b bytes.Buffer
			n, err := rd.long(&b)
			if err != nil || n != int64(b.Len()) {
				t.Fatalf("long = %d, %v, and wrote %d bytes", n, err, b.Len())
			}
			lines = append(lines, b.String())
			continue
		case err != io.EOF:
			t.Fatal(err)
		}
		for len(open) > 0 {
			release()
		}
		rd.close()
		if rd.pool.held != 0 {
			t.Fatalf("%d bytes of blocks are still held at the end", rd.pool.held)
		}
		return lines
	}
}

// Whatever the sizes of lines, reads and blocks, the lines are those of the input.
func TestReaderCutsAtNewlinesAlone(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		var want []string
		longest := []int{3, 200, blockSize, 3 * blockSize}[r.IntN(4)]
		for size := 0; size < 6*blockSize; {
			text := strings.Repeat(string(rune('a'+len(want)%26)), r.IntN(longest+1)) + []string{"", "\r", "\x00", "ü"}[r.IntN(4)]
			want = append(want, text)
			size += len(text) + 1
		}
		input := strings.Join(want, "\n")
		if want[len(want)-1] == "" {
			want = want[:len(want)-1] // an input that ends in a newline has no line after it
		}
		in := io.Reader(strings.NewReader(input))
		switch r.IntN(3) {
		case 0:
			in = iotest.DataErrReader(in)
		case 1:
			in = &chunks{in, r}
		}
		got := readAll(t, in, []int{10, 1000, blockSize, 1 << 20}[r.IntN(4)], r)
		if len(got) != len(want) {
			t.Fatalf("seed %d: %d lines, want %d", seed, len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("seed %d: line %d has %d bytes and begins with %.20q, want %d and %.20q", seed, i+1, len(got[i]), got[i], len(want[i]), want[i])
			}
		}
	}
}

// chunks reads as much as it pleases.
type chunks struct {
	io.Reader
	r *rand.Rand
}

func (c *chunks) Read(b []byte) (int, error) {
	return c.Reader.Read(b[:1+c.r.IntN(len(b))])
}

// A line of any length is passed on without being held.
func TestLongLinesTakeNoMemory(t *testing.T) {
	const length = 50 << 20
	rd := newTestReader(io.MultiReader(io.LimitReader(letters{}, length), strings.NewReader("\nnext")), 1000)
	if _, err := rd.next(); !errors.Is(err, errTooLong) {
		t.Fatalf("next = %v, want errTooLong", err)
	}
	if n, err := rd.long(io.Discard); n != length || err != nil {
		t.Errorf("long = %d, %v, want %d", n, err, length)
	}
	if limit := int64(2 * (blockSize + blockLines*lineCost)); rd.pool.held > limit {
		t.Errorf("%d bytes of blocks are held, want at most %d", rd.pool.held, limit)
	}
	l, err := rd.next()
	if err != nil || string(l.text) != "next" || l.number != 2 {
		t.Errorf("the line after it = %v, %v, want line 2, next", l, err)
	}
}

type letters struct{}

func (letters) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// Reading waits for the outcomes of what was read, and goes on as soon as there is room.
func TestReaderWaitsForOutcomes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 3 * (blockSize + blockLines*lineCost)
		p := newPool(limit, func(l *line, _ producer.RecordMetadata, _ error) { l.block.release() })
		rd := &reader{pool: p, gate: newGate(), in: letterLines{}, source: &source{}, maxLine: 1000}
		lines := make(chan *line, 1<<20)
		go func() {
			defer close(lines)
			for {
				l, err := rd.next()
				if err != nil {
					return
				}
				lines <- l
			}
		}()
		synctest.Wait()
		if p.held > limit {
			t.Errorf("%d bytes of blocks are held, want at most %d", p.held, limit)
		}
		n := len(lines)
		if n == 0 || n > 3*blockLines {
			t.Fatalf("%d lines were read without an outcome, want some, and at most %d", n, 3*blockLines)
		}
		for range n {
			(<-lines).done(producer.RecordMetadata{}, nil)
		}
		synctest.Wait()
		if len(lines) == 0 {
			t.Error("no line is read after the outcomes of those before")
		}
		rd.gate.stop()
		for l := range lines {
			l.done(producer.RecordMetadata{}, nil)
		}
	})
}

type letterLines struct{}

func (letterLines) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = "0123456789\n"[i%11]
	}
	return len(b), nil
}

// A line that is too long is told as that, also if all of it is in memory already, since a longer one made the room.
func TestALongLineIsTooLongHoweverItComes(t *testing.T) {
	long := strings.Repeat("x", 3000) + "\n"
	for _, in := range []io.Reader{
		strings.NewReader(long + long + "fine\n"),
		iotest.OneByteReader(strings.NewReader(long + long + "fine\n")),
		iotest.HalfReader(strings.NewReader(long + long + "fine\n")),
	} {
		r := newTestReader(in, 1000)
		for range 2 {
			if _, err := r.next(); err != errTooLong {
				t.Fatalf("next = %v, want errTooLong", err)
			}
			if n, err := r.long(io.Discard); n != 3000 || err != nil {
				t.Fatalf("long = %d, %v, want 3000", n, err)
			}
		}
		if l, err := r.next(); err != nil || string(l.text) != "fine" {
			t.Fatalf("next = %v, want the line that is not too long", err)
		}
	}
}
