package txn

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the tests print as what is expected")

// The state machine is a table: each move from each state, and those that panic. A change of it is to be read, in
// testdata/states.txt, before it is committed; the picture in the package documentation has to agree.
func TestEveryMoveFromEveryState(t *testing.T) {
	var out strings.Builder
	fmt.Fprintf(&out, "%-16s", "")
	for m := range moves {
		fmt.Fprintf(&out, "%-16s", m)
	}
	out.WriteString("\n")
	for s := Uninitialized; s <= Fatal; s++ {
		fmt.Fprintf(&out, "%-16s", s)
		for m := range moves {
			fmt.Fprintf(&out, "%-16s", after(s, m))
		}
		out.WriteString("\n")
	}
	got := trimLines(out.String())
	const file = "testdata/states.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("the moves are\n%s\nwant\n%s", got, want)
	}
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// after returns the state to which a move leads, or that it panics.
func after(s State, m move) (to string) {
	defer func() {
		if r := recover(); r != nil {
			to = "panic"
			if text := fmt.Sprint(r); !strings.Contains(text, s.String()) || !strings.Contains(text, m.String()) {
				to = text // which should name both
			}
		}
	}()
	x := &Txn{state: s}
	x.move(m)
	return x.state.String()
}

// Nothing leaves Fatal, and from everywhere there is a way there: a broker that makes no sense ends the producer, whatever
// it was doing.
func TestFatalIsFinal(t *testing.T) {
	for s, row := range table {
		if to, ok := row[die]; !ok || to != Fatal {
			t.Errorf("from %q there is no way to die", s)
		}
	}
	for m, to := range table[Fatal] {
		if to != Fatal {
			t.Errorf("%q leads out of fatal, to %q", m, to)
		}
	}
	if len(table) != int(Fatal)+1 {
		t.Errorf("the table has %d states, want all %d", len(table), int(Fatal)+1)
	}
}
