package producer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A speech is a kind of cluster, by the protocol of transactions that it speaks.
type speech struct {
	name    string
	options []brokertest.Option
	isNew   bool // KIP-890: transaction.version 2
}

var speeches = []speech{
	{"new", nil, true},
	{"level 1", []brokertest.Option{brokertest.Feature("transaction.version", 1)}, false},
	{"3.9", []brokertest.Option{brokertest.Kafka3_9()}, false},
}

// inEachProtocol runs f in fake time, once for each kind of cluster.
func inEachProtocol(t *testing.T, f func(t *testing.T, s speech)) {
	t.Helper()
	for _, s := range speeches {
		t.Run(s.name, func(t *testing.T) { bubble(t, func(t *testing.T) { f(t, s) }) })
	}
}

// cluster starts one with topic t, of one partition.
func (s speech) cluster(t *testing.T, options ...brokertest.Option) *brokertest.Cluster {
	t.Helper()
	return brokertest.New(t, slices.Concat(s.options, []brokertest.Option{brokertest.InMemory(), brokertest.Topic("t", 1)}, options)...)
}

// transactional starts a producer with the transactional id "tx", and initialises it.
func transactional(t *testing.T, c *brokertest.Cluster, change ...func(*producer.Config)) *producer.Producer {
	t.Helper()
	p := uninitialised(t, c, change...)
	if err := p.InitTransactions(t.Context()); err != nil {
		t.Fatalf("InitTransactions: %v", err)
	}
	return p
}

func uninitialised(t *testing.T, c *brokertest.Cluster, change ...func(*producer.Config)) *producer.Producer {
	t.Helper()
	return start(t, c, append([]func(*producer.Config){func(cfg *producer.Config) { cfg.TransactionalID = "tx" }}, change...)...)
}

func begin(t *testing.T, p *producer.Producer) {
	t.Helper()
	if err := p.BeginTransaction(t.Context()); err != nil {
		t.Fatalf("BeginTransaction: %v", err)
	}
}

func commit(t *testing.T, p *producer.Producer) {
	t.Helper()
	if err := p.CommitTransaction(t.Context()); err != nil {
		t.Fatalf("CommitTransaction: %v", err)
	}
}

func abort(t *testing.T, p *producer.Producer) {
	t.Helper()
	if err := p.AbortTransaction(t.Context()); err != nil {
		t.Fatalf("AbortTransaction: %v", err)
	}
}

// transaction commits records with these values to topic t, partition 0.
func transaction(t *testing.T, p *producer.Producer, values ...string) {
	t.Helper()
	begin(t, p)
	for _, v := range values {
		send(t, p, record(v))
	}
	commit(t, p)
}

// visible returns what a read_committed consumer sees of partition 0 of topic t.
func visible(c *brokertest.Cluster) string { return visibleIn(c, "t", 0) }

func visibleIn(c *brokertest.Cluster, topic string, partition int32) string {
	var values []string
	for _, r := range c.Committed(topic, partition) {
		values = append(values, string(r.Value))
	}
	return strings.Join(values, " ")
}

func wantVisible(t *testing.T, c *brokertest.Cluster, want string) {
	t.Helper()
	if got := visible(c); got != want {
		t.Errorf("a read_committed consumer sees %q, want %q", got, want)
	}
}

// soundLog demands that the logs hold sequences as they should be, and no record twice.
func soundLog(t *testing.T, c *brokertest.Cluster) {
	t.Helper()
	if err := c.Verify(func(r brokertest.Record) string { return string(r.Value) }); err != nil {
		t.Errorf("the log: %v", err)
	}
}

// told is what a transactional call says, in few words: "ok", "refused", or the outcome and the next step.
func told(err error) string {
	var failure *producer.TransactionError
	var state *producer.TransactionStateError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &failure):
		return fmt.Sprintf("%v, %v", failure.Outcome, failure.Next)
	case errors.As(err, &state):
		return "refused"
	}
	return "error: " + err.Error()
}

// What a call says.
const (
	ok              = "ok"
	refused         = "refused"
	committedNew    = "committed, make a new producer"
	abortedNew      = "aborted, make a new producer"
	abortedFix      = "aborted, put the configuration right"
	abortedRetry    = "aborted, call it again"
	unknownNew      = "unknown, make a new producer"
	unknownRetry    = "unknown, call it again"
	unknownFix      = "unknown, put the configuration right"
	openAbort       = "open, abort the transaction"
	openRetry       = "open, call it again"
	openNew         = "open, make a new producer"
	openFix         = "open, put the configuration right"
	longerThanAnyTx = 2 * time.Minute // transaction.timeout.ms is a minute
)

func wantTold(t *testing.T, what string, err error, want string) {
	t.Helper()
	if got := told(err); got != want {
		t.Errorf("%s says %q (%v), want %q", what, got, err, want)
	}
}

// honest demands that what a call said of a transaction with the one record a agrees with what is in the log, now and when
// everything that could still happen has happened.
func honest(t *testing.T, c *brokertest.Cluster, committing bool, err error) {
	t.Helper()
	outcome := producer.OutcomeAborted
	if committing {
		outcome = producer.OutcomeCommitted
	}
	var failure *producer.TransactionError
	if errors.As(err, &failure) {
		outcome = failure.Outcome
	} else if err != nil {
		t.Errorf("error = %v, want a TransactionError", err)
		return
	}
	c.ClearFaults()
	time.Sleep(longerThanAnyTx)
	c.ExpireTransactions()
	seen := visible(c) == "a"
	switch outcome {
	case producer.OutcomeCommitted:
		if !seen {
			t.Errorf("it was said to be committed, and is not to be seen: %v", err)
		}
	case producer.OutcomeAborted, producer.OutcomeOpen:
		if seen {
			t.Errorf("it was said to be %v, and it is to be seen: %v", outcome, err)
		}
	}
}

// asked returns the requests of an API that brokers got, oldest first.
func asked(c *brokertest.Cluster, apiKey int16) []brokertest.Request {
	return slices.DeleteFunc(c.Requests(), func(r brokertest.Request) bool { return r.APIKey != apiKey })
}

// within returns a context that ends after d.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// offsets are those of partition 0 of topic t.
func offsets(n int64) map[producer.TopicPartition]producer.OffsetAndMetadata {
	return map[producer.TopicPartition]producer.OffsetAndMetadata{{Topic: "t", Partition: 0}: {Offset: n}}
}

// groupOffset returns what group g has committed of partition 0 of topic t; -1 for nothing.
func groupOffset(c *brokertest.Cluster) int64 {
	if o, ok := c.GroupOffsets("g")[brokertest.TopicPartition{Topic: "t", Partition: 0}]; ok {
		return o.Offset
	}
	return -1
}

var groupG = producer.ConsumerGroupMetadata{GroupID: "g"}

func isCode(err error, code protocol.ErrorCode) bool { return errors.Is(err, code) }
