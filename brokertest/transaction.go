package brokertest

import (
	"math"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// transaction is what the coordinator keeps of one transactional ID, from its first InitProducerId on: the producer that may
// use it, and its transaction. Guarded by Cluster.mu.
//
//	          first partition               EndTxn                     last marker
//	Empty ────────────────────► Ongoing ────────────► PrepareCommit ────────────► CompleteCommit
//	  ▲                            ▲  │  EndTxn, a time-out, another producer's InitProducerId
//	  │ InitProducerId             │  └─────────────► PrepareAbort ─────────────► CompleteAbort
//	  └─── Complete* ──────────────┘ first partition
//
// In the new protocol EndTxn may abort what never began, and ends each transaction under a new epoch.
type transaction struct {
	id         string
	state      TransactionState
	producerID int64
	epoch      int16
	previousID int64 // the producer ID before the last change of any kind, -1 for none
	lastEpoch  int16 // the epoch that the present producer had before; -1: another producer had it
	nextID     int64 // the producer ID from the end of this transaction on, -1 for the same
	timeout    time.Duration
	began      time.Time // when the first partition came
	ended      time.Time // when the outcome was decided
	partitions map[TopicPartition]bool
}

// TransactionState is what has become of a transaction, in Kafka's words.
type TransactionState string

const (
	StateEmpty          TransactionState = "Empty" // no transaction since InitProducerId
	StateOngoing        TransactionState = "Ongoing"
	StatePrepareCommit  TransactionState = "PrepareCommit" // decided; some markers are not written yet
	StatePrepareAbort   TransactionState = "PrepareAbort"
	StateCompleteCommit TransactionState = "CompleteCommit" // all markers are written
	StateCompleteAbort  TransactionState = "CompleteAbort"
)

// deciding reports whether markers are still to be written.
func (s TransactionState) deciding() bool { return s == StatePrepareCommit || s == StatePrepareAbort }

// lastClientEpoch is the highest epoch that a client gets. The coordinator keeps the next one, to fence with.
const lastClientEpoch = math.MaxInt16 - 1

func newTransaction(id string, producerID int64) *transaction {
	return &transaction{
		id: id, state: StateEmpty, producerID: producerID, epoch: -1, previousID: -1, lastEpoch: -1, nextID: -1,
		partitions: map[TopicPartition]bool{},
	}
}

func (t *transaction) exhausted() bool { return t.epoch >= lastClientEpoch }

// initialise gives the transactional ID to a producer. id and epoch are what the producer had before, or -1. It must not be
// called in the middle of a transaction.
func (t *transaction) initialise(id int64, epoch int16, newID func() int64) protocol.ErrorCode {
	known := id >= 0
	producerID, next, last := t.producerID, t.epoch+1, int16(-1)
	switch {
	case t.exhausted() && (!known || epoch == t.epoch):
		producerID, next = newID(), 0
		if known {
			last = t.epoch
		}
	case t.exhausted():
		return protocol.UnknownServerError // Kafka's coordinator throws
	case !known:
	case t.epoch == -1 || epoch == t.epoch:
		last = t.epoch
	case epoch == t.lastEpoch:
		// The answer to the same request was lost.
		next, last = t.epoch, t.lastEpoch
	default:
		return protocol.ProducerFenced
	}
	t.become(StateEmpty)
	t.producerID, t.epoch, t.lastEpoch = producerID, next, last
	return protocol.NoError
}

// owns reports whether a producer with that former identity may initialise the transactional ID, as far as the ID tells.
func (t *transaction) owns(id int64, epoch int16) bool {
	return t.epoch == -1 || id == t.producerID || id == t.previousID && epoch >= lastClientEpoch
}

// add adds partitions to the transaction, and begins it if need be. It adds all of them or none.
func (t *transaction) add(id int64, epoch int16, now time.Time, partitions ...TopicPartition) protocol.ErrorCode {
	if code := t.admits(id, epoch); code != protocol.NoError {
		return code
	}
	if t.state != StateOngoing {
		t.began = now
	}
	t.become(StateOngoing)
	for _, p := range partitions {
		t.partitions[p] = true
	}
	return protocol.NoError
}

// admits returns the code for a producer that uses the transaction now.
func (t *transaction) admits(id int64, epoch int16) protocol.ErrorCode {
	switch {
	case t.producerID != id:
		return protocol.InvalidProducerIDMapping
	case t.epoch != epoch:
		return protocol.ProducerFenced
	case t.state.deciding():
		return protocol.ConcurrentTransactions
	}
	return protocol.NoError
}

// become changes the state.
func (t *transaction) become(s TransactionState) { t.previousID, t.state = t.producerID, s }

// decide ends the transaction, by the new protocol under a new epoch.
func (t *transaction) decide(s TransactionState, bumps bool, now time.Time, newID func() int64) {
	if bumps {
		if t.exhausted() {
			t.nextID = newID()
		}
		t.lastEpoch = t.epoch
		if t.epoch < math.MaxInt16 {
			t.epoch++
		}
	}
	t.become(s)
	t.ended = now
}

// fence aborts an ongoing transaction under a new epoch, so that its producer learns that it has lost it.
func (t *transaction) fence(bumps bool, now time.Time, newID func() int64) {
	if !bumps {
		t.epoch, t.lastEpoch = min(t.epoch, lastClientEpoch)+1, -1
	}
	t.decide(StatePrepareAbort, bumps, now, newID)
}

// complete notes that all markers are written.
func (t *transaction) complete() {
	t.become(map[TransactionState]TransactionState{StatePrepareCommit: StateCompleteCommit, StatePrepareAbort: StateCompleteAbort}[t.state])
	if t.nextID >= 0 {
		t.producerID, t.epoch, t.nextID = t.nextID, 0, -1
	}
	clear(t.partitions)
}
