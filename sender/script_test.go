package sender

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the output of the scripts in testdata as the expected one")

// TestScripts drives the core without a clock and without I/O. A script is
// blocks of commands, ----, the expected output and an empty line; a block
// without ---- is a comment. What the commands are, bench.run says.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(nil)
	var out strings.Builder
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	for i, block := range strings.Split(strings.TrimSpace(text), "\n\n") {
		input, want, ok := strings.Cut(block, "\n----")
		if !ok { // a comment
			out.WriteString(block + "\n\n")
			continue
		}
		want = strings.TrimPrefix(want, "\n")
		for line := range strings.SplitSeq(input, "\n") {
			if !strings.HasPrefix(line, "#") {
				b = b.try(line)
			}
		}
		got := strings.Join(b.taken(), "\n")
		fmt.Fprintf(&out, "%s\n----\n", input)
		if got != "" {
			out.WriteString(got + "\n")
		}
		out.WriteString("\n")
		if !*update && got != want {
			t.Errorf("%s, block %d:\n%s\n---- got\n%s\n---- want\n%s", file, i+1, input, got, want)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.TrimSpace(out.String())+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// try runs one line. A panic, of the core or of the script, is output too.
func (b *bench) try(line string) (next *bench) {
	defer func() {
		if r := recover(); r != nil {
			b.printf("panic: %v", r)
			next = b
		}
	}()
	return b.run(strings.Fields(line))
}

// taken returns the output since the last call. What a step has sent to
// several nodes is in the order of the nodes.
func (b *bench) taken() []string {
	b.flushSends()
	var out []string
	for i := 0; i < len(b.out); {
		n := 1
		for i+n < len(b.out) && b.out[i+n] == b.out[i] {
			n++
		}
		line := b.out[i]
		if n > 1 {
			line = fmt.Sprintf("%s (%d times)", line, n)
		}
		out = append(out, line)
		i += n
	}
	b.out = nil
	return out
}

func (b *bench) printf(format string, args ...any) {
	b.flushSends()
	b.out = append(b.out, fmt.Sprintf(format, args...))
}

func (b *bench) flushSends() {
	slices.SortStableFunc(b.sends, func(x, y sentLine) int { return int(x.node - y.node) })
	for _, s := range b.sends {
		b.out = append(b.out, s.text)
	}
	b.sends = nil
}
