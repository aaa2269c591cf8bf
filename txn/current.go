package txn

import "time"

// A transaction is what is known of the one that is open, or was last. Each begins as a new value.
type transaction struct {
	number int64 // from 1 on; 0: none has begun
	began  time.Time
	known  knowledge
	end    endRequest
	cause  error // why it cannot be committed: the first failure, or ErrAborted

	// The level of transaction.version by whose requests offsets are sent, and the end is asked for. It is less than that of
	// the transaction where a node has no others.
	offsetsLevel int16
	endLevel     int16

	pending []Partition     // are to be added, by the old protocol
	added   []Partition     // were added, and Added has not told
	groups  map[string]bool // were added, by the old protocol
}

// newTransaction is the state of one that begins.
func newTransaction(number int64, now time.Time, level int16) transaction {
	return transaction{number: number, began: now, offsetsLevel: level, endLevel: level, groups: map[string]bool{}}
}

// Knowledge is what the coordinator knows of a transaction.
type knowledge uint8

const (
	unheard knowledge = iota // nothing: it was never told, or says that nothing is open
	maybe                    // it was told, and may not have heard
	sure                     // it has taken something
)

// told notes that something was sent that tells the coordinator of the transaction.
func (t *transaction) told() { t.known = max(t.known, maybe) }

// An endRequest says what has become of the EndTxn of a transaction.
type endRequest uint8

const (
	notAsked endRequest = iota // it was not sent, or was refused without effect
	asked                      // it was sent, and has not taken effect as far as is known
	inDoubt                    // it may have taken effect
	crossed                    // the same, and it was of the new protocol: the next are of the old, under an epoch that may be over
)

// doubt notes that an EndTxn may have taken effect.
func (t *transaction) doubt() { t.end = max(t.end, inDoubt) }

// doubtful reports whether one may have.
func (t *transaction) doubtful() bool { return t.end >= inDoubt }

// lowerEnd has the end be asked for by the old protocol.
func (t *transaction) lowerEnd() {
	t.endLevel = 1
	if t.doubtful() {
		t.end = crossed
	}
}
