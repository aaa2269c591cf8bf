package producer_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A record names a partition that was added a moment ago: Send finds it.
func TestAPartitionThatWasJustAdded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2))
		p := start(t, c)
		warm(t, p, "t")
		if err := c.AddPartitions("t", 3); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		md, err := p.SendSync(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(2)})
		if took := time.Since(began); err != nil || md.Partition != 2 || took > time.Second {
			t.Errorf("partition %d, %v after %v, want partition 2 at once", md.Partition, err, took)
		}
	})
}

// A partition that is added while Send waits for it is found; meanwhile the topic is looked up once for each backoff.
func TestAPartitionThatIsAddedMeanwhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2), brokertest.Topic("other", 1))
		p := start(t, c)
		warm(t, p, "t", "other")
		asked := c.Count(brokertest.Metadata)
		var waiting sync.WaitGroup
		for range 10 {
			waiting.Go(func() {
				if _, err := p.SendSync(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(4)}); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(20 * time.Second)
		if n := c.Count(brokertest.Metadata) - asked; n < 15 || n > 30 {
			t.Errorf("the topic was looked up %d times in 20 s, want about once a second", n)
		}
		for _, req := range c.Requests() {
			if m, ok := req.Message.(*protocol.MetadataRequest); ok && len(m.Topics) > 1 {
				t.Errorf("%d topics were asked for at once, want the one alone", len(m.Topics))
			}
		}
		if err := c.AddPartitions("t", 5); err != nil {
			t.Fatal(err)
		}
		waiting.Wait()
	})
}

// A partition that never comes is refused after max.block, and what has been asked in vain is not asked for ever.
func TestAPartitionThatIsNotThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 20 * time.Second })
		warm(t, p, "t")
		began := time.Now()
		_, err := p.SendSync(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(3)})
		var lacking *producer.NoSuchPartitionError
		if !errors.As(err, &lacking) || !errors.Is(err, producer.ErrMaxBlock) || producer.MayBeWritten(err) {
			t.Errorf("%v, want a NoSuchPartitionError after max.block", err)
		}
		if took := time.Since(began); took != 20*time.Second {
			t.Errorf("it took %v, want max.block (20s)", took)
		}
		time.Sleep(2 * time.Second)
		asked := c.Count(brokertest.Metadata)
		time.Sleep(time.Minute)
		if n := c.Count(brokertest.Metadata) - asked; n > 0 {
			t.Errorf("the topic was looked up %d times more, and nobody waits", n)
		}
		send(t, p, record("the topic is there all the same"))
	})
}

// TrySend does not wait for a partition: it starts the look-up, says so, and finds the partition soon. A loop of them asks no
// more often than the backoff allows.
func TestTrySendToAPartitionThatWasJustAdded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2), brokertest.Delay(time.Millisecond))
		p := start(t, c)
		warm(t, p, "t")
		asked := c.Count(brokertest.Metadata)
		rec := producer.Record{Topic: "t", Partition: producer.OnPartition(2)}
		for range 10_000 {
			began := time.Now()
			err := p.TrySend(rec, nil)
			if !errors.As(err, new(*producer.NoSuchPartitionError)) || !strings.Contains(err.Error(), "looked up again") || time.Since(began) > 0 {
				t.Fatalf("%v after %v, want at once that the topic is being looked up", err, time.Since(began))
			}
			time.Sleep(time.Millisecond)
		}
		if n := c.Count(brokertest.Metadata) - asked; n < 5 || n > 20 {
			t.Errorf("the topic was looked up %d times in 10 s, want about once a second", n)
		}
		if err := c.AddPartitions("t", 3); err != nil {
			t.Fatal(err)
		}
		p.TrySend(rec, nil)
		time.Sleep(2 * time.Second)
		if err := p.TrySend(rec, nil); err != nil {
			t.Errorf("%v, want the partition found", err)
		}
	})
}

// beyond is a partitioner that chooses a partition whatever it is told of their number.
type beyond int32

func (b beyond) Partition(partition.Record, *partition.Topic) (int32, error) { return int32(b), nil }

// A partitioner was told how many partitions there are, so what it chooses beyond is refused at once. It may know better, so
// the topic is looked up.
func TestAPartitionerThatKnowsBetter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2))
		p := start(t, c, func(cfg *producer.Config) { cfg.Partitioner = beyond(2) })
		warm(t, p, "t")
		if err := c.AddPartitions("t", 3); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err := p.SendSync(t.Context(), producer.Record{Topic: "t"})
		if !errors.As(err, new(*producer.NoSuchPartitionError)) || !strings.Contains(err.Error(), "partitioner") || time.Since(began) > 0 {
			t.Errorf("%v after %v, want at once that the partitioner's choice is not there", err, time.Since(began))
		}
		time.Sleep(time.Second)
		if _, err := p.SendSync(t.Context(), producer.Record{Topic: "t"}); err != nil {
			t.Errorf("%v, want the partition found", err)
		}
	})
}

// A busy cluster takes longer than usual to make a topic, and calls it unknown until then: Send waits, within max.block.
func TestATopicThatTakesLongToBeMade(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.AutoCreate(false))
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 20 * time.Second })
		time.AfterFunc(15*time.Second, func() {
			if err := c.CreateTopic("late", 1); err != nil {
				t.Error(err)
			}
		})
		began := time.Now()
		_, err := p.SendSync(t.Context(), producer.Record{Topic: "late"})
		if took := time.Since(began); err != nil || took > 17*time.Second {
			t.Errorf("%v after %v, want the topic found when it is there", err, took)
		}
	})
}

// A topic is unknown at first, and then no broker answers any more. The error has both: what the last answer said is old by
// now.
func TestTheLastAnswerIsOlderThanTheOutage(t *testing.T) {
	for _, of := range []struct {
		what string
		how  func(*brokertest.Cluster)
		want string
	}{
		{"nothing happens", func(*brokertest.Cluster) {}, ""},
		{"connections are refused", func(c *brokertest.Cluster) { c.Break(1, brokertest.Refusing) }, "no broker can be reached: "},
		{"connections are reset", func(c *brokertest.Cluster) { c.Break(1, brokertest.Resetting) }, "no broker can be reached: "},
		{"packets are lost", func(c *brokertest.Cluster) { c.Break(1, brokertest.Dropping) }, "Metadata has no answer yet from broker 1"},
		{"nothing is answered", func(c *brokertest.Cluster) { c.On(brokertest.Metadata).Always().Do(brokertest.Swallow()) }, "Metadata has no answer yet from broker 1"},
	} {
		t.Run(of.what, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false))
				p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 20 * time.Second })
				time.AfterFunc(5*time.Second, func() { of.how(c) })
				_, err := p.SendSync(t.Context(), producer.Record{Topic: "nowhere"})
				if !errors.As(err, new(*producer.UnknownTopicError)) {
					t.Fatalf("%v, want what the last answer said", err)
				}
				_, now, ok := strings.Cut(err.Error(), "or check its name; ")
				if ok != (of.want != "") || !strings.HasPrefix(now, of.want) {
					t.Errorf("what is in the way now is %q in %v, want %q", now, err, of.want)
				}
			})
		})
	}
}

// Who knows that topics are made beforehand is told sooner, if the setting says so.
func TestUnknownTopicGraceIsHeeded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false))
		p := start(t, c, func(cfg *producer.Config) { cfg.UnknownTopicGrace = 3 * time.Second })
		began := time.Now()
		_, err := p.SendSync(t.Context(), producer.Record{Topic: "nowhere"})
		if took := time.Since(began); !errors.As(err, new(*producer.UnknownTopicError)) || took > 4*time.Second {
			t.Errorf("%v after %v, want the topic called unknown after 3 s", err, took)
		}
	})
}

// With max.block=0 Send never waits. The first says that the topic is being looked up, and soon another finds it.
func TestMaxBlockZero(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Delay(20*time.Millisecond), brokertest.AutoCreate(true))
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 0 })
		began := time.Now()
		_, err := p.SendSync(t.Context(), producer.Record{Topic: "new"})
		if !errors.Is(err, producer.ErrMaxBlock) || !strings.Contains(err.Error(), "the look-up goes on") || time.Since(began) > 0 {
			t.Errorf("%v after %v, want at once that the look-up goes on", err, time.Since(began))
		}
		time.Sleep(time.Second)
		if _, err := p.SendSync(t.Context(), producer.Record{Topic: "new"}); err != nil {
			t.Errorf("a second later: %v", err)
		}
	})
}

// A caller leaves before the answer to the look-up that it began. The answer is used all the same.
func TestALookUpOutlivesItsCaller(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Delay(20*time.Millisecond))
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Millisecond })
		for range 3 {
			if _, err := p.SendSync(t.Context(), record("a")); !errors.Is(err, producer.ErrMaxBlock) {
				t.Errorf("%v, want ErrMaxBlock", err)
			}
		}
		time.Sleep(time.Second)
		send(t, p, record("b"))
		if n := c.Count(brokertest.Metadata); n != 1 {
			t.Errorf("%d look-ups, want the one", n)
		}
	})
}

// A look-up that nobody waits for ends when nobody has asked for metadata.max.idle, though the topic never comes to an end.
func TestALookUpThatNobodyNeedsEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		c.On(brokertest.Metadata).Topic("t").Always().Do(brokertest.Error(protocol.LeaderNotAvailable))
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock, cfg.MetadataMaxIdle = 0, 10*time.Second })
		p.SendSync(t.Context(), record("a"))
		time.Sleep(15 * time.Second)
		asked := c.Count(brokertest.Metadata)
		if asked < 5 {
			t.Errorf("%d look-ups within metadata.max.idle, want that it goes on", asked)
		}
		time.Sleep(time.Minute)
		if n := c.Count(brokertest.Metadata) - asked; n > 0 {
			t.Errorf("%d look-ups more, and nobody has asked", n)
		}
	})
}

// Many goroutines with new topics share round trips: each waits for its own and not for those of others.
func TestLookUpsShareRoundTrips(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const rtt = 20 * time.Millisecond
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("warm", 1), brokertest.Delay(rtt))
		for i := range 300 {
			if err := c.CreateTopic(fmt.Sprintf("t%d", i), 1); err != nil {
				t.Fatal(err)
			}
		}
		p := start(t, c)
		warm(t, p, "warm")
		began := time.Now()
		var all sync.WaitGroup
		for g := range 30 {
			all.Go(func() {
				for i := range 10 {
					p.Send(t.Context(), producer.Record{Topic: fmt.Sprintf("t%d", g*10+i)})
				}
			})
		}
		all.Wait()
		if took := time.Since(began); took > 11*rtt+rtt/2 {
			t.Errorf("30 goroutines with 10 new topics each took %v, want 10 round trips of %v", took, rtt)
		}
	})
}

// A look-up without an answer holds up nobody else's.
func TestALookUpHoldsUpNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(5), brokertest.Topic("warm", 1), brokertest.Topic("slow", 1), brokertest.Topic("t", 1))
		p := start(t, c)
		warm(t, p, "warm")
		c.On(brokertest.Metadata).Topic("slow").Times(3).Do(brokertest.Swallow()) // by each that is asked
		go p.Partitions(t.Context(), "slow")
		time.Sleep(5 * time.Second)
		began := time.Now()
		warm(t, p, "t")
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the look-up of a new topic took %v beside one without an answer, want hardly any time", took)
		}
	})
}
