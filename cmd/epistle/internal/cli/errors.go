package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/protocol"
)

// UsageError says that a command was called in a way that it does not understand. Nothing was tried.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }

// Usagef makes a UsageError. Strings and errors among args may hold anything that a user has typed or a file has. They are
// shown as text, in one line, and cut if they are long. A Phrase is our own text, and is not changed.
func Usagef(format string, args ...any) error {
	shown := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			shown[i] = word(arg)
		case error:
			shown[i] = ui.OneLine(arg)
		default:
			shown[i] = arg
		}
	}
	return &UsageError{fmt.Sprintf(format, shown...)}
}

// Phrase is our own text, in which the words of others are made harmless already.
type Phrase string

// word is what somebody else has written.
type word string

// Format writes the word, in quotes for %q.
func (w word) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		io.WriteString(f, protocol.Quoted(string(w)))
		return
	}
	io.WriteString(f, ui.Plain(string(w)))
}

// Interrupted says that a signal has ended the command.
type Interrupted struct{ Signal os.Signal }

func (e *Interrupted) Error() string { return fmt.Sprintf("stopped by signal: %v", e.Signal) }

// Reported wraps an error that the user has been told of already.
type Reported struct{ Err error }

func (e *Reported) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *Reported) Unwrap() error { return e.Err }

// Refused makes a UsageError of the reason for which an argument is refused; text names the argument. An interrupt stays what
// it is.
func Refused(text string, err error) error {
	if interrupted, ok := errors.AsType[*Interrupted](err); ok {
		return fmt.Errorf("%s: %w; nothing was read or sent", ui.Plain(text), interrupted)
	}
	return Usagef("%s: %v", text, err)
}

// Status is the exit status that an error stands for.
func Status(err error) int {
	var usage *UsageError
	var interrupted *Interrupted
	switch {
	case err == nil:
		return StatusOK
	case errors.As(err, &usage):
		return StatusUsage
	case errors.As(err, &interrupted):
		if n, ok := interrupted.Signal.(syscall.Signal); ok {
			return 128 + int(n)
		}
		return 130
	}
	return StatusFailed
}
