package producer_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// wantDropped demands that a record ended because its transaction was aborted before it was sent.
func wantDropped(t *testing.T, f producer.Future) {
	t.Helper()
	if _, err := f.Wait(t.Context()); !errors.Is(err, producer.ErrTransactionAborted) || producer.MayBeWritten(err) {
		t.Errorf("the record is told %v, want ErrTransactionAborted, not written", err)
	}
}

// What an abort finds unsent is not sent any more (KIP-654), and takes no time.
func TestAnAbortDropsWhatWasNotSent(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t, brokertest.Topic("u", 1))
		p := transactional(t, c, func(cfg *producer.Config) { cfg.Linger, cfg.DeliveryTimeout = time.Hour, 3*time.Hour })
		warm(t, p, "t", "u")
		for _, sent := range []bool{false, true} {
			begin(t, p)
			if sent {
				send(t, p, record("sent"))
			}
			at := time.Now()
			waits, elsewhere := p.Send(t.Context(), record("waits")), p.Send(t.Context(), producer.Record{Topic: "u", Value: []byte("waits")})
			abort(t, p)
			if took := time.Since(at); took != 0 {
				t.Errorf("the abort took %v, want nothing", took)
			}
			wantDropped(t, waits)
			wantDropped(t, elsewhere)
		}
		transaction(t, p, "a")
		wantVisible(t, c, "a")
		if slices.Contains(logged(c), "waits") || len(c.Records("u", 0)) != 0 {
			t.Error("what was not sent before the abort is in the log")
		}
		soundLog(t, c)
	})
}

// What is in flight is waited for: EndTxn must not overtake it (pitfall 15).
func TestAnAbortWaitsForWhatIsInFlight(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c, func(cfg *producer.Config) { cfg.Linger = 0 })
		begin(t, p)
		send(t, p, record("a"))
		c.On(brokertest.Produce).Do(brokertest.Pass().Delayed(10 * time.Second))
		f := p.Send(t.Context(), record("b"))
		time.Sleep(time.Second)
		at := time.Now()
		abort(t, p)
		if took := time.Since(at); took != 9*time.Second {
			t.Errorf("the abort took %v, want the 9s until the record is answered", took)
		}
		if _, err := f.Wait(t.Context()); err != nil {
			t.Errorf("the record is told %v; it was acknowledged", err)
		}
		wantVisible(t, c, "")
		transaction(t, p, "c")
		wantVisible(t, c, "c")
		soundLog(t, c)
	})
}

// A record whose attempt had no answer is not sent again when its transaction is aborted, and may be written.
func TestAnAbortEndsRetries(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c)
		begin(t, p)
		send(t, p, record("a"))
		c.On(brokertest.Produce).Do(brokertest.HandleThenDrop())
		doubtful := p.Send(t.Context(), record("b"))
		synctest.Wait()
		time.Sleep(20 * time.Millisecond)
		refused := p.Send(t.Context(), record("c")) // behind it
		abort(t, p)
		if _, err := doubtful.Wait(t.Context()); !errors.Is(err, producer.ErrTransactionAborted) || !producer.MayBeWritten(err) {
			t.Errorf("the record without an answer is told %v, want ErrTransactionAborted, may be written", err)
		}
		wantDropped(t, refused)
		transaction(t, p, "d")
		wantVisible(t, c, "d")
		soundLog(t, c)
	})
}

// An abort of which the coordinator may never have heard: the partition's request was lost, or refused.
func TestAnAbortOfWhatMayNeverHaveBegun(t *testing.T) {
	for name, fault := range map[string]*brokertest.Action{
		"lost": brokertest.Drop(), "answer lost": brokertest.HandleThenDrop(),
		"not authorised": brokertest.Error(protocol.TopicAuthorizationFailed), "abortable": brokertest.Error(protocol.TransactionAbortable),
		"server error": brokertest.Error(protocol.UnknownServerError), "server error, with effect": brokertest.AppendThenError(protocol.UnknownServerError),
	} {
		for _, api := range []int16{brokertest.AddPartitionsToTxn, brokertest.AddOffsetsToTxn, brokertest.TxnOffsetCommit, brokertest.Produce} {
			t.Run(name, func(t *testing.T) {
				inEachProtocol(t, func(t *testing.T, s speech) {
					if s.lacks(api) {
						return
					}
					c := s.cluster(t)
					p := transactional(t, c, func(cfg *producer.Config) { cfg.MaxBlock, cfg.RequestTimeout = 10*time.Second, 5*time.Second })
					transaction(t, p, "a")
					rule := c.On(api).Always().Do(fault)
					begin(t, p)
					if api == brokertest.AddPartitionsToTxn || api == brokertest.Produce {
						p.Send(t.Context(), record("b"))
					} else if err := p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG); err == nil {
						t.Error("the offsets are taken")
					}
					time.Sleep(time.Second)
					rule.Stop()
					abort(t, p)
					transaction(t, p, "c")
					wantVisible(t, c, "a c")
					soundLog(t, c)
				})
			})
		}
	}
}

// Permission to write is missing: the transaction is lost, and the producer is not.
func TestATopicThatMayNotBeWritten(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t, brokertest.Topic("secret", 1))
		p := transactional(t, c)
		c.DenyWrite("secret")
		begin(t, p)
		send(t, p, record("a"))
		_, err := p.SendSync(t.Context(), producer.Record{Topic: "secret", Value: []byte("x")})
		if !isCode(err, protocol.TopicAuthorizationFailed) || producer.MayBeWritten(err) {
			t.Errorf("the record is told %v, want TOPIC_AUTHORIZATION_FAILED", err)
		}
		wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), openAbort)
		abort(t, p)
		c.AllowTopic("secret")
		begin(t, p)
		send(t, p, producer.Record{Topic: "secret", Value: []byte("y")})
		commit(t, p)
		wantVisible(t, c, "")
		if got := visibleIn(c, "secret", 0); got != "y" {
			t.Errorf("%q is to be seen of the other topic, want y", got)
		}
		soundLog(t, c)
	})
}

// The topic is deleted and made again inside a transaction: what was written to the old one is gone, so the transaction is
// not whole any more once anything more is sent there.
func TestATopicIsRecreatedInsideATransaction(t *testing.T) {
	for _, policy := range []producer.TopicRecreation{producer.FollowNewTopic, producer.FailRecords} {
		inEachProtocol(t, func(t *testing.T, s speech) {
			c := s.cluster(t)
			p := transactional(t, c, func(cfg *producer.Config) {
				cfg.MetadataMaxAge, cfg.TopicRecreation = time.Second, policy
			})
			transaction(t, p, "a")
			begin(t, p)
			send(t, p, record("b"))
			if err := c.RecreateTopic("t"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			if _, err := p.SendSync(t.Context(), record("c")); !errors.Is(err, producer.ErrTopicRecreated) {
				t.Errorf("a record for the new topic is told %v, want ErrTopicRecreated", err)
			}
			wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), openAbort)
			abort(t, p)
			transaction(t, p, "d")
			wantVisible(t, c, "d")
			soundLog(t, c)
		})
	}
}

// A record that expires while its partition has no leader takes the transaction with it; afterwards all is well.
func TestARecordExpiresWithoutALeader(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c, func(cfg *producer.Config) { cfg.RequestTimeout, cfg.DeliveryTimeout = 3*time.Second, 5*time.Second })
		begin(t, p)
		send(t, p, record("a"))
		_, epoch := c.Leader("t", 0)
		if err := c.MoveLeader("t", 0, -1); err != nil {
			t.Fatal(err)
		}
		if _, err := p.SendSync(t.Context(), record("b")); !errors.Is(err, producer.ErrDeliveryTimeout) {
			t.Errorf("the record is told %v, want a delivery time-out", err)
		}
		wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), openAbort)
		abort(t, p)
		if err := c.MoveLeader("t", 0, 1); err != nil {
			t.Fatal(err)
		}
		if _, now := c.Leader("t", 0); now == epoch {
			t.Error("the leader has not changed")
		}
		transaction(t, p, "c")
		wantVisible(t, c, "c")
		soundLog(t, c)
	})
}
