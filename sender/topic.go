package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/protocol"
)

// A topic is what the loop knows of one topic. Its sequence state outlives anything that metadata says, save a change of the
// topic's id (pitfall 9).
type topic struct {
	name   string
	id     protocol.UUID
	queues *accumulator.Topic
	meta   *metadata.Topic
	parts  []*partition
	at     int // its index in topics.listed

	unproven bool // id was learned while it was in doubt which cluster is there, and the doubt is not over

	// place is its index in the request of that number, which is being built.
	requestNo uint64
	place     int
	filledNo  uint64 // number of the last request that has a batch of it

	touched    time.Time // when metadata was last told that it is in use
	unsure     likeness  // whether it may be another cluster's, and is withheld: see doubtTopics
	leaderless time.Time // since when some partition has no leader, as the log was told; zero: all have one
	again      error     // how it last became another topic
	stamps     stamps
	former     stamps      // of the cluster before, for what was in flight when it turned out to be another
	counts     topicCounts // for metrics
}

// refuse has the queues of t take no more; nil: they take records again.
func (t *topic) refuse(err error) {
	for _, p := range t.parts {
		p.queue.Refuse(err)
	}
}
