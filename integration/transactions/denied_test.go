package transactions_test

import (
	"context"
	"errors"
	"testing"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// everybody is who reaches a broker without saying who it is.
const everybody = "User:ANONYMOUS"

// denied forbids a transactional id, to a producer that has not begun and to one with a transaction open. Each says that
// the permission has to be put right; the first can then begin, and the second is replaced.
func denied(t *testing.T, s *site) {
	b, ctx := newBook(t, s, 1), soon(t)
	running, id := unique(t)+"-running", unique(t)
	p := s.make(t, running)
	do(t, p.InitTransactions(ctx))
	e := b.open(10)
	do(t, p.BeginTransaction(ctx))
	e.send(ctx, p, e.size)
	do(t, p.Flush(ctx))
	e.written(t)

	s.deny(t, running)
	s.deny(t, id)
	var late *producer.Producer
	await(t, func(ctx context.Context) string { // the broker hears of both rules in their order
		late = s.make(t, id)
		err := late.InitTransactions(ctx)
		if err == nil {
			return "the broker still takes a transactional id that is denied"
		}
		expectDenied(t, "InitTransactions", err)
		return ""
	})

	err := p.CommitTransaction(ctx)
	expectDenied(t, "CommitTransaction", err)
	if outcome := failure(t, "CommitTransaction", err).Outcome; outcome != producer.OutcomeAborted {
		t.Errorf("the outcome is said to be %v, want %v: %v", outcome, producer.OutcomeAborted, err)
	}
	expectDenied(t, "BeginTransaction", p.BeginTransaction(ctx))
	b.checkNow(t)

	s.allow(t, running, s.make(t, running))
	s.allow(t, id, late)
	b.write(t, late, 10, true)
	b.check(t)
}

// allow permits a transactional id again, and has a producer with it begin.
func (s *site) allow(t *testing.T, id string, p *producer.Producer) {
	t.Helper()
	do(t, s.admin.AllowTransactionalID(soon(t), id, everybody))
	await(t, func(ctx context.Context) string {
		if err := p.InitTransactions(ctx); err != nil {
			expectDenied(t, "InitTransactions", err)
			return "the broker still refuses a transactional id that is allowed again"
		}
		return ""
	})
}

// deniedTopic has the broker refuse a topic that a transaction begins with, or goes on to. The transaction can be aborted,
// and the producer goes on.
func deniedTopic(t *testing.T, s *site) {
	b, p, ctx := newBook(t, s, 1), s.start(t), soon(t)
	topic := s.topics(t, 1)[0]
	do(t, p.BeginTransaction(ctx)) // it knows the topic, so that the first to refuse is who adds it to a transaction
	if _, err := p.SendSync(ctx, producer.Record{Topic: topic, Value: []byte("while it was allowed")}); err != nil {
		t.Fatal(err)
	}
	do(t, p.CommitTransaction(ctx))
	if err := s.admin.Deny(ctx, topic, everybody); errors.Is(err, reader.ErrNoAuthorizer) {
		kafka.NotRun(t, err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		do(t, s.admin.Allow(ctx, topic, everybody))
	})
	for n := 0; n < 4; n++ {
		e := b.open(10)
		do(t, p.BeginTransaction(ctx))
		if n%2 == 1 {
			e.send(ctx, p, 5)
			e.written(t)
		}
		_, err := p.SendSync(ctx, producer.Record{Topic: topic, Value: []byte("denied")})
		if err == nil && n == 0 { // the broker has not heard of it
			do(t, p.AbortTransaction(ctx))
			e.outcome = producer.OutcomeAborted
			n--
			continue
		}
		if !errors.Is(err, protocol.TopicAuthorizationFailed) || producer.MayBeWritten(err) {
			t.Errorf("SendSync: %v, want TOPIC_AUTHORIZATION_FAILED, and that it is not written", err)
		}
		err = p.CommitTransaction(ctx)
		if f := failure(t, "CommitTransaction", err); f.Next != producer.NextAbort || !errors.Is(err, protocol.TopicAuthorizationFailed) {
			t.Errorf("CommitTransaction: %v, want that it can only be aborted, because of TOPIC_AUTHORIZATION_FAILED", err)
		}
		do(t, p.AbortTransaction(ctx))
		e.outcome = producer.OutcomeAborted
		b.write(t, p, 10, true)
	}
	b.check(t)
}

// deny forbids a transactional id until the test's end at the latest.
func (s *site) deny(t *testing.T, id string) {
	t.Helper()
	if err := s.admin.DenyTransactionalID(soon(t), id, everybody); errors.Is(err, reader.ErrNoAuthorizer) {
		kafka.NotRun(t, err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // nothing is left to allow if the test has got to its end
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = s.admin.AllowTransactionalID(ctx, id, everybody)
	})
}

func expectDenied(t *testing.T, call string, err error) {
	t.Helper()
	if !errors.Is(err, protocol.TransactionalIDAuthorizationFailed) {
		t.Fatalf("%s: %v, want TRANSACTIONAL_ID_AUTHORIZATION_FAILED", call, err)
	}
	if next := failure(t, call, err).Next; next != producer.NextFixConfiguration {
		t.Errorf("%s: what to do next is %q, want %q", call, next, producer.NextFixConfiguration)
	}
}
