package producertest_test

import (
	"context"
	"fmt"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
	"github.com/epistle-kafka/epistle/protocol"
)

func transactional(cfg *producer.Config) { cfg.TransactionalID = "tx" }

// Short names for the steps.
func (s *side) initialise() { s.did("InitTransactions", s.p.InitTransactions(s.t.Context())) }
func (s *side) begin()      { s.did("BeginTransaction", s.p.BeginTransaction(s.t.Context())) }
func (s *side) commit()     { s.did("CommitTransaction", s.p.CommitTransaction(s.t.Context())) }
func (s *side) abort()      { s.did("AbortTransaction", s.p.AbortTransaction(s.t.Context())) }

func (s *side) offsets(n int64) {
	s.did("SendOffsetsToTransaction", s.p.SendOffsetsToTransaction(s.t.Context(), offset(n), groupG))
}

func (s *side) open() {
	s.initialise()
	s.begin()
	s.sync("a", one("a"))
}

// afterwards notes what can be done next, and what has become of all.
func (s *side) afterwards() {
	synctest.Wait() // a producer hears of a record that was not taken a moment later
	s.sync("another record", one("another"))
	s.offsets(9)
	s.commit()
	s.abort()
	s.begin()
	s.sync("a record of the next", one("next"))
	s.commit()
	s.visible("one")
	s.group()
}

var stepStories = []story{
	{name: "a producer without a transactional id", tell: func(s *side) {
		s.initialise()
		s.begin()
		s.offsets(1)
		s.commit()
		s.abort()
		s.did("Transact", s.p.Transact(s.t.Context(), func(*producer.Tx) error { return nil }))
	}},
	{name: "calls before their time", change: transactional, tell: func(s *side) {
		s.begin()
		s.offsets(1)
		s.commit()
		s.abort()
		s.sync("a record", one("a"))
		s.p.SendFunc(s.t.Context(), one("a"), s.callback("a record"))
		s.did("TrySend", s.p.TrySend(one("a"), s.callback("never")))
		s.initialise()
		s.initialise()
		s.commit()
		s.abort()
		s.offsets(1)
		s.sync("a record", one("a"))
		s.begin()
		s.begin()
		s.initialise()
		s.commit()
		s.commit()
		s.visible("one")
	}},
	{name: "commits and aborts", change: transactional, tell: func(s *side) {
		s.open()
		s.sync("b", one("b"))
		s.offsets(1)
		s.visible("one")
		s.group()
		s.commit()
		s.visible("one")
		s.group()
		s.begin()
		s.sync("c", one("c"))
		s.offsets(2)
		s.abort()
		s.visible("one")
		s.group()
		s.begin()
		s.abort()
		s.begin()
		s.offsets(3)
		s.commit()
		s.group()
		s.begin()
		s.sync("d", one("d"))
		s.commit()
		s.visible("one")
	}},
	{name: "nobody waits for a record", change: transactional, tell: func(s *side) {
		s.initialise()
		s.begin()
		s.p.SendFunc(s.t.Context(), one("a"), s.callback("a"))
		s.p.Send(s.t.Context(), one("b"))
		s.commit()
		s.visible("one")
	}},
	{name: "an abort drops what waits", change: func(cfg *producer.Config) {
		transactional(cfg)
		cfg.Linger = time.Hour
		cfg.DeliveryTimeout = 2 * time.Hour
	}, double: []producertest.Option{producertest.Manual()}, tell: func(s *side) {
		s.initialise()
		s.begin()
		s.p.SendFunc(s.t.Context(), one("a"), s.callback("a"))
		s.abort()
		s.visible("one")
	}},
	{name: "a commit whose record nobody answers", change: func(cfg *producer.Config) {
		transactional(cfg)
		cfg.DeliveryTimeout = 100 * time.Second // in the middle of the second wait
		cfg.TransactionTimeout = 10 * time.Minute
	}, double: []producertest.Option{producertest.Manual()}, tell: func(s *side) {
		s.initialise()
		s.begin()
		s.silence()
		s.p.SendFunc(s.t.Context(), one("a"), s.callback("a"))
		s.commit()
		s.abort()
		s.commit()
		s.hear()
		s.commit()
		s.abort()
		s.begin()
	}},
	{name: "offsets that cannot be", change: transactional, tell: func(s *side) {
		s.initialise()
		s.begin()
		send := func(what string, offsets producertest.Offsets, group producer.ConsumerGroupMetadata) {
			s.did(what, s.p.SendOffsetsToTransaction(s.t.Context(), offsets, group))
		}
		send("none", nil, groupG)
		send("no group", offset(1), producer.ConsumerGroupMetadata{})
		send("negative", offset(-1), groupG)
		send("a topic", producertest.Offsets{{Topic: "no such"}: {}}, groupG)
		s.commit()
		s.group()
	}},
	{name: "a record that fails", change: transactional, tell: func(s *side) {
		s.open()
		s.refuseNext(protocol.TopicAuthorizationFailed)
		s.sync("b", one("b"))
		s.afterwards()
	}},
	{name: "a record that is not taken", change: transactional, tell: func(s *side) {
		s.open()
		s.sync("an invalid one", producer.Record{Topic: "no such"})
		s.afterwards()
	}},
	{name: "what TrySend refuses does not count", change: transactional, tell: func(s *side) {
		s.open()
		s.did("TrySend", s.p.TrySend(producer.Record{Topic: "no such"}, nil))
		s.commit()
		s.visible("one")
	}},
	{name: "a record that cannot be serialized", change: transactional, tell: func(s *side) {
		s.open()
		typed := producer.NewTyped(s.p, producer.StringSerializer{}, producer.JSONSerializer[any]{})
		md, err := typed.Topic("one").SendSync(s.t.Context(), "k", make(chan int))
		s.saw("no JSON", md, err)
		s.afterwards()
	}},
	{name: "another instance takes over", change: transactional, tell: func(s *side) {
		s.open()
		s.fence()
		s.commit()
		s.abort()
		s.begin()
		s.initialise()
		s.visible("one")
	}},
	{name: "another instance takes over in between", change: transactional, tell: func(s *side) {
		s.open()
		s.commit()
		s.fence()
		s.begin()
		s.sync("b", one("b"))
		s.commit()
		s.abort()
		s.begin()
		s.visible("one")
	}},
	{name: "Close aborts what is open", change: transactional, tell: func(s *side) {
		s.open()
		s.did("Close", s.p.Close(s.t.Context()))
		s.visible("one")
		s.commit()
		s.abort()
		s.begin()
		s.offsets(1)
	}},
	{name: "calls whose ctx has ended", change: transactional, tell: func(s *side) {
		ended, cancel := context.WithCancelCause(s.t.Context())
		cancel(errOwn)
		s.slow(brokertest.FindCoordinator)
		s.did("InitTransactions", s.p.InitTransactions(ended))
		s.initialise()
		s.begin()
		s.sync("a", one("a"))
		s.offsets(1)
		s.slow(brokertest.TxnOffsetCommit)
		s.did("SendOffsetsToTransaction", s.p.SendOffsetsToTransaction(ended, offset(2), groupG))
		s.slow(brokertest.EndTxn)
		s.did("CommitTransaction", s.p.CommitTransaction(ended))
		s.commit()
		s.visible("one")
		s.group()
		s.begin()
		s.sync("b", one("b"))
		s.slow(brokertest.EndTxn)
		s.did("AbortTransaction", s.p.AbortTransaction(ended))
		s.abort()
		s.visible("one")
	}},
}

// What coordinators answer to each call, and what comes of it.
func init() {
	for call, codes := range map[producertest.Call][]protocol.ErrorCode{
		producertest.CallInitTransactions: {
			protocol.TransactionalIDAuthorizationFailed, protocol.InvalidTransactionTimeout, protocol.UnknownServerError, protocol.NotCoordinator,
		},
		producertest.CallSendOffsets: {
			protocol.IllegalGeneration, protocol.GroupAuthorizationFailed, protocol.TransactionAbortable, protocol.ProducerFenced, protocol.NotCoordinator,
		},
		producertest.CallCommitTransaction: {
			protocol.TransactionAbortable, protocol.ProducerFenced, protocol.InvalidProducerEpoch, protocol.UnknownServerError,
			protocol.TransactionalIDAuthorizationFailed, protocol.NotCoordinator, protocol.ConcurrentTransactions,
		},
		producertest.CallAbortTransaction: {
			protocol.ProducerFenced, protocol.InvalidTxnState, protocol.UnknownServerError, protocol.NotCoordinator,
		},
	} {
		for _, code := range codes {
			stepStories = append(stepStories, story{name: fmt.Sprintf("%s answered with %s", call, code.Name()), change: transactional, tell: answered(call, code)})
		}
	}
	for _, done := range []bool{true, false} {
		stepStories = append(stepStories, story{name: fmt.Sprintf("a commit without an answer, done %v", done), change: func(cfg *producer.Config) {
			transactional(cfg)
			cfg.TransactionTimeout = 10 * time.Minute
		}, tell: func(s *side) {
			s.open()
			s.offsets(1)
			found := s.lose(producertest.CallCommitTransaction, done)
			s.commit()
			s.visible("one")
			s.group()
			s.abort()
			s.begin()
			found()
			s.commit()
			s.commit()
			s.visible("one")
			s.group()
		}})
	}
}

// What is lost of the other calls.
func init() {
	for _, call := range []producertest.Call{producertest.CallInitTransactions, producertest.CallSendOffsets, producertest.CallAbortTransaction} {
		for _, done := range []bool{true, false} {
			stepStories = append(stepStories, story{name: fmt.Sprintf("%s without an answer, done %v", call, done), change: func(cfg *producer.Config) {
				transactional(cfg)
				cfg.TransactionTimeout = 10 * time.Minute
			}, tell: func(s *side) {
				if call != producertest.CallInitTransactions {
					s.open()
				}
				found := s.lose(call, done)
				switch call {
				case producertest.CallInitTransactions:
					s.initialise()
					found()
				case producertest.CallSendOffsets:
					s.offsets(1)
					found()
					s.commit()
				default:
					s.abort()
					s.commit()
					found()
				}
				s.abort()
				s.initialise()
				s.begin()
				s.sync("a record", one("b"))
				s.commit()
				s.visible("one")
				s.group()
			}})
		}
	}
}

func answered(call producertest.Call, code protocol.ErrorCode) func(*side) {
	return func(s *side) {
		if call == producertest.CallInitTransactions {
			s.failCall(call, code)
			s.initialise()
			s.initialise()
			return
		}
		s.open()
		s.failCall(call, code)
		switch call {
		case producertest.CallSendOffsets:
			s.offsets(1)
		case producertest.CallCommitTransaction:
			s.commit()
		default:
			s.abort()
		}
		s.commit()
		s.abort()
		s.begin()
		s.visible("one")
		s.group()
	}
}
