package producer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// sends are all calls that send a record, with their names.
func sends(p *producer.Producer) map[string]func(context.Context, producer.Record) error {
	topic := func(rec producer.Record) *producer.Topic { return p.Topic(rec.Topic) }
	var last error
	note := func(_ producer.RecordMetadata, err error) { last = err }
	return map[string]func(context.Context, producer.Record) error{
		"Send": func(ctx context.Context, rec producer.Record) error {
			_, err := p.Send(ctx, rec).Wait(context.Background())
			return err
		},
		"SendSync": func(ctx context.Context, rec producer.Record) error { _, err := p.SendSync(ctx, rec); return err },
		"SendFunc": func(ctx context.Context, rec producer.Record) error { p.SendFunc(ctx, rec, note); return last },
		"TrySend":  func(_ context.Context, rec producer.Record) error { return p.TrySend(rec, nil) },
		"Topic.Send": func(ctx context.Context, rec producer.Record) error {
			_, err := topic(rec).Send(ctx, rec.Key, rec.Value).Wait(context.Background())
			return err
		},
		"Topic.SendSync": func(ctx context.Context, rec producer.Record) error {
			_, err := topic(rec).SendSync(ctx, rec.Key, rec.Value)
			return err
		},
		"Topic.SendFunc": func(ctx context.Context, rec producer.Record) error {
			topic(rec).SendFunc(ctx, rec.Key, rec.Value, note)
			return last
		},
		"Topic.TrySend": func(_ context.Context, rec producer.Record) error { return topic(rec).TrySend(rec.Key, rec.Value, nil) },
		"Topic.SendAllFunc": func(ctx context.Context, rec producer.Record) error {
			topic(rec).SendAllFunc(ctx, []producer.KeyValue{{Key: rec.Key, Value: rec.Value}}, note)
			return last
		},
	}
}

// After Close a record is told that, whatever else is wrong with it.
func TestAfterCloseNothingElseIsTold(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	bad := map[string]struct {
		ctx context.Context
		rec producer.Record
	}{
		"a record":                    {t.Context(), record("a")},
		"a partition that is not":     {t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(7)}},
		"a negative partition":        {t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(-7)}},
		"a topic that is not":         {t.Context(), producer.Record{Topic: "unheard-of"}},
		"a name that cannot be":       {t.Context(), producer.Record{Topic: "no name"}},
		"a record that is too large":  {t.Context(), record(strings.Repeat("x", 2<<20))},
		"a time that cannot be":       {t.Context(), producer.Record{Topic: "t", Timestamp: time.Unix(-1, 0)}},
		"a context that has ended":    {ended, record("a")},
		"a topic that is not, and so": {ended, producer.Record{Topic: "unheard-of"}},
	}
	for _, id := range []string{"", "tx"} {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false), brokertest.Topic("t", 1))
			p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = id })
			if _, err := p.Partitions(t.Context(), "t"); err != nil {
				t.Fatal(err)
			}
			if err := p.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			at := time.Now()
			for name, send := range sends(p) {
				for what, b := range bad {
					err := send(b.ctx, b.rec)
					var refused *producer.AdmissionError
					if !errors.Is(err, producer.ErrClosed) || !errors.As(err, &refused) || refused.Err != producer.ErrClosed || producer.MayBeWritten(err) {
						t.Errorf("%s of %s: %v, want ErrClosed and nothing else", name, what, err)
					}
				}
			}
			if id != "" {
				if err := p.SendOffsetsToTransaction(t.Context(), offsets(-1), producer.ConsumerGroupMetadata{}); !errors.Is(err, producer.ErrClosed) {
					t.Errorf("SendOffsetsToTransaction: %v, want ErrClosed", err)
				}
				err := p.Transact(t.Context(), func(*producer.Tx) error { return nil })
				want(t, "Transact", err, []string{"Transact: "}, producer.ErrClosed)
			}
			if took := time.Since(at); took != 0 {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A refusal names the method that was called, so that it can be found.
func TestARefusalNamesTheCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[0].cluster(t)
		p := transactional(t, c)
		for name, send := range sends(p) {
			err := send(t.Context(), record("a"))
			var refused *producer.TransactionStateError
			if call := strings.TrimPrefix(name, "Topic."); !errors.As(err, &refused) || refused.Call != call {
				t.Errorf("%s outside of a transaction: %v, want a refusal of %s", name, err, call)
			}
		}
		var leaked *producer.Tx
		if err := p.Transact(t.Context(), func(tx *producer.Tx) error { leaked = tx; return nil }); err != nil {
			t.Fatal(err)
		}
		begin(t, p)
		want(t, "SendSync", func() error { _, err := leaked.SendSync(t.Context(), record("a")); return err }(), []string{"SendSync: the transaction of this Tx has ended"})
		want(t, "SendOffsets", leaked.SendOffsets(t.Context(), offsets(1), groupG), []string{"SendOffsetsToTransaction: the transaction of this Tx has ended"})
		abort(t, p)
	})
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory())
		p := start(t, c)
		err := p.Transact(t.Context(), func(*producer.Tx) error { return nil })
		want(t, "Transact without an id", err, []string{"Transact: the producer has no transactional id"})
	})
}

// Transact's errors name Transact, but where another method is to be called again.
func TestTransactNamesItself(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := uninitialised(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Second })
		failed := func(what, call, told string) {
			t.Helper()
			err := p.Transact(t.Context(), func(tx *producer.Tx) error { tx.Send(t.Context(), record("a")); return nil })
			wantTold(t, what, err, told)
			var failure *producer.TransactionError
			if !errors.As(err, &failure) || failure.Call != call || !strings.HasPrefix(err.Error(), "Transact") {
				t.Errorf("%s: %v, want %s to be named, and Transact", what, err, call)
			}
		}
		held := c.On(brokertest.FindCoordinator).Always().Do(brokertest.Swallow())
		failed("no coordinator", "Transact", openRetry)
		held.Stop()
		time.Sleep(time.Minute)
		held = c.On(brokertest.EndTxn).Always().Do(brokertest.Pass().Delayed(5 * time.Second))
		failed("no end", "CommitTransaction", unknownRetry)
		held.Stop()
		time.Sleep(10 * time.Second)
		commit(t, p)
		wantVisible(t, c, "a")
	})
}
