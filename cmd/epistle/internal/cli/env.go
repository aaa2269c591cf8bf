package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// Exit statuses. If a signal has ended a command, the status is 128 plus its number, as in a shell.
const (
	StatusOK     = 0 // every record was acknowledged
	StatusFailed = 1
	StatusUsage  = 2 // nothing was tried
)

// Env is everything outside of a command that it uses. Tests make their own.
type Env struct {
	Stdin  io.Reader
	Stdout io.Writer
	Screen *ui.Screen // standard error

	// Program is how the user calls this program; "" is epistle.
	Program string

	// Interrupts are SIGINT and SIGTERM. The first asks a command to finish what it has begun, the second to give up. A third
	// does not come here: see LastWord.
	Interrupts <-chan os.Signal
	// StdinClosed says that the program was started without a standard input.
	StdinClosed bool
	// Interactive says that a person types the standard input.
	Interactive bool
	// AskPassword asks for a password at the terminal, which does not show what is typed. When ctx ends it fails with the cause
	// of that. nil: there is no terminal.
	AskPassword func(ctx context.Context, prompt string) (string, error)

	atOnce atomic.Pointer[func()]
}

// AtOnce has do called before a third interrupt ends the process.
func (e *Env) AtOnce(do func()) { e.atOnce.Store(&do) }

// EndAtOnce calls what AtOnce was given, and does not wait for it long: a full pipe may hang.
func (e *Env) EndAtOnce() {
	const patience = 2 * time.Second
	do := e.atOnce.Load()
	if do == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		(*do)()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
	}
}

// Command is how the user calls this program, for lines that are to be copied.
func (e *Env) Command() string {
	if e.Program == "" {
		return "epistle"
	}
	return e.Program
}

// Debounce passes on signals, except one that comes right after another. Some programs send a signal both to a process and to
// its group, which does not mean that somebody has lost patience.
func Debounce(signals <-chan os.Signal) <-chan os.Signal {
	const apart = 300 * time.Millisecond
	out := make(chan os.Signal, 4)
	go func() {
		var last time.Time
		for sig := range signals {
			if now := time.Now(); now.Sub(last) >= apart {
				last = now
				out <- sig
			}
		}
	}()
	return out
}

// LastWord passes on two signals. For the third it calls end, which is to end the process at once: whoever asks three times
// does not want to wait, whatever hangs.
func LastWord(signals <-chan os.Signal, end func(os.Signal)) <-chan os.Signal {
	const patience = 2
	out := make(chan os.Signal, patience)
	go func() {
		n := 0
		for sig := range signals {
			if n++; n > patience {
				end(sig)
				return
			}
			out <- sig
		}
	}()
	return out
}

// Say writes a line to standard error, behind the program's name. Words of others, such as a broker's text or a file's name,
// can neither command the terminal nor fill it. Further lines are indented, so that none of them looks like a message of its
// own.
func (e *Env) Say(format string, args ...any) {
	text := ui.Text(fmt.Sprintf(format, args...))
	first, rest, _ := strings.Cut(text, "\n")
	fmt.Fprintf(e.Screen, "epistle: %s\n", first)
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "  ") {
			line = "  " + line
		}
		fmt.Fprintln(e.Screen, strings.TrimSuffix(line, "\n"))
	}
}

// Await calls do, which may wait for ever, as the opening of a pipe does. When ctx ends it returns the cause of that at once,
// and leaves do behind. If do succeeds later, late gets the result; late may be nil.
func Await[T any](ctx context.Context, do func() (T, error), late func(T)) (T, error) {
	type outcome struct {
		v   T
		err error
	}
	done := make(chan outcome) // not buffered: either we have it, or it is late
	go func() {
		v, err := do()
		select {
		case done <- outcome{v, err}:
		case <-ctx.Done():
			if err == nil && late != nil {
				late(v)
			}
		}
	}()
	select {
	case o := <-done:
		return o.v, o.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// UntilInterrupted returns a context that the next interrupt ends, with an *Interrupted as its cause. Release gives the
// interrupts back, and must be called.
func (e *Env) UntilInterrupted(parent context.Context) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(parent)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case sig := <-e.Interrupts:
			cancel(&Interrupted{sig})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(context.Canceled)
		<-done
	}
}
