package txn

// A reply is what a call gets at once.
type reply uint8

const (
	starts       reply = iota // it begins what it asks for, and waits for it
	waits                     // it waits for what an earlier call has begun
	done                      // there is nothing to do
	reports                   // it has been done, and nobody was told
	isDead                    // an Error: nothing is possible any more
	hasFailed                 // an Error: the transaction can only be aborted
	needsInit                 // from here on it is refused with a StateError
	needsBoth                 // the same, of what is to become part of a transaction
	needsBegin                // no transaction is open
	needsOpen                 // the same, of what is to become part of one
	isOpen                    // a transaction is open
	isCommitting              // it is being committed
	isAborting                // it is being aborted
	isUnreported              // the last commit has been told to nobody
	isWaited                  // somebody waits already, where only one can
	replies
)

// rules say what is wrong with a call that is refused, and what to do instead.
var rules = [replies]string{
	needsInit:    "call InitTransactions first",
	needsBoth:    "the producer has a transactional id: call InitTransactions and BeginTransaction first, or use Transact",
	needsBegin:   "no transaction is open: call BeginTransaction first",
	needsOpen:    "no transaction is open: call BeginTransaction first, or use Transact",
	isOpen:       "a transaction is open, and whoever has begun it has to commit or abort it first. " + ruleOverlap,
	isCommitting: "a commit is in progress, and only its end can tell the outcome: call CommitTransaction again",
	isAborting:   "the transaction is being aborted: call AbortTransaction again to wait for it",
	isUnreported: "the outcome of the last commit has been told to nobody: call CommitTransaction again",
	isWaited:     "it has been called already, and has not returned",
}

const ruleOverlap = "If that is another goroutine, calls overlap: give each a producer with a transactional.id of its own, or call one after the other"

// A row is the replies to each call in one state, and what is then known of the transaction.
type row struct {
	init, begin, add, commit, abort reply   // add: a record, or offsets
	left                            Outcome // for a caller who no longer waits for its end, or for offsets to be added
	lost                            Outcome // if the producer dies, since nobody can commit it any more; but see lostOutcome
}

// said has a row for each state; testdata/replies.txt prints it. In state Fatal the last two columns mean nothing: the outcome
// is that of the error which made the producer Dead.
var said = [stateCount]row{
	Uninitialized:    {starts, needsInit, needsBoth, needsInit, needsInit, Open, Open},
	Initializing:     {waits, needsInit, needsBoth, needsInit, needsInit, Open, Open},
	Ready:            {done, starts, needsOpen, needsBegin, needsBegin, Open, Open},
	CommitUnreported: {done, isUnreported, needsOpen, reports, needsBegin, Open, Committed},
	AbortUnreported:  {done, starts, needsOpen, needsBegin, reports, Open, Open},
	Renewing:         {done, waits, needsOpen, needsBegin, needsBegin, Open, Open},
	InTransaction:    {isOpen, isOpen, starts, starts, starts, Open, Aborted},
	Committing:       {isOpen, isCommitting, needsOpen, waits, isCommitting, Unknown, Aborted},
	Failed:           {isOpen, isOpen, hasFailed, hasFailed, starts, Open, Aborted},
	Aborting:         {isOpen, isAborting, needsOpen, isAborting, waits, Aborted, Aborted},
	AbortingByEpoch:  {done, isAborting, needsOpen, isAborting, waits, Aborted, Aborted},
	Orphaned:         {isDead, isDead, isDead, isDead, starts, Aborted, Aborted},
	AbortingOrphan:   {isDead, isDead, isDead, isDead, waits, Aborted, Aborted},
	OrphanUnreported: {isDead, isDead, isDead, isDead, reports, Aborted, Aborted},
	Fatal:            {isDead, isDead, isDead, isDead, isDead, Open, Open},
}

func (t *Txn) said() *row { return &said[t.state] }

// reply gives a call the reply r, and returns r. What the call starts or waits for is up to the caller.
func (t *Txn) reply(call string, r reply, op *Op) reply {
	switch r {
	case starts, waits:
	case reports:
		t.move(report)
		op.Done(nil)
	default:
		op.Done(t.refusal(call, r))
	}
	return r
}

// refusal is the error of a call that gets r; nil if it gets none.
func (t *Txn) refusal(call string, r reply) error {
	switch {
	case r == hasFailed:
		return t.failure(call, Open, Abort, t.current.cause)
	case r == isDead && (call == CallInit || call == CallCommit || call == CallAbort):
		return t.dead(call)
	case r == isDead:
		return t.tooLate(call)
	case rules[r] != "":
		return &StateError{call, rules[r]}
	}
	return nil
}
