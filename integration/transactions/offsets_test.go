package transactions_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A member is a consumer of the independent client in a group that never commits by itself.
type member struct {
	client *kgo.Client
	stop   context.CancelFunc
	polled chan struct{} // closed when it polls no more
}

// join makes a member that consumes a topic, and waits until the group has given it partitions.
func (s *site) join(t *testing.T, group, topic string) *member {
	t.Helper()
	assigned := make(chan struct{}, 1)
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(s.cluster.Bootstrap(), ",")...),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic),
		kgo.DisableAutoCommit(),
		kgo.HeartbeatInterval(100*time.Millisecond),
		kgo.Balancers(kgo.RangeBalancer()),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) {
			select {
			case assigned <- struct{}{}:
			default:
			}
		}),
	)
	do(t, err)
	ctx, stop := context.WithCancel(context.Background())
	m := &member{client, stop, make(chan struct{})}
	go func() { // ends with the member
		defer close(m.polled)
		for ctx.Err() == nil {
			client.PollFetches(ctx)
		}
	}()
	t.Cleanup(m.leave)
	select {
	case <-assigned:
	case <-soon(t).Done():
		t.Fatalf("the group %s has given its member nothing", group)
	}
	return m
}

// leave has the member leave its group.
func (m *member) leave() {
	m.stop()
	<-m.polled
	m.client.Close()
}

// awaitGeneration waits until the group, with m in it, is past a generation and at rest.
func (s *site) awaitGeneration(t *testing.T, group string, m *member, past int32) {
	t.Helper()
	await(t, func(ctx context.Context) string {
		described, err := s.admin.Client().DescribeGroups(ctx, group)
		do(t, err)
		const atRest = "Stable"
		if _, generation := m.client.GroupMetadata(); generation <= past || described[group].State != atRest {
			return fmt.Sprintf("the group is %s, the member in generation %d, want %s and past %d", described[group].State, generation, atRest, past)
		}
		return ""
	})
}

// metadata is what the member's consumer says of itself, for KIP-447.
func (m *member) metadata(t *testing.T, group string) producer.ConsumerGroupMetadata {
	t.Helper()
	id, generation := m.client.GroupMetadata()
	if id == "" || generation < 0 {
		t.Fatalf("the member has id %q and generation %d", id, generation)
	}
	return producer.ConsumerGroupMetadata{GroupID: group, MemberID: id, GenerationID: generation}
}

// offsetsAt has each partition of the topics stand at an offset.
func offsetsAt(topics []string, offset int64) map[producer.TopicPartition]producer.OffsetAndMetadata {
	offsets := make(map[producer.TopicPartition]producer.OffsetAndMetadata)
	for _, topic := range topics {
		for partition := range int32(3) {
			offsets[producer.TopicPartition{Topic: topic, Partition: partition}] = producer.OffsetAndMetadata{
				Offset: offset + int64(partition), Metadata: fmt.Sprintf("%s at %d", topic, offset),
			}
		}
	}
	return offsets
}

// expectOffsets demands that the group has these offsets of the topics, once none is pending; nil is none at all.
func (s *site) expectOffsets(t *testing.T, group string, topics []string, want map[producer.TopicPartition]producer.OffsetAndMetadata) {
	t.Helper()
	found, err := s.admin.GroupOffsets(soon(t), group, topics...)
	do(t, err)
	got := make(map[producer.TopicPartition]producer.OffsetAndMetadata)
	found.Each(func(o kadm.Offset) {
		got[producer.TopicPartition{Topic: o.Topic, Partition: o.Partition}] = producer.OffsetAndMetadata{Offset: o.At, Metadata: o.Metadata}
	})
	if !maps.Equal(got, want) {
		t.Errorf("the group is at %v, want %v", got, want)
	}
}

// consumeAndProduce commits and aborts transactions that hold records and offsets, and some that hold offsets alone.
func consumeAndProduce(t *testing.T, s *site, inputs []string, group producer.ConsumerGroupMetadata) {
	b, p, ctx := newBook(t, s, 1), s.start(t), soon(t)
	var committed map[producer.TopicPartition]producer.OffsetAndMetadata
	offset := int64(100)
	for _, size := range []int{12, 0, 12} {
		for _, commit := range []bool{false, true, false} {
			e, offsets := b.open(size), offsetsAt(inputs, offset)
			offset += 10
			do(t, p.BeginTransaction(ctx))
			e.send(ctx, p, size)
			do(t, p.SendOffsetsToTransaction(ctx, offsets, group))
			if commit {
				do(t, p.CommitTransaction(ctx))
				e.outcome, committed = producer.OutcomeCommitted, offsets
			} else {
				do(t, p.Flush(ctx))
				do(t, p.AbortTransaction(ctx))
				e.outcome = producer.OutcomeAborted
			}
			s.expectOffsets(t, group.GroupID, inputs, committed)
		}
	}
	b.check(t)
}

// offsetsOfMember commits the offsets of a consumer that is a member of its group.
func offsetsOfMember(t *testing.T, s *site) {
	inputs, group := s.topics(t, 1), unique(t)
	consumeAndProduce(t, s, inputs, s.join(t, group, inputs[0]).metadata(t, group))
}

// offsetsOfGroup commits offsets of several topics for a group of which only the name is known.
func offsetsOfGroup(t *testing.T, s *site) {
	consumeAndProduce(t, s, s.topics(t, 2), producer.ConsumerGroupMetadata{GroupID: unique(t)})
}

// offsetsOfStaleMember has a group move on, so that a consumer of the generation before must not commit any more. Its
// transaction can be aborted, and with what the consumer says of itself then the next one is committed.
func offsetsOfStaleMember(t *testing.T, s *site) {
	inputs, group := s.topics(t, 1), unique(t)
	b, p, ctx := newBook(t, s, 1), s.start(t), soon(t)
	first := s.join(t, group, inputs[0])
	stale := first.metadata(t, group)
	second := s.join(t, group, inputs[0])
	s.awaitGeneration(t, group, first, stale.GenerationID)
	gone := second.metadata(t, group)
	second.leave()
	s.awaitGeneration(t, group, first, gone.GenerationID)

	for _, c := range []struct {
		name    string
		group   producer.ConsumerGroupMetadata
		want    protocol.ErrorCode
		records int
	}{
		{"an old generation, and offsets alone", stale, protocol.IllegalGeneration, 0},
		{"an old generation", stale, protocol.IllegalGeneration, 6},
		{"no member any more", gone, protocol.UnknownMemberID, 6},
		{"no member any more, and offsets alone", gone, protocol.UnknownMemberID, 0},
	} {
		e := b.open(c.records)
		do(t, p.BeginTransaction(ctx))
		e.send(ctx, p, e.size)
		err := p.SendOffsetsToTransaction(ctx, offsetsAt(inputs, 7), c.group)
		if !errors.Is(err, c.want) {
			t.Fatalf("%s: SendOffsetsToTransaction: %v, want %v", c.name, err, c.want)
		}
		if next := failure(t, "SendOffsetsToTransaction", err).Next; next != producer.NextAbort {
			t.Errorf("%s: what to do next is %q, want %q", c.name, next, producer.NextAbort)
		}
		err = p.CommitTransaction(ctx)
		if f := failure(t, "CommitTransaction", err); f.Next != producer.NextAbort || f.Outcome == producer.OutcomeCommitted || !errors.Is(err, c.want) {
			t.Errorf("%s: CommitTransaction: %v, want that it can only be aborted, because of %v", c.name, err, c.want)
		}
		do(t, p.AbortTransaction(ctx))
		e.outcome = producer.OutcomeAborted
		s.expectOffsets(t, group, inputs, nil)
	}

	e, offsets := b.open(6), offsetsAt(inputs, 8)
	do(t, p.BeginTransaction(ctx))
	e.send(ctx, p, e.size)
	do(t, p.SendOffsetsToTransaction(ctx, offsets, first.metadata(t, group)))
	do(t, p.CommitTransaction(ctx))
	e.outcome = producer.OutcomeCommitted
	s.expectOffsets(t, group, inputs, offsets)
	b.check(t)
}
