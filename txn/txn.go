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
	// Delay is the wait before the next attempt, after so many failed ones in a row, from 0 on.
	Delay func(failures int) time.Duration
	// Patience is how long offsets are sent again until the transaction fails: delivery.timeout.ms.
	Patience time.Duration
	// Hindered returns what has kept the request that is due from its end, for one who waits since a time; nil: nothing is known.
	Hindered func(since time.Time) error
}

// ErrAborted is the error of records that were not acknowledged before their transaction was aborted, or could only be aborted.
var ErrAborted = errors.New("the transaction was aborted")

// A Txn is the state of a transactional producer: its identity, what has become of its transaction, and which request is due
// next. It belongs to the sender loop.
type Txn struct {
	cfg     Config
	state   State
	fatal   *Error      // why the producer is Dead
	current transaction // the open one, or else the last

	identity idempotent.Identity
	fresh    freshness // of identity's id
	level    int16     // of transaction.version, under which the identity was given or last used
	renewal  bool      // the sequence of some partition is broken: a new epoch is needed before the next transaction

	newest   int16 // as SetLevel, for the next transaction
	unspoken error // why no transaction can be begun: the coordinator has no request to end one, as last heard

	// Calls that wait.
	inits     []*Op
	beginning *Op
	offsets   []*Op // the first is being sent
	endings   []*Op

	now          time.Time     // the time that was last passed in
	coordinators map[key]int32 // node ids
	inFlight     []*Step       // without an answer
	attempts     attempts
}

// A key says what a coordinator is for: a transactional id, or a group.
type key struct {
	kind int8
	name string
}

// A Partition names a partition.
type Partition struct {
	Topic string
	Index int32
}

// A Group names the consumer from which offsets come (KIP-447).
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
	Offsets []protocol.TxnOffsetCommitTopic // a zero TopicID is unknown
	byName  bool                            // topic ids were refused, so names are sent
	until   time.Time                       // the transaction fails then
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

// UsesV2 reports whether the transaction is in the protocol of KIP-890, in which a partition joins it by its first Produce.
func (t *Txn) UsesV2() bool { return t.level >= 2 }

// Number returns the number of the transaction whose records may be sent now, from 1 on; 0 if there is none.
func (t *Txn) Number() int64 {
	if t.state == InTransaction || t.state == Committing && t.current.end == endNotSent {
		return t.current.number
	}
	return 0
}

// Fresh reports whether brokers may not know the producer id yet. Where epochs have run out, EndTxn gives the next id at once,
// and the coordinator takes it when the markers are written. Until then INVALID_PRODUCER_ID_MAPPING passes.
func (t *Txn) Fresh() bool { return t.fresh.stage != settled }

// Last returns the number of the last transaction begun, ended or not; 0 before the first.
func (t *Txn) Last() int64 { return t.current.number }

// Ending reports whether the transaction waits for the last of its records.
func (t *Txn) Ending() bool { return t.state == Committing || t.state == Aborting }

// EndsSoon reports whether the last records of the transaction have probably come: its end, or its offsets, were asked for.
func (t *Txn) EndsSoon() bool { return t.Ending() || len(t.offsets) > 0 }

// Idle reports whether no transaction is open, so that closing loses and blocks nothing.
func (t *Txn) Idle() bool { return !t.state.open() }

// CanBegin reports whether BeginTransaction would begin a transaction, or ask for what it needs first.
func (t *Txn) CanBegin() bool { return t.said().begin == starts }

// Refusal returns the error with which the call of that name is refused if it sends a record now; nil if it may.
func (t *Txn) Refusal(call string) error { return t.refusal(call, t.said().add) }

// Asked reports whether EndTxn was sent. Nothing of the transaction was left then, so whatever comes now is too late for it.
func (t *Txn) Asked() bool { return t.current.end != endNotSent }

// Cause returns why the remaining records of the last transaction are dropped. It is nil if the transaction is committed, or is
// about to be and has none left.
func (t *Txn) Cause() error {
	switch cause := t.current.cause; {
	case t.state.Dead():
		return &uncommittable{t.fatal.Err}
	case cause != nil && cause != ErrAborted:
		return &uncommittable{cause}
	default:
		return cause
	}
}

// Trouble returns what went wrong with the last request, if nothing has gone right since.
func (t *Txn) Trouble() error { return t.attempts.trouble }

// TroubledAt returns when that went wrong.
func (t *Txn) TroubledAt() time.Time { return t.attempts.troubledAt }

// SetLevel notes the finalised level of transaction.version, or the one below it for which brokers have the requests. It counts
// from the next transaction on.
func (t *Txn) SetLevel(level int16) { t.newest = level }

// Pass tells the time.
func (t *Txn) Pass(now time.Time) { t.now = now }

// Overdue adds to a broker's error how long the transaction has been open, if that may be the reason. The coordinator aborts it
// after transaction.timeout, and then knows no transaction, or a newer epoch.
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

// Coordinator returns the node of the transactional id's coordinator, if it is known.
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

// dead is the error of a call to a producer that is Dead. To put the configuration right does not let it begin anything again.
func (t *Txn) dead(call string) *Error {
	e := *t.fatal
	e.Call = call
	if e.Next == FixConfiguration && !t.CanAbort() && (call == CallInit || call == CallBegin) {
		e.Next = NewProducer
	}
	return &e
}

// tooLate is dead for a call that would begin or add to a transaction. Where the last one is committed or in doubt, what is too
// late for it is neither: nothing of it is begun.
func (t *Txn) tooLate(call string) *Error {
	e := t.dead(call)
	if e.Outcome == Committed || e.Outcome == Unknown {
		e.Outcome = Open
	}
	return e
}
