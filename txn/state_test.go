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
	fmt.Fprintf(&out, "%-18s", "")
	for m := range moves {
		fmt.Fprintf(&out, "%-18s", m)
	}
	out.WriteString("\n")
	for s := range stateCount {
		fmt.Fprintf(&out, "%-18s", s)
		for m := range moves {
			fmt.Fprintf(&out, "%-18s", after(s, m))
		}
		out.WriteString("\n")
	}
	golden(t, "testdata/states.txt", out.String())
}

// What each call gets at once in each state is a table, too, and so is what is said of the transaction. It is to be read in
// testdata/replies.txt.
func TestEveryReplyInEveryState(t *testing.T) {
	var out strings.Builder
	line := func(columns ...any) {
		for _, c := range columns {
			fmt.Fprintf(&out, "%-20v", c)
		}
		out.WriteString("\n")
	}
	line("", CallInit, "Begin", "Send, SendOffsets", "Commit", "Abort", "left", "lost")
	for s := range stateCount {
		row := said[s]
		line(s, nameOf(row.init), nameOf(row.begin), nameOf(row.add), nameOf(row.commit), nameOf(row.abort), row.left, row.lost)
	}
	out.WriteString("\n")
	for r := range replies {
		if rules[r] != "" {
			fmt.Fprintf(&out, "%-20s%s\n", nameOf(r), rules[r])
		}
	}
	golden(t, "testdata/replies.txt", out.String())
}

func nameOf(r reply) string {
	return [replies]string{
		"starts", "waits", "done", "reports", "dead", "failed", "needs init", "needs both", "needs begin", "needs open",
		"open", "committing", "aborting", "unreported", "waited for",
	}[r]
}

// golden compares what a test prints with a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	got = trimLines(got)
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
		t.Errorf("%s has\n%s\nbut the table is\n%s", file, want, got)
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

// Nothing leaves Fatal, nothing that is dead lives again, and from everywhere there is a way to Fatal: a broker that makes no
// sense ends the producer, whatever it was doing.
func TestFatalIsFinal(t *testing.T) {
	for s := range stateCount {
		if to, ok := table[s][die]; !ok || to != Fatal {
			t.Errorf("from %q there is no way to die", s)
		}
		for m, to := range table[s] {
			if s == Fatal && to != Fatal || s.Dead() && !to.Dead() {
				t.Errorf("%q leads from %q to %q", m, s, to)
			}
		}
	}
}

// A record can fail at any time, and changes something only while its transaction can still be committed (pitfall 19).
func TestALateFailureChangesNothing(t *testing.T) {
	for s := range stateCount {
		want := s
		if s == InTransaction || s == Committing {
			want = Failed
		}
		if got := after(s, fail); got != want.String() {
			t.Errorf("a failure leads from %q to %q, want %q", s, got, want)
		}
	}
}

// What can be aborted is an orphan only while it is open.
func TestOnlyWhatIsOpenIsOrphaned(t *testing.T) {
	for s := range stateCount {
		if _, ok := table[s][orphan]; ok != (s.open() && !s.Dead()) {
			t.Errorf("from %q to an orphan: %v", s, ok)
		}
	}
}
