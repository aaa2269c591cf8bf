package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/idempotent"
)

// A delivery is a batch from its drain to the end of its last attempt. Its records may have their outcome earlier.
type delivery struct {
	*accumulator.Batch // nil once its records have their outcome, unless a request holds it: it may be reused by then
	part               *partition
	opened             time.Time // the batch's; here it is at hand

	doubt    *doubt // of the batch that it is a part of; nil if there is none
	identity idempotent.Identity
	seq      int32
	order    int64
	rank     int64 // among the batches that its partition has sent, pieces counted singly
	numbered bool

	conn     conn  // which it is in flight on
	era      int32 // of its partition's numbers when it was sent
	attempts int
	limit    int  // of a half of a split batch: the topic's limit when it was split; 0: it is no half
	unknown  bool // some attempt may have been written; see doubtful
	keeps    bool // it keeps its numbers, though its partition needs a new epoch
	resolved bool // its records have their outcome
	old      bool // sent while the topic had another id
	packed   bool // compressed, or found to be incompressible
	over     bool // acknowledged as a whole, so it can be reused

	sending *sending // for hooks; nil without any, and while it waits
	counted bool     // it was given to a connection, and counted
	why     string   // what the last attempt has failed with, for metrics
}

// before orders a partition's batches as they were first drained, and the pieces of one batch by their place in it.
func (d *delivery) before(o *delivery) int {
	switch {
	case d.order != o.order:
		return int(d.order - o.order)
	default:
		return int(d.First() - o.First())
	}
}
