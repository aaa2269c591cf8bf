package producer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// While nothing works Metrics does, at once; and so it does when the producer is closed, with what came last.
func TestMetricsDuringTroubleAndAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2), brokertest.Topic("u", 1))
		p := start(t, c)
		if m := p.Metrics(); m.Records != (producer.RecordMetrics{}) || m.OldestAge != 0 || m.Connections.Open != 0 || len(m.Topics) != 0 || !m.Metadata.Refreshed.IsZero() {
			t.Errorf("at first: %+v", m)
		}
		warm(t, p, "t", "u")
		send(t, p, record("a"))
		c.StopBroker(1)
		time.Sleep(time.Second)
		for range 3 {
			p.SendFunc(t.Context(), record("b"), nil)
		}
		p.SendFunc(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(1), Value: []byte("c")}, nil)
		time.Sleep(30 * time.Second)
		asked := time.Now()
		m := p.Metrics()
		if took := time.Since(asked); took != 0 {
			t.Errorf("it took %v", took)
		}
		if m.OldestAge != 30*time.Second || topicOf(t, m, "t").OldestAge != m.OldestAge || topicOf(t, m, "u").OldestAge != 0 {
			t.Errorf("the oldest record is %v old, of t %v, of u %v; want 30 s, and none of u",
				m.OldestAge, topicOf(t, m, "t").OldestAge, topicOf(t, m, "u").OldestAge)
		}
		failed := int64(0)
		for _, f := range m.Connections.Failed {
			if f.Stage != producer.StageDial {
				t.Errorf("attempts failed in stage %v", f.Stage)
			}
			failed += f.Count
		}
		if failed < 3 || m.Connections.Open != 0 || m.Connections.Created != m.Connections.Closed {
			t.Errorf("connections: %+v, want some attempts that failed, and none open", m.Connections)
		}

		var closing *producer.CloseError
		if err := closeWithin(p, time.Second); !errors.As(err, &closing) || closing.Lost.NotWritten != 4 {
			t.Errorf("Close: %v, want 4 records lost", err)
		}
		for range 2 {
			m = p.Metrics()
			want := producer.FailureMetrics{Topic: "t", Reason: "closed", Records: 4}
			if m.Records.Failed != 4 || len(m.Failures) != 1 || m.Failures[0] != want || m.OldestAge != 0 || m.InFlight != 0 || m.Records.Acknowledged != 1 {
				t.Errorf("after Close: %+v, failures %+v, oldest %v; want 4 records that are certainly not written", m.Records, m.Failures, m.OldestAge)
			}
			time.Sleep(time.Minute)
		}
		if err := c.StartBroker(1); err != nil {
			t.Fatal(err)
		}
	})
}

// A failure says whether its records may be in the log, in Metrics and in the log's line.
func TestFailuresSayWhetherTheyAreWritten(t *testing.T) {
	for name, tt := range map[string]struct {
		fault   *brokertest.Action
		reason  string
		written bool
	}{
		"refused":        {brokertest.Error(protocol.TopicAuthorizationFailed), "authorization", false},
		"too large":      {brokertest.Error(protocol.MessageTooLarge), "too_large", false},
		"by name":        {brokertest.Error(protocol.PolicyViolation), "POLICY_VIOLATION", false},
		"no answer":      {brokertest.HandleThenSwallow(), "timeout", true},
		"not replicated": {brokertest.Error(protocol.NotEnoughReplicas), "timeout", false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				j := newJournal()
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				p := start(t, c, j.logs, func(cfg *producer.Config) { cfg.DeliveryTimeout, cfg.RequestTimeout = 10*time.Second, 5*time.Second })
				c.On(brokertest.Produce).Always().Do(tt.fault)
				_, err := p.SendSync(t.Context(), record("a"))
				if err == nil || producer.MayBeWritten(err) != tt.written || producer.FailureReason(err) != tt.reason {
					t.Fatalf("got %v, which is counted as %s", err, producer.FailureReason(err))
				}
				want := producer.FailureMetrics{Topic: "t", Reason: tt.reason, MayBeWritten: tt.written, Records: 1}
				if m := p.Metrics(); len(m.Failures) != 1 || m.Failures[0] != want {
					t.Errorf("failures are %+v, want %+v", m.Failures, want)
				}
				l := j.one(t, slog.LevelError, "records failed")
				if w := map[bool]string{false: "no", true: "maybe"}[tt.written]; l.word("written") != w || l.word("reason") != tt.reason {
					t.Errorf("the log has %v, want written=%s reason=%s", l, w, tt.reason)
				}
			})
		})
	}
}

// What a topic has counted is not lost when it is forgotten.
func TestTotalsOutliveTheirTopics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Topic("u", 1))
		p := start(t, c, func(cfg *producer.Config) {
			cfg.MetadataMaxIdle, cfg.MetadataMaxAge = 10*time.Second, 5*time.Second
		})
		send(t, p, record("a"))
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.NotEnoughReplicas))
		send(t, p, record("b"))
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.TopicAuthorizationFailed))
		if _, err := p.SendSync(t.Context(), record("c")); err == nil {
			t.Fatal("no error")
		}
		before := p.Metrics()
		time.Sleep(time.Minute)
		m := p.Metrics()
		if len(m.Topics) != 0 {
			t.Fatalf("topics are %+v, want none", m.Topics)
		}
		if m.Records != before.Records || m.Records.Sent != 3 || m.Records.Acknowledged != 2 {
			t.Errorf("all: %+v, and %+v before the topic was forgotten", m.Records, before.Records)
		}
		if all := javas(m); all["producer-metrics record-send-total"] != 4 || all["producer-metrics record-error-total"] != 1 {
			t.Errorf("Java's record-send-total is %v, and record-error-total %v; want 4, since one was sent twice, and 1",
				all["producer-metrics record-send-total"], all["producer-metrics record-error-total"])
		}
		failure, retry := producer.FailureMetrics{Reason: "authorization", Records: 1}, producer.RetryMetrics{Reason: "NOT_ENOUGH_REPLICAS", Records: 1, Batches: 1}
		if len(m.Failures) != 1 || m.Failures[0] != failure || len(m.Retries) != 1 || m.Retries[0] != retry {
			t.Errorf("failures %+v and retries %+v, want %+v and %+v", m.Failures, m.Retries, failure, retry)
		}
		send(t, p, record("d"))
		if of := topicOf(t, p.Metrics(), "t"); of.Sent != 1 {
			t.Errorf("the topic that came back: %+v, want 1 record", of)
		}
		if all := p.Metrics().Records; all.Sent != 4 {
			t.Errorf("all: %+v, want 4 records", all)
		}
	})
}

// Transactions are counted by how they ended, and the methods by the time that they took.
func TestTransactionMetrics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "id" })
		ctx := t.Context()
		run := func(end func(context.Context) error) {
			t.Helper()
			if err := p.BeginTransaction(ctx); err != nil {
				t.Fatal(err)
			}
			p.Send(ctx, record("a"))
			if err := end(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.InitTransactions(ctx); err != nil {
			t.Fatal(err)
		}
		c.On(brokertest.EndTxn).Do(brokertest.Pass().Delayed(300 * time.Millisecond))
		run(p.CommitTransaction)
		run(p.CommitTransaction)
		run(p.AbortTransaction)
		if err := p.CommitTransaction(ctx); err == nil {
			t.Fatal("a commit of nothing is no error")
		}
		m := p.Metrics().Transactions
		if m.Begun != 3 || m.Committed != 2 || m.Aborted != 1 || m.Unknown != 0 {
			t.Errorf("%+v, want 2 of 3 committed, and one aborted", m)
		}
		if m.Commit.Calls != 3 || m.Commit.Errors != 1 || m.Commit.Time < 300*time.Millisecond || m.Commit.Time > 400*time.Millisecond || m.Init.Calls != 1 || m.Abort.Calls != 1 || m.Begin.Calls != 3 {
			t.Errorf("%+v, want 3 commits, of which one failed and one took 300 ms", m)
		}
		if got, want := javas(p.Metrics())["producer-metrics txn-commit-time-ns-total"], float64(m.Commit.Time); got != want {
			t.Errorf("Java's txn-commit-time-ns-total is %v, want %v", got, want)
		}
		if ids := p.Metrics().Idempotence.ProducerIDs; ids != 1 {
			t.Errorf("%d producer ids, want 1", ids)
		}
		c.On(brokertest.EndTxn).Always().Do(brokertest.HandleThenSwallow())
		if err := p.BeginTransaction(ctx); err != nil {
			t.Fatal(err)
		}
		p.Send(ctx, record("a"))
		if err := p.CommitTransaction(endsIn(t, time.Second)); err == nil {
			t.Fatal("a commit without an answer is no error")
		}
		_ = closeWithin(p, time.Second)
		if m := p.Metrics().Transactions; m.Unknown != 1 || m.Committed != 2 {
			t.Errorf("after a commit whose answer is lost: %+v, want one that is unknown", m)
		}
	})
}

// A callback that takes its time is seen while it runs, and so are those behind it.
func TestCallbacksAreMeasured(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2))
		p := start(t, c)
		warm(t, p, "t")
		release := make(chan struct{})
		for i := range int32(2) {
			p.SendFunc(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(i), Value: []byte("a")},
				func(producer.RecordMetadata, error) { <-release })
		}
		time.Sleep(10 * time.Second)
		m := p.Metrics().Callbacks
		if m.Running < 9*time.Second || m.Running > 10*time.Second || m.Waiting != 1 || m.Time.Count != 0 {
			t.Errorf("%+v, want one that has been running for 10 s, and one behind it", m)
		}
		close(release)
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		m = p.Metrics().Callbacks
		if m.Running != 0 || m.Waiting != 0 || m.Time.Count != 2 || m.Time.Sum < 9 || m.Time.Sum > 10 {
			t.Errorf("%+v, want two batches, of 10 s", m)
		}
		if f := p.Metrics().Flushes; f.Calls != 1 || f.Errors != 0 {
			t.Errorf("flushes: %+v, want one", f)
		}
	})
}

// Any number of goroutines may look, in callbacks too, while records are sent, brokers come and go, and the producer is closed.
func TestAnybodyMayLookAtAnyTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 4))
		p := start(t, c)
		var all sync.WaitGroup
		done := make(chan struct{})
		for range 3 {
			all.Go(func() {
				var last int64
				for {
					m := p.Metrics()
					if n := m.Records.Acknowledged + m.Records.Failed; n < last {
						t.Errorf("%d records after %d", n, last)
					} else {
						last = n
					}
					m.Java()
					p.Health()
					select {
					case <-done:
						return
					default:
						time.Sleep(time.Millisecond)
					}
				}
			})
		}
		for i := range 200 {
			p.SendFunc(t.Context(), producer.Record{Topic: "t", Value: []byte("x")}, func(producer.RecordMetadata, error) { p.Metrics() })
			if i == 100 {
				c.CutConnections(1, true)
				c.CutConnections(2, false)
			}
			time.Sleep(time.Millisecond)
		}
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Millisecond)
		close(done)
		all.Wait()
		synctest.Wait()
		if m := p.Metrics(); m.Records.Acknowledged != 200 || m.Connections.Open != 0 || m.Connections.Created != m.Connections.Closed || m.Connections.Created < 3 {
			t.Errorf("in the end: %+v, connections %+v", m.Records, m.Connections)
		}
	})
}

// A record is not taken, so the others of its transaction fail with it. They were taken: each is counted as aborted, and
// FailureReason says so of their errors, though these have the refusal inside. Of the refusals it says why they were.
func TestReasonsOfATransactionOfWhichARecordWasNotTaken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := transactional(t, c, func(cfg *producer.Config) {
			cfg.Linger, cfg.DeliveryTimeout, cfg.MaxBlock = time.Hour, 2*time.Hour, time.Second
		})
		warm(t, p, "t")
		for what, bad := range map[string]producer.Record{
			"invalid":   {Topic: "no such topic"},
			"too_large": {Topic: "t", Value: make([]byte, 2<<20)},
			"timeout":   {Topic: "t", Partition: producer.OnPartition(7)},
		} {
			begin(t, p)
			var told error
			p.SendFunc(t.Context(), record("a"), func(_ producer.RecordMetadata, err error) { told = err })
			_, refused := p.SendSync(t.Context(), bad)
			if reason := producer.FailureReason(fmt.Errorf("wrapped: %w", refused)); reason != what {
				t.Errorf("the refusal is counted as %s, want %s: %v", reason, what, refused)
			}
			if err := p.CommitTransaction(t.Context()); err == nil {
				t.Error("a transaction without one of its records is committed")
			}
			if err := p.AbortTransaction(t.Context()); err != nil {
				t.Fatal(err)
			}
			if reason := producer.FailureReason(fmt.Errorf("wrapped: %w", told)); reason != "aborted" {
				t.Errorf("%s: the record that was taken is counted as %s, want aborted: %v", what, reason, told)
			}
		}
		want := []producer.FailureMetrics{{Topic: "t", Reason: "aborted", Records: 3}}
		if got := p.Metrics().Failures; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("failures %v, want %v", got, want)
		}
	})
}
