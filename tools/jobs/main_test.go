//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pipes makes named pipes, by which the commands of a test wait for each other. The commands run where they lie.
func pipes(t *testing.T, names ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range names {
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// together has all commands run side by side.
func together(commands ...string) plan { return plan{stages: [][]string{commands}} }

// soon is how long those are left that have to end and do not.
const soon = 20 * time.Millisecond

// A screen is what run prints to. It says when a text has come, by a named pipe: what a command has written may be read later
// than what another one wrote after it.
type screen struct {
	t     *testing.T
	text  strings.Builder
	tells map[string]string // the pipe, by the text; each is told once
}

func (s *screen) String() string { return s.text.String() }

func (s *screen) Write(p []byte) (int, error) {
	n, err := s.text.Write(p)
	for text, pipe := range s.tells {
		if strings.Contains(s.String(), text) {
			delete(s.tells, text)
			if err := os.WriteFile(pipe, []byte("\n"), 0); err != nil {
				s.t.Error(err)
			}
		}
	}
	return n, err
}

func expectContains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

// expectOrder demands that the parts are in the text, each behind the one before.
func expectOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		_, behind, ok := strings.Cut(rest, part)
		if !ok {
			t.Errorf("%q is not where it is expected, of %q, in:\n%s", part, parts, text)
			return
		}
		rest = behind
	}
}

// What steps say that run side by side is printed step by step.
func TestStepsDoNotMix(t *testing.T) {
	pipes(t, "turn-a", "turn-b")
	a := `echo '── a …'; echo a1; echo >turn-b; read x <turn-a; echo a2; echo '── a: 1 s'; echo >turn-b
	      echo '── next …'; echo '── next: 0 s'`
	b := `read x <turn-b; echo '── b … (usually 1 s)'; echo b1; echo >turn-a; read x <turn-b; echo b2 >&2; printf 'and no end'`
	var out strings.Builder
	if status := run(&out, together(a, b), nil, soon); status != 0 {
		t.Errorf("status %d, want 0", status)
	}
	expectContains(t, out.String(), "── a …\n", "── a:\na1\na2\n── a: 1 s\n", "── b … (usually 1 s)\n", "── b:\nb1\nb2\nand no end\n")
	// What the other one says may come between these two.
	expectContains(t, out.String(), "── next …\n", "── next: 0 s\n")
	if strings.Contains(out.String(), "── next:\n") {
		t.Errorf("a step that has said nothing takes more than two lines:\n%s", out.String())
	}
}

// The beginning of a step is told while it runs.
func TestABeginningIsToldAtOnce(t *testing.T) {
	pipes(t, "told")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	done := make(chan int, 1)
	go func() { done <- run(write, together(`echo '── long …'; read x <told`), nil, soon) }()
	line := make([]byte, 100)
	n, err := read.Read(line)
	if got := string(line[:n]); err != nil || got != "── long …\n" {
		t.Errorf("read %q, %v, want that the step has begun", got, err)
	}
	if err := os.WriteFile("told", []byte("\n"), 0); err != nil {
		t.Fatal(err)
	}
	if status := <-done; status != 0 {
		t.Errorf("status %d, want 0", status)
	}
}

// A failure ends the others, with what they have started, and what led to it is printed last.
func TestAFailureEndsTheOthers(t *testing.T) {
	pipes(t, "begun", "others")
	waits := `echo '── waits …'; echo 'no end in sight'; sleep 100 & echo $! >child; echo >others; wait`
	fails := `read x <begun; read x <others; echo '── works …'; echo '── works: 1 s'; echo '── breaks …'; echo why; echo '── breaks: FAILED after 1 s'; exit 3`
	out := screen{t: t, tells: map[string]string{"── waits …": "begun"}}
	if status := run(&out, together(waits, fails), nil, soon); status != 3 {
		t.Errorf("status %d, want that of the failure, 3", status)
	}
	expectContains(t, out.String(), "── works: 1 s\n", "── waits: stopped\n")
	if want := "── breaks:\nwhy\n── breaks: FAILED after 1 s\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("it does not end with %q:\n%s", want, out.String())
	}
	expectGone(t, "child")
}

// A signal ends all, those that ignore it too.
func TestASignalEndsAll(t *testing.T) {
	pipes(t, "stubborn-begun", "others", "ready")
	stubborn := `trap '' INT TERM; echo '── stubborn …'; sleep 100 & echo $! >child; echo >others; wait`
	meek := `read x <stubborn-begun; read x <others; echo '── meek …'; sleep 100`
	signals := make(chan os.Signal, 1)
	go func() { // ends with the command's word
		_, _ = os.ReadFile("ready")
		signals <- syscall.SIGTERM
	}()
	out := screen{t: t, tells: map[string]string{"── stubborn …": "stubborn-begun", "── meek …": "ready"}}
	if status := run(&out, together(stubborn, meek), signals, soon); status != 128+15 {
		t.Errorf("status %d, want %d", status, 128+15)
	}
	expectContains(t, out.String(), "── stubborn: stopped\n", "── meek: stopped\n")
	expectGone(t, "child")
}

// A stage begins when all commands of the one before have ended, and a command that runs meanwhile holds none up.
func TestStages(t *testing.T) {
	pipes(t, "first-may-end", "all-may-end")
	p := plan{
		meanwhile: []string{`echo '── meanwhile …'; read x <all-may-end; echo '── meanwhile: 2 s'`},
		stages: [][]string{
			// A second stage that did not wait would begin while this one sleeps.
			{`echo '── quick …'; echo '── quick: 0 s'`, `echo '── slow …'; read x <first-may-end; sleep 0.2; touch slow-has-ended; echo '── slow: 1 s'`},
			{`echo '── second …'; ls slow-has-ended; echo '── second: 0 s'`},
			{`echo '── third …'; echo >all-may-end; echo '── third: 0 s'`},
		},
	}
	out := screen{t: t, tells: map[string]string{"── quick: 0 s": "first-may-end"}}
	if status := run(&out, p, nil, soon); status != 0 {
		t.Errorf("status %d, want 0", status)
	}
	expectContains(t, out.String(), "── second:\nslow-has-ended\n", "── meanwhile: 2 s\n")
	expectOrder(t, out.String(), "── slow: 1 s\n", "── second …\n", "── second: 0 s\n", "── third …\n")
}

// What comes after a failure does not begin, and what runs meanwhile is ended, too.
func TestNoStageComesAfterAFailure(t *testing.T) {
	pipes(t, "meanwhile-begun")
	p := plan{
		meanwhile: []string{`sleep 100 & echo $! >child; echo '── meanwhile …'; wait`},
		stages:    [][]string{{`read x <meanwhile-begun; exit 4`}, {`echo '── after …'; touch after`}},
	}
	out := screen{t: t, tells: map[string]string{"── meanwhile …": "meanwhile-begun"}}
	if status := run(&out, p, nil, soon); status != 4 {
		t.Errorf("status %d, want that of the failure, 4", status)
	}
	expectContains(t, out.String(), "── meanwhile: stopped\n")
	if _, err := os.Stat("after"); err == nil || strings.Contains(out.String(), "after") {
		t.Errorf("the stage after the failure has begun:\n%s", out.String())
	}
	expectGone(t, "child")
}

// What fails meanwhile ends the stages.
func TestAFailureMeanwhileEndsTheStages(t *testing.T) {
	pipes(t, "stage-begun")
	p := plan{
		meanwhile: []string{`read x <stage-begun; echo '── meanwhile …'; echo why; exit 5`},
		stages:    [][]string{{`sleep 100 & echo $! >child; echo '── stage …'; wait`}, {`touch after`}},
	}
	out := screen{t: t, tells: map[string]string{"── stage …": "stage-begun"}}
	if status := run(&out, p, nil, soon); status != 5 {
		t.Errorf("status %d, want that of the failure, 5", status)
	}
	if !strings.HasSuffix(out.String(), "── stage: stopped\n── meanwhile:\nwhy\n") {
		t.Errorf("it does not end with what failed, and why:\n%s", out.String())
	}
	if _, err := os.Stat("after"); err == nil {
		t.Error("the stage after the failure has begun")
	}
	expectGone(t, "child")
}

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		arguments, want string
	}{
		{"a", "meanwhile [], [[a]]"},
		{"a b", "meanwhile [], [[a b]]"},
		{"-meanwhile m a b -then c -then d -meanwhile n", "meanwhile [m n], [[a b] [c] [d]]"},
		{"", "the last stage has no command"},
		{"-meanwhile m", "the last stage has no command"},
		{"-then a", "no command is before -then"},
		{"a -then", "the last stage has no command"},
		{"a -then -then b", "no command is before -then"},
		{"a -meanwhile", "no command is behind -meanwhile"},
	} {
		p, err := parse(strings.Fields(c.arguments))
		got := fmt.Sprintf("meanwhile %v, %v", p.meanwhile, p.stages)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q is %q, want %q", c.arguments, got, c.want)
		}
	}
}

// What a command leaves behind holds nobody up, though it holds the pipe.
func TestOneThatGoesOnHoldsNobodyUp(t *testing.T) {
	pipes(t)
	var out strings.Builder
	if status := run(&out, together(`sleep 100 & echo $! >child; echo done`), nil, soon); status != 0 || out.String() != "done\n" {
		t.Errorf("status %d, %q, want 0 and that it is done", status, out.String())
	}
	pid := child(t, "child")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("what was left behind is gone: %v; only what has to end is ended", err)
	}
}

// Of a step that says too much the end is kept.
func TestTheEndIsKept(t *testing.T) {
	command := fmt.Sprintf(`echo '── much …'; echo first; head -c %d /dev/zero | tr '\0' x; echo; echo last`, mostKept)
	var out strings.Builder
	if status := run(&out, together(command), nil, soon); status != 0 {
		t.Errorf("status %d, want 0", status)
	}
	if got := out.String(); strings.Contains(got, "first") || !strings.HasSuffix(got, "x\nlast\n") || len(got) > mostKept+200 {
		t.Errorf("it printed %d bytes, the first lines %.200q, want the last %d bytes", len(got), got, mostKept)
	}
}

func TestStatusOfACommandThatASignalEnded(t *testing.T) {
	if status := run(new(strings.Builder), together(`kill -KILL $$`), nil, soon); status != 128+9 {
		t.Errorf("status %d, want %d", status, 128+9)
	}
}

// child is the process whose id a command has written.
func child(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// expectGone demands that a process has ended. The system may not have told anybody yet.
func expectGone(t *testing.T, name string) {
	t.Helper()
	pid := child(t, name)
	for range 1000 {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) || zombie(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d goes on", pid)
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// zombie says whether a process has ended, and nobody has asked how.
func zombie(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(status), ") ")
	return err == nil && strings.HasPrefix(rest, "Z")
}
