package main

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// stuck is a worker after a Transact of one record whose commit is not answered within max.block.
func stuck(t *testing.T, fault func(*brokertest.Cluster)) (*worker, *brokertest.Cluster, error) {
	t.Helper()
	c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("out", 1))
	cfg := producer.ExactlyOnce("a", c.Bootstrap()...)
	cfg.DialContext = c.DialContext
	cfg.MaxBlock, cfg.RequestTimeout = 3*time.Second, 2*time.Second
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeProducer(p) })
	fault(c)
	err = p.Transact(t.Context(), func(tx *producer.Tx) error {
		tx.Send(t.Context(), producer.Record{Topic: "out", Value: []byte("v")})
		return nil
	})
	if !unanswered(err) {
		t.Fatalf("Transact: %v, want that it is not known whether it is committed", err)
	}
	return &worker{options: &options{transactionalID: "a"}, producer: p}, c, err
}

// TestACommitWithoutAnAnswerIsWaitedFor: whichever it was, the answer or the request that was lost, the transaction is
// committed, once, before anything else is done.
func TestACommitWithoutAnAnswerIsWaitedFor(t *testing.T) {
	for name, lost := range map[string]*brokertest.Action{
		"the answers lost": brokertest.HandleThenSwallow(), "the requests lost": brokertest.Swallow(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, c, err := stuck(t, func(c *brokertest.Cluster) { c.On(brokertest.EndTxn).Times(4).Do(lost) })
				if err = w.settle(t.Context(), nil, w.resume(t.Context(), err)); err != nil {
					t.Errorf("the worker ends with %v, want that it goes on", err)
				}
				if n := len(c.Committed("out", 0)); n != 1 {
					t.Errorf("%d records are committed, want 1", n)
				}
			})
		})
	}
}

// TestAnInterruptEndsTheWaitForACommit: the next run finds out what has come of it.
func TestAnInterruptEndsTheWaitForACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, err := stuck(t, func(c *brokertest.Cluster) { c.On(brokertest.EndTxn).Times(4).Do(brokertest.Swallow()) })
		interrupted, stop := context.WithCancel(t.Context())
		stop()
		err = w.settle(interrupted, nil, w.resume(interrupted, err))
		if _, ok := errors.AsType[startOver](err); !ok || !unanswered(err) {
			t.Errorf("the worker ends with %v, want that a new session is needed, because the outcome is not known", err)
		}
	})
}

// TestWhatSettles has the end of Transact decide how it goes on.
func TestWhatSettles(t *testing.T) {
	failure := func(next producer.NextStep, outcome producer.TransactionOutcome, err error) error {
		return &producer.TransactionError{Call: "CommitTransaction", TransactionalID: "a", Next: next, Outcome: outcome, Err: err}
	}
	late := errors.New("too late")
	for _, c := range []struct {
		name        string
		err         error
		again, ends bool // with another session, for good
	}{
		{"a call that has not ended", failure(producer.NextRetryCall, producer.OutcomeOpen, late), true, false},
		{"the producer is of no more use", failure(producer.NextNewProducer, producer.OutcomeUnknown, protocol.InvalidProducerIDMapping), true, false},
		{"another run has taken over", failure(producer.NextNewProducer, producer.OutcomeAborted, producer.ErrFenced), false, true},
		{"forbidden", failure(producer.NextFixConfiguration, producer.OutcomeAborted, protocol.TransactionalIDAuthorizationFailed), false, true},
		{"an error of our own", errors.New("out of paper"), false, true},
	} {
		w := &worker{options: &options{transactionalID: "a"}}
		err := w.settle(t.Context(), nil, c.err)
		_, again := errors.AsType[startOver](err)
		if again != c.again || (err != nil && !again) != c.ends || !errors.Is(err, c.err) {
			t.Errorf("%s: the worker ends with %v; want another session: %t, the end: %t", c.name, err, c.again, c.ends)
		}
	}
}

// TestTheCommandOfTheGuide has the program take the command line of docs/exactly-once.md. What it does then the tests of
// package faults show, with the same flags.
func TestTheCommandOfTheGuide(t *testing.T) {
	page, err := os.ReadFile("../../../docs/exactly-once.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^    go -C integration run ./cmd/transform (.*)$`).FindStringSubmatch(string(page))
	if line == nil {
		t.Fatal("the page does not show how to start it")
	}
	o, err := parse(strings.Fields(line[1]))
	if err != nil || o.from == "" || o.to == "" || o.bootstrap[0] != "localhost:9092" {
		t.Errorf("%s is read as %+v, %v", line[1], o, err)
	}
}
