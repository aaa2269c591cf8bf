package send_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// TestManyRecordsKeepTheirOrder sends as fast as it goes, without linger and with the default.
func TestManyRecordsKeepTheirOrder(t *testing.T) {
	c := kafka.Shared(t)
	const count, keys, partitions = 200_000, 1000, 6
	for _, linger := range []time.Duration{0, 5 * time.Millisecond} {
		t.Run(fmt.Sprintf("linger=%v", linger), func(t *testing.T) {
			topic := newTopic(t, c, partitions)
			p := start(t, c, func(cfg *producer.Config) { cfg.Linger = linger })
			failed := make(chan error, 1) // the first
			callback := func(_ producer.RecordMetadata, err error) {
				if err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			}
			ctx := soon(t)
			began := time.Now()
			for n := range count {
				p.SendFunc(ctx, producer.Record{Topic: topic, Key: fmt.Append(nil, n%keys), Value: fmt.Appendf(nil, "%d/%0100d", n, n)}, callback)
			}
			if err := p.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d records in %v", count, time.Since(began).Round(time.Millisecond))
			select {
			case err := <-failed:
				t.Fatal(err)
			default:
			}
			if stats := p.Stats(); stats.Acknowledged != count || stats.Sent != count || stats.Failed != 0 {
				t.Errorf("the counters are %+v, want %d sent and acknowledged", stats, count)
			}

			next := make(map[string]int)   // the number of a key's next record
			home := make(map[string]int32) // its partition
			for n := range keys {
				next[fmt.Sprint(n)] = n
			}
			arrived := 0
			err := reader.Stream(ctx, c.Bootstrap(), topic, reader.Options{}, func(r *reader.Record) error {
				arrived++
				key := string(r.Key)
				if before, ok := home[key]; ok && before != r.Partition {
					return fmt.Errorf("key %s is in partitions %d and %d", key, before, r.Partition)
				}
				home[key] = r.Partition
				if want := fmt.Sprintf("%d/%0100d", next[key], next[key]); string(r.Value) != want {
					return fmt.Errorf("key %s: offset %d of partition %d holds %.20s…, want %.20s…", key, r.Offset, r.Partition, r.Value, want)
				}
				next[key] += keys
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if arrived != count {
				t.Errorf("%d records arrived, want %d", arrived, count)
			}
		})
	}
}
