package producer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A witness has all interfaces of hooks, and notes a line for each event. Events of one kind can be left out.
type witness struct {
	mu   sync.Mutex
	seen []string
	last map[string]any // the last event of each kind
}

func (w *witness) note(kind string, e any, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, strings.TrimSpace(kind+" "+fmt.Sprintf(format, args...)))
	if w.last == nil {
		w.last = map[string]any{}
	}
	w.last[kind] = e
}

// lines returns what was seen of these kinds, in order.
func (w *witness) lines(kinds ...string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var some []string
	for _, line := range w.seen {
		kind, _, _ := strings.Cut(line, " ")
		if slices.Contains(kinds, kind) {
			some = append(some, line)
		}
	}
	return some
}

// forget begins anew, after what has led to the beginning of a test.
func (w *witness) forget() {
	synctest.Wait() // what callbacks are told comes when futures are done already
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = nil
}

func (w *witness) want(t *testing.T, kinds []string, want ...string) {
	t.Helper()
	if got := w.lines(kinds...); !slices.Equal(got, want) {
		t.Errorf("the hooks were told:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// event returns the last event of a kind, as what it is.
func event[E any](t *testing.T, w *witness, kind string) E {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	e, ok := w.last[kind].(E)
	if !ok {
		t.Fatalf("no event of kind %q: %v", kind, w.seen)
	}
	return e
}

// why is an error in a word.
func why(err error) string {
	var code protocol.ErrorCode
	switch {
	case err == nil:
		return "-"
	case errors.As(err, &code):
		return code.Name()
	case errors.Is(err, producer.ErrDeliveryTimeout):
		return "timeout"
	case errors.Is(err, producer.ErrClosed):
		return "closed"
	}
	var broker *producer.BrokerError
	if errors.As(err, &broker) {
		return "broker"
	}
	return "other"
}

type recordNumber struct{}

// numberOf is what OnRecordBegun has put into the context of a record.
func numberOf(ctx context.Context) string { return fmt.Sprint(ctx.Value(recordNumber{})) }

func (w *witness) OnRecordBegun(ctx context.Context, e *producer.RecordBegun) context.Context {
	w.note("begun", *e, "%s", e.Record.Value)
	return context.WithValue(ctx, recordNumber{}, string(e.Record.Value))
}

func (w *witness) OnRecordPartitioned(ctx context.Context, e producer.RecordPartitioned) {
	w.note("partitioned", e, "%s %d", numberOf(ctx), e.Partition)
}

func (w *witness) OnRecordEnded(ctx context.Context, e producer.RecordEnded) {
	w.note("ended", e, "%s %d %s %v", numberOf(ctx), e.Metadata.Offset, why(e.Err), e.MayBeWritten)
}

func batch(b producer.Batch) string {
	var records []string
	for ctx := range b.Contexts() {
		records = append(records, numberOf(ctx))
	}
	return fmt.Sprintf("%s-%d %d [%s] attempt %d", b.Topic, b.Partition, b.Records, strings.Join(records, " "), b.Attempt)
}

func (w *witness) OnBatchSent(e producer.BatchSent) { w.note("sent", e, "%s", batch(e.Batch)) }
func (w *witness) OnBatchAcknowledged(e producer.BatchAcknowledged) {
	w.note("acknowledged", e, "%s at %d", batch(e.Batch), e.Offset)
}
func (w *witness) OnBatchRetried(e producer.BatchRetried) {
	w.note("retried", e, "%s %s", batch(e.Batch), why(e.Err))
}
func (w *witness) OnBatchSplit(e producer.BatchSplit) {
	w.note("split", e, "%s into %d, %d at fault %s", batch(e.Batch), e.Parts, e.Fault, why(e.Err))
}
func (w *witness) OnBatchFailed(e producer.BatchFailed) {
	w.note("failed", e, "%s %s %v", batch(e.Batch), why(e.Err), e.MayBeWritten)
}
func (w *witness) OnBrokerConnected(e producer.BrokerConnected) {
	w.note("connected", e, "%d control %v %s", e.Broker.ID, e.Control, why(e.Err))
}
func (w *witness) OnBrokerDisconnected(e producer.BrokerDisconnected) {
	w.note("disconnected", e, "%d control %v %s", e.Broker.ID, e.Control, why(e.Err))
}
func (w *witness) OnRequestEnded(e producer.RequestEnded) {
	w.note("request", e, "%s %d %s", e.API, e.Broker.ID, why(e.Err))
}
func (w *witness) OnBrokerThrottled(e producer.BrokerThrottled) {
	w.note("throttled", e, "%d %v %v", e.Broker.ID, e.Asked, e.Granted)
}
func (w *witness) OnLeaderMoved(e producer.LeaderMoved) {
	w.note("leader", e, "%s-%d from %d to %d", e.Topic, e.Partition, e.From, e.To)
}
func (w *witness) OnEpochRenewed(e producer.EpochRenewed) {
	w.note("epoch", e, "%s-%d %d", e.Topic, e.Partition, e.Epoch)
}
func (w *witness) OnTransactionBegun(e producer.TransactionBegun) {
	w.note("txn-begun", e, "%s %d", e.Transaction.ID, e.Transaction.Number)
}
func (w *witness) OnTransactionEnded(e producer.TransactionEnded) {
	w.note("txn-ended", e, "%s %d %v %s", e.Transaction.ID, e.Transaction.Number, e.Outcome, why(e.Err))
}

// watchedBy is a setting of start.
func watchedBy(hooks ...producer.Hook) func(*producer.Config) {
	return func(cfg *producer.Config) { cfg.Hooks = hooks }
}

var (
	ofRecords      = []string{"begun", "partitioned", "ended"}
	ofBatches      = []string{"sent", "acknowledged", "retried", "split", "failed"}
	ofEither       = slices.Concat(ofRecords, ofBatches)
	ofTransactions = []string{"txn-begun", "txn-ended"}
)
