package producer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// keyValues are records without a key, of those values.
func keyValues(values ...string) []producer.KeyValue {
	var records []producer.KeyValue
	for _, v := range values {
		records = append(records, producer.KeyValue{Value: []byte(v)})
	}
	return records
}

// Records that are sent in one call are written in their order, with keys or
// without, whatever their sizes, and each has its own outcome. The caller may
// use the records again at once.
func TestSendAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 3000
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		topic := p.Topic("t") // before anything is known of it
		var offsets []int64
		done := func(md producer.RecordMetadata, err error) {
			if err != nil || md.Topic != "t" || md.Partition != 0 {
				t.Errorf("%+v, %v", md, err)
			}
			offsets = append(offsets, md.Offset)
		}
		var want []string
		records := make([]producer.KeyValue, 0, 100)
		for i := range n {
			r := producer.KeyValue{Value: fmt.Appendf(nil, "%d %s", i, strings.Repeat("x", i*i%5000))}
			if i%10 == 3 {
				r.Key = []byte("customer")
			}
			want = append(want, string(r.Key)+"="+string(r.Value))
			if records = append(records, r); len(records) < 1+i%100 && i+1 < n {
				continue
			}
			topic.SendAllFunc(t.Context(), records, done)
			for _, r := range records {
				clear(r.Key)
				clear(r.Value)
			}
			clear(records)
			records = records[:0]
		}
		topic.SendAllFunc(t.Context(), nil, done)
		topic.SendAllFunc(t.Context(), keyValues("without a callback"), nil)
		want = append(want, "=without a callback")
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range c.Records("t", 0) {
			got = append(got, string(r.Key)+"="+string(r.Value))
		}
		if !slices.Equal(got, want) {
			t.Errorf("the log holds %d records, want the %d that were sent, in order", len(got), len(want))
		}
		if len(offsets) != n || !slices.IsSorted(offsets) {
			t.Errorf("%d callbacks, in the order of offsets: %v; want %d, true", len(offsets), slices.IsSorted(offsets), n)
		}
	})
}

// Records without a key that are sent in one call move on from partition to
// partition as they would one by one, after a batch of them.
func TestSendAllMovesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 4))
		p := start(t, c)
		warm(t, p, "t")
		const n = 32000 // of some 110 bytes, 150 to a batch: enough batches for chance to be fair
		value := strings.Repeat("x", 100)
		p.Topic("t").SendAllFunc(t.Context(), keyValues(slices.Repeat([]string{value}, n)...), nil)
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		sum := 0
		for partition := range int32(4) {
			had := len(c.Records("t", partition))
			if sum += had; had < n/10 {
				t.Errorf("partition %d has %d of %d records, want about a quarter", partition, had, n)
			}
		}
		if sum != n {
			t.Errorf("%d records arrived, want %d", sum, n)
		}
	})
}

// So they do while brokers take nothing and batches grow, without an end that
// would be seen otherwise.
func TestSendAllMovesOnWhileBatchesGrow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 4))
		p := start(t, c, func(cfg *producer.Config) {
			cfg.BatchSize, cfg.Compression, cfg.MaxInFlightRequestsPerConnection = 1000, producer.LZ4, 1
		})
		warm(t, p, "t")
		c.Pause(1)
		for range 2 { // one is in flight, the other waits and has room
			for partition := range int32(4) {
				p.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(partition), Value: make([]byte, 40_000)})
			}
			time.Sleep(time.Second)
		}
		const n = 600 // of some 110 bytes
		var values []string
		for i := range n {
			values = append(values, fmt.Sprintf("%4d%0100d", i, 0))
		}
		p.Topic("t").SendAllFunc(t.Context(), keyValues(values...), nil)
		c.Resume(1)
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		where := map[string]int32{}
		for partition := range int32(4) {
			for _, r := range c.Records("t", partition) {
				where[string(r.Value)] = partition
			}
		}
		streak, longest := 0, 0
		for i := range values {
			if streak++; i > 0 && where[values[i]] != where[values[i-1]] {
				streak = 1
			}
			longest = max(longest, streak)
		}
		if longest > n/3 {
			t.Errorf("%d records in a row went to one partition, want a batch of some ten, or a few times that by chance", longest)
		}
	})
}

// Records with a key go where Send has them go, in the order in which their
// goroutine sent them, whoever else sends.
func TestSendAllWithKeys(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const goroutines, calls, each = 4, 10, 50
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 5))
		p := start(t, c)
		topic := p.Topic("t")
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				for call := range calls {
					var records []producer.KeyValue
					for i := range each {
						key := fmt.Appendf(nil, "%d/%d", g, i%7)
						records = append(records, producer.KeyValue{Key: key, Value: fmt.Appendf(nil, "%4d", call*each+i)})
						if i%10 == 9 {
							records = append(records, producer.KeyValue{Value: []byte("of no key")})
						}
					}
					topic.SendAllFunc(t.Context(), records, func(_ producer.RecordMetadata, err error) {
						if err != nil {
							t.Error(err)
						}
					})
				}
			})
		}
		wg.Wait()
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		sum := 0
		for partition := range int32(5) {
			last := map[string]string{}
			for _, r := range c.Records("t", partition) {
				sum++
				if r.Key == nil {
					if string(r.Value) != "of no key" {
						t.Errorf("record %s has lost its key", r.Value)
					}
					continue
				}
				key, value := string(r.Key), string(r.Value)
				if last[key] == "" {
					if md := send(t, p, producer.Record{Topic: "t", Key: r.Key}); md.Partition != partition {
						t.Errorf("key %s went to partition %d, want %d as with Send", key, partition, md.Partition)
					}
				}
				if value <= last[key] {
					t.Errorf("partition %d has %s of key %s behind %s", partition, value, key, last[key])
				}
				last[key] = value
			}
		}
		if want := goroutines * calls * (each + each/10); sum != want {
			t.Errorf("%d records arrived, want %d", sum, want)
		}
	})
}

// A record that cannot be sent gets its own error, and those behind it are sent.
func TestSendAllGoesOnBehindABadRecord(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		var got outcomes
		p.Topic("t").SendAllFunc(t.Context(), keyValues("a", "b", strings.Repeat("x", 2<<20), "c"), got.of("record"))
		var large *producer.RecordTooLargeError
		if all := got.all(); len(all) != 1 || !errors.As(all[0].err, &large) || producer.MayBeWritten(all[0].err) {
			t.Errorf("before the call returned %+v had been told, want one RecordTooLargeError", all)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(logged(c), ","); text != "a,b,c" || len(got.all()) != 4 {
			t.Errorf("the log holds %s after %d outcomes, want a,b,c after 4", text, len(got.all()))
		}
	})
}

// What stops all of them is told of each, before the call returns.
func TestSendAllRefused(t *testing.T) {
	tests := map[string]func(t *testing.T, p *producer.Producer) (ctx context.Context, topic string, want func(error) bool){
		"ended ctx": func(t *testing.T, p *producer.Producer) (context.Context, string, func(error) bool) {
			warm(t, p, "t")
			p.Topic("t").SendAllFunc(t.Context(), keyValues("opens a batch"), func(producer.RecordMetadata, error) {})
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx, "t", func(err error) bool { return errors.Is(err, context.Canceled) }
		},
		"closed": func(t *testing.T, p *producer.Producer) (context.Context, string, func(error) bool) {
			warm(t, p, "t")
			p.Topic("t").SendAllFunc(t.Context(), keyValues("opens a batch"), func(producer.RecordMetadata, error) {})
			if err := p.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			return t.Context(), "t", func(err error) bool { return errors.Is(err, producer.ErrClosed) }
		},
		"no such topic": func(t *testing.T, _ *producer.Producer) (context.Context, string, func(error) bool) {
			return t.Context(), "missing", func(err error) bool {
				var unknown *producer.UnknownTopicError
				return errors.As(err, &unknown)
			}
		},
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.AutoCreate(false))
				p := start(t, c)
				ctx, topic, right := arrange(t, p)
				var got outcomes
				began := time.Now()
				p.Topic(topic).SendAllFunc(ctx, keyValues("a", "b", "c"), got.of("record"))
				if took, most := time.Since(began), time.Minute+time.Second; took > most {
					t.Errorf("it took %v, want no more than what one record waits, %v at most", took, most)
				}
				all := got.all()
				if len(all) != 3 {
					t.Fatalf("%d outcomes before the call returned, want 3", len(all))
				}
				for i, o := range all {
					if !right(o.err) || o.md.Topic != topic || producer.MayBeWritten(o.err) {
						t.Errorf("record %d of topic %s: %+v, %v", i, topic, o.md, o.err)
					}
				}
			})
		})
	}
}

// Interceptors see each record.
func TestSendAllWithInterceptors(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		stamp := &stamping{}
		p := start(t, c, func(cfg *producer.Config) { cfg.Interceptors = []producer.Interceptor{stamp} })
		var got outcomes
		p.Topic("t").SendAllFunc(t.Context(), keyValues("a", "b", "c"), got.of("record"))
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		records := c.Records("t", 0)
		for _, r := range records {
			if len(r.Headers) != 1 || r.Headers[0].Key != "stamp" {
				t.Errorf("record %q has the headers %v, want the interceptor's", r.Value, r.Headers)
			}
		}
		if len(records) != 3 || stamp.acknowledged != 3 || len(got.all()) != 3 {
			t.Errorf("%d records, %d acknowledgements and %d outcomes, want 3 of each", len(records), stamp.acknowledged, len(got.all()))
		}
	})
}

// In a transaction they are part of it, and outside of any they are refused.
func TestSendAllInATransaction(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "all" })
		topic := p.Topic("t")
		if err := p.InitTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, end := range map[string]func(context.Context) error{"commit": p.CommitTransaction, "abort": p.AbortTransaction} {
			var outside, inside outcomes
			topic.SendAllFunc(t.Context(), keyValues("outside"), outside.of(name))
			if all := outside.all(); len(all) != 1 || all[0].err == nil {
				t.Errorf("before the transaction: %+v, want an error", all)
			}
			if err := p.BeginTransaction(t.Context()); err != nil {
				t.Fatal(err)
			}
			topic.SendAllFunc(t.Context(), keyValues("a", "b", "c"), inside.of(name))
			topic.SendAllFunc(t.Context(), keyValues("d", "e"), inside.of(name))
			if err := end(t.Context()); err != nil {
				t.Fatal(err)
			}
			all := inside.all()
			if len(all) != 5 {
				t.Errorf("%s: %d outcomes, want 5", name, len(all))
			}
			for _, o := range all {
				if failed := errors.Is(o.err, producer.ErrTransactionAborted); failed != (name == "abort") {
					t.Errorf("%s: a record ended with %v", name, o.err)
				}
			}
		}
	})
}
