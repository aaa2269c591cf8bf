package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A topic is deleted and made again while records flow. The default follows it:
// what was not written to the old log goes to the new one, from sequence 0, and
// nothing is written to both.
func TestRecreatedTopicIsFollowed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 2), brokertest.Delay(20*time.Millisecond))
		p := start(t, c, func(cfg *producer.Config) { cfg.BatchSize, cfg.Linger = 200, 0 })
		warm(t, p, "t")
		old := map[string]bool{}
		failed := map[string]bool{}
		var got outcomes
		for i := range 400 {
			name := fmt.Sprint(i)
			p.SendFunc(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(int32(i % 2)), Value: []byte(name)}, got.of(name))
			time.Sleep(5 * time.Millisecond)
			if i == 200 {
				synctest.Wait() // so that nothing is appended while we look
				for part := range int32(2) {
					for _, r := range c.Records("t", part) {
						old[string(r.Value)] = true
					}
				}
				if err := c.RecreateTopic("t"); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, o := range got.all() {
			if o.err != nil {
				failed[o.name] = true
				if !errors.Is(o.err, producer.ErrTopicRecreated) || !producer.MayBeWritten(o.err) {
					t.Errorf("record %s failed with %v, want ErrTopicRecreated, may be written", o.name, o.err)
				}
			}
		}
		var missing []string
		seen := map[string]bool{}
		for part := range int32(2) {
			last := -1
			for _, r := range c.Records("t", part) {
				var i int
				fmt.Sscan(string(r.Value), &i)
				if i <= last {
					t.Errorf("record %d is behind %d", i, last)
				}
				last = i
				seen[string(r.Value)] = true
				if old[string(r.Value)] {
					t.Errorf("record %s is in both logs", r.Value)
				}
			}
		}
		for i := range 400 {
			if name := fmt.Sprint(i); !seen[name] && !old[name] && !failed[name] {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			t.Errorf("acknowledged, and in neither log: %v", missing)
		}
		if err := c.Verify(nil); err != nil {
			t.Error(err)
		}
	})
}

// The other policy: what was accepted for the old topic fails, and only what
// comes afterwards is written.
func TestRecreatedTopicFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.TopicRecreation = producer.FailRecords })
		send(t, p, record("first"))
		c.On(brokertest.Produce).Always().Do(brokertest.Error(protocol.NotEnoughReplicas))
		f := p.Send(t.Context(), record("waits"))
		time.Sleep(2 * time.Second)
		c.ClearFaults()
		if err := c.RecreateTopic("t"); err != nil {
			t.Fatal(err)
		}
		_, err := f.Wait(t.Context())
		if !errors.Is(err, producer.ErrTopicRecreated) || producer.MayBeWritten(err) {
			t.Errorf("error = %v, want ErrTopicRecreated, not written", err)
		}
		time.Sleep(time.Second)
		send(t, p, record("new"))
		if got := logged(c); !slices.Equal(got, []string{"new"}) {
			t.Errorf("the log holds %v, want what was sent afterwards", got)
		}
	})
}

// In doubt whether the old log has it: never written to the new one.
func TestRecreatedTopicNeverGetsWhatMayBeInTheOldOne(t *testing.T) {
	for _, policy := range []producer.TopicRecreation{producer.FollowNewTopic, producer.FailRecords} {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
			p := start(t, c, func(cfg *producer.Config) { cfg.TopicRecreation = policy })
			send(t, p, record("first"))
			c.On(brokertest.Produce).Times(4).Do(brokertest.AppendThenError(protocol.RequestTimedOut))
			f := p.Send(t.Context(), record("doubtful"))
			time.Sleep(200 * time.Millisecond)
			if err := c.RecreateTopic("t"); err != nil {
				t.Fatal(err)
			}
			if _, err := f.Wait(t.Context()); !errors.Is(err, producer.ErrTopicRecreated) || !producer.MayBeWritten(err) {
				t.Errorf("%v: error = %v, want ErrTopicRecreated, may be written", policy, err)
			}
			c.ClearFaults()
			send(t, p, record("new"))
			if got := logged(c); !slices.Equal(got, []string{"new"}) {
				t.Errorf("%v: the log holds %v, want new alone", policy, got)
			}
		})
	}
}

// Made again with fewer partitions: a partition that is gone is refused, waiting
// or new; keys find their way among those that are left.
func TestRecreatedTopicIsSmaller(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 4))
		p := start(t, c)
		warm(t, p, "t")
		for part := range int32(4) {
			send(t, p, producer.Record{Topic: "t", Partition: producer.OnPartition(part), Value: []byte("old")})
		}
		c.On(brokertest.Produce).Partition(3).Always().Do(brokertest.Error(protocol.NotEnoughReplicas))
		f := p.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(3), Value: []byte("waits")})
		time.Sleep(time.Second)
		c.ClearFaults()
		if err := c.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		if err := c.CreateTopic("t", 2); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Wait(t.Context()); !errors.Is(err, producer.ErrPartitionGone) || producer.MayBeWritten(err) {
			t.Errorf("error = %v, want ErrPartitionGone", err)
		}
		_, err := p.SendSync(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(3)})
		var missing *producer.NoSuchPartitionError
		if !errors.As(err, &missing) || missing.Have != 2 {
			t.Errorf("error = %v, want that the topic has 2 partitions", err)
		}
		for i := range 100 {
			send(t, p, producer.Record{Topic: "t", Value: []byte("new")})
			send(t, p, producer.Record{Topic: "t", Key: fmt.Append(nil, i), Value: []byte("new")})
		}
		if n := len(c.Records("t", 0)) + len(c.Records("t", 1)); n != 200 {
			t.Errorf("%d records in the new log, want 200", n)
		}
	})
}

// A topic that is gone for a while and comes back is waited for.
func TestATopicThatIsGoneIsWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.AutoCreate(false))
		p := start(t, c)
		send(t, p, record("first"))
		if err := c.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		f := p.Send(t.Context(), record("waits"))
		time.Sleep(30 * time.Second)
		if finished(f) {
			_, err := f.Wait(t.Context())
			t.Fatalf("the record ended before its time: %v", err)
		}
		if err := c.CreateTopic("t", 1); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Wait(t.Context()); err != nil {
			t.Errorf("the record ended with %v, want it in the new topic", err)
		}
	})
}

// A batch of the old topic is still with its broker when the topic is made again. A broker that is told the name of the
// topic, and not its id, writes it to the new one when it comes to it, behind what is new. So its sender is told first that
// it may be written, and only then the new goes out, wherever to.
func TestALateBatchOfTheOldTopicWasToldToBeInDoubt(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options []brokertest.Option
		moved   bool // the new topic has another leader
		want    []string
	}{
		{"by name", []brokertest.Option{brokertest.Kafka3_9()}, false, []string{"new", "late"}},
		{"by name, to a broker that leads no more", []brokertest.Option{brokertest.Kafka3_9()}, true, []string{"new"}},
		{"by id", nil, false, []string{"new"}},
	} {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, append(tt.options, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 1), brokertest.Delay(20*time.Millisecond))...)
			p := start(t, c, func(cfg *producer.Config) {
				cfg.BatchSize, cfg.Linger, cfg.RequestTimeout, cfg.MetadataMaxAge = 0, 0, 2*time.Second, 300*time.Millisecond
			})
			send(t, p, record("first"))
			var got outcomes
			c.On(brokertest.Produce).Do(brokertest.Throttled(3 * time.Second)) // so long the broker leaves alone what is behind
			p.SendFunc(t.Context(), record("old"), got.of("old"))
			synctest.Wait() // it is on its way, and is answered in 20 ms: late is sent before the throttling is heard of
			p.SendFunc(t.Context(), record("late"), got.of("late"))
			time.Sleep(time.Second)
			leader, _ := c.Leader("t", 0)
			if err := c.RecreateTopic("t"); err != nil {
				t.Fatal(err)
			}
			if tt.moved {
				if err := c.MoveLeader("t", 0, 3-leader); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(500 * time.Millisecond) // the producer knows
			p.SendFunc(t.Context(), record("new"), got.of("new"))
			time.Sleep(4 * time.Second)
			all := got.all()
			if len(all) != 3 || all[1].name != "late" || all[2].name != "new" || all[0].err != nil || all[2].err != nil ||
				!errors.Is(all[1].err, producer.ErrTopicRecreated) || !producer.MayBeWritten(all[1].err) {
				t.Fatalf("%s: outcomes = %v, want those of old, late and new, of late ErrTopicRecreated, may be written", tt.name, all)
			}
			fresh := c.Records("t", 0)[0]
			if at := arrivals(c)[numbered{0, fresh.ProducerID, fresh.Epoch, fresh.Sequence}]; at.Before(all[1].at) {
				t.Errorf("%s: %s came at %v, and late had no outcome until %v", tt.name, fresh.Value, at, all[1].at)
			}
			if got := logged(c); !slices.Equal(got, tt.want) {
				t.Errorf("%s: the log holds %v, want %v", tt.name, got, tt.want)
			}
		})
	}
}

// Leader epochs go back where a topic is made again that has no id, and where a cluster was restored from a copy with its ids.
// What is known is newer than what all brokers say then. It is given up after ten seconds, and not kept until the program ends.
func TestLeaderEpochsThatGoBackAreFollowed(t *testing.T) {
	noIDs := []brokertest.Option{brokertest.Versions(brokertest.Metadata, 0, 9), brokertest.Versions(brokertest.Produce, 3, 12)}
	for name, world := range map[string]struct {
		options []brokertest.Option
		change  func(*brokertest.Cluster) error
	}{
		"a topic without an id": {noIDs, func(c *brokertest.Cluster) error { return c.RecreateTopic("t") }},
		"a restored cluster": {nil, func(c *brokertest.Cluster) error {
			c.MakeAgain(brokertest.Again{ClusterID: true, TopicIDs: true})
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				options := []brokertest.Option{brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 1), brokertest.Delay(time.Millisecond)}
				c := brokertest.New(t, append(options, world.options...)...)
				p := start(t, c)
				for _, leader := range []int32{3, 2} {
					if err := c.MoveLeader("t", 0, leader); err != nil {
						t.Fatal(err)
					}
					send(t, p, record("old"))
				}
				if err := world.change(c); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				send(t, p, record("new"))
				if took := time.Since(began); took > 12*time.Second {
					t.Errorf("the new leader was found after %v, want some 10 s", took)
				}
				if got := logged(c); !slices.Equal(got, []string{"new"}) {
					t.Errorf("the log holds %v, want the new record", got)
				}
			})
		})
	}
}
