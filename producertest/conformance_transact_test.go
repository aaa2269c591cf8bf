package producertest_test

import (
	"context"
	"errors"
	"runtime"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
	"github.com/epistle-kafka/epistle/protocol"
)

func (s *side) transact(what string, f func(tx *producer.Tx) error, options ...producer.TransactOption) {
	s.did(what, s.p.Transact(s.t.Context(), f, options...))
}

var transactStories = []story{
	{name: "Transact", change: transactional, tell: func(s *side) {
		var kept *producer.Tx
		s.transact("a success", func(tx *producer.Tx) error {
			kept = tx
			tx.Send(s.t.Context(), one("a"))
			tx.SendFunc(s.t.Context(), one("b"), s.callback("b"))
			s.did("TrySend", tx.TrySend(one("c"), s.callback("c")))
			md, err := tx.SendSync(s.t.Context(), one("d"))
			s.saw("d", md, err)
			md, err = tx.Topic("one").SendSync(s.t.Context(), []byte("k"), []byte("e"))
			s.saw("e", md, err)
			return tx.SendOffsets(s.t.Context(), offset(5), groupG)
		})
		s.visible("one")
		s.group()
		s.transact("an error of the function", func(tx *producer.Tx) error {
			tx.Send(s.t.Context(), one("f"))
			s.did("SendOffsets", tx.SendOffsets(s.t.Context(), offset(6), groupG))
			md, err := kept.SendSync(s.t.Context(), one("by the Tx before"))
			s.saw("the Tx before", md, err)
			md, err = kept.Topic("one").SendSync(s.t.Context(), nil, []byte("by its handle"))
			s.saw("its handle", md, err)
			s.did("its offsets", kept.SendOffsets(s.t.Context(), offset(7), groupG))
			return errOwn
		})
		s.visible("one")
		s.group()
		md, err := kept.SendSync(s.t.Context(), one("late"))
		s.saw("a Tx that has ended", md, err)
		s.did("its offsets", kept.SendOffsets(s.t.Context(), offset(7), groupG))
	}},
	{name: "a function that does not return", change: transactional, tell: func(s *side) {
		func() {
			defer func() { s.say("the panic is %v", recover()) }()
			s.transact("never", func(tx *producer.Tx) error { _, _ = tx.SendSync(s.t.Context(), one("a")); panic("own") })
		}()
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			s.transact("never", func(tx *producer.Tx) error {
				_, _ = tx.SendSync(s.t.Context(), one("b"))
				runtime.Goexit()
				return nil
			})
		}()
		<-gone
		s.transact("the next", func(tx *producer.Tx) error { tx.Send(s.t.Context(), one("c")); return nil })
		s.visible("one")
	}},
	{name: "Transact inside of Transact", change: transactional, tell: func(s *side) {
		s.transact("outside", func(tx *producer.Tx) error {
			s.transact("inside", func(*producer.Tx) error { return nil })
			s.begin()
			return nil
		})
	}},
	{name: "Transact whose ctx ends", change: transactional, tell: func(s *side) {
		ctx, cancel := context.WithCancelCause(s.t.Context())
		s.did("Transact", s.p.Transact(ctx, func(tx *producer.Tx) error {
			md, err := tx.SendSync(ctx, one("a"))
			s.saw("a", md, err)
			cancel(errOwn)
			return nil
		}))
		s.did("Transact", s.p.Transact(ctx, func(tx *producer.Tx) error { return nil }))
		s.visible("one")
	}},
	{name: "Transact of a record that fails", change: transactional, tell: func(s *side) {
		for _, rec := range []producer.Record{one("a"), {Topic: "no such"}} {
			s.refuseNext(protocol.TopicAuthorizationFailed)
			s.transact("nobody waits for it", func(tx *producer.Tx) error { tx.Send(s.t.Context(), rec); return nil })
			s.transact("its error is returned", func(tx *producer.Tx) error { _, err := tx.SendSync(s.t.Context(), rec); return err })
		}
		s.transact("it cannot be serialized", func(tx *producer.Tx) error {
			producer.NewTyped(tx, producer.StringSerializer{}, producer.JSONSerializer[any]{}).Topic("one").Send(s.t.Context(), "k", make(chan int))
			return nil
		})
		s.visible("one")
	}},
	{name: "Transact again", change: transactional, tell: func(s *side) {
		for _, code := range []protocol.ErrorCode{protocol.TransactionAbortable, protocol.TopicAuthorizationFailed} {
			s.refuseNext(code)
			s.transact("with retries", func(tx *producer.Tx) error {
				s.say("the function runs")
				tx.Send(s.t.Context(), one("a"))
				return nil
			}, producer.TransactRetries(2))
		}
		runs := 0
		s.transact("an error of its own", func(tx *producer.Tx) error { runs++; return errors.New("boom") }, producer.TransactRetries(2))
		s.say("it runs %d times", runs)
		s.visible("one")
	}},
	{name: "Transact whose commit has no answer", change: transactional, tell: func(s *side) {
		s.transact("the first", func(tx *producer.Tx) error { tx.Send(s.t.Context(), one("a")); return nil })
		found := s.lose(producertest.CallCommitTransaction, true)
		s.transact("the second", func(tx *producer.Tx) error { tx.Send(s.t.Context(), one("b")); return nil })
		found()
		s.commit()
		s.visible("one")
	}},
	{name: "Transact of a producer that another has taken over from", change: transactional, tell: func(s *side) {
		s.transact("the first", func(tx *producer.Tx) error { tx.Send(s.t.Context(), one("a")); return nil })
		s.fence()
		s.transact("the second", func(tx *producer.Tx) error { tx.Send(s.t.Context(), one("b")); return nil })
		s.transact("the third", func(tx *producer.Tx) error { tx.Send(s.t.Context(), one("c")); return nil })
		s.visible("one")
	}},
	{name: "Transact after Close", change: transactional, tell: func(s *side) {
		s.did("Close", s.p.Close(s.t.Context()))
		s.transact("Transact", func(tx *producer.Tx) error { return nil })
	}},
}
