package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// transactions are made one after the other, by a producer of their own in a topic of their own. Their records come at an even
// rate.
type transactions struct {
	name   string
	rate   int           // records a second
	open   time.Duration // how long each is open, before it is committed
	aborts int           // each so many-th is aborted instead; 0: none
}

// A txnResult is what became of them.
type txnResult struct {
	transactions
	took      time.Duration
	committed int
	aborted   int   // as was intended
	lost      int   // that should have been committed, and were not
	records   int64 // of those that were committed
	sessions  int64 // the most re-authentications within one transaction
	commits   histogram
	failed    int64 // records
	errors    []string
	found     findings
	stats     producer.Stats
}

// transact makes transactions until then, or until ctx ends; the one that is open is then brought to its end. An error says that
// it cannot be told what became of them.
func (s *soak) transact(ctx context.Context, t transactions, config producer.Config, topic string, until time.Time) (*txnResult, error) {
	if err := s.create(ctx, topic, s.partitions); err != nil {
		return nil, err
	}
	defer s.remove(topic)
	back, err := s.follow(topic, s.partitions, true)
	if err != nil {
		return nil, err
	}
	defer back.stop()
	config.TransactionalID = topic
	config.TransactionTimeout = max(config.TransactionTimeout, 3*t.open)
	p, err := producer.New(config)
	if err != nil {
		return nil, err
	}
	defer closeProducer(p)
	if err := repeat(ctx, p.InitTransactions); err != nil {
		return nil, err
	}
	w := &txnWriter{transactions: t, producer: p, topic: topic, next: make([]int64, s.partitions), size: s.size, every: s.every}
	w.result.transactions = t
	began := time.Now()
	watched := s.watch("C: "+t.name, until.Sub(began), func() string { return standing(p.Stats(), w.failed(), back.now()) })
	defer watched()
	for n := 1; time.Now().Before(until) && ctx.Err() == nil; n++ {
		if err := w.one(ctx, t.aborts > 0 && n%t.aborts == 0, until); err != nil {
			return nil, err
		}
	}
	w.result.took, w.result.stats = time.Since(began), p.Stats()
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	w.result.found, err = back.finish(after, w.next)
	return &w.result, err
}

// repeat calls a transactional method, as long as it says that it is to be called again, and no longer than patience.
func repeat(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := call(ctx)
		if failed, ok := errors.AsType[*producer.TransactionError](err); !ok || failed.Next != producer.NextRetryCall || ctx.Err() != nil {
			return err
		}
	}
}

// txnWriter is at work on transactions.
type txnWriter struct {
	transactions
	producer *producer.Producer
	topic    string
	size     int
	every    time.Duration // how often it is looked which records are due
	next     []int64       // the next number of each partition

	mu     sync.Mutex // guards failed and errors of result, which callbacks write; the rest is the writer's
	result txnResult
}

// one makes a transaction. The numbers of one that is not committed are used again.
func (w *txnWriter) one(ctx context.Context, abort bool, until time.Time) error {
	calm := context.WithoutCancel(ctx) // what has begun is brought to its end
	if err := repeat(calm, w.producer.BeginTransaction); err != nil {
		return err
	}
	first, before := slices.Clone(w.next), w.producer.Stats().Reauthentications
	n := w.fill(ctx, abort, until)
	if abort {
		w.next = first
		w.result.aborted++
		return repeat(calm, w.producer.AbortTransaction)
	}
	asked := time.Now()
	err := repeat(calm, w.producer.CommitTransaction)
	if err == nil {
		w.result.commits.add(time.Since(asked))
		w.result.sessions = max(w.result.sessions, w.producer.Stats().Reauthentications-before)
		w.result.records += n
		w.result.committed++
		return nil
	}
	if failed, ok := errors.AsType[*producer.TransactionError](err); !ok || failed.Next != producer.NextAbort {
		return err
	}
	w.next = first
	w.result.lost++
	w.note(err)
	return repeat(calm, w.producer.AbortTransaction)
}

// fill sends the records of a transaction, and returns how many that are.
func (w *txnWriter) fill(ctx context.Context, abort bool, until time.Time) (n int64) {
	outcome := func(_ producer.RecordMetadata, err error) {
		if err != nil && !abort {
			w.mu.Lock()
			w.result.failed++
			w.mu.Unlock()
			w.note(err)
		}
	}
	rec := producer.Record{Topic: w.topic, Value: make([]byte, w.size)}
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for began := time.Now(); ; {
		now := time.Now()
		if now.Sub(began) >= w.open || !now.Before(until) && n > 0 || ctx.Err() != nil {
			return n
		}
		for due := int64(now.Sub(began).Seconds() * float64(w.rate)); n < due; n++ {
			i := int(n % int64(len(w.next)))
			putNumber(rec.Value, int32(i), w.next[i], abort)
			rec.Partition = producer.OnPartition(int32(i))
			w.next[i]++
			w.producer.SendFunc(context.Background(), rec, outcome)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// failed is how many records have failed that should not have.
func (w *txnWriter) failed() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.result.failed
}

func (w *txnWriter) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if text := err.Error(); len(w.result.errors) < mostExamples && !slices.Contains(w.result.errors, text) {
		w.result.errors = append(w.result.errors, text)
	}
}

// The transactions that run at the same time: short ones, and ones in which sessions end again and again.
func (s *soak) bothTransactions() []transactions {
	return []transactions{
		{name: "short transactions", rate: max(s.rate/5, 1), open: 100 * time.Millisecond, aborts: 10},
		{name: "long transactions", rate: max(s.rate/10, 1), open: s.lifetime * 5 / 2},
	}
}

// transactAll runs them, for that long.
func (s *soak) transactAll(ctx context.Context, config producer.Config, long time.Duration) ([]*txnResult, error) {
	all := s.bothTransactions()
	results, failed := make([]*txnResult, len(all)), make([]error, len(all))
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	until := time.Now().Add(long)
	var done sync.WaitGroup
	for i, t := range all {
		topic := s.nextTopic()
		done.Go(func() {
			results[i], failed[i] = s.transact(running, t, config, topic, until)
			if failed[i] != nil {
				failed[i] = fmt.Errorf("%s: %w", t.name, failed[i])
				cancel()
			}
		})
	}
	done.Wait()
	if err := errors.Join(failed...); err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil, nil // before they had begun
		}
		return nil, err
	}
	return results, nil
}

// brokenTxn is which promises transactions break.
func (s *soak) brokenTxn(r *txnResult) (all []string) {
	say := func(format string, args ...any) { all = append(all, r.name+": "+fmt.Sprintf(format, args...)) }
	for _, of := range []struct {
		what string
		n    int64
	}{{"records failed", r.failed}, {"transactions not committed", int64(r.lost)}, {"records missing", r.found.Missing},
		{"records doubled", r.found.Doubled}, {"records reordered", r.found.Reordered}, {"records strange", r.found.Strange}} {
		if of.n > 0 {
			say("%s: %s", of.what, grouped(of.n))
		}
	}
	if r.stats.Reauthentications < s.least(r.took) {
		say("%d re-authentications in %v, in sessions of %v", r.stats.Reauthentications, r.took.Round(time.Second), s.lifetime)
	}
	if r.open >= 2*s.lifetime && r.took > r.open && r.sessions < 2 {
		say("no transaction has outlasted several sessions")
	}
	for _, text := range append(r.errors, r.found.Examples...) {
		say("%s", text)
	}
	return all
}
