package producer

import (
	"errors"
	"strings"
)

// An abortError joins the error for which a transaction was to be aborted and that of the abort. One of them says what to do
// next: errors.As finds it first, and the text of the other leaves that out.
type abortError struct {
	text   string
	causes []error
}

func (e *abortError) Error() string   { return e.text }
func (e *abortError) Unwrap() []error { return e.causes }

// abortFailed joins err, for which a transaction was to be aborted, and aborted, the error of the abort. abortSays has aborted
// say what to do next, if it is a *TransactionError; otherwise err does.
func abortFailed(err, aborted error, abortSays bool) error {
	if !abortSays {
		return &abortError{err.Error() + "; " + withoutNext(aborted), []error{err, aborted}}
	}
	first := err.Error()
	if errors.As(aborted, new(*TransactionError)) {
		first = withoutNext(err)
	}
	return &abortError{first + "; " + aborted.Error(), []error{aborted, err}}
}

// withoutNext is the text of err without what to do next.
func withoutNext(err error) string {
	text := err.Error()
	if failure, ok := errors.AsType[*TransactionError](err); ok {
		text = strings.Replace(text, failure.Error(), failure.inner().WithoutNext(), 1)
	}
	return text
}
