package producer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
)

// idleFor lets a topic's metadata.max.idle of a minute pass, and a full look-up after it.
func idleFor(cfg *producer.Config) {
	cfg.MetadataMaxIdle, cfg.MetadataMaxAge = time.Minute, 30*time.Second
}

// A topic that is idle is forgotten, and the next record to it looks it up again. The broker has not forgotten the numbers
// of the records before: none of the new ones may look like one of them.
func TestAnIdleTopicIsForgottenAndFoundAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Topic("u", 1))
		p := start(t, c, idleFor)
		handle := p.Topic("t")
		var want []string
		for round := range 3 {
			for i := range 3 {
				value := fmt.Sprint(round, ".", i)
				want = append(want, value)
				send(t, p, record(value))
			}
			value := fmt.Sprint(round, ".handle")
			want = append(want, value)
			if _, err := handle.SendSync(t.Context(), nil, []byte(value)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Minute)
			if err := p.TrySend(record("too early"), nil); !errors.Is(err, producer.ErrTopicNotLoaded) {
				t.Fatalf("round %d: TrySend after three idle minutes: %v, want ErrTopicNotLoaded", round, err)
			}
		}
		var got []string
		epochs := map[int16]bool{}
		for _, r := range c.Records("t", 0) {
			epochs[r.Epoch] = true
			got = append(got, string(r.Value))
		}
		if !slices.Equal(got, want) {
			t.Errorf("the log has %q, want %q", got, want)
		}
		if len(epochs) != 3 {
			t.Errorf("the records have the epochs %v, want one for each time that the topic was met", epochs)
		}
	})
}

// Who sends in the moment in which a topic is forgotten notices nothing.
func TestSendingWhileATopicIsForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, idleFor)
		handle := p.Topic("t")
		var senders sync.WaitGroup
		for g := range 4 {
			senders.Go(func() {
				for i := range 40 {
					time.Sleep(time.Minute + 30*time.Second) // all at once, and when the topic is due to be forgotten
					var err error
					switch g % 2 {
					case 0:
						_, err = p.SendSync(t.Context(), record(fmt.Sprint(g, ".", i)))
					case 1:
						handle.SendAllFunc(t.Context(), []producer.KeyValue{{Value: fmt.Append(nil, g, ".", i)}}, func(_ producer.RecordMetadata, e error) { err = e })
						p.Flush(t.Context())
					}
					if err != nil {
						t.Errorf("sender %d, record %d: %v", g, i, err)
					}
				}
			})
		}
		senders.Wait()
		if n := len(c.Records("t", 0)); n != 160 {
			t.Errorf("the log has %d records, want 160", n)
		}
	})
}

// A partitioner that takes its time, while the topic that it chooses from is forgotten.
type slowPartitioner struct{ takes time.Duration }

func (s *slowPartitioner) Partition(partition.Record, *partition.Topic) (int32, error) {
	time.Sleep(s.takes)
	s.takes = 0
	return 0, nil
}

// A topic may be forgotten after Send has found it and before its record is in a batch. The record goes out all the same.
func TestATopicIsForgottenUnderASend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, idleFor, func(cfg *producer.Config) { cfg.Partitioner = &slowPartitioner{10 * time.Minute} })
		warm(t, p, "t")
		md, err := p.SendSync(t.Context(), producer.Record{Topic: "t", Value: []byte("v")})
		if err != nil || md.Offset != 0 {
			t.Errorf("SendSync = offset %d, %v; want 0", md.Offset, err)
		}
	})
}

// In the old protocol of transactions the epoch stays from one to the next, and numbers go on: a partition that was
// forgotten in between must not begin anew under it.
func TestATopicForgottenBetweenTransactions(t *testing.T) {
	for _, options := range [][]brokertest.Option{nil, {brokertest.Kafka3_9()}} {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, append(options, brokertest.InMemory(), brokertest.Topic("t", 1))...)
			p := start(t, c, idleFor, func(cfg *producer.Config) { cfg.TransactionalID = "id" })
			for i := range 4 {
				err := p.Transact(t.Context(), func(tx *producer.Tx) error {
					_, err := tx.SendSync(t.Context(), record(fmt.Sprint(i)))
					return err
				})
				if err != nil {
					t.Fatalf("transaction %d: %v", i, err)
				}
				time.Sleep(3 * time.Minute)
			}
			if n := len(c.Committed("t", 0)); n != 4 {
				t.Errorf("%d records are committed, want 4", n)
			}
		})
	}
}

// LoadTopics asks for all topics in one request, and Send then waits for none of them.
func TestLoadTopics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		options := []brokertest.Option{brokertest.InMemory(), brokertest.AutoCreate(false), brokertest.Delay(20 * time.Millisecond)}
		var names []string
		for i := range 300 {
			names = append(names, fmt.Sprint("topic", i))
			options = append(options, brokertest.Topic(names[i], 2))
		}
		c := brokertest.New(t, options...)
		p := start(t, c)
		if err := p.LoadTopics(t.Context(), names...); err != nil {
			t.Fatal(err)
		}
		if n := c.Count(brokertest.Metadata); n > 2 {
			t.Errorf("300 topics took %d metadata requests, want one for the brokers and one for all of them at most", n)
		}
		for _, name := range names {
			if err := p.TrySend(producer.Record{Topic: name}, nil); err != nil {
				t.Errorf("%s: %v, want it loaded", name, err)
			}
		}
		began := time.Now()
		if err := p.LoadTopics(t.Context(), names...); err != nil || time.Since(began) > 0 {
			t.Errorf("to load what is loaded took %v, %v; want nothing", time.Since(began), err)
		}
		if err := p.LoadTopics(t.Context()); err != nil {
			t.Errorf("to load nothing: %v", err)
		}
	})
}

// What cannot be loaded is named, each topic with its reason, and what can be is there.
func TestLoadTopicsNamesThoseThatFail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.AutoCreate(false), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.AllowAutoTopicCreation = false })
		err := p.LoadTopics(t.Context(), "missing", "t", "no good", "missing", "no good")
		var load *producer.LoadError
		if !errors.As(err, &load) || producer.MayBeWritten(err) {
			t.Errorf("LoadTopics: %v, want a LoadError, which is about no record", err)
		}
		for _, name := range []string{"missing", "no good"} {
			if n := strings.Count(err.Error(), fmt.Sprintf("topic %q could not be loaded: ", name)); n != 1 || strings.Contains(err.Error(), "record") {
				t.Errorf("LoadTopics: %v, want it to tell once of %q, and of no record", err, name)
			}
		}
		var unknown *producer.UnknownTopicError
		var invalid *producer.InvalidTopicError
		if !errors.As(err, &unknown) || unknown.Topic != "missing" || !errors.As(err, &invalid) {
			t.Errorf("LoadTopics: %v, want it to name both topics", err)
		}
		if err := p.TrySend(record("v"), nil); err != nil {
			t.Errorf("the topic that is there: %v", err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.LoadTopics(ctx, "u"); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
		p.Close(t.Context())
		if err := p.LoadTopics(t.Context(), "u"); !errors.Is(err, producer.ErrClosed) {
			t.Errorf("after Close: %v, want ErrClosed", err)
		}
	})
}
