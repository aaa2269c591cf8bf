package producer_test

import (
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// askedAt returns when the first request of an API after a moment came.
func askedAt(c *brokertest.Cluster, apiKey int16, after time.Time) time.Time {
	for _, r := range c.Requests() {
		if r.APIKey == apiKey && !r.At.Before(after) {
			return r.At
		}
	}
	return time.Time{}
}

// A partition that has failed for long sleeps for up to a second. What it waits
// for wakes it: the topic is made again, and metadata has named the new id.
func TestATopicThatIsMadeAgainWakesWhatWaitsForIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3), brokertest.AutoCreate(false))
		p := start(t, c)
		send(t, p, record("first"))
		if err := c.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		f := p.Send(t.Context(), record("waits"))
		for i := range 5 {
			time.Sleep(5*time.Second + time.Duration(i)*170*time.Millisecond)
			if err := c.CreateTopic("t", 3); err != nil {
				t.Fatal(err)
			}
			made := time.Now()
			if _, err := f.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			told := askedAt(c, brokertest.Metadata, made)
			if took := time.Since(told); took > 10*time.Millisecond {
				t.Errorf("acknowledged %v after metadata had named the new topic", took)
			}
			if err := c.DeleteTopic("t"); err != nil {
				t.Fatal(err)
			}
			f = p.Send(t.Context(), record("waits"))
		}
		if err := c.CreateTopic("t", 3); err != nil {
			t.Fatal(err)
		}
	})
}

// Another leader is named while the partition sleeps out what it has from the
// old one.
func TestAnotherLeaderWakesWhatWaitsForIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) {
			cfg.RetryBackoff, cfg.RetryBackoffMax = 20*time.Second, 20*time.Second
			cfg.MetadataMaxAge = 3 * time.Second
		})
		send(t, p, record("first"))
		leader, _ := c.Leader("t", 0)
		c.On(brokertest.Produce).Broker(leader).Always().Do(brokertest.Error(protocol.NotEnoughReplicas))
		f := p.Send(t.Context(), record("waits"))
		time.Sleep(time.Second)
		if err := c.MoveLeader("t", 0, 3-leader); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("acknowledged %v after the leader was another, want it when metadata has told", took)
		}
	})
}

// Two brokers contradict each other, each names the other under a higher epoch.
// A hint spares the backoff a few times, and then not before a success.
func TestBrokersThatContradictEachOtherGetABackoff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 1), brokertest.Delay(time.Millisecond))
		p := start(t, c)
		send(t, p, record("first"))
		epoch := int32(100)
		c.On(brokertest.Produce).Always().Do(brokertest.Edit(func(r *brokertest.Request, resp protocol.Response) {
			epoch++
			a := &resp.(*protocol.ProduceResponse).Topics[0].Partitions[0]
			a.ErrorCode, a.BaseOffset = protocol.NotLeaderOrFollower, -1
			a.CurrentLeader = protocol.LeaderIDAndEpoch{LeaderID: 3 - r.Broker, LeaderEpoch: epoch}
		}))
		before := c.Count(brokertest.Produce)
		f := p.Send(t.Context(), record("sent to and fro"))
		time.Sleep(5 * time.Second)
		if n := c.Count(brokertest.Produce) - before; n > 30 {
			t.Errorf("%d attempts in 5 s", n)
		}
		c.ClearFaults()
		if _, err := f.Wait(t.Context()); err == nil {
			t.Log("acknowledged")
		}
	})
}
