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

// replacedCase is how a cluster is made again under a producer.
type replacedCase struct {
	same   brokertest.Again
	byName bool // brokers that do not know topics by their ids in Produce
	quick  bool // the stranger is there before we know
}

func (r replacedCase) String() string {
	return fmt.Sprintf("cluster id kept=%v, topic ids kept=%v, by name=%v, quick=%v", r.same.ClusterID, r.same.TopicIDs, r.byName, r.quick)
}

// The cluster is wiped and made again while records flow, and its allocator of
// producer ids begins from the start, so that another producer gets the id that
// ours has. Whatever shows it: what is acknowledged is in a log, of both.
func TestAcknowledgedIsWrittenWhenTheClusterIsMadeAgain(t *testing.T) {
	for _, same := range []brokertest.Again{{}, {ClusterID: true}, {TopicIDs: true}} {
		for _, byName := range []bool{false, true} {
			for _, quick := range []bool{false, true} {
				r := replacedCase{same, byName, quick}
				t.Run(r.String(), func(t *testing.T) {
					bubble(t, func(t *testing.T) { madeAgain(t, r) })
				})
			}
		}
	}
}

func madeAgain(t *testing.T, r replacedCase) {
	opts := []brokertest.Option{
		brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 2), brokertest.Topic("u", 1), brokertest.Delay(3 * time.Millisecond),
	}
	if r.byName {
		opts = append(opts, brokertest.Versions(brokertest.Produce, 0, 12))
	}
	c := brokertest.New(t, opts...)
	single := func(cfg *producer.Config) { cfg.Linger, cfg.BatchSize = 0, 1 } // batches of one record: their numbers meet
	ours := start(t, c, single)
	warm(t, ours, "t", "u")
	written := map[string]int{}
	note := func() {
		for _, topic := range []string{"t", "u"} {
			for i := range int32(c.Partitions(topic)) {
				for _, rec := range c.Records(topic, i) {
					written[string(rec.Value)]++
				}
			}
		}
	}
	var got outcomes
	sendAll := func(p *producer.Producer, who string, from, to int) {
		for i := from; i < to; i++ {
			for _, place := range []struct {
				topic string
				part  int32
			}{{"t", 0}, {"t", 1}, {"u", 0}} {
				name := fmt.Sprintf("%s-%d-%s-%d", who, i, place.topic, place.part)
				p.SendFunc(t.Context(), producer.Record{Topic: place.topic, Partition: producer.OnPartition(place.part), Value: []byte(name)}, got.of(name))
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
	sendAll(ours, "ours", 0, 50)
	synctest.Wait() // so that nothing is appended while we look
	note()
	old := written
	written = map[string]int{}
	c.MakeAgain(r.same)
	stranger := start(t, c, single)
	if r.quick {
		warm(t, stranger, "t", "u")
		sendAll(stranger, "stranger", 0, 20)
	}
	sendAll(ours, "ours", 50, 60)
	time.Sleep(500 * time.Millisecond)
	for i := range 40 { // in turn, and few enough that brokers remember them
		sendAll(ours, "ours", 60+i, 61+i)
		sendAll(stranger, "stranger", 60+i, 61+i)
		time.Sleep(10 * time.Millisecond)
	}
	for _, p := range []*producer.Producer{ours, stranger} {
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	note()
	failed := 0
	for _, o := range got.all() {
		switch {
		case o.err == nil && written[o.name]+old[o.name] == 0:
			t.Errorf("record %s is acknowledged, and in no log", o.name)
		case written[o.name] > 1 || old[o.name] > 1:
			t.Errorf("record %s is in the log twice", o.name)
		case written[o.name]+old[o.name] > 1 && !(r.byName && r.same.ClusterID):
			// Where neither a request nor a connection shows that the topic is another one, what had no answer from the old
			// log goes to the new.
			t.Errorf("record %s is in the old log, and in the new", o.name)
		case o.err != nil:
			failed++
			if !producer.MayBeWritten(o.err) {
				t.Errorf("record %s failed, and is not in doubt: %v", o.name, o.err)
			}
		}
	}
	if failed > 3*20 {
		t.Errorf("%d records failed, want none but those in flight when the cluster went", failed)
	}
}

// The producer id that the old cluster gave is used in the new one with no epoch:
// not before the new one has given it, and then above all epochs that it had.
func TestTheIdOfAnotherClusterIsNotUsed(t *testing.T) {
	for _, same := range []brokertest.Again{{}, {ClusterID: true}, {TopicIDs: true}} {
		t.Run(fmt.Sprintf("%+v", same), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Topic("u", 1))
				p := start(t, c)
				for range 3 {
					send(t, p, record("old"))
					send(t, p, producer.Record{Topic: "u", Value: []byte("old")})
				}
				before := len(c.Requests())
				c.MakeAgain(same)
				time.Sleep(time.Second) // else it goes into a connection that is gone, and is in doubt
				send(t, p, record("new"))
				send(t, p, producer.Record{Topic: "u", Value: []byte("new")})
				send(t, p, record("new"))
				asked := false
				for _, r := range c.Requests()[before:] {
					asked = asked || r.APIKey == brokertest.InitProducerID
					for _, b := range r.Batches {
						old := slices.ContainsFunc(c.Requests()[:before], func(o brokertest.Request) bool {
							return slices.ContainsFunc(o.Batches, func(ob brokertest.ProducedBatch) bool {
								return ob.Header.ProducerID == b.Header.ProducerID && ob.Header.ProducerEpoch >= b.Header.ProducerEpoch
							})
						})
						if old && (asked || b.TopicID == c.TopicID(b.Topic)) {
							t.Errorf("%s-%d: a batch with %d/%d+%d, of the old cluster", b.Topic, b.Partition, b.Header.ProducerID, b.Header.ProducerEpoch, b.Header.BaseSequence)
						}
					}
				}
				if !asked {
					t.Error("no producer id was asked for")
				}
			})
		})
	}
}

// INVALID_PRODUCER_EPOCH outside of transactions says that somebody else has our
// producer id. It is not raised further, in no partition: that would meet the
// other's numbers.
func TestAnEpochThatIsNotOursBringsANewId(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2))
		p := start(t, c)
		other := func(part int32, value string) producer.Record {
			return producer.Record{Topic: "t", Partition: producer.OnPartition(part), Value: []byte(value)}
		}
		send(t, p, other(0, "a"))
		send(t, p, other(1, "b"))
		c.On(brokertest.Produce).Partition(0).Times(1).Do(brokertest.Error(protocol.InvalidProducerEpoch))
		send(t, p, other(0, "c"))
		send(t, p, other(1, "d"))
		if n := c.Count(brokertest.InitProducerID); n != 2 {
			t.Errorf("a producer id was asked for %d times, want 2", n)
		}
		first := c.Batches("t", 0)[0].Header.ProducerID
		for part := range int32(2) {
			batches := c.Batches("t", part)
			last := batches[len(batches)-1].Header
			if last.ProducerID == first || last.BaseSequence != 0 {
				t.Errorf("partition %d: the last batch has id %d, sequence %d; want another id than %d, from 0", part, last.ProducerID, last.BaseSequence, first)
			}
		}
	})
}

// A duplicate of a batch that was never sent before is somebody else's: the
// record is not acknowledged, and what comes next has another id.
func TestADuplicateOfTheFirstAttemptIsNoAcknowledgement(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		send(t, p, record("a"))
		c.On(brokertest.Produce).Times(1).Do(brokertest.Error(protocol.DuplicateSequenceNumber))
		_, err := p.SendSync(t.Context(), record("b"))
		if !errors.Is(err, protocol.DuplicateSequenceNumber) || !producer.MayBeWritten(err) {
			t.Errorf("error = %v, want DUPLICATE_SEQUENCE_NUMBER, may be written", err)
		}
		send(t, p, record("c"))
		if got := logged(c); !slices.Equal(got, []string{"a", "c"}) {
			t.Errorf("the log holds %v", got)
		}
		if n := c.Count(brokertest.InitProducerID); n != 2 {
			t.Errorf("a producer id was asked for %d times, want 2", n)
		}
	})
}

// A broker tells the time of append with a duplicate, also in a topic that has
// none. A first attempt that is answered so is in no log. Where the topic was
// only set to have times, it costs no more than the doubt about one batch.
func TestASuccessWithATimeThatIsSomebodyElses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		send(t, p, record("a"))
		c.On(brokertest.Produce).Times(1).Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
			resp.(*protocol.ProduceResponse).Topics[0].Partitions[0].LogAppendTime = time.Now().Add(-time.Minute).UnixMilli()
		}))
		if _, err := p.SendSync(t.Context(), record("b")); err == nil || !producer.MayBeWritten(err) {
			t.Errorf("error = %v, want that it may be written", err)
		}
		send(t, p, record("c"))
		if n := c.Count(brokertest.InitProducerID); n != 2 {
			t.Errorf("a producer id was asked for %d times, want 2", n)
		}
		if err := c.SetLogAppendTime("t", true); err != nil {
			t.Fatal(err)
		}
		failed := 0
		for range 10 {
			if _, err := p.SendSync(t.Context(), record("d")); err != nil {
				failed++
			}
		}
		if failed > 1 {
			t.Errorf("%d records failed after the topic was set to have times of append", failed)
		}
	})
}

// What was in flight when the cluster went may be in its log. It is not written
// to the new one, and the error says why.
func TestWhatMayBeInTheOldClusterFailsAsThat(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		send(t, p, record("first"))
		c.On(brokertest.Produce).Times(3).Do(brokertest.AppendThenError(protocol.RequestTimedOut))
		f := p.Send(t.Context(), record("doubtful"))
		time.Sleep(50 * time.Millisecond)
		c.On(brokertest.Produce).Times(1).Do(brokertest.Error(protocol.NotLeaderOrFollower)) // which has us look
		c.MakeAgain(brokertest.Again{TopicIDs: true})
		_, err := f.Wait(t.Context())
		if !errors.Is(err, producer.ErrClusterReplaced) || !errors.Is(err, producer.ErrTopicRecreated) || !producer.MayBeWritten(err) {
			t.Errorf("error = %v, want ErrClusterReplaced, may be written", err)
		}
		c.ClearFaults()
		send(t, p, record("new"))
		if got := logged(c); !slices.Equal(got, []string{"new"}) {
			t.Errorf("the log holds %v, want new alone", got)
		}
	})
}

// A transactional producer's id is known to the coordinator of the old cluster
// alone. It ends, and says so on each call.
func TestATransactionalProducerEndsWithItsCluster(t *testing.T) {
	for _, open := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
			p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "id" })
			warm(t, p, "t")
			commitOne := func() error {
				return p.Transact(t.Context(), func(tx *producer.Tx) error {
					if open {
						c.MakeAgain(brokertest.Again{})
						time.Sleep(6 * time.Minute) // metadata.max.age.ms
					}
					tx.Send(t.Context(), record("a"))
					return nil
				})
			}
			if !open {
				if err := commitOne(); err != nil {
					t.Fatal(err)
				}
				c.MakeAgain(brokertest.Again{})
				time.Sleep(6 * time.Minute)
			}
			for range 2 {
				err := commitOne()
				var failed *producer.TransactionError
				if !errors.As(err, &failed) || failed.Next != producer.NextNewProducer || !errors.Is(err, producer.ErrClusterReplaced) {
					t.Errorf("open=%v: error = %v, want ErrClusterReplaced, and that a new producer is needed", open, err)
				}
				open = false
			}
			if got := logged(c); len(got) > 0 {
				t.Errorf("the new log holds %v", got)
			}
		})
	}
}
