package transactions_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// TestTransactions runs every kind of transaction in the protocol that the cluster is set to: what each supported version
// has to pass.
func TestTransactions(t *testing.T) {
	everything(t, newSite(t, kafka.Shared(t)))
}

// everything is what holds in either protocol.
func everything(t *testing.T, s *site) {
	t.Logf("%s is %d", transactionVersion, s.version(t))
	for _, test := range []struct {
		name string
		run  func(*testing.T, *site)
	}{
		{"commit", commit},
		{"abort", abort},
		{"abort of what was not sent", abortUnsent},
		{"abort at once", abortAtOnce},
		{"empty", empty},
		{"larger than a batch", large},
		{"a thousand in a row", thousand},
		{"aborted between committed", alternating},
		{"Transact", transact},
		{"offsets of a consumer group", offsetsOfMember},
		{"offsets of a group id", offsetsOfGroup},
		{"offsets of a consumer that was left behind", offsetsOfStaleMember},
		{"fenced", fencing},
		{"timed out", timeouts},
		{"topic denied", deniedTopic},
		{"transactional id denied", denied},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, s) })
	}
}

// commit has records in several topics and partitions appear when their transaction is committed, and not before.
func commit(t *testing.T, s *site) {
	b, p, ctx := newBook(t, s, 3), s.start(t), soon(t)
	for range 3 {
		e := b.open(90)
		do(t, p.BeginTransaction(ctx))
		e.send(ctx, p, e.size)
		do(t, p.Flush(ctx))
		e.written(t)
		b.checkNow(t)
		do(t, p.CommitTransaction(ctx))
		e.outcome = producer.OutcomeCommitted
		b.check(t)
	}
	everyPartition(t, b.check(t))
}

// everyPartition demands that none is empty: that the test has shown something of several.
func everyPartition(t *testing.T, partitions [][]*reader.Record) {
	t.Helper()
	for _, records := range partitions {
		if len(records) == 0 {
			t.Error("a partition of the test's topics got no record")
		}
	}
}

// abort has records that are in the log never be visible.
func abort(t *testing.T, s *site) {
	b, p := newBook(t, s, 2), s.start(t)
	b.write(t, p, 60, false)
	b.check(t)
	everyPartition(t, b.read(t, reader.Options{}))
	b.write(t, p, 60, true)
	b.check(t)
}

// abortUnsent drops what an abort finds in memory, and says so of each record.
func abortUnsent(t *testing.T, s *site) {
	b, ctx := newBook(t, s, 1), soon(t)
	p := s.start(t, func(cfg *producer.Config) { cfg.Linger = cfg.DeliveryTimeout - cfg.RequestTimeout })
	e := b.open(10)
	do(t, p.BeginTransaction(ctx))
	e.send(ctx, p, e.size)
	do(t, p.AbortTransaction(ctx))
	e.outcome = producer.OutcomeAborted
	failed := e.errors(t)
	if len(failed) != e.size {
		t.Errorf("%d of %d records failed", len(failed), e.size)
	}
	for _, err := range failed {
		if !errors.Is(err, producer.ErrTransactionAborted) || producer.MayBeWritten(err) {
			t.Fatalf("a record that was not sent failed with %v, want ErrTransactionAborted, and that it is not written", err)
		}
	}
	for _, partition := range b.read(t, reader.Options{}) {
		if len(partition) > 0 {
			t.Errorf("%d records are in the log", len(partition))
		}
	}
	b.write(t, p, 10, true) // a commit does not wait for linger
	b.check(t)
}

// abortAtOnce begins and aborts transactions while the coordinator is not done with the one before, so that it takes
// nothing of them.
func abortAtOnce(t *testing.T, s *site) {
	b, p, ctx := newBook(t, s, 1), s.start(t), soon(t)
	for range 30 {
		b.write(t, p, 10, true)
		for range 2 {
			e := b.open(10)
			do(t, p.BeginTransaction(ctx))
			e.send(ctx, p, e.size)
			do(t, p.AbortTransaction(ctx))
			e.outcome = producer.OutcomeAborted
		}
	}
	b.check(t)
}

// empty ends transactions in which nothing was done, between some in which something was.
func empty(t *testing.T, s *site) {
	b, p := newBook(t, s, 1), s.start(t)
	for _, size := range []int{0, 0, 5, 0, 5} {
		b.write(t, p, size, false)
		b.write(t, p, size, true)
	}
	b.check(t)
}

// large has transactions of many batches for each partition, with as many in flight as idempotence allows.
func large(t *testing.T, s *site) {
	b := newBook(t, s, 1)
	p := s.start(t, func(cfg *producer.Config) { cfg.BatchSize, cfg.MaxBatchBytes = 4<<10, 4<<10 })
	b.padding = strings.Repeat("x", 400)
	for _, commit := range []bool{true, false, true} {
		b.write(t, p, 4000, commit) // 1.6 MB, 400 batches
	}
	b.check(t)
}

// thousand has small transactions one after the other. Each is the next one's predecessor of whose markers the
// coordinator may not be done.
func thousand(t *testing.T, s *site) {
	b, p := newBook(t, s, 1), s.start(t)
	began := time.Now()
	for range 1000 {
		b.write(t, p, 3, true)
	}
	t.Logf("1000 transactions in %v", time.Since(began).Round(time.Millisecond))
	expectProtocol(t, b.epochs(t, b.check(t)), s.newProtocol(t))
}

// expectProtocol demands of the identities of committed transactions that they be those of the protocol: in the new one
// the epoch rises with each, in the old one it stays.
func expectProtocol(t *testing.T, of []identity, newProtocol bool) {
	t.Helper()
	for n := 1; n < len(of); n++ {
		before, now := of[n-1], of[n]
		switch {
		case !before.known || !now.known:
			t.Fatalf("transaction %d or %d is not visible", n-1, n)
		case newProtocol && now.id == before.id && now.epoch <= before.epoch:
			t.Fatalf("transaction %d is under %v, the one before under %v, want a higher epoch as of the new protocol", n, now, before)
		case !newProtocol && now != before:
			t.Fatalf("transaction %d is under %v, the one before under %v, want the same as of the old protocol", n, now, before)
		}
	}
}

// alternating has aborted records lie between committed ones in each partition.
func alternating(t *testing.T, s *site) {
	b, p := newBook(t, s, 2), s.start(t)
	for n := range 60 {
		b.write(t, p, 42, n%3 != 1)
	}
	b.check(t)
}

// transact uses the form in which a function is the transaction.
func transact(t *testing.T, s *site) {
	b, p, ctx := newBook(t, s, 2), s.make(t, unique(t)), soon(t)
	mine := errors.New("the function's own")
	for n := range 10 {
		e, want := b.open(30), error(nil)
		if n%2 == 1 {
			want = mine
		}
		err := p.Transact(ctx, func(tx *producer.Tx) error {
			e.send(ctx, tx, e.size)
			return want
		})
		if err != want {
			t.Fatalf("Transact: %v, want %v", err, want)
		}
		if e.outcome = producer.OutcomeCommitted; want != nil {
			e.outcome = producer.OutcomeAborted
		}
	}
	b.check(t)
}
