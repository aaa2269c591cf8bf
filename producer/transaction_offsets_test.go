package producer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A group that the consumer no longer belongs to takes no offsets from it (KIP-447): the transaction is to be aborted.
func TestOffsetsOfAConsumerThatIsGone(t *testing.T) {
	instance := producer.ConsumerGroupMetadata{GroupID: "g", GenerationID: 4, MemberID: "m", GroupInstanceID: "i"}
	for name, f := range map[string]struct {
		group producer.ConsumerGroupMetadata
		fault *brokertest.Action
		code  protocol.ErrorCode
	}{
		"unknown member":     {producer.ConsumerGroupMetadata{GroupID: "g", GenerationID: 4, MemberID: "stranger"}, nil, protocol.UnknownMemberID},
		"old generation":     {producer.ConsumerGroupMetadata{GroupID: "g", GenerationID: 3, MemberID: "m"}, nil, protocol.IllegalGeneration},
		"fenced instance":    {instance, brokertest.Error(protocol.FencedInstanceID), protocol.FencedInstanceID},
		"not authorised":     {groupG, brokertest.Error(protocol.GroupAuthorizationFailed), protocol.GroupAuthorizationFailed},
		"metadata too large": {groupG, brokertest.Error(protocol.OffsetMetadataTooLarge), protocol.OffsetMetadataTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			inEachProtocol(t, func(t *testing.T, s speech) {
				c := s.cluster(t)
				c.SetGroup("g", 4, "m")
				p := transactional(t, c)
				begin(t, p)
				send(t, p, record("a"))
				if f.fault != nil {
					c.On(brokertest.TxnOffsetCommit).Do(f.fault)
				}
				err := p.SendOffsetsToTransaction(t.Context(), offsets(1), f.group)
				wantTold(t, "the offsets", err, openAbort)
				if !isCode(err, f.code) {
					t.Errorf("the error is %v, want %v", err, f.code)
				}
				wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), openAbort)
				abort(t, p)
				begin(t, p)
				if err := p.SendOffsetsToTransaction(t.Context(), offsets(2), producer.ConsumerGroupMetadata{GroupID: "g", GenerationID: 4, MemberID: "m"}); err != nil {
					t.Errorf("the offsets of a member: %v", err)
				}
				commit(t, p)
				if got := groupOffset(c); got != 2 {
					t.Errorf("the group has offset %d, want 2", got)
				}
			})
		})
	}
}

// Offsets of a topic that there is not are tried for delivery.timeout, and then the transaction is lost: it could be neither
// committed nor aborted else.
func TestOffsetsOfAnUnknownTopic(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c, func(cfg *producer.Config) {
			cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.TransactionTimeout = 10*time.Second, 20*time.Second, 10*time.Minute
		})
		nowhere := map[producer.TopicPartition]producer.OffsetAndMetadata{{Topic: "nowhere"}: {Offset: 1}}
		begin(t, p)
		send(t, p, record("a"))
		at := time.Now()
		err := p.SendOffsetsToTransaction(t.Context(), nowhere, groupG)
		wantTold(t, "the offsets", err, openAbort)
		if took := time.Since(at); took < 20*time.Second || took > 22*time.Second {
			t.Errorf("it was tried for %v, want delivery.timeout, 20s", took)
		}
		if !isCode(err, protocol.UnknownTopicOrPartition) {
			t.Errorf("the error is %v, want the broker's reason in it", err)
		}
		wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), openAbort)
		abort(t, p)

		// It comes into being meanwhile.
		begin(t, p)
		time.AfterFunc(5*time.Second, func() {
			if err := c.CreateTopic("nowhere", 1); err != nil {
				t.Error(err)
			}
		})
		if err := p.SendOffsetsToTransaction(t.Context(), nowhere, groupG); err != nil {
			t.Errorf("offsets of a topic that was made meanwhile: %v", err)
		}
		commit(t, p)
		if n := len(c.GroupOffsets("g")); n != 1 {
			t.Errorf("the group has %d offsets, want 1", n)
		}
	})
}

// Offsets whose call was left are on their way, and a commit waits for them.
func TestACommitWaitsForOffsets(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c)
		transaction(t, p, "a")
		c.On(brokertest.TxnOffsetCommit).Do(brokertest.Pass().Delayed(10 * time.Second))
		begin(t, p)
		send(t, p, record("b"))
		err := p.SendOffsetsToTransaction(within(t, time.Second), offsets(7), groupG)
		wantTold(t, "the offsets", err, openRetry)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v, want that the context has ended", err)
		}
		commit(t, p)
		wantVisible(t, c, "a b")
		if got := groupOffset(c); got != 7 {
			t.Errorf("the group has offset %d, want 7", got)
		}
	})
}

// Offsets of several groups, and of one group several times: the last counts.
func TestOffsetsOfSeveralGroups(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t, brokertest.Brokers(3))
		p := transactional(t, c)
		begin(t, p)
		for i, group := range []string{"g", "h", "g", "i", "h"} {
			if err := p.SendOffsetsToTransaction(t.Context(), offsets(int64(i)), producer.ConsumerGroupMetadata{GroupID: group}); err != nil {
				t.Fatal(err)
			}
		}
		commit(t, p)
		for group, want := range map[string]int64{"g": 2, "h": 4, "i": 3} {
			if got := c.GroupOffsets(group)[brokertest.TopicPartition{Topic: "t"}].Offset; got != want {
				t.Errorf("group %s has offset %d, want %d", group, got, want)
			}
		}
		if n, want := c.Count(brokertest.AddOffsetsToTxn), 3; !s.isNew && n != want {
			t.Errorf("%d AddOffsetsToTxn requests, want one for each group: %d", n, want)
		}
	})
}

// TxnOffsetCommit names topics by their ids only where each is known (KIP-1319).
func TestVersionsOfTxnOffsetCommit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[0].cluster(t, brokertest.Topic("u", 1))
		p := transactional(t, c)
		warm(t, p, "t")
		begin(t, p)
		both := map[producer.TopicPartition]producer.OffsetAndMetadata{{Topic: "t"}: {Offset: 1}, {Topic: "u"}: {Offset: 2, Metadata: "m"}}
		for _, o := range []map[producer.TopicPartition]producer.OffsetAndMetadata{offsets(1), both} {
			if err := p.SendOffsetsToTransaction(t.Context(), o, groupG); err != nil {
				t.Fatal(err)
			}
		}
		warm(t, p, "u")
		if err := p.SendOffsetsToTransaction(t.Context(), both, groupG); err != nil {
			t.Fatal(err)
		}
		commit(t, p)
		var got []int16
		for _, r := range asked(c, brokertest.TxnOffsetCommit) {
			got = append(got, r.Version)
		}
		if len(got) != 3 || got[0] != 6 || got[1] != 5 || got[2] != 6 {
			t.Errorf("TxnOffsetCommit came in versions %v, want 6 where each topic's id is known, else 5", got)
		}

		// An id that is no longer true is not insisted on: the name is what the caller has given.
		if err := c.RecreateTopic("u"); err != nil {
			t.Fatal(err)
		}
		begin(t, p)
		if err := p.SendOffsetsToTransaction(t.Context(), both, groupG); err != nil {
			t.Fatal(err)
		}
		commit(t, p)
		if got := c.GroupOffsets("g")[brokertest.TopicPartition{Topic: "u"}]; got.Offset != 2 || got.Metadata != "m" {
			t.Errorf("the group has %+v of the topic that was made again", got)
		}
	})
}
