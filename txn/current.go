package txn

import "time"

// A transaction is what is known of the open transaction, or else of the last one. Each begins as a new value.
type transaction struct {
	number int64 // from 1 on; 0: none has begun
	began  time.Time
	known  knowledge
	stray  bool // a request that adds something to it got no answer, and may still arrive
	end    endRequest
	cause  error // why it cannot be committed: the first failure, or ErrAborted

	// The levels of transaction.version by which offsets are sent, and by which the transaction is ended. Both are the
	// transaction's own level, unless a node knows only the requests of a lower one.
	offsetsLevel int16
	endLevel     int16

	pending []Partition     // to be added, in the old protocol
	added   []Partition     // added, and not yet returned by Added
	groups  map[string]bool // consumer groups that were added, in the old protocol
}

// newTransaction returns the state of a transaction that begins.
func newTransaction(number int64, now time.Time, level int16) transaction {
	return transaction{number: number, began: now, offsetsLevel: level, endLevel: level, groups: map[string]bool{}}
}

// knowledge is what the coordinator knows of a transaction.
type knowledge uint8

const (
	unregistered    knowledge = iota // nothing was sent to it, or it says that nothing is open
	maybeRegistered                  // something was sent to it, which may not have arrived
	registered                       // it has taken something as part of the transaction
)

// announced notes that something was sent that makes the transaction known to the coordinator.
func (t *transaction) announced() { t.known = max(t.known, maybeRegistered) }

// An endRequest says what has become of the EndTxn of a transaction.
type endRequest uint8

const (
	endNotSent endRequest = iota // it was not sent, or was refused without effect
	endSent                      // it was sent, and has not taken effect as far as is known
	endInDoubt                   // it may have taken effect
	endLowered                   // the same, for one of the new protocol; the next one is of the old, and its epoch may be over
)

// doubt notes that an EndTxn may have taken effect.
func (t *transaction) doubt() { t.end = max(t.end, endInDoubt) }

// doubtful reports whether an EndTxn may have taken effect.
func (t *transaction) doubtful() bool { return t.end >= endInDoubt }

// lowerEnd makes the next EndTxn one of the old protocol.
func (t *transaction) lowerEnd() {
	t.endLevel = 1
	if t.doubtful() {
		t.end = endLowered
	}
}
