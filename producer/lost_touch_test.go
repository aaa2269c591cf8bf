package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

func recordTo(topic, v string) producer.Record {
	return producer.Record{Topic: topic, Partition: producer.OnPartition(0), Value: []byte(v)}
}

func timesIn(c *brokertest.Cluster, topic, v string) (n int) {
	for _, r := range c.Records(topic, 0) {
		if string(r.Value) == v {
			n++
		}
	}
	return n
}

func sendToU(t *testing.T, c *brokertest.Cluster, p *producer.Producer) {
	t.Helper()
	for i := range 5 {
		v := fmt.Sprint("ours", i)
		_, err := p.SendSync(t.Context(), recordTo("u", v))
		if n := timesIn(c, "u", v); err == nil && n != 1 {
			t.Errorf("%s is acknowledged, and in the log %d times", v, n)
		}
	}
}

// The cluster is wiped and made again under its own id. The only topic that we had is not made again; another one is, which
// we never had. A stranger has our producer id by now, and has written to it. Nothing but the end of all connections shows
// us that.
func TestOnlyOtherTopicsAreMadeAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false), brokertest.Topic("t", 1), brokertest.Topic("u", 1))
		ours := start(t, c)
		for i := range 3 {
			send(t, ours, recordTo("t", fmt.Sprint("old", i)))
		}
		c.MakeAgain(brokertest.Again{ClusterID: true})
		c.DeleteTopic("t")
		time.Sleep(10 * time.Second)
		stranger := start(t, c)
		for i := range 3 {
			send(t, stranger, recordTo("u", fmt.Sprint("stranger", i)))
		}
		sendToU(t, c, ours)
	})
}

// A topic is used, idle, and forgotten with its id. Then the cluster is made again under its own id, and a stranger has the
// epoch that we would take.
func TestAForgottenTopicInAClusterMadeAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false), brokertest.Topic("u", 1))
		ours := start(t, c, idleFor)
		for i := range 3 {
			send(t, ours, recordTo("u", fmt.Sprint("old", i)))
		}
		time.Sleep(3 * time.Minute)
		c.MakeAgain(brokertest.Again{ClusterID: true})
		stranger := start(t, c, idleFor)
		for round := range 2 { // so that the stranger has epoch 1, as ours
			for i := range 3 {
				send(t, stranger, recordTo("u", fmt.Sprint("stranger", round, i)))
			}
			if round == 0 {
				time.Sleep(3 * time.Minute)
			}
		}
		sendToU(t, c, ours)
	})
}

// Produce knows topics by their names, so no refusal shows that the topic is another one. The first record after all
// connections were lost waits until metadata has told, whether or not the topic was used before, and whatever its times.
func TestTheFirstRecordWaitsForMetadata(t *testing.T) {
	for _, stamps := range []bool{false, true} {
		for _, used := range []bool{false, true} {
			t.Run(fmt.Sprintf("LogAppendTime=%v used=%v", stamps, used), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false), brokertest.Topic("t", 1), brokertest.Topic("u", 1),
						brokertest.Delay(2*time.Millisecond), brokertest.Versions(brokertest.Produce, 0, 12))
					c.SetLogAppendTime("u", stamps)
					ours := start(t, c)
					for i := range 3 {
						send(t, ours, recordTo("t", fmt.Sprint("old", i)))
					}
					warm(t, ours, "u")
					if used {
						send(t, ours, recordTo("u", "old"))
					}
					c.MakeAgain(brokertest.Again{ClusterID: true})
					c.SetLogAppendTime("u", stamps)
					stranger := start(t, c)
					for i := range 3 {
						send(t, stranger, recordTo("u", fmt.Sprint("stranger", i)))
					}
					sendToU(t, c, ours)
				})
			})
		}
	}
}

// The cluster is made again under its own id at any moment of a transaction, and somebody else has taken our transactional
// id there. The commit does not succeed: half of the transaction, or all of it, is gone with the old cluster.
func TestATransactionInAClusterMadeAgain(t *testing.T) {
	for _, s := range speeches {
		for when := range 4 {
			t.Run(fmt.Sprintf("%s when=%d", s.name, when), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := s.cluster(t, brokertest.Topic("u", 1), brokertest.AutoCreate(false))
					ours := transactional(t, c)
					transaction(t, ours, "first")
					swap := func(at int) {
						if at != when {
							return
						}
						c.MakeAgain(brokertest.Again{ClusterID: true})
						other := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "tx" })
						if err := other.InitTransactions(t.Context()); err != nil {
							t.Fatal(err)
						}
						begin(t, other)
						send(t, other, record("stranger"))
						send(t, other, recordTo("u", "stranger"))
						commit(t, other)
					}
					swap(0)
					if err := ours.BeginTransaction(t.Context()); err != nil {
						return
					}
					swap(1)
					_, e1 := ours.SendSync(t.Context(), recordTo("u", "a"))
					swap(2)
					_, e2 := ours.SendSync(t.Context(), recordTo("t", "a"))
					swap(3)
					if err := ours.CommitTransaction(t.Context()); err == nil {
						t.Errorf("committed (sends: %v, %v), and visible: t %q, u %q", e1, e2, visible(c), visibleIn(c, "u", 0))
					}
				})
			})
		}
	}
}

// A topic is deleted and made again while a transaction is open that has written to it, and to another. What it has
// written there is gone, so the commit does not succeed, though every record of it was acknowledged.
func TestATopicIsMadeAgainUnderATransaction(t *testing.T) {
	for _, s := range speeches {
		t.Run(s.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := s.cluster(t, brokertest.Topic("u", 1))
				p := transactional(t, c, func(cfg *producer.Config) { cfg.MetadataMaxAge = time.Second })
				begin(t, p)
				send(t, p, record("a"))
				send(t, p, recordTo("u", "b"))
				if err := c.RecreateTopic("u"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
				if err := p.CommitTransaction(t.Context()); !errors.Is(err, producer.ErrTopicRecreated) {
					t.Errorf("CommitTransaction: %v, want ErrTopicRecreated", err)
				}
				if err := p.AbortTransaction(t.Context()); err != nil {
					t.Errorf("AbortTransaction: %v", err)
				}
				transaction(t, p, "next")
			})
		})
	}
}

// All connections are lost, and the broker that comes back calls the topic unknown for a moment. A request from before that was
// delayed is written then. No younger record is in front of it, and a transaction goes on.
func TestAnErrorThatPassesCostsNoProducerID(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.RequestTimeout, cfg.DeliveryTimeout = 2*time.Second, 4*time.Second })
		send(t, p, record("a"))
		c.On(brokertest.Produce).Times(1).Do(brokertest.Pass().Delayed(6 * time.Second))
		doubtful := p.Send(t.Context(), record("b"))
		time.Sleep(1500 * time.Millisecond)
		c.On(brokertest.Metadata).Times(4).Do(brokertest.Error(protocol.UnknownTopicOrPartition))
		c.CutConnections(1, true)
		younger := p.Send(t.Context(), record("c"))
		if _, err := younger.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := doubtful.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		if got := logged(c); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("the log holds %v, want a, b, c", got)
		}
		if n := c.Count(brokertest.InitProducerID); n != 1 {
			t.Errorf("a producer id was asked for %d times, want once", n)
		}
	})
}

// The same in a transaction, which goes on.
func TestAnErrorThatPassesEndsNoTransaction(t *testing.T) {
	for _, s := range speeches {
		t.Run(s.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := s.cluster(t)
				p := transactional(t, c)
				begin(t, p)
				send(t, p, record("a"))
				c.On(brokertest.Metadata).Times(4).Do(brokertest.Error(protocol.UnknownTopicOrPartition))
				c.CutConnections(1, true)
				send(t, p, record("b"))
				commit(t, p)
			})
		})
	}
}

// The only topic is deleted while all connections are lost. Records of another one wait for 30 s, a quarter of
// delivery.timeout, and no longer.
func TestATopicThatIsGoneHoldsUpOthersForABoundedTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false), brokertest.Topic("t", 1), brokertest.Topic("u", 1))
		p := start(t, c)
		send(t, p, record("a"))
		c.DeleteTopic("t")
		c.CutConnections(1, true)
		time.Sleep(time.Second)
		began := time.Now()
		send(t, p, recordTo("u", "b"))
		if took := time.Since(began); took < 25*time.Second || took > 35*time.Second {
			t.Errorf("the record took %v, want 30 s", took)
		}
	})
}
