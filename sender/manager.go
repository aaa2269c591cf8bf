package sender

import (
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
)

// A manager is the transaction manager. It has whatever differs between a producer with a transactional id (transactor) and one
// without (ordinary). The core asks it, and never which of the two it is.
type manager interface {
	// Of calls of transactional methods.
	call(*txnCall)
	leave(*leaving)
	spoil(spoiled)

	// Of a step of the loop, and of its end.
	Pass(now time.Time)         // time has gone on
	stir()                      // a step begins
	ask() time.Time             // sends the requests that are due, and returns when to come back
	watch() time.Time           // looks for coordinators that are silent, and returns when to look again
	Idle() bool                 // no transaction is open
	close(g *accumulator.Group) // Close was called: g is to wait for the end of the transaction
	abandon()                   // it ends now
	unended() error             // how the transaction was given up; read when the loop has ended
	dead() error                // why the producer is of no more use; nil: it is
	report(*news)

	// Of what is heard of brokers.
	hear(n *node, which lane, cn conn) // a connection was made
	Unreachable(node int32, err error) // none can be
	turnedAway(err error)              // no broker lets this client in, and none ever has
	askFeatures(n *node)               // metadata has come from n
	replaced()                         // another cluster is in the place of the one that was
	unrecognised()                     // by the topics that are there, it may be another cluster
	disown()                           // the producer id may be another cluster's
	Coordinator() (int32, bool)        // the node that transactional requests go to, if it is known
	// unidentified returns what keeps the producer id from coming, for one who waits since then; nil: nothing that is known.
	unidentified(since time.Time) error

	// Of partitions.
	sweep(p *partition)            // each refresh of p begins with it
	sweeps() bool                  // sweep can do something
	admits(p *partition) bool      // batches of p may be sent
	joins(p *partition) bool       // p has to be added to the transaction first
	Ending() bool                  // nothing lingers: the transaction waits for its last records
	spare(n int) int               // how many of n may be in flight now
	sequenceBroken(p *partition)   // p's sequence is broken
	forsake(p *partition)          // p's producer id may be somebody else's
	wiped(p *partition, why error) // p's log is gone
	retire(p *partition)           // p is forgotten, and has numbers
	// joining returns what keeps p from being added, for one who waits since then; nil: nothing that is known.
	joining(p *partition, since time.Time) error

	// Of batches.
	stamp(r *request)                     // r is about to be sent
	delivered(d *delivery)                // a broker has d
	qualify(a *attempt)                   // a is to be judged
	recordFailed(number int64, err error) // a record of the transaction with that number has failed for good
	// strange reports whether a success is another producer's.
	strange(p *partition, d *delivery, leader int32, appendTime int64) bool
	// explain returns err, a broker's answer to d, with what it means.
	explain(p *partition, d *delivery, code protocol.ErrorCode, err error) error
	// failWhole ends all of d if records at fault lose its transaction; false: the others go on.
	failWhole(p *partition, d *delivery, bad []refusal, good []accumulator.Range) bool
}

// ordinary is the manager of a producer without a transactional id: nothing of it is transactional, and any broker gives it its
// producer id.
type ordinary struct{ c *core }

var errNotTransactional = errors.New("the producer has no transactional id")

func (ordinary) call(call *txnCall) {
	call.err = fmt.Errorf("%s: %w", call.name, errNotTransactional)
	close(call.ended)
}
func (ordinary) leave(e *leaving) { close(e.left) }
func (ordinary) spoil(spoiled)    {}

func (ordinary) Pass(time.Time)           {}
func (ordinary) stir()                    {}
func (m ordinary) ask() time.Time         { return m.c.askIdentity() }
func (ordinary) watch() time.Time         { return zero }
func (ordinary) Idle() bool               { return true }
func (ordinary) close(*accumulator.Group) {}
func (ordinary) abandon()                 {}
func (ordinary) unended() error           { return nil }
func (ordinary) report(*news)             {}
func (ordinary) hear(*node, lane, conn)   {}
func (ordinary) Unreachable(int32, error) {}
func (ordinary) turnedAway(error)         {}
func (ordinary) askFeatures(*node)        {}
func (ordinary) replaced()                {}

// Coordinator returns none.
func (ordinary) Coordinator() (int32, bool) { return 0, false }

// unrecognised gives up all producer ids of the old cluster.
func (m ordinary) unrecognised() {
	m.disown()
	for p := range m.c.numbered {
		if !p.numbers.Abandoned() {
			m.c.abandon(p)
		}
	}
}

func (ordinary) sweep(*partition)                    {}
func (ordinary) sweeps() bool                        { return false }
func (ordinary) admits(*partition) bool              { return true }
func (ordinary) joins(*partition) bool               { return false }
func (ordinary) joining(*partition, time.Time) error { return nil }
func (ordinary) Ending() bool                        { return false }
func (ordinary) spare(n int) int                     { return n }
func (ordinary) sequenceBroken(*partition)           {}
func (ordinary) forsake(p *partition)                { p.numbers.Abandon() }
func (ordinary) wiped(*partition, error)             {}

func (m ordinary) retire(p *partition) { m.c.identity.retire(p) }

func (ordinary) stamp(*request)            {}
func (ordinary) delivered(*delivery)       {}
func (ordinary) qualify(*attempt)          {}
func (ordinary) recordFailed(int64, error) {}

func (ordinary) failWhole(*partition, *delivery, []refusal, []accumulator.Range) bool { return false }

func (m ordinary) strange(p *partition, d *delivery, leader int32, appendTime int64) bool {
	return m.c.cfg.Idempotent && m.c.strange(p, d, leader, appendTime)
}

func (m ordinary) explain(p *partition, d *delivery, code protocol.ErrorCode, err error) error {
	if !m.c.cfg.Idempotent {
		return err
	}
	return m.c.suspect(p, d, code, err)
}
