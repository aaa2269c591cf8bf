package producer_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A batch whose answer was lost goes on in three parts that keep its numbers, without the records at fault. The first part is
// acknowledged, so nothing is in doubt any more. The broker then finds a fault in the second part as well. Each record ends,
// and those without a fault are in the log, in order.
func TestARejectedPartIsSplitAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.Linger = 50 * time.Millisecond })
		send(t, p, record("first"))
		c.SetCompacted("t", true)
		n := 0
		c.Control(func(r *brokertest.Request) *brokertest.Action {
			if r.APIKey != brokertest.Produce {
				return nil
			}
			n++
			c.SetTopicMaxBytes("t", 1<<20)
			switch n {
			case 1:
				return brokertest.Drop() // the producer cannot know that it was not written
			case 4: // the second part: not written, and its first record named
				c.SetTopicMaxBytes("t", 1)
				return brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
					a := &resp.(*protocol.ProduceResponse).Topics[0].Partitions[0]
					a.ErrorCode, a.RecordErrors = protocol.InvalidRecord, []protocol.RecordError{{BatchIndex: 0}}
				})
			}
			return nil
		})
		var got outcomes
		for _, r := range []struct{ key, value string }{{"k", "0"}, {"", "1"}, {"k", "2"}, {"k", "3"}, {"", "4"}, {"k", "5"}} {
			rec := record(r.value)
			if r.key != "" {
				rec.Key = []byte(r.key)
			}
			p.SendFunc(t.Context(), rec, got.of(r.value))
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, o := range got.all() {
			if o.err == nil {
				want = append(want, o.name)
			}
		}
		slices.Sort(want)
		if in := logged(c); !slices.Equal(in[1:], want) || len(want) < 3 {
			t.Errorf("the log has %q behind the first record, and %q are acknowledged", in[1:], want)
		}
	})
}

// A batch is written, and its answer lost. Sent again it is too large, since the limit was lowered, and is split. One record
// of a half is then named as faulty, since the topic was made compacted. That record may be in the log, and its error says
// so, with idempotence and without.
func TestARejectedHalfOfADoubtfulBatch(t *testing.T) {
	for _, idempotent := range []bool{false, true} {
		t.Run(fmt.Sprint("idempotent=", idempotent), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				p := start(t, c, func(cfg *producer.Config) {
					cfg.Linger, cfg.EnableIdempotence = 50*time.Millisecond, idempotent
				})
				send(t, p, record("first"))
				n := 0
				c.Control(func(r *brokertest.Request) *brokertest.Action {
					if r.APIKey != brokertest.Produce {
						return nil
					}
					switch n++; n {
					case 1:
						return brokertest.HandleThenDrop()
					case 2:
						c.SetTopicMaxBytes("t", 90)
					case 3:
						c.SetTopicMaxBytes("t", 1<<20)
						c.SetCompacted("t", true)
					}
					return nil
				})
				var got outcomes
				for i := range 4 {
					rec := record(fmt.Sprint(i))
					if i != 1 {
						rec.Key = []byte("k")
					}
					p.SendFunc(t.Context(), rec, got.of(fmt.Sprint(i)))
				}
				if err := p.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, o := range got.all() {
					in := 0
					for _, v := range logged(c) {
						if v == o.name {
							in++
						}
					}
					if o.err != nil && !producer.MayBeWritten(o.err) && in > 0 {
						t.Errorf("record %s is in the log %d times, and its error says that it is not: %v", o.name, in, o.err)
					}
				}
			})
		})
	}
}
