package send_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// TestTopicMadeAgainUnderLoad deletes a topic that records are sent to, and makes it again with as many
// partitions, fewer or more. What is sent later arrives in the new topic; nothing is there twice or out of
// order; and what fails does so as the documentation has it.
func TestTopicMadeAgainUnderLoad(t *testing.T) {
	c := kafka.Shared(t)
	const before = 3
	tests := []struct {
		name   string
		after  int32 // partitions; 0: the broker creates it when it is asked for it
		policy producer.TopicRecreation
	}{
		{"with as many partitions", before, producer.FollowNewTopic},
		{"with fewer", 1, producer.FollowNewTopic},
		{"with more", 5, producer.FollowNewTopic},
		{"by the broker", 0, producer.FollowNewTopic},
		{"and its records fail", before, producer.FailRecords},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if on := brokerSetting(t, admin(t, c), "auto.create.topics.enable"); test.after == 0 && on != "true" {
				kafka.NotRun(t, "the brokers create no topic by themselves")
			}
			topic := newTopic(t, c, before)
			s := newSending(t, start(t, c, func(cfg *producer.Config) {
				cfg.AllowAutoTopicCreation = test.after == 0
				cfg.MetadataMaxAge = 200 * time.Millisecond
				cfg.TopicRecreation = test.policy
			}))
			made, oldID := makeAgain(t, s, c, topic, test.after)
			checkNewTopic(t, s, c, topic, made)
			checkPolicy(t, s, test.policy)
			if producesByID(t, c) {
				checkNumbers(t, c, topic, before, oldID)
			}
		})
	}
}

// recreate deletes a topic and makes it again, or waits until the broker does.
func recreate(ctx context.Context, a *reader.Admin, topic string, partitions int32) error {
	if partitions > 0 {
		if err := a.DeleteTopic(ctx, topic); err != nil {
			return err
		}
		return a.CreateTopic(ctx, topic, partitions, -1, nil)
	}
	old, err := a.Client().ListTopics(ctx, topic)
	if err != nil {
		return err
	}
	if _, err := a.Client().DeleteTopic(ctx, topic); err != nil {
		return err
	}
	for {
		now, err := a.Client().ListTopics(ctx, topic)
		if err != nil {
			return err
		}
		if now[topic].Err == nil && now[topic].ID != old[topic].ID {
			return nil
		}
	}
}

// makeAgain sends records while the topic is deleted and made again, and then until a thousand in a row
// have arrived in the new one. It returns the number of the first record sent once the new one was there, and the
// producer id under which those in the old one were written.
func makeAgain(t *testing.T, s *sending, c *kafka.Cluster, topic string, partitions int32) (made int, oldID int64) {
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
	s.flush() // the old topic has some
	for _, records := range read(t, c, topic) {
		for _, r := range records {
			oldID = r.ProducerID
		}
	}
	ready := make(chan error, 1) // sent to once
	go func() { ready <- recreate(s.ctx, a, topic, partitions) }()
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
	// The producer may still have metadata of the old topic.
	for {
		from := len(s.all)
		for range 50 {
			burst()
		}
		s.flush()
		i := slices.IndexFunc(s.all[from:], func(d *delivery) bool { return d.err != nil })
		if i < 0 {
			return made, oldID
		}
		pause(t, s.ctx, fmt.Sprintf("record %d, sent when the new topic was there: %v", from+i, s.all[from+i].err))
	}
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

// checkPolicy demands that records which were certainly not in the old topic went on to the new one, or
// that some failed for it: there are always some that wait while there is no topic.
func checkPolicy(t *testing.T, s *sending, policy producer.TopicRecreation) {
	t.Helper()
	unwritten := 0
	for _, d := range s.all {
		if errors.Is(d.err, producer.ErrTopicRecreated) && !producer.MayBeWritten(d.err) {
			unwritten++
		}
	}
	if failed := unwritten > 0; failed != (policy == producer.FailRecords) {
		t.Errorf("with topic.recreation=%v, %d records that were in no topic failed for it", policy, unwritten)
	}
}

// producesByID says whether the brokers know topics by their ids when they are written to: then nothing
// that was meant for the old topic gets into the new one.
func producesByID(t *testing.T, c *kafka.Cluster) bool {
	t.Helper()
	brokers, err := admin(t, c).Client().ApiVersions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const produce, firstByID = 0, 13
	for _, broker := range brokers {
		if newest, ok := broker.KeyMaxVersion(produce); !ok || newest < firstByID {
			return false
		}
	}
	return true
}

// checkNumbers demands that the partitions which the old topic had too were written under another producer id, or a new
// epoch: the broker takes any sequence for the first of a log, and could not tell a gap.
func checkNumbers(t *testing.T, c *kafka.Cluster, topic string, before int32, oldID int64) {
	t.Helper()
	for partition, records := range read(t, c, topic) {
		for _, r := range records {
			if partition < before && r.ProducerID == oldID && r.ProducerEpoch < 1 {
				t.Errorf("partition %d, offset %d was written under the producer id and epoch of the old topic", partition, r.Offset)
				return
			}
		}
	}
}
