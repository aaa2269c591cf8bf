package txn

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/protocol"
)

// An error says which call has failed, of which producer, why, what has become of the transaction, and what to do.
func TestErrorTexts(t *testing.T) {
	for _, c := range []struct {
		err  *Error
		want string
	}{
		{&Error{CallCommit, "tx", Unknown, RetryCall, context.DeadlineExceeded},
			`CommitTransaction of "tx": context deadline exceeded (it is not known whether the transaction was committed; to do: call it again)`},
		{&Error{CallCommit, "tx", Open, Abort, protocol.TransactionAbortable},
			`CommitTransaction of "tx": ` + protocol.TransactionAbortable.Error() + ` (to do: abort the transaction)`},
		{&Error{CallAbort, "tx", Aborted, NewProducer, ErrFenced},
			`AbortTransaction of "tx": the producer is fenced (nothing of the transaction will be visible; to do: close this producer, and make a new producer unless another has taken its place)`},
		{&Error{CallCommit, "tx", Committed, NewProducer, errors.New("no id")},
			`CommitTransaction of "tx": no id (the transaction is committed; to do: make a new producer)`},
		{&Error{CallInit, "tx", Open, FixConfiguration, protocol.TransactionalIDAuthorizationFailed},
			`InitTransactions of "tx": ` + protocol.TransactionalIDAuthorizationFailed.Error() + ` (to do: put the configuration right)`},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("the text is\n%s\nwant\n%s", got, c.want)
		}
		before, _, _ := strings.Cut(c.want, "to do: ")
		before = strings.TrimRight(before, "(; ")
		if got := strings.TrimSuffix(c.err.WithoutNext(), ")"); got != before {
			t.Errorf("without what to do next the text is\n%s\nwant\n%s", got, before)
		}
		if !errors.Is(c.err, c.err.Err) {
			t.Errorf("errors.Is does not reach the cause of %v", c.err)
		}
	}
	for _, unnamed := range []string{Outcome(9).String(), Next(9).String(), State(99).String()} {
		if !strings.Contains(unnamed, "9)") {
			t.Errorf("a value that there is not is called %q", unnamed)
		}
	}
}

// Every refusal says what to do instead, and every fenced producer is told so by errors.Is.
func TestRefusalsSayWhatToDo(t *testing.T) {
	makers := map[string]func(*testing.T) *rig{
		"uninitialized": func(t *testing.T) *rig { return newRig(t, 2) },
		"ready":         func(t *testing.T) *rig { return ready(t, 2) },
		"open":          func(t *testing.T) *rig { return open(t, 2) },
		"committing":    func(t *testing.T) *rig { r := open(t, 2); r.call((*Txn).Commit); return r },
		"aborting":      func(t *testing.T) *rig { r := open(t, 2); r.call((*Txn).Abort); return r },
		"renewing":      func(t *testing.T) *rig { r := ready(t, 2); r.Renew(); r.call((*Txn).Begin); return r },
	}
	refusals := 0
	for state, make := range makers {
		for name, call := range calls {
			w := make(t).call(call)
			var refusal *StateError
			if !errors.As(w.err(), &refusal) {
				continue
			}
			refusals++
			text := refusal.Error()
			advice := strings.Contains(text, "call ") || strings.Contains(text, "commit or abort") || strings.Contains(text, "already")
			if !strings.HasPrefix(text, name+": ") || !advice {
				t.Errorf("%s when %s says %q, want its own name and what to do", name, state, text)
			}
		}
	}
	if refusals < 12 {
		t.Errorf("%d calls were refused, want them all", refusals)
	}
	r := open(t, 2)
	r.call((*Txn).Commit)
	r.answer(&protocol.EndTxnResponse{ErrorCode: protocol.InvalidProducerEpoch})
	for name, call := range calls {
		if err := r.call(call).err(); !errors.Is(err, ErrFenced) || !errors.Is(err, protocol.InvalidProducerEpoch) {
			t.Errorf("%s of a fenced producer says %v, want ErrFenced and the code", name, err)
		} else if text := err.Error(); strings.Contains(text, "abort it") || strings.Count(text, "to do: ") != 1 ||
			!strings.Contains(text, "make a new producer unless another has taken its place") {
			t.Errorf("%s of a fenced producer says %q, want one thing to do", name, text)
		}
	}
}
