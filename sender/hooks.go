package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
)

// Hooks are the functions that are told what happens. Each may be nil. All of them run on the loop's own goroutine, one after
// the other and under no lock. The loop does nothing else meanwhile. What an event points to is valid during the call.
type Hooks struct {
	// OnCallers says that callers may run them, too, in a step that they do: none of them waits for what a caller may hold.
	OnCallers bool

	BatchSent         func(*BatchEvent) // handed to a connection, in a request
	BatchAcknowledged func(*BatchEvent)
	BatchRetried      func(*BatchEvent) // it will be sent again
	BatchSplit        func(*BatchEvent) // parts of it will be sent in its place
	BatchFailed       func(*BatchEvent) // all records that are left of it have failed

	Connected    func(*BrokerEvent) // or not: then Err is set
	Disconnected func(*BrokerEvent)
	RequestEnded func(*RequestEvent)
	Throttled    func(*BrokerEvent)

	LeaderMoved  func(*PartitionEvent)
	EpochRenewed func(*PartitionEvent)

	TransactionBegun func(*TransactionEvent)
	TransactionEnded func(*TransactionEvent)
}

// Any reports whether anybody is told anything.
func (on *Hooks) Any() bool {
	return on.BatchSent != nil || on.BatchAcknowledged != nil || on.BatchRetried != nil || on.BatchSplit != nil || on.BatchFailed != nil ||
		on.Connected != nil || on.Disconnected != nil || on.RequestEnded != nil || on.Throttled != nil ||
		on.LeaderMoved != nil || on.EpochRenewed != nil || on.TransactionBegun != nil || on.TransactionEnded != nil
}

// A BatchEvent is what has happened to a batch.
type BatchEvent struct {
	Batch   *accumulator.Batch
	Attempt int       // how often it was sent
	Sent    time.Time // when the attempt at hand began; zero: there is none
	Node    int32     // where to
	Addr    string    // the same

	Err          error // why it is retried, split, or has failed; nil: nothing was wrong with it
	MayBeWritten bool  // of a failure: its records may be in the log

	Offset     int64 // of an acknowledgement: of the first record; -1: not known
	AppendTime int64 // the same: Unix milliseconds that the broker has set; -1: none

	Parts  int // of a split: how many there are
	Faulty int // the same: records that the broker has found at fault, which are in no part
}

// A BrokerEvent is what has happened to a connection.
type BrokerEvent struct {
	Node    int32 // negative: a bootstrap server
	Addr    string
	Control bool          // it is not for Produce
	Took    time.Duration // to connect
	Lasted  time.Duration // of a connection that has ended
	Err     error
	Asked   time.Duration // of a throttling
	Granted time.Duration // of that
}

// A RequestEvent is the end of a request.
type RequestEvent struct {
	Node            int32
	Addr            string
	API             protocol.API
	Version         int16
	Asked           time.Time // when it was handed to the connection
	Written         time.Time // when its write began; zero: never
	Ended           time.Time
	Request, Answer int // bytes
	MayBeThere      bool
	Err             error
}

// A PartitionEvent is a new leader, or new numbers.
type PartitionEvent struct {
	Topic     string // "" with Partition -1: all of a transactional producer's
	Partition int32
	From, To  int32 // leaders; -1: none
	ID        int64
	Epoch     int16
}

// A TransactionEvent is the beginning or end of a transaction.
type TransactionEvent struct {
	Number  int64
	ID      int64 // the producer's
	Epoch   int16
	Began   time.Time
	Asked   time.Time // of the end: when it was asked for; zero: it was not
	Commit  bool      // that was a commit
	Outcome txn.Outcome
	Err     error
}

// hooks tell of what the core does. It is nil where nobody is to be told, so its methods do nothing then.
type hooks struct {
	c  *core
	on *Hooks

	open       map[conn]opened         // connections that were told of, and whose end was not
	leaderless map[*partition]struct{} // that were told to have lost their leader

	txn reportedTransaction
}

// An opened connection is one whose beginning the hooks know, with what they will be told when it ends.
type opened struct {
	node    int32
	addr    string
	control bool
	at      time.Time
}

// A sending is an attempt to send a batch, from when it is on its way until its end was told.
type sending struct {
	at      time.Time
	node    int32
	addr    string
	attempt int
}

func newHooks(c *core, on *Hooks) *hooks {
	if on == nil {
		return nil
	}
	return &hooks{
		c: c, on: on, open: map[conn]opened{}, leaderless: map[*partition]struct{}{},
		txn: reportedTransaction{identity: idempotent.None},
	}
}

// end tells the end of what is still open when the loop has done its last step.
func (h *hooks) end() {
	if h == nil {
		return
	}
	for cn := range h.open {
		h.closed(cn, nil)
	}
}

// moved tells that p has another leader by now. Its first leader is no move.
func (h *hooks) moved(p *partition, from, to int32) {
	if h == nil || h.on.LeaderMoved == nil || from == to {
		return
	}
	if from < 0 {
		if _, lost := h.leaderless[p]; !lost {
			return
		}
		delete(h.leaderless, p)
	}
	if to < 0 {
		h.leaderless[p] = struct{}{}
	}
	h.on.LeaderMoved(&PartitionEvent{Topic: p.topic.name, Partition: p.index, From: max(from, -1), To: max(to, -1), ID: -1, Epoch: -1})
}

// renewed tells that p goes on under another epoch.
func (h *hooks) renewed(p *partition) {
	if h == nil || h.on.EpochRenewed == nil {
		return
	}
	id := p.numbers.Identity()
	h.on.EpochRenewed(&PartitionEvent{Topic: p.topic.name, Partition: p.index, From: -1, To: -1, ID: id.ID, Epoch: id.Epoch})
}
