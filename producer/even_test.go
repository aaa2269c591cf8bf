package producer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// Who switches adaptive partitioning off wants as many bytes in each partition. So what a slow broker has not taken yet
// must not count: neither which partition comes next nor when may depend on it. Records are sent one by one, or many in a
// call, with and without linger.
func TestWithoutAdaptivePartitioningASlowBrokerGetsAsMuchAsTheOthers(t *testing.T) {
	const batch, rounds, value = 1000, 40, 90
	for _, linger := range []time.Duration{0, 5 * time.Millisecond} {
		for _, many := range []bool{false, true} {
			t.Run(fmt.Sprintf("linger %v, many in a call %v", linger, many), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 3))
					slow, _ := c.Leader("t", 1)
					c.On(brokertest.Produce).Broker(slow).Always().Do(brokertest.Pass().Delayed(250 * time.Millisecond))
					p := start(t, c, func(cfg *producer.Config) {
						cfg.PartitionerAdaptivePartitioning, cfg.BatchSize, cfg.Linger = false, batch, linger
					})
					warm(t, p, "t")
					topic := p.Topic("t")
					sent := 0
					for sent < 3*rounds*batch {
						if many {
							topic.SendAllFunc(t.Context(), []producer.KeyValue{{Value: make([]byte, value)}, {Value: make([]byte, value)}}, nil)
							sent += 2 * value
						} else {
							topic.SendFunc(t.Context(), nil, make([]byte, value), nil)
							sent += value
						}
						time.Sleep(time.Millisecond)
					}
					if err := p.Flush(t.Context()); err != nil {
						t.Fatal(err)
					}
					most, least := 0, sent
					var all []int
					for part := range int32(3) {
						n := len(c.Records("t", part)) * value
						all = append(all, n)
						most, least = max(most, n), min(least, n)
					}
					if most-least > 2*batch {
						t.Errorf("the partitions got %v bytes of values, want them to differ by two batches of %d at most", all, batch)
					}
				})
			})
		}
	}
}
