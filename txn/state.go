package txn

import "fmt"

// A State is where a transactional producer stands. The package documentation has a picture.
type State uint8

// The states.
const (
	Uninitialized State = iota // InitTransactions has not been called, or has failed
	Initializing               // waiting for a producer id and epoch
	Ready                      // no transaction is open
	InTransaction              // records and offsets are taken
	Committing                 // no more are taken; EndTxn when all are acknowledged
	Aborting                   // what is left is dropped; EndTxn when nothing is in flight
	Failed                     // the transaction can only be aborted
	Renewing                   // waiting for a new epoch before the next transaction
	Fatal                      // nothing is possible any more
)

func (s State) String() string {
	names := [...]string{"uninitialized", "initializing", "ready", "in transaction", "committing", "aborting", "failed", "renewing", "fatal"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// A move is what changes the state.
type move uint8

const (
	initialize move = iota // InitTransactions
	refuseInit             // the coordinator gives no identity, or no new epoch, and may later
	identified             // it has given one
	begin                  // BeginTransaction
	commit                 // CommitTransaction
	abort                  // AbortTransaction
	fail                   // a record or a request of the transaction has failed for good
	ended                  // the coordinator has ended the transaction
	renew                  // a new epoch is needed first
	die                    // the producer is of no use any more
	moves
)

func (m move) String() string {
	return [...]string{"initialize", "refuse", "identify", "begin", "commit", "abort", "fail", "end", "renew", "die"}[m]
}

// table is the whole state machine. A move that is not in it is a bug of ours, and panics: callers' mistakes are refused
// before, and brokers' answers checked.
var table = map[State]map[move]State{
	Uninitialized: {initialize: Initializing, die: Fatal},
	Initializing:  {identified: Ready, refuseInit: Uninitialized, die: Fatal},
	Ready:         {begin: InTransaction, renew: Renewing, die: Fatal},
	InTransaction: {commit: Committing, abort: Aborting, fail: Failed, die: Fatal},
	Committing:    {fail: Failed, ended: Ready, die: Fatal},
	Failed:        {fail: Failed, abort: Aborting, die: Fatal},
	Aborting:      {fail: Aborting, ended: Ready, renew: Renewing, die: Fatal},
	Renewing:      {identified: Ready, refuseInit: Ready, die: Fatal},
	Fatal:         {fail: Fatal, die: Fatal}, // a late error changes nothing (pitfall 19)
}

// move takes the state along an arrow of the table.
func (t *Txn) move(m move) {
	next, ok := table[t.state][m]
	if !ok {
		panic(fmt.Sprintf("txn: %v is impossible in state %q", m, t.state))
	}
	t.state = next
}
