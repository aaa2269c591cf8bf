package transactions_test

import (
	"context"
	"testing"

	"github.com/epistle-kafka/epistle/producer"
)

// A rival is what an older producer does after a newer one with its id has begun.
type rival struct {
	name string
	open bool // it has a transaction open when the newer one comes
	do   func(t *testing.T, ctx context.Context, e *entry, p *producer.Producer)
}

var rivals = []rival{
	{"commits", true, func(t *testing.T, ctx context.Context, _ *entry, p *producer.Producer) {
		expectFenced(t, "CommitTransaction", p.CommitTransaction(ctx))
	}},
	{"aborts", true, func(t *testing.T, ctx context.Context, _ *entry, p *producer.Producer) {
		expectFenced(t, "AbortTransaction", p.AbortTransaction(ctx))
	}},
	{"goes on and commits", true, goOn},
	{"sends offsets", true, func(t *testing.T, ctx context.Context, e *entry, p *producer.Producer) {
		inputs := e.book.topics
		err := p.SendOffsetsToTransaction(ctx, offsetsAt(inputs, 1), producer.ConsumerGroupMetadata{GroupID: unique(t)})
		if err == nil {
			t.Error("SendOffsetsToTransaction: the offsets were taken")
		}
		expectAbortFenced(t, ctx, p)
	}},
	{"begins the next", false, func(t *testing.T, ctx context.Context, e *entry, p *producer.Producer) {
		do(t, p.BeginTransaction(ctx))
		goOn(t, ctx, e, p)
	}},
}

// goOn sends what is left of the entry and commits, which may say fenced, and aborts, which has to.
func goOn(t *testing.T, ctx context.Context, e *entry, p *producer.Producer) {
	e.send(ctx, p, e.size-e.sent)
	err := p.CommitTransaction(ctx)
	if err == nil {
		t.Fatal("the older producer has committed")
	}
	if outcome := failure(t, "CommitTransaction", err).Outcome; outcome == producer.OutcomeCommitted {
		t.Errorf("CommitTransaction says %v, want anything else: %v", outcome, err)
	}
	expectAbortFenced(t, ctx, p)
}

func expectAbortFenced(t *testing.T, ctx context.Context, p *producer.Producer) {
	t.Helper()
	expectFenced(t, "AbortTransaction", p.AbortTransaction(ctx))
}

// fencing has two producers with one id. The older one is told at its next call to the coordinator, at the latest by its
// abort, and then on every call; nothing of its open transaction is visible, and the newer one is not hindered.
func fencing(t *testing.T, s *site) {
	for _, r := range rivals {
		t.Run(r.name, func(t *testing.T) {
			b, id, ctx := newBook(t, s, 2), unique(t), soon(t)
			older := s.make(t, id)
			do(t, older.InitTransactions(ctx))
			b.write(t, older, 10, true)
			e := b.open(10)
			if r.open {
				do(t, older.BeginTransaction(ctx))
				e.send(ctx, older, 6)
				do(t, older.Flush(ctx))
				e.written(t)
			}

			newer := s.make(t, id)
			do(t, newer.InitTransactions(ctx))
			b.write(t, newer, 10, true)
			r.do(t, ctx, e, older)
			expectDead(t, older, b.topics[0])
			b.check(t)
			for _, commit := range []bool{true, false, true} {
				b.write(t, newer, 10, commit)
			}
			b.check(t)
		})
	}
}

// expectDead demands that the producer says that it is fenced whatever it is asked, twice.
func expectDead(t *testing.T, p *producer.Producer, topic string) {
	t.Helper()
	ctx := soon(t)
	for range 2 {
		expectFenced(t, "BeginTransaction", p.BeginTransaction(ctx))
		_, err := p.SendSync(ctx, producer.Record{Topic: topic, Value: []byte("of a dead producer")})
		expectFenced(t, "SendSync", err)
		expectFenced(t, "TrySend", p.TrySend(producer.Record{Topic: topic}, nil))
		expectFenced(t, "SendOffsetsToTransaction", p.SendOffsetsToTransaction(ctx, offsetsAt([]string{topic}, 1), producer.ConsumerGroupMetadata{GroupID: "g"}))
		expectFenced(t, "CommitTransaction", p.CommitTransaction(ctx))
		expectFenced(t, "AbortTransaction", p.AbortTransaction(ctx))
		expectFenced(t, "InitTransactions", p.InitTransactions(ctx))
		expectFenced(t, "Transact", p.Transact(ctx, func(*producer.Tx) error {
			t.Error("a dead producer runs a transaction")
			return nil
		}))
	}
}
