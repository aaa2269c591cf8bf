package sender

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/internal/script"
)

var update = flag.Bool("update", false, "write the output of the scripts in testdata as the expected one")

// TestScripts drives the core without a clock and without I/O, by the scripts of testdata. A line that begins with # is a
// comment. What the commands are, bench.run says.
func TestScripts(t *testing.T) {
	script.Run(t, *update, func(*testing.T) func([]string) string {
		b := newBench(nil)
		return func(lines []string) string {
			for _, line := range lines {
				if !strings.HasPrefix(line, "#") {
					b = b.try(line)
				}
			}
			return strings.Join(b.taken(), "\n")
		}
	})
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
