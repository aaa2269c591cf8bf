package epistleotel_test

import (
	"errors"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/epistleotel"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

func transactional(cfg *producer.Config) {
	patient(cfg)
	cfg.TransactionalID, cfg.MaxBlock = "tx", 10*time.Second
}

// open begins a transaction with a record in it.
func (l *lab) open(t *testing.T) {
	t.Helper()
	if err := l.BeginTransaction(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.SendSync(t.Context(), record("a")); err != nil {
		t.Fatal(err)
	}
}

func inTransactions(t *testing.T, f func(t *testing.T, l *lab), options ...epistleotel.Option) {
	t.Helper()
	inLabWith(t, transactional, func(t *testing.T, l *lab) {
		if err := l.InitTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		f(t, l)
	}, options...)
}

// wantSpan checks what the end of a transaction says.
func wantSpan(t *testing.T, s trace.ReadOnlySpan, number, written, kind string) {
	t.Helper()
	wantAttrs(t, s, map[string]string{
		"messaging.system": "kafka", "messaging.operation.name": s.Name(), "messaging.client.id": "orders-service",
		"messaging.destination.name": "", "messaging.operation.type": "", "epistle.transactional.id": "tx",
		"epistle.transaction.number": number, "epistle.written": written, "error.type": kind,
	})
	if failed := s.Status().Code == codes.Error; failed != (kind != "") {
		t.Errorf("span %q has status %v", s.Name(), s.Status())
	}
	if s.SpanKind() != oteltrace.SpanKindClient || s.Parent().IsValid() {
		t.Errorf("the span is of kind %v, below %v; want a client's without parent", s.SpanKind(), s.Parent())
	}
}

// The spans of a commit and an abort last from the call to the answer, and not from the beginning of the transaction.
func TestSpansOfTransactions(t *testing.T) {
	inTransactions(t, func(t *testing.T, l *lab) {
		l.open(t)
		time.Sleep(3 * time.Second)
		l.cluster.On(brokertest.EndTxn).Do(brokertest.Pass().Delayed(2 * time.Second))
		if err := l.CommitTransaction(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := l.only(t, "commit")
		wantSpan(t, s, "1", "yes", "")
		if d := s.EndTime().Sub(s.StartTime()); d < 2*time.Second || d >= 3*time.Second {
			t.Errorf("the commit has lasted %v, want 2 s", d)
		}
		l.open(t)
		if err := l.AbortTransaction(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantSpan(t, l.only(t, "abort"), "2", "no", "")
	})
}

// A transaction that is aborted since a record has failed says why.
func TestTheSpanOfATransactionThatFailed(t *testing.T) {
	inTransactions(t, func(t *testing.T, l *lab) {
		l.open(t)
		l.cluster.On(brokertest.Produce).Do(brokertest.Error(protocol.InvalidRecord))
		if _, err := l.SendSync(t.Context(), record("b")); err == nil {
			t.Fatal("a record succeeded that was refused")
		}
		if err := l.AbortTransaction(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantSpan(t, l.only(t, "abort"), "1", "no", "INVALID_RECORD")
	})
}

// Nobody tells whether a commit was done.
func TestTheSpanOfACommitWithoutOutcome(t *testing.T) {
	inTransactions(t, func(t *testing.T, l *lab) {
		l.open(t)
		l.cluster.On(brokertest.EndTxn).Always().Do(brokertest.Swallow())
		if err := l.CommitTransaction(t.Context()); err == nil {
			t.Fatal("a commit without an answer succeeded")
		}
		if n := len(l.spans("commit")); n != 0 {
			t.Fatalf("%d commits have ended, want none: it goes on", n)
		}
		_ = l.Close(t.Context())
		s := l.only(t, "commit")
		wantSpan(t, s, "1", "maybe", attrs(s.Attributes())["error.type"])
		if s.Status().Code != codes.Error {
			t.Errorf("the status is %v, want an error", s.Status())
		}
	})
}

// Where only records within sampled spans have spans, transactions have none.
func TestTransactionsOfSampledParentsOnly(t *testing.T) {
	inTransactions(t, func(t *testing.T, l *lab) {
		l.open(t)
		if err := l.CommitTransaction(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(l.spans("commit")); n != 0 {
			t.Errorf("there are %d spans of commits, want none", n)
		}
	}, epistleotel.WithSampledParentsOnly())
}

// A record is not taken in time, so the one that waits fails with their transaction. Each span has its own reason, and that of the
// transaction what it was aborted for.
func TestTheReasonOfAnAbortIsNotThatOfEachRecord(t *testing.T) {
	inLabWith(t, func(cfg *producer.Config) {
		cfg.TransactionalID, cfg.MaxBlock = "tx", time.Second
		cfg.Linger, cfg.DeliveryTimeout = time.Hour, 2*time.Hour
	}, func(t *testing.T, l *lab) {
		if err := errors.Join(l.InitTransactions(t.Context()), l.BeginTransaction(t.Context())); err != nil {
			t.Fatal(err)
		}
		l.Send(t.Context(), record("a"))
		if _, err := l.SendSync(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(9)}); !errors.Is(err, producer.ErrMaxBlock) {
			t.Fatalf("got %v, want that max.block has passed", err)
		}
		if err := l.AbortTransaction(t.Context()); err != nil {
			t.Fatal(err)
		}
		kinds := map[string]int{}
		for _, s := range l.spans("create t") {
			kinds[attrs(s.Attributes())["error.type"]]++
		}
		if len(kinds) != 2 || kinds["aborted"] != 1 || kinds["timeout"] != 1 {
			t.Errorf("error.type of the records: %v, want one that was aborted, and one that took too long", kinds)
		}
		wantSpan(t, l.only(t, "abort"), "1", "no", "timeout")
	})
}
