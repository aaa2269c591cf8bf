package producer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// TestTransactionTakesAsManyDelaysAsItMust counts the round trips of a transaction of 1,000 records on a broker a
// millisecond away. In fake time nothing else takes any: the new protocol needs a Produce and an EndTxn, the old one
// AddPartitionsToTxn before them, and the offsets of a group one more at most.
func TestTransactionTakesAsManyDelaysAsItMust(t *testing.T) {
	const delay = time.Millisecond
	for _, c := range []struct {
		name          string
		options       []brokertest.Option
		plain, offset int // delays, without and with offsets
	}{
		{"new protocol", nil, 2, 2},
		{"old protocol", []brokertest.Option{brokertest.Feature("transaction.version", 1)}, 3, 4},
		{"Kafka 3.9", []brokertest.Option{brokertest.Kafka3_9()}, 3, 4},
	} {
		for _, offsets := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, offsets %t", c.name, offsets), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					cluster := brokertest.New(t, append(c.options,
						brokertest.InMemory(), brokertest.Topic("t", 3), brokertest.Delay(delay))...)
					p := start(t, cluster, func(cfg *producer.Config) { cfg.TransactionalID = "shop" })
					transaction := func(n int) time.Duration {
						began := time.Now()
						err := p.Transact(t.Context(), func(tx *producer.Tx) error {
							for i := range n {
								tx.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(int32(i % 3)), Value: make([]byte, 100)})
							}
							if !offsets {
								return nil
							}
							return tx.SendOffsets(t.Context(), map[producer.TopicPartition]producer.OffsetAndMetadata{
								{Topic: "t", Partition: 0}: {Offset: int64(n)},
							}, producer.ConsumerGroupMetadata{GroupID: "shop"})
						})
						if err != nil {
							t.Fatal(err)
						}
						return time.Since(began)
					}
					transaction(10) // finds coordinators and topics, and gets the partitions' first acknowledgement
					want := time.Duration(c.plain) * delay
					if offsets {
						want = time.Duration(c.offset) * delay
					}
					if took := transaction(1000); took > want {
						t.Errorf("a transaction of 1,000 records took %v, want at most %v", took, want)
					}
				})
			})
		}
	}
}

// With one request in flight there is no place to keep free for the end of a transaction: its records go out before that.
func TestOneInFlightSendsBeforeTheCommit(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c, func(cfg *producer.Config) { cfg.MaxInFlightRequestsPerConnection, cfg.Linger = 1, 0 })
		begin(t, p)
		at := time.Now()
		if _, err := p.SendSync(within(t, time.Minute), record("a")); err != nil {
			t.Fatalf("the record before the commit: %v", err)
		}
		if took := time.Since(at); took > time.Second {
			t.Errorf("the record took %v, want that it goes out at once", took)
		}
		commit(t, p)
		wantVisible(t, c, "a")
	})
}
