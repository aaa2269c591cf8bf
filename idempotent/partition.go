package idempotent

import (
	"math"
	"time"
)

// idle is how long the broker's state of a partition is trusted to be there without a further acknowledgement.
const idle = 10 * time.Minute

// A Partition numbers the batches of one partition. The zero value has no identity yet.
type Partition struct {
	identity Identity
	started  bool
	next     int32 // of the next batch's first record
	broken   bool  // the broker may expect another number than next
	left     bool  // the producer id was abandoned: no epoch of it may be taken any more
	strange  bool  // it was, and somebody else is known to have it
	proven   bool  // the broker has acknowledged under this producer id, and nothing has disturbed that since
	era      int32 // disturbances so far
	lastAck  time.Time
}

// Identity returns the identity that the partition numbers with now.
func (p *Partition) Identity() Identity { return p.identity }

// Started reports whether the partition has an identity.
func (p *Partition) Started() bool { return p.started }

// Start gives the partition its identity, at sequence 0.
func (p *Partition) Start(id Identity) {
	*p = Partition{identity: id, started: true, era: p.era}
}

// Adopt takes an identity that the coordinator of a transactional id has given, at sequence 0. The partition must have no
// unresolved batch. As long as the producer id stays, the broker's state is known to be there.
func (p *Partition) Adopt(id Identity) {
	proven := p.proven && id.ID == p.identity.ID && !p.left
	*p = Partition{identity: id, started: true, proven: proven, era: p.era, lastAck: p.lastAck}
}

// Number takes the sequence numbers for count records and returns the first.
func (p *Partition) Number(count int32) int32 {
	if !p.started || p.broken {
		panic("idempotent: numbered without a valid identity")
	}
	seq := p.next
	if p.identity == None {
		return -1
	}
	p.next = Advance(seq, count)
	return seq
}

// Proven reports whether more than one batch may be in flight.
func (p *Partition) Proven(now time.Time) bool {
	return p.identity == None || p.proven && now.Sub(p.lastAck) < idle
}

// Acked notes that the broker took a batch with the given identity.
func (p *Partition) Acked(id Identity, now time.Time) {
	if id.ID != p.identity.ID {
		return
	}
	p.proven, p.lastAck = true, now
}

// Disturb notes that the broker's state may be gone: after a failed answer, or a change of leader, of its epoch, or of the
// topic id.
func (p *Partition) Disturb() {
	p.proven = false
	p.era++
}

// Era changes with each Disturb. An acknowledgement counts only in the era in which its batch was sent: a late one of an old
// leader says nothing of the new leader.
func (p *Partition) Era() int32 { return p.era }

// Break notes that numbers were taken for records that were not written, or may not have been. The partition then needs a new
// epoch before it takes the next number. A partition without an identity has taken none.
func (p *Partition) Break() {
	if p.started && p.identity != None {
		p.broken = true
	}
}

// Broken reports whether the partition needs a new epoch.
func (p *Partition) Broken() bool { return p.broken }

// Abandon is Break and Disturb for a producer id that may be somebody else's in the log at hand. A higher epoch of that id
// could meet the other's numbers, so the partition needs an identity that is given after this.
func (p *Partition) Abandon() {
	p.Break()
	p.Disturb()
	p.left = p.broken
}

// Abandoned reports whether the partition waits for another identity.
func (p *Partition) Abandoned() bool { return p.left }

// Estrange notes of a producer id that was abandoned that somebody else is known to have it.
func (p *Partition) Estrange() { p.strange = p.left }

// Estranged reports whether somebody else is known to have the producer id. What brokers have under its numbers may be that
// one's.
func (p *Partition) Estranged() bool { return p.strange }

// Renew takes the next epoch, at sequence 0. newest is the producer's newest identity. A partition whose own id has run out of
// epochs, or was abandoned, moves to it. Renew reports false if newest is the id that has run out: the producer then needs a
// new one. The partition must have no unresolved batch.
func (p *Partition) Renew(newest Identity) bool {
	id := p.identity
	switch {
	case p.left, id.ID != newest.ID, id.Epoch < newest.Epoch:
		id = newest
	case id.Epoch == math.MaxInt16:
		return false
	default:
		id.Epoch++
	}
	p.Adopt(id)
	return true
}
