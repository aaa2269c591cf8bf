package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/metadata"
)

// A core is the state of the loop, without a clock and without I/O. Each part owns its fields, and everything else uses its
// methods. The core has what is left, and calls the parts in order.
type core struct {
	cfg       *Config
	out       effects
	acc       *accumulator.Accumulator
	meta      *metadata.Cluster
	published *published
	news      *news   // nil without a log
	hooks     *hooks  // nil without any
	pusher    *pusher // nil where no metrics are pushed

	now   time.Time // of the step or event at hand
	pause pause     // the last

	topics    topics
	schedule  schedule
	requests  requests
	nodes     nodes
	questions questions
	identity  identity
	lookups   lookups
	metrics   metrics
	txn       manager

	closing bool        // no more records
	aborted bool        // no more work
	before  Undelivered // records that had failed when it was aborted
	pending int         // events that will come: requests, compressions, dials
}

// effects is what the core wants done. None of it blocks, and its result comes back as an event.
type effects interface {
	// dial begins d to connect to n, sets d.stop, and delivers dialed in the end.
	dial(n *node, which lane, d *dial)
	// pack compresses d, and delivers packedUp once all batches of r are compressed.
	pack(r *request, d *delivery)
	// post delivers an event on the loop.
	post(e event)
	// end completes an outcome that has ended and has callbacks, in order.
	end(o *accumulator.Outcome)
	// after runs g.Exit when all callbacks handed to end so far have run.
	after(g *accumulator.Group)
	// random returns a number in [0, 1).
	random() float64
}

// sooner returns the earlier of two times, where zero means never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// latter returns the later of two times.
func latter(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

var zero time.Time // never, or nothing to wait for
