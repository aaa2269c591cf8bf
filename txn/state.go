package txn

import "fmt"

// A State is where a transactional producer stands. The package documentation has a picture.
type State uint8

// The states. A transaction is open from InTransaction to AbortingOrphan.
const (
	Uninitialized    State = iota // InitTransactions has not been called, or has failed
	Initializing                  // waiting for a producer id and epoch
	Ready                         // no transaction is open
	CommitUnreported              // the same, and the last was committed after its caller had left
	AbortUnreported               // the same, and the last was aborted after its caller had left
	Renewing                      // waiting for a new epoch before the next transaction
	InTransaction                 // records and offsets are taken
	Committing                    // no more are taken; EndTxn when all are acknowledged
	Failed                        // the transaction can only be aborted
	Aborting                      // what is left is dropped; EndTxn when nothing is in flight
	AbortingByEpoch               // waiting for a new epoch, which aborts the transaction where EndTxn cannot
	Orphaned                      // the producer is of no more use, and EndTxn can still abort its transaction
	AbortingOrphan                // that abort is under way
	OrphanUnreported              // that abort was done after its caller had left
	Fatal                         // nothing is possible any more
	stateCount
)

var stateNames = [stateCount]string{
	"uninitialized", "initializing", "ready", "commit unreported", "abort unreported", "renewing",
	"in transaction", "committing", "failed", "aborting", "aborting by epoch",
	"orphaned", "aborting orphan", "orphan unreported", "fatal",
}

func (s State) String() string {
	if s < stateCount {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Dead reports whether the producer is of no more use. All that can be left to do is to abort its last transaction.
func (s State) Dead() bool { return s >= Orphaned }

// open reports whether a transaction is open, which has to be ended.
func (s State) open() bool { return s >= InTransaction && s <= AbortingOrphan }

// A move is what changes the state.
type move uint8

const (
	initialize       move = iota // InitTransactions
	refuse                       // an identity, a new epoch or the end of an orphan is refused now, and may be given later
	identified                   // the coordinator has given an identity
	begin                        // BeginTransaction
	commit                       // CommitTransaction
	abort                        // AbortTransaction
	fail                         // a record or a request of the transaction has failed for good; it comes at any time
	finish                       // the transaction has ended, and who asked for that is told
	finishUnreported             // the transaction has ended, and nobody waits for that
	report                       // the end that nobody was told of is asked for again
	renew                        // a new epoch is needed: before the next transaction, or to abort this one
	orphan                       // the producer is of no more use, but can abort what is open
	die                          // the producer is of no more use
	moves
)

func (m move) String() string {
	return [...]string{
		"initialize", "refuse", "identify", "begin", "commit", "abort", "fail", "finish", "finish unreported", "report", "renew", "orphan", "die",
	}[m]
}

// table is the whole state machine. A move that is not in it is a bug of ours and panics: mistakes of callers are refused
// before, and answers of brokers are checked. A late failure changes nothing (pitfall 19).
var table = [stateCount]map[move]State{
	Uninitialized:    {initialize: Initializing, fail: Uninitialized, die: Fatal},
	Initializing:     {identified: Ready, refuse: Uninitialized, fail: Initializing, die: Fatal},
	Ready:            {begin: InTransaction, renew: Renewing, fail: Ready, die: Fatal},
	CommitUnreported: {report: Ready, fail: CommitUnreported, die: Fatal},
	AbortUnreported:  {report: Ready, begin: InTransaction, renew: Renewing, fail: AbortUnreported, die: Fatal},
	Renewing:         {identified: Ready, refuse: Ready, fail: Renewing, die: Fatal},
	InTransaction:    {commit: Committing, abort: Aborting, fail: Failed, orphan: Orphaned, die: Fatal},
	Committing:       {finish: Ready, finishUnreported: CommitUnreported, fail: Failed, orphan: Orphaned, die: Fatal},
	Failed:           {abort: Aborting, fail: Failed, orphan: Orphaned, die: Fatal},
	Aborting:         {finish: Ready, finishUnreported: AbortUnreported, renew: AbortingByEpoch, fail: Aborting, orphan: Orphaned, die: Fatal},
	AbortingByEpoch:  {finish: Ready, finishUnreported: AbortUnreported, fail: AbortingByEpoch, orphan: Orphaned, die: Fatal},
	Orphaned:         {abort: AbortingOrphan, fail: Orphaned, die: Fatal},
	AbortingOrphan:   {finish: Fatal, finishUnreported: OrphanUnreported, refuse: Orphaned, fail: AbortingOrphan, die: Fatal},
	OrphanUnreported: {report: Fatal, fail: OrphanUnreported, die: Fatal},
	Fatal:            {fail: Fatal, die: Fatal},
}

// move takes the state along an arrow of the table.
func (t *Txn) move(m move) {
	next, ok := table[t.state][m]
	if !ok {
		panic(fmt.Sprintf("txn: %v is impossible in state %q", m, t.state))
	}
	t.state = next
}
