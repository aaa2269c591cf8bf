package producer_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

func TestSmoke(t *testing.T) {
	for name, opts := range map[string][]brokertest.Option{
		"new": {}, "level 1": {brokertest.Feature("transaction.version", 1)}, "3.9": {brokertest.Kafka3_9()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := brokertest.New(t, append(opts, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("a", 3))...)
				p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "x" })
				for n := range 5 {
					err := p.Transact(t.Context(), func(tx *producer.Tx) error {
						for i := range 10 {
							tx.Send(t.Context(), producer.Record{Topic: "a", Key: fmt.Append(nil, i), Value: fmt.Append(nil, n, i)})
						}
						if err := tx.SendOffsets(t.Context(), map[producer.TopicPartition]producer.OffsetAndMetadata{{"a", 1}: {Offset: int64(n + 1)}}, producer.ConsumerGroupMetadata{GroupID: "g"}); err != nil {
							return err
						}
						if n%2 == 1 {
							return fmt.Errorf("own error %d", n)
						}
						return nil
					})
					t.Log(n, err)
					if (err != nil) != (n%2 == 1) {
						t.Error(err)
					}
				}
				total := 0
				for i := range int32(3) {
					total += len(c.Committed("a", i))
				}
				t.Log(total, c.GroupOffsets("g"))
				if total != 30 {
					t.Error(total)
				}
				if err := p.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
