package perf

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/producer"
)

// transactions sends a load in transactions, one after another.
type transactions struct {
	env      *cli.Env
	producer *producer.Producer
	size     int64 // records
	patience time.Duration
}

// run sends n records and returns how many it has sent: fewer if it was stopped, or if there can be no other transaction.
func (t *transactions) run(streams []*stream, n int64, o *outcomes, stopped *atomic.Bool) (sent int64) {
	for from := int64(0); from < n && !stopped.Load() && o.broken == nil; from += t.size {
		if o.broken = t.insist("begin a transaction", t.producer.BeginTransaction); o.broken != nil {
			break
		}
		failed := o.failed.Load()
		inIt := send(streams, min(from+t.size, n))
		sent += inIt
		began := time.Now()
		err := t.insist("commit", t.producer.CommitTransaction)
		failure, _ := errors.AsType[*producer.TransactionError](err)
		if err == nil || failure != nil && failure.Outcome == producer.OutcomeCommitted {
			o.commits.add(time.Since(began).Microseconds())
			o.broken = err // the producer has ended since
			continue
		}
		o.broken = t.abort(err)
		// By now all records of the transaction have their outcome, and all of it was in vain.
		o.failAll(inIt-(o.failed.Load()-failed), err)
	}
	return sent
}

// abort ends a transaction that could not be committed, because of err. It returns why there can be no other, or nil.
func (t *transactions) abort(err error) error {
	if failure, ok := errors.AsType[*producer.TransactionError](err); ok && failure.Next == producer.NextAbort {
		if err = t.insist("abort", t.producer.AbortTransaction); err == nil {
			return nil
		}
	}
	cli.CloseNow(t.producer)
	return err
}

func (t *transactions) insist(what string, call func(context.Context) error) error {
	return cli.Insist(t.env, t.producer, t.patience, what, call)
}
