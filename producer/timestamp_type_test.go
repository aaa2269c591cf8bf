package producer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// timing has the brokers' answers to Produce carry a time where when says so.
func timing(when func(partition int32) bool) *brokertest.Action {
	return brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
		for _, topic := range resp.(*protocol.ProduceResponse).Topics {
			for i := range topic.Partitions {
				if when(topic.Partitions[i].Index) {
					topic.Partitions[i].LogAppendTime = time.Now().UnixMilli()
				}
			}
		}
	})
}

// message.timestamp.type is set to LogAppendTime, and for a while one of two brokers has not heard of it. Every record is in
// the log. A time where there was none may be another producer's, once; that the brokers differ accuses nobody.
func TestBrokersDisagreeAboutTheTimestampType(t *testing.T) {
	for _, tt := range []struct {
		name   string
		turned []int // by when each of the brokers answers with times, in sends; -1: never
		most   int   // records that may fail
	}{
		{"one of two, for good", []int{1, -1}, 1},
		{"one after the other", []int{1, 25}, 2},
		{"both from the beginning", []int{0, 0}, 0},
		{"the second has never answered without", []int{-1, 0}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 2))
				p := start(t, c)
				sends, failed := 0, 0
				for part, turned := range tt.turned {
					leader, _ := c.Leader("t", int32(part))
					c.On(brokertest.Produce).Broker(leader).Always().Do(timing(func(int32) bool { return turned >= 0 && sends >= turned }))
				}
				for ; sends < 50; sends++ {
					for part := range int32(2) {
						err := sendTo(t, p, part, fmt.Sprint(sends))
						if err != nil {
							failed++
							if !producer.MayBeWritten(err) {
								t.Errorf("record %d failed, and is not in doubt: %v", sends, err)
							}
						}
					}
					time.Sleep(100 * time.Millisecond)
				}
				if failed > tt.most {
					t.Errorf("%d of 100 records failed, want at most %d", failed, tt.most)
				}
				if ids := c.Count(brokertest.InitProducerID); ids > 1+tt.most {
					t.Errorf("%d producer ids were asked for, want at most %d", ids, 1+tt.most)
				}
				for part := range int32(2) {
					if n := len(c.Records("t", part)); n != 50 {
						t.Errorf("partition %d has %d records, want 50", part, n)
					}
				}
			})
		})
	}
}

// One broker answers with times, and the other has none. A time in an answer of the other is another producer's all the same.
func TestABrokerWithoutTimesIsDoubtedBesideOneWithThem(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 2))
		p := start(t, c)
		with, _ := c.Leader("t", 0)
		without, _ := c.Leader("t", 1)
		c.On(brokertest.Produce).Broker(with).Always().Do(timing(func(int32) bool { return true }))
		for i := range 20 {
			for part := range int32(2) {
				if err := sendTo(t, p, part, fmt.Sprint(i)); err != nil {
					t.Fatalf("record %d of partition %d: %v", i, part, err)
				}
			}
		}
		c.On(brokertest.Produce).Broker(without).Do(timing(func(int32) bool { return true }))
		if err := sendTo(t, p, 1, "doubted"); !producer.MayBeWritten(err) {
			t.Errorf("a time of another producer's was answered with %v, want a failure in doubt", err)
		}
		if err := sendTo(t, p, 1, "next"); err != nil {
			t.Errorf("the next record: %v", err)
		}
	})
}

// The partitions of one broker differ for good. It is believed after ever fewer doubts.
func TestPartitionsOfOneBrokerDisagreeAboutTheTimestampType(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2))
		p := start(t, c)
		c.On(brokertest.Produce).Always().Do(timing(func(part int32) bool { return part == 1 }))
		failed := 0
		for i := range 200 {
			for part := range int32(2) {
				if sendTo(t, p, part, fmt.Sprint(i)) != nil {
					failed++
				}
			}
		}
		if failed > 1 {
			t.Errorf("%d of 400 records failed, want at most 1", failed)
		}
	})
}

func sendTo(t *testing.T, p *producer.Producer, part int32, value string) error {
	_, err := p.SendSync(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(part), Value: []byte(value)})
	return err
}
