package produce

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// transactions sends lines in transactions. Its goroutine, which runs run, gets them from the reading one. The outcome of a
// line is known, and its block free, only when its transaction has ended: a line that was acknowledged may still be aborted.
type transactions struct {
	job      *job
	size     int           // lines of a transaction
	age      time.Duration // at which an open transaction is committed with fewer
	patience time.Duration // for the end of a transaction, before the producer is given up
	largest  int           // bytes of a record, as the producer counts them

	limitedBy string // the setting that says so

	lines     chan *line
	abandoned chan struct{} // closed when the reading goroutine hangs in a read, and sends no more lines
	hang      func()        // closes abandoned, once

	open      []*line        // of the open transaction
	held      int            // bytes of lines that were refused and wait for these
	callbacks sync.WaitGroup // of these, which have not returned
	broken    error          // why there can be no other transaction

	committed atomic.Int64 // transactions
}

// maxHeld bounds the lines that no transaction can hold, and that wait for the open one to have their turn in the file.
const maxHeld = 32 << 20 // bytes

func newTransactions(j *job, cfg *producer.Config) *transactions {
	const ahead = 64 // lines, so that the two goroutines do not wake each other for each
	t := &transactions{
		job: j, size: j.options.transactionSize, age: cfg.TransactionTimeout / 2, patience: cli.Patience(cfg),
		largest: cfg.MaxRequestSize, limitedBy: "max.request.size",
		lines: make(chan *line, ahead), abandoned: make(chan struct{}),
	}
	if cfg.BufferMemory < int64(cfg.MaxRequestSize) {
		t.largest, t.limitedBy = int(cfg.BufferMemory), "buffer.memory"
	}
	t.hang = sync.OnceFunc(func() { close(t.abandoned) })
	return t
}

// run sends lines until there are no more. It returns what ended it: what read gives then, or why the producer is of no more
// use.
func (t *transactions) run(read <-chan error) error {
	var due <-chan time.Time
	for {
		select {
		case l, more := <-t.lines:
			if !more {
				t.end()
				return errors.Join(<-read, t.broken)
			}
			t.add(l)
			if len(t.open) == 1 {
				due = time.After(t.age)
			}
		case <-due:
			t.end()
		case <-t.abandoned:
			for len(t.lines) > 0 {
				t.add(<-t.lines)
			}
			t.end()
			return errors.Join(errStopped, t.broken)
		}
	}
}

// add sends a line as part of the open transaction, which it begins and ends as needed. It refuses a line that no transaction
// can hold before it is sent, since it would fail its neighbours. In place of a line, nil ends the transaction.
func (t *transactions) add(l *line) {
	if l == nil {
		t.end()
		return
	}
	rec := t.job.recordOf(l)
	asSent := protocol.Record{Key: rec.Key, Value: rec.Value, Headers: rec.Headers}
	if size := asSent.SizeAlone(); size > t.largest {
		t.held += len(l.text)
		t.refuse(l, &producer.RecordTooLargeError{Size: size, Limit: int64(t.largest), Key: t.limitedBy})
		if t.held > maxHeld {
			t.end()
		}
		return
	}
	if len(t.open) == 0 && t.broken == nil {
		if err := t.insist("begin a transaction", t.job.producer.BeginTransaction); err != nil {
			t.breakDown(err)
		}
	}
	if t.broken != nil {
		t.refuse(l, t.broken)
		return
	}
	t.open = append(t.open, l)
	t.callbacks.Add(1)
	t.job.producer.SendFunc(context.Background(), rec, l.done)
	if len(t.open) == t.size {
		t.end()
	}
}

// refuse hands back a line that is part of no transaction.
func (t *transactions) refuse(l *line, err error) {
	t.job.undelivered.add(l, &producer.AdmissionError{Topic: t.job.record.Topic, Err: err})
}

// finished is the callback of every line.
func (t *transactions) finished(l *line, _ producer.RecordMetadata, err error) {
	l.err = err
	t.callbacks.Done()
}

// end commits the open transaction, or aborts it if it has to be, and tells what became of its lines.
func (t *transactions) end() {
	t.held = 0
	if len(t.open) == 0 {
		return
	}
	outcome, err := t.commit()
	t.callbacks.Wait()
	if outcome == producer.OutcomeCommitted {
		t.committed.Add(1)
	}
	for i, l := range t.open {
		t.settle(l, outcome, err)
		t.open[i] = nil
	}
	t.open = t.open[:0]
}

// commit ends the open transaction. It returns what became of it, and why if it is not committed.
func (t *transactions) commit() (producer.TransactionOutcome, error) {
	err := t.insist("commit", t.job.producer.CommitTransaction)
	if err == nil {
		return producer.OutcomeCommitted, nil
	}
	var failure *producer.TransactionError
	if !errors.As(err, &failure) {
		t.breakDown(err) // it was closed before it heard of the commit
		return producer.OutcomeAborted, err
	}
	outcome := failure.Outcome
	switch {
	case failure.Next == producer.NextAbort:
		outcome = producer.OutcomeAborted
		if lost := t.insist("abort", t.job.producer.AbortTransaction); lost != nil {
			t.breakDown(lost)
			if errors.Is(lost, producer.ErrFenced) {
				return outcome, producer.ErrFenced // which the code of a Produce answer only hints at
			}
		}
	default:
		t.breakDown(err)
		if outcome == producer.OutcomeOpen {
			outcome = producer.OutcomeAborted // nobody can commit it any more
		}
	}
	return outcome, failure.Err
}

func (t *transactions) insist(what string, call func(context.Context) error) error {
	return cli.Insist(t.job.env, t.job.producer, t.patience, what, call)
}

// breakDown notes that there can be no other transaction, and stops reading.
func (t *transactions) breakDown(err error) {
	if t.broken != nil {
		return
	}
	t.broken = &brokenError{err}
	if t.job.gate.stop() {
		t.hang()
	}
}

// settle reports what became of a line, which may be in use for another one afterwards.
func (t *transactions) settle(l *line, outcome producer.TransactionOutcome, err error) {
	j := t.job
	switch {
	case outcome == producer.OutcomeCommitted && l.err == nil:
		j.arrived(l)
	case outcome == producer.OutcomeCommitted:
		j.undelivered.add(l, l.err) // it was not taken, and came too late to count
	default:
		if l.err != nil && !errors.Is(err, producer.ErrFenced) && ownFailure(l.err) {
			err = l.err
		}
		j.undelivered.add(l, &lostError{maybe: outcome == producer.OutcomeUnknown, err: err})
	}
}

// ownFailure reports whether a line failed by itself, and not as one of its transaction.
func ownFailure(err error) bool {
	var transaction *producer.TransactionError
	var state *producer.TransactionStateError
	return !errors.Is(err, producer.ErrTransactionAborted) && !errors.As(err, &transaction) && !errors.As(err, &state)
}

// brokenError says that the producer can begin no other transaction.
type brokenError struct{ err error }

func (e *brokenError) Error() string {
	var failure *producer.TransactionError
	if errors.As(e.err, &failure) {
		return failure.Err.Error()
	}
	return e.err.Error()
}

func (e *brokenError) Unwrap() error { return e.err }

// lostError is the error of a line whose transaction was not committed, as far as is known.
type lostError struct {
	maybe bool // it may be committed all the same
	err   error
}

func (e *lostError) Error() string { return e.head() + e.err.Error() }

func (e *lostError) head() string {
	if e.maybe {
		return "its transaction may be committed, or not: "
	}
	return "its transaction was not committed: "
}

func (e *lostError) Unwrap() error { return e.err }

// progress describes what is committed.
func (t *transactions) progress(lines int64) string {
	return fmt.Sprintf("%s committed in %s", ui.Count(lines), ui.Number(t.committed.Load(), "transaction"))
}
