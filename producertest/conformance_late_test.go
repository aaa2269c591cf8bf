package producertest_test

import (
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// brief is for transactions that the coordinator aborts after 10 s.
func brief(cfg *producer.Config) {
	transactional(cfg)
	cfg.TransactionTimeout = 10 * time.Second
}

// outlived is a story of a transaction that has taken longer than transaction.timeout.ms, of what is done then, and of the next
// transaction.
func outlived(name string, then func(s *side)) story {
	return story{name: "a transaction that takes too long, and " + name, change: brief, tell: func(s *side) {
		s.open()
		time.Sleep(9 * time.Second)
		s.sync("a record in time", one("in time"))
		time.Sleep(20 * time.Second)
		then(s)
		s.abort()
		s.begin()
		s.sync("a record of the next", one("next"))
		s.offsets(3)
		s.commit()
		s.visible("one")
		s.group()
	}}
}

var lateStories = []story{
	outlived("nothing else", func(*side) {}),
	outlived("a commit", func(s *side) { s.commit(); s.commit(); s.health() }),
	outlived("an abort", func(s *side) { s.abort() }),
	outlived("offsets", func(s *side) { s.offsets(2); s.commit(); s.health() }),
	outlived("records", func(s *side) { s.sync("b", one("b")); s.sync("c", one("c")); s.health() }),
	outlived("calls out of order", func(s *side) { s.begin(); s.initialise(); s.commit() }),
	outlived("Close", func(s *side) { s.did("Close", s.p.Close(s.t.Context())) }),
	outlived("another instance", func(s *side) { s.fence(); s.commit() }),
	{name: "a transaction of offsets that takes too long", change: brief, tell: func(s *side) {
		s.initialise()
		s.begin()
		time.Sleep(20 * time.Second) // the coordinator does not know of it yet
		s.offsets(1)
		time.Sleep(20 * time.Second)
		s.commit()
		s.abort()
		s.group()
	}},
	{name: "Transact that takes too long", change: brief, tell: func(s *side) {
		runs := 0
		s.transact("with retries", func(tx *producer.Tx) error {
			runs++
			tx.Send(s.t.Context(), one("a"))
			if runs == 1 {
				time.Sleep(20 * time.Second)
				tx.Send(s.t.Context(), one("b"))
			}
			return nil
		}, producer.TransactRetries(1))
		s.say("it ran %d times", runs)
		s.visible("one")
	}},
}
