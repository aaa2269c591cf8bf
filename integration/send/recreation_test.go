package send_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
)

// TestTopicMadeAgainUnderLoad deletes a topic that records are sent to, and makes it again with as many
// partitions, fewer or more. What is sent later arrives in the new topic; nothing is there twice or out of
// order; and what fails does so as the documentation has it.
func TestTopicMadeAgainUnderLoad(t *testing.T) {
	c := kafka.Shared(t)
	const before = 3
	for _, after := range []int32{before, 1, 5} {
		t.Run(fmt.Sprintf("%d partitions then %d", before, after), func(t *testing.T) {
			topic := newTopic(t, c, before)
			s := newSending(t, start(t, c, func(cfg *producer.Config) {
				cfg.AllowAutoTopicCreation = false // or it comes back with the broker's number of partitions
				cfg.MetadataMaxAge = 200 * time.Millisecond
			}))
			made := makeAgain(t, s, c, topic, after)
			s.flush()
			checkNewTopic(t, s, c, topic, made)
		})
	}
}

// makeAgain sends records while the topic is deleted and made again, and then until some hundred have
// arrived in the new one. It returns the number of the first record sent once the new one was there.
func makeAgain(t *testing.T, s *sending, c *kafka.Cluster, topic string, partitions int32) (made int) {
	t.Helper()
	a := admin(t, c)
	burst := func() {
		for range 20 {
			n := len(s.all)
			s.send(producer.Record{Topic: topic, Key: fmt.Append(nil, n%50), Value: fmt.Append(nil, n)})
		}
		time.Sleep(time.Millisecond)
	}
	for range 50 {
		burst()
	}
	ready := make(chan error, 1) // sent to once
	go func() {
		err := a.DeleteTopic(s.ctx, topic)
		if err == nil {
			err = a.CreateTopic(s.ctx, topic, partitions, -1, nil)
		}
		ready <- err
	}()
	for waiting := true; waiting; {
		burst()
		select {
		case err := <-ready:
			if err != nil {
				t.Fatal(err)
			}
			waiting = false
		default:
		}
	}
	made = len(s.all)
	for {
		burst()
		if d := s.last(made); d != nil && d.err == nil {
			break
		}
		if s.ctx.Err() != nil {
			t.Fatalf("%v: no record has arrived in the new topic", s.ctx.Err())
		}
	}
	settled := len(s.all)
	for range 50 {
		burst()
	}
	s.flush()
	for n, d := range s.all[settled:] {
		if d.err != nil {
			t.Fatalf("record %d, sent when others had already arrived in the new topic: %v", settled+n, d.err)
		}
	}
	return made
}

// checkNewTopic compares the new topic with what the producer said. What was acknowledged before it was
// made is in the old one, or here.
func checkNewTopic(t *testing.T, s *sending, c *kafka.Cluster, topic string, made int) {
	t.Helper()
	type place struct {
		partition int32
		offset    int64
	}
	at := make(map[int]place)
	for partition, records := range read(t, c, topic) {
		last := -1
		for _, r := range records {
			var n int
			if _, err := fmt.Sscan(string(r.Value), &n); err != nil {
				t.Fatalf("partition %d, offset %d: %v", partition, r.Offset, err)
			}
			if _, twice := at[n]; twice {
				t.Fatalf("record %d is there twice", n)
			}
			if n < last {
				t.Fatalf("partition %d, offset %d: record %d is behind record %d", partition, r.Offset, n, last)
			}
			last = n
			at[n] = place{partition, r.Offset}
		}
	}
	kept, failed := len(at), 0
	for n, d := range s.all {
		where, there := at[n]
		switch {
		case d.err == nil && !there && n >= made:
			t.Errorf("record %d was acknowledged for the new topic and is not there", n)
		case d.err == nil && there && d.md.Offset >= 0 && where != place{d.md.Partition, d.md.Offset}:
			t.Errorf("record %d is at %v, and its metadata say %d at %d", n, where, d.md.Partition, d.md.Offset)
		case d.err != nil:
			failed++
			if !errors.Is(d.err, producer.ErrTopicRecreated) && !errors.Is(d.err, producer.ErrPartitionGone) {
				t.Errorf("record %d: %v, want no error but ErrTopicRecreated and ErrPartitionGone", n, d.err)
			}
			if there && !producer.MayBeWritten(d.err) {
				t.Errorf("record %d is in the new topic, and its error says that it is not: %v", n, d.err)
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d records sent, %d of them after the new topic was there; it holds %d; %d failed", len(s.all), len(s.all)-made, kept, failed)
}
