package sender

import (
	"errors"
	"testing"

	"github.com/epistle-kafka/epistle/txn"
)

// Without a transactional id there are no transactions: a call says so at once, one that is left leaves nothing behind, and
// what is said of a transaction concerns nobody.
func TestWithoutATransactionalID(t *testing.T) {
	b := newBench(nil)
	call := &txnCall{name: txn.CallBegin, ended: make(chan struct{})}
	b.c.handle(b.now, calling{call})
	select {
	case <-call.ended:
	default:
		t.Fatal("the caller waits for ever")
	}
	if !errors.Is(call.err, errNotTransactional) {
		t.Errorf("error = %v, want that there is no transactional id", call.err)
	}
	left := &leaving{call: call, left: make(chan struct{})}
	b.c.handle(b.now, left)
	select {
	case <-left.left:
	default:
		t.Error("a caller cannot leave")
	}
	b.c.handle(b.now, spoiled{1, errHangUp})
	if view := b.c.published.txn.Load(); view != nil {
		t.Errorf("records are told of transaction %+v, want that there is none", view)
	}
}
