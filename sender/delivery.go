package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/idempotent"
)

// A delivery is a batch from its drain to the end of its last attempt. The user may have been told an outcome earlier.
type delivery struct {
	*accumulator.Batch // nil once its records have been told, unless a request holds it: it may be another's
	part               *partition
	opened             time.Time // the batch's, nearer at hand

	doubt    *doubt // of the batch that it is a part of; nil if there is none
	identity idempotent.Identity
	seq      int32
	order    int64
	rank     int64 // among the batches that its partition has sent, pieces counted singly
	numbered bool

	conn     conn  // which it is in flight on
	era      int32 // of its partition's numbers when it was sent
	attempts int
	limit    int  // of a half: its topic's, as far as it was known when the batch was split; 0: no half
	unknown  bool // some attempt may have been written; see doubtful
	keeps    bool // its numbers, though its partition needs a new epoch
	resolved bool // its records have their outcome
	old      bool // sent while the topic had another id
	packed   bool // compressed, or found to be incompressible
	over     bool // acknowledged, and that was all there was to tell

	sending *sending // for hooks; nil without any, and while it waits
	counted bool     // it was given to a connection, and counted
	why     string   // what the last attempt has failed with, for metrics
}

// before is the order in which a partition's batches were first drained; pieces of one batch go by their place in it.
func (d *delivery) before(o *delivery) int {
	switch {
	case d.order != o.order:
		return int(d.order - o.order)
	default:
		return int(d.First() - o.First())
	}
}
