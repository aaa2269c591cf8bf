package produce

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// Lines that failed are in the file, and among the reasons, in the order in which they were read, whatever the order of their
// outcomes. A line that nobody can hold is no exception. Nothing is held at the end.
func TestFailedLinesAreInTheOrderOfTheInput(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 2))
		name := filepath.Join(t.TempDir(), "failed.txt")
		env := &cli.Env{Screen: ui.NewScreen(io.Discard, false, nil)}
		sources := []*source{{name: "a"}, {name: "b"}}
		u, err := openUndelivered(context.Background(), env, &options{failedTo: name}, sources)
		if err != nil {
			t.Fatal(err)
		}
		var open []*line
		fails := make(map[string]bool)
		var want strings.Builder
		settle := func() {
			i := r.IntN(len(open))
			l := open[i]
			open[i] = open[len(open)-1]
			open = open[:len(open)-1]
			if fails[string(l.text)] {
				u.add(l, []error{errors.New("one thing"), errors.New("another")}[r.IntN(2)])
			} else {
				u.passed(l)
			}
		}
		p := newPool(1<<30, func(*line, producer.RecordMetadata, error) {})
		p.taken, p.freed = u.taken, u.freed
		for _, s := range sources {
			var in bytes.Buffer
			for i := range 6000 {
				fmt.Fprintf(&in, "%s%d %s\n", s.name, i, strings.Repeat("x", r.IntN(60)))
				if r.IntN(1500) == 0 {
					fmt.Fprintf(&in, "long %s\n", strings.Repeat("y", 200_000))
				}
			}
			rd := &reader{pool: p, gate: newGate(), in: &in, source: s, maxLine: 100_000}
			for {
				l, err := rd.next()
				if errors.Is(err, io.EOF) {
					break
				}
				if errors.Is(err, errTooLong) {
					rd.apart()
					for len(open) > 0 {
						settle()
					}
					if !u.alone(nil) {
						t.Fatal("not alone")
					}
					u.addLong(s, s.lines+1, &producer.AdmissionError{Err: errors.New("long")}, func(w io.Writer) error {
						_, err := rd.long(io.MultiWriter(w, &want))
						return err
					})
					want.WriteString("\n")
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if r.IntN(3) > 0 {
					fails[string(l.text)] = true
					want.Write(l.text)
					want.WriteString("\n")
				}
				if open = append(open, l); len(open) > 3000 {
					settle()
				}
			}
			rd.close()
		}
		for len(open) > 0 {
			settle()
		}
		if p.held != 0 || u.order.first != nil || u.waiting.Load() != 0 {
			t.Errorf("seed %d: %d bytes are held and %d lines wait when all lines have their outcome", seed, p.held, u.waiting.Load())
		}
		u.close()
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want.String() {
			t.Errorf("seed %d: the %d bytes of the file are not the %d of the lines that failed, in the order of the input", seed, len(got), want.Len())
		}
		wantAscending(t, name+reasonsSuffix, u.rows)
	}
}

// A process that ends at once leaves no failed line behind, though lines before it are still under way.
func TestFailedLinesAreWrittenBeforeAProcessEndsAtOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "failed.txt")
	var screen bytes.Buffer
	env := &cli.Env{Screen: ui.NewScreen(&screen, false, nil)}
	s := &source{name: "a"}
	u, err := openUndelivered(context.Background(), env, &options{failedTo: name}, []*source{s})
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(1<<30, func(*line, producer.RecordMetadata, error) {})
	p.taken, p.freed = u.taken, u.freed
	rd := &reader{pool: p, gate: newGate(), in: strings.NewReader("one\ntwo\nthree\nfour\n"), source: s, maxLine: 100}
	var cut []*line
	j := &job{env: env, undelivered: u}
	for range 4 {
		l, err := rd.next()
		if err != nil {
			t.Fatal(err)
		}
		cut = append(cut, l)
		j.read.Add(1)
	}
	u.add(cut[3], errors.New("failed"))
	u.add(cut[1], errors.New("failed"))
	j.arrived(cut[2])
	env.AtOnce(j.endAtOnce)
	env.EndAtOnce()
	if got, err := os.ReadFile(name); string(got) != "two\nfour\n" {
		t.Errorf("the file has %q, %v, want the second and the fourth", got, err)
	}
	if want := "ended at once: 1 line had no outcome yet"; !strings.Contains(screen.String(), want) {
		t.Errorf("the screen says %q, want %q", screen.String(), want)
	}
}

// wantAscending checks that rows of reasons name all lines of a file, and go through the input from its beginning to its end.
func wantAscending(t *testing.T, name string, lines int64) {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	next, at, from := int64(1), int64(0), ""
	for row := range strings.Lines(string(content)) {
		fields := strings.Split(row, "\t")
		if strings.HasPrefix(row, "#") {
			continue
		}
		first, last := numbers(t, fields[0])
		if first != next {
			t.Fatalf("after line %d: %s", next-1, row)
		}
		next = last + 1
		for _, list := range strings.Fields(fields[1]) {
			source, ranges, _ := strings.Cut(list, ":")
			if source != from {
				at, from = 0, source
			}
			for one := range strings.SplitSeq(ranges, ",") {
				first, last := numbers(t, one)
				if first <= at {
					t.Fatalf("after line %d of %s: %s", at, from, row)
				}
				at = last
			}
		}
	}
	if next != lines+1 {
		t.Errorf("%d lines have a reason, want %d", next-1, lines)
	}
}

func numbers(t *testing.T, text string) (first, last int64) {
	t.Helper()
	if n, _ := fmt.Sscanf(text, "%d-%d", &first, &last); n == 1 {
		last = first
	} else if n == 0 {
		t.Fatalf("%q are no lines", text)
	}
	return first, last
}
