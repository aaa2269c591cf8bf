package producer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// What is committed is seen, what is aborted is not, and empty transactions harm nobody, whatever came before.
func TestCommitAndAbort(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c)
		want := ""
		for i, what := range strings.Fields("commit abort empty-commit commit commit empty-abort abort abort empty-abort empty-commit commit") {
			begin(t, p)
			if !strings.HasPrefix(what, "empty") {
				md := send(t, p, record(fmt.Sprint(i)))
				if md.Offset < 0 || md.Topic != "t" {
					t.Errorf("record %d is said to be at %+v", i, md)
				}
				wantVisible(t, c, strings.TrimSpace(want))
			}
			if strings.HasSuffix(what, "commit") {
				commit(t, p)
				if what == "commit" {
					want += fmt.Sprintf("%d ", i)
				}
			} else {
				abort(t, p)
			}
			wantVisible(t, c, strings.TrimSpace(want))
		}
		soundLog(t, c)
	})
}

// Several topics and partitions on several brokers, more records than a batch takes, and all of it at once.
func TestLargeTransactions(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t, brokertest.Brokers(3), brokertest.Topic("u", 7), brokertest.Delay(2*time.Millisecond))
		p := transactional(t, c, func(cfg *producer.Config) { cfg.BatchSize = 500 })
		for n := range 4 {
			begin(t, p)
			for i := range 600 {
				topic := []string{"t", "u"}[i%2]
				p.Send(t.Context(), producer.Record{Topic: topic, Key: fmt.Append(nil, i), Value: fmt.Appendf(nil, "%d/%d", n, i)})
			}
			if n%2 == 0 {
				commit(t, p)
			} else {
				abort(t, p)
			}
		}
		seen := map[string]int{}
		for topic, parts := range map[string]int32{"t": 1, "u": 7} {
			for part := range parts {
				for _, r := range c.Committed(topic, part) {
					seen[string(r.Value)[:1]]++
				}
			}
		}
		if seen["0"] != 600 || seen["2"] != 600 || len(seen) != 2 {
			t.Errorf("records to be seen by transaction: %v, want 600 each of 0 and 2", seen)
		}
		soundLog(t, c)
	})
}

// A group's offset is committed with the transaction, or not at all.
func TestOffsetsAreCommittedWithTheTransaction(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c)
		c.SetGroup("g", 4, "member")
		group := producer.ConsumerGroupMetadata{GroupID: "g", GenerationID: 4, MemberID: "member"}
		for i, end := range []func(*testing.T, *producer.Producer){commit, abort, commit} {
			before := groupOffset(c)
			begin(t, p)
			send(t, p, record(fmt.Sprint(i)))
			if err := p.SendOffsetsToTransaction(t.Context(), offsets(int64(10+i)), group); err != nil {
				t.Fatal(err)
			}
			if got := groupOffset(c); got != before {
				t.Errorf("before the end the group has offset %d, want %d", got, before)
			}
			end(t, p)
			if want := []int64{10, 10, 12}[i]; groupOffset(c) != want {
				t.Errorf("after transaction %d the group has offset %d, want %d", i, groupOffset(c), want)
			}
		}
		wantVisible(t, c, "0 2")
		begin(t, p) // offsets alone make a transaction, too
		if err := p.SendOffsetsToTransaction(t.Context(), offsets(20), groupG); err != nil {
			t.Fatal(err)
		}
		commit(t, p)
		if got := groupOffset(c); got != 20 {
			t.Errorf("the group has offset %d, want 20", got)
		}
	})
}

// Mistakes of the caller's are refused with a word on what to do, and change nothing.
func TestCallsOutOfPlace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := speeches[0].cluster(t)
		p := uninitialised(t, c)
		_, before := p.SendSync(t.Context(), record("x"))
		if told(before) != refused || producer.MayBeWritten(before) || !strings.Contains(before.Error(), "InitTransactions") {
			t.Errorf("a record before InitTransactions is told %v, want what to call", before)
		}
		wantTold(t, "BeginTransaction before InitTransactions", p.BeginTransaction(t.Context()), refused)
		if err := p.InitTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, outside := p.SendSync(t.Context(), record("x"))
		if told(outside) != refused || !strings.Contains(outside.Error(), "BeginTransaction") {
			t.Errorf("a record outside of a transaction is told %v, want what to call", outside)
		}
		if err := p.TrySend(record("x"), nil); told(err) != refused {
			t.Errorf("TrySend outside of a transaction says %v", err)
		}
		wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), refused)
		wantTold(t, "AbortTransaction", p.AbortTransaction(t.Context()), refused)
		wantTold(t, "offsets", p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG), refused)
		begin(t, p)
		wantTold(t, "BeginTransaction in one", p.BeginTransaction(t.Context()), refused)
		if err := p.SendOffsetsToTransaction(t.Context(), offsets(1), producer.ConsumerGroupMetadata{}); err == nil {
			t.Error("offsets of no group are taken")
		}
		if err := p.SendOffsetsToTransaction(t.Context(), offsets(-1), groupG); err == nil {
			t.Error("a negative offset is taken")
		}
		send(t, p, record("a"))
		commit(t, p)
		wantVisible(t, c, "a")

		plain := start(t, c)
		if err := plain.BeginTransaction(t.Context()); told(err) != refused || !strings.Contains(err.Error(), "TransactionalID") {
			t.Errorf("without a transactional id BeginTransaction says %v", err)
		}
	})
}

// A commit does not wait for the linger, and takes no time of its own.
func TestCommitEndsTheLinger(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t, brokertest.Topic("u", 3))
		p := transactional(t, c, func(cfg *producer.Config) { cfg.Linger, cfg.DeliveryTimeout = time.Hour, 3*time.Hour })
		warm(t, p, "t", "u")
		begin(t, p)
		at := time.Now()
		for i := range 30 {
			p.Send(t.Context(), producer.Record{Topic: "u", Key: fmt.Append(nil, i), Value: []byte("x")})
		}
		f := p.Send(t.Context(), record("a"))
		commit(t, p)
		if took := time.Since(at); took != 0 {
			t.Errorf("the commit took %v, want nothing", took)
		}
		if !finished(f) {
			t.Error("the commit is done before its record is")
		}
		wantVisible(t, c, "a")
	})
}

// The callbacks of a transaction's records have returned when its end does.
func TestTheEndWaitsForCallbacks(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c)
		begin(t, p)
		done := make(chan struct{}, 1)
		p.SendFunc(t.Context(), record("a"), func(producer.RecordMetadata, error) {
			time.Sleep(time.Second)
			done <- struct{}{}
		})
		commit(t, p)
		if len(done) != 1 {
			t.Error("CommitTransaction has returned before the callback")
		}
	})
}

// What Send does not take is missing from the transaction, which therefore cannot be committed (I7); what TrySend refuses it
// hands back, and that is the caller's to deal with.
func TestARecordThatIsNotTaken(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, give := range map[string]func(t *testing.T, p *producer.Producer){
		"no room": func(t *testing.T, p *producer.Producer) {
			p.Send(t.Context(), producer.Record{Topic: "t", Value: make([]byte, 30000)})
		},
		"too large": func(t *testing.T, p *producer.Producer) {
			p.Send(t.Context(), producer.Record{Topic: "t", Value: make([]byte, 2<<20)})
		},
		"unknown topic": func(t *testing.T, p *producer.Producer) { p.Send(t.Context(), producer.Record{Topic: "nowhere"}) },
		"no topic":      func(t *testing.T, p *producer.Producer) { p.SendFunc(t.Context(), producer.Record{}, nil) },
		"no such partition": func(t *testing.T, p *producer.Producer) {
			p.SendFunc(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(7)}, nil)
		},
		"context ended": func(_ *testing.T, p *producer.Producer) { p.Send(ended, record("b")) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := speeches[0].cluster(t, brokertest.AutoCreate(false))
				p := transactional(t, c, func(cfg *producer.Config) { cfg.BufferMemory, cfg.MaxBlock = 40000, time.Second })
				begin(t, p)
				send(t, p, record("a"))
				if name == "no room" {
					c.On(brokertest.Produce).Do(brokertest.Pass().Delayed(1500 * time.Millisecond))
					p.Send(t.Context(), producer.Record{Topic: "t", Value: make([]byte, 30000)})
				}
				give(t, p)
				wantTold(t, "CommitTransaction", p.CommitTransaction(within(t, 20*time.Second)), openAbort)
				abort(t, p)
				begin(t, p)
				if err := p.TrySend(producer.Record{Topic: "t", Value: make([]byte, 2<<20)}, nil); err == nil {
					t.Error("TrySend takes a record that is too large")
				}
				send(t, p, record("c"))
				commit(t, p)
				wantVisible(t, c, "c")
			})
		})
	}
}

// A record that fails takes the transaction with it, its neighbours are not sent again, and the next transaction is sound.
func TestARecordFails(t *testing.T) {
	for name, f := range map[string]struct {
		fault  *brokertest.Action
		rule   func(*brokertest.Cluster) *brokertest.Rule
		code   protocol.ErrorCode
		expire bool
	}{
		"refused":           {fault: brokertest.Error(protocol.InvalidRecord), code: protocol.InvalidRecord},
		"too large":         {fault: brokertest.Error(protocol.MessageTooLarge), code: protocol.MessageTooLarge},
		"unheard-of code":   {fault: brokertest.Error(999), code: 999},
		"abortable":         {fault: brokertest.Error(protocol.TransactionAbortable), code: protocol.TransactionAbortable},
		"not authorised":    {fault: brokertest.Error(protocol.TopicAuthorizationFailed), code: protocol.TopicAuthorizationFailed},
		"out of order":      {fault: brokertest.Error(protocol.OutOfOrderSequenceNumber), code: protocol.OutOfOrderSequenceNumber},
		"unknown producer":  {fault: brokertest.Error(protocol.UnknownProducerID), code: protocol.UnknownProducerID},
		"delivery time-out": {fault: brokertest.Error(protocol.NotEnoughReplicas), code: protocol.NotEnoughReplicas, expire: true},
	} {
		t.Run(name, func(t *testing.T) {
			inEachProtocol(t, func(t *testing.T, s speech) {
				c := s.cluster(t)
				p := transactional(t, c, func(cfg *producer.Config) { cfg.RequestTimeout, cfg.DeliveryTimeout = 5*time.Second, 10*time.Second })
				transaction(t, p, "a")
				begin(t, p)
				send(t, p, record("b"))
				rule := c.On(brokertest.Produce)
				if f.expire {
					rule = rule.Always()
				}
				rule.Do(f.fault)
				_, err := p.SendSync(t.Context(), record("c"))
				if !isCode(err, f.code) || f.expire && !errors.Is(err, producer.ErrDeliveryTimeout) {
					t.Errorf("the record is told %v, want %v", err, f.code)
				}
				c.ClearFaults()
				_, err = p.SendSync(t.Context(), record("d"))
				// It may have been let in before the loop got so far as to refuse it.
				if told(err) != openAbort && !errors.Is(err, producer.ErrTransactionAborted) || producer.MayBeWritten(err) {
					t.Errorf("the next record is told %v, want that the transaction is to be aborted", err)
				}
				err = p.CommitTransaction(t.Context())
				wantTold(t, "CommitTransaction", err, openAbort)
				if !isCode(err, f.code) {
					t.Errorf("CommitTransaction says %v, want the record's error", err)
				}
				wantTold(t, "offsets", p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG), openAbort)
				abort(t, p)
				transaction(t, p, "e", "f")
				wantVisible(t, c, "a e f")
				if slices.Contains(logged(c), "d") {
					t.Error("a record is written to a transaction that has failed")
				}
				soundLog(t, c)
			})
		})
	}
}

// The broker names the faulty records of a batch (KIP-467): they are told why, the others that their transaction is lost,
// and nothing is sent again.
func TestFaultyRecordsInATransaction(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		p := transactional(t, c, func(cfg *producer.Config) { cfg.Linger = time.Second })
		if err := c.SetCompacted("t", true); err != nil {
			t.Fatal(err)
		}
		begin(t, p)
		key := func(k, v string) producer.Record {
			r := record(v)
			if k != "" {
				r.Key = []byte(k)
			}
			return r
		}
		good, bad, late := p.Send(t.Context(), key("k", "a")), p.Send(t.Context(), key("", "b")), p.Send(t.Context(), key("k", "c"))
		wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), openAbort)
		for _, f := range []producer.Future{good, late} {
			if _, err := f.Wait(t.Context()); !errors.Is(err, producer.ErrTransactionAborted) || producer.MayBeWritten(err) {
				t.Errorf("a record without fault is told %v, want ErrTransactionAborted, not written", err)
			}
		}
		if _, err := bad.Wait(t.Context()); !isCode(err, protocol.InvalidRecord) || errors.Is(err, producer.ErrTransactionAborted) {
			t.Errorf("the faulty record is told %v, want INVALID_RECORD", err)
		}
		if n := c.Count(brokertest.Produce); n != 1 {
			t.Errorf("%d Produce requests, want one: nothing is sent again", n)
		}
		abort(t, p)
		begin(t, p)
		send(t, p, key("k", "d"))
		commit(t, p)
		wantVisible(t, c, "d")
		soundLog(t, c)
	})
}
