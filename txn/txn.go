package txn

import (
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/protocol"
)

// Config is what a Txn needs. All of it is checked by its caller.
type Config struct {
	ID      string        // transactional.id
	Timeout time.Duration // transaction.timeout.ms
	// Delay is the wait before another attempt after so many failed ones in a row, from 0 on.
	Delay func(failures int) time.Duration
	// Patience is how long offsets are sent again until the transaction fails: delivery.timeout.ms.
	Patience time.Duration
}

// ErrAborted is why records fail whose transaction was aborted, or can only be, before they were acknowledged.
var ErrAborted = errors.New("the transaction was aborted")

// A Txn is the state of a transactional producer: who it is, what has become of its transaction, and which request is due
// next. Its owner is the sender loop.
type Txn struct {
	cfg     Config
	state   State
	fatal   *Error      // why the producer is Dead
	current transaction // that is open, or was last

	identity idempotent.Identity
	fresh    freshness // of its id
	level    int16     // of transaction.version, by which the identity was last used, or got
	renewal  bool      // the sequence of some partition is broken: a new epoch is needed before the next transaction

	newest   int16 // level of transaction.version that is finalised and that brokers have the requests for, as last heard
	unspoken error // why no transaction can be begun, as last heard: the coordinator has no request to end one

	// Calls that wait.
	inits     []*Op
	beginning *Op
	offsets   []*Op // the first is at work
	endings   []*Op

	now          time.Time     // as last told
	coordinators map[key]int32 // node ids
	flying       []*Step       // that wait for their answers
	attempts     attempts
}

// key names what a coordinator is for.
type key struct {
	kind int8
	name string
}

// A Partition names a partition.
type Partition struct {
	Topic string
	Index int32
}

// A Group says which consumer the offsets come from (KIP-447).
type Group struct {
	ID         string
	Generation int32 // or member epoch; -1: none
	MemberID   string
	InstanceID *string
}

// An Op is one call of a transactional method.
type Op struct {
	Done func(error) // called once, unless the call is left

	// Of SendOffsets.
	Group   Group
	Offsets []protocol.TxnOffsetCommitTopic // a TopicID that is zero is not known
	byName  bool                            // topic ids were refused
	until   time.Time                       // after which the transaction fails
}

// The names of the calls, for errors.
const (
	CallInit    = "InitTransactions"
	CallBegin   = "BeginTransaction"
	CallOffsets = "SendOffsetsToTransaction"
	CallCommit  = "CommitTransaction"
	CallAbort   = "AbortTransaction"
	CallClose   = "Close"
)

// New returns the state before InitTransactions.
func New(cfg Config) *Txn {
	return &Txn{cfg: cfg, identity: idempotent.None, coordinators: map[key]int32{}}
}

// ID returns the transactional id.
func (t *Txn) ID() string { return t.cfg.ID }

// State returns where the producer stands.
func (t *Txn) State() State { return t.state }

// Identity returns the producer id and epoch that the next records have; idempotent.None before there is one.
func (t *Txn) Identity() idempotent.Identity { return t.identity }

// New reports whether the transaction is in the protocol of KIP-890, in which a partition joins it by its first Produce.
func (t *Txn) New() bool { return t.level >= 2 }

// Number returns the number of the transaction whose records may be sent now, from 1 on; 0 if there is none.
func (t *Txn) Number() int64 {
	if t.state == InTransaction || t.state == Committing && t.current.end == notAsked {
		return t.current.number
	}
	return 0
}

// Fresh reports whether the producer id is one that brokers need not know yet: EndTxn tells the next id at once where epochs
// have run out, and its coordinator takes it when the markers are written. Until then INVALID_PRODUCER_ID_MAPPING passes.
func (t *Txn) Fresh() bool { return t.fresh.stage != settled }

// Last returns the number of the last transaction begun, ended or not; 0 before the first.
func (t *Txn) Last() int64 { return t.current.number }

// Ending reports whether the transaction waits for the last of its records.
func (t *Txn) Ending() bool { return t.state == Committing || t.state == Aborting }

// RoundingOff reports whether the last records of the transaction have come, or have as a rule: offsets come after them.
func (t *Txn) RoundingOff() bool { return t.Ending() || len(t.offsets) > 0 }

// Idle reports whether the producer can be closed without losing or blocking anything.
func (t *Txn) Idle() bool { return !t.state.open() }

// CanBegin reports whether BeginTransaction would begin a transaction, or ask for what it needs first.
func (t *Txn) CanBegin() bool { return t.said().begin == starts }

// Refusal returns why no record can be sent now, for the call of that name; nil if one can.
func (t *Txn) Refusal(call string) error { return t.refusal(call, t.said().add) }

// Asked reports whether EndTxn was sent: nothing of the transaction was left then, and what comes after is too late for it.
func (t *Txn) Asked() bool { return t.current.end != notAsked }

// Cause returns why what is left of the last transaction is dropped; nil if it is committed, or about to be, and has nothing left.
func (t *Txn) Cause() error {
	switch cause := t.current.cause; {
	case t.state.Dead():
		return &doomed{t.fatal.Err}
	case cause != nil && cause != ErrAborted:
		return &doomed{cause}
	default:
		return cause
	}
}

// Trouble returns what went wrong with the last request, if nothing has gone right since.
func (t *Txn) Trouble() error { return t.attempts.trouble }

// TroubledAt returns when that was.
func (t *Txn) TroubledAt() time.Time { return t.attempts.troubledAt }

// SetLevel notes the level of transaction.version that is finalised, or the one below it that brokers have the requests for.
// It counts from the next transaction on.
func (t *Txn) SetLevel(level int16) { t.newest = level }

// Pass notes that time has gone on.
func (t *Txn) Pass(now time.Time) { t.now = now }

// Overdue adds to a broker's error how long the transaction has been open, if that may be why: its coordinator aborts it after
// transaction.timeout, and then knows of none, or of a newer epoch.
func (t *Txn) Overdue(err error) error {
	code, _ := codeOf(err)
	open := t.now.Sub(t.current.began)
	if t.current.number == 0 || open < t.cfg.Timeout {
		return err
	}
	switch code {
	case protocol.InvalidTxnState, protocol.InvalidProducerEpoch, protocol.ProducerFenced, protocol.TransactionAbortable,
		protocol.InvalidProducerIDMapping:
		return fmt.Errorf("%w; it was open for %v, and the coordinator aborts a transaction after transaction.timeout.ms (%v)",
			err, open.Round(time.Millisecond), t.cfg.Timeout)
	}
	return err
}

// SetUnspoken notes why no transaction can be begun, whatever the level; nil if one can.
func (t *Txn) SetUnspoken(err error) { t.unspoken = err }

// Coordinator returns the node that coordinates the transactional id, if it is known.
func (t *Txn) Coordinator() (node int32, ok bool) {
	node, ok = t.coordinators[key{protocol.CoordinatorKeyTransaction, t.cfg.ID}]
	return node, ok
}

// CanAbort reports whether a transaction is open that Abort would end.
func (t *Txn) CanAbort() bool { return t.said().abort == starts || t.state == AbortingOrphan }

// Renew notes that the sequence of a partition is broken: a new epoch is needed before the next transaction.
func (t *Txn) Renew() { t.renewal = true }

func (t *Txn) failure(call string, outcome Outcome, next Next, err error) *Error {
	return &Error{Call: call, TransactionalID: t.cfg.ID, Outcome: outcome, Next: next, Err: err}
}

// dead is the error of a call to a producer that is Dead.
func (t *Txn) dead(call string) *Error {
	e := *t.fatal
	e.Call = call
	return &e
}
