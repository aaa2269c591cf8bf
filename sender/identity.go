package sender

import (
	"math"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/idempotent"
)

// An identity is the producer id that the cluster has given, and what is known of the request for one. The core asks for it
// (identity_ask.go), numbers partitions under it (identity_numbers.go), and gives it up (identity_doubt.go).
type identity struct {
	current idempotent.Identity
	valid   bool
	highest int16                 // the highest epoch of the current id that a partition has taken; -1: none has
	had     []idempotent.Identity // earlier ids, each with its highest epoch
	retired retired               // of the partitions of forgotten topics

	asking     bool
	of         conn      // that was asked last
	era        int       // of the question: answers to earlier ones are not used
	failed     int       // attempts since the last success
	trouble    error     // of the last of these
	troubledAt time.Time // when that was
	next       time.Time // not before
	waiting    []*partition
}

// newIdentity has no producer id. None is asked for unless one is needed.
func newIdentity(needed bool) identity {
	return identity{current: idempotent.None, valid: !needed, highest: -1}
}

// maxHad bounds the memory of former producer ids. There is one for each time that a topic or the cluster was made again, or
// that epochs ran out.
const maxHad = 1000

// take makes given the current identity. A cluster that was made again gives ids from the start. An id that we had before is
// used above all epochs that we know, so that nothing of ours on its way has its numbers. take reports false if there is no
// such epoch.
func (id *identity) take(given idempotent.Identity) bool {
	if id.highest >= 0 {
		id.had = slices.DeleteFunc(id.had, func(had idempotent.Identity) bool { return had.ID == id.current.ID })
		id.had = append(id.had, idempotent.Identity{ID: id.current.ID, Epoch: id.highest})
		id.had = id.had[max(0, len(id.had)-maxHad):]
		id.highest = -1 // it is remembered
	}
	for _, had := range id.had {
		if had.ID != given.ID || had.Epoch < given.Epoch {
			continue
		}
		if had.Epoch == math.MaxInt16 {
			return false
		}
		given.Epoch = had.Epoch + 1
	}
	id.current, id.highest = given, given.Epoch
	id.valid, id.failed, id.trouble = true, 0, nil
	return true
}

// latest returns the last identity. known reports whether it can be used.
func (id *identity) latest() idempotent.Identity { return id.current }
func (id *identity) known() bool                 { return id.valid }

// cameFrom reports whether cn has answered the last request for one.
func (id *identity) cameFrom(cn conn) bool { return id.of == cn }

// set makes current what a coordinator has given.
func (id *identity) set(given idempotent.Identity) {
	if given != id.current {
		id.current, id.valid = given, given.ID >= 0
	}
}

// drop gives up the current identity, and the one that is being asked for.
func (id *identity) drop() {
	id.valid, id.asking = false, false
	id.era++
	id.failed, id.next, id.trouble = 0, zero, nil
}

// wanted reports whether one has to be asked for. The first is asked for ahead of need, if soon says that need is near. After a
// refusal only a record asks again.
func (id *identity) wanted(soon bool) bool {
	return !id.valid && !id.asking && (len(id.waiting) > 0 || id.failed == 0 && soon)
}

// notBefore returns when the next may be asked for.
func (id *identity) notBefore() time.Time { return id.next }

// ask notes that one is asked for. It returns the question's era, for answered.
func (id *identity) ask() (era int) {
	id.asking = true
	return id.era
}

// unasked notes that nobody could be asked.
func (id *identity) unasked() { id.asking = false }

// answered notes an answer that has come on a connection. It reports false if the answer is not to be used, since the cluster
// that was asked may be another one.
func (id *identity) answered(era int, cn conn) bool {
	if era != id.era {
		return false
	}
	id.of, id.asking = cn, false
	return true
}

// failures returns how many requests for one have failed since the last success.
func (id *identity) failures() int { return id.failed }

// lastRefusal returns when and why the last of these has failed; nil: none has.
func (id *identity) lastRefusal() (time.Time, error) { return id.troubledAt, id.trouble }

// refused notes that a request for one has failed, and how long to wait.
func (id *identity) refused(now time.Time, err error, wait time.Duration) {
	id.trouble, id.troubledAt = err, now
	id.next = now.Add(wait)
	id.failed++
}

// await reports whether there is one. If not, it has p wait for one.
func (id *identity) await(p *partition) bool {
	if !id.valid && !p.unidentified {
		p.unidentified = true
		id.waiting = append(id.waiting, p)
	}
	return id.valid
}

// release returns the partitions that have waited.
func (id *identity) release() []*partition {
	waiting := id.waiting
	id.waiting = nil
	for _, p := range waiting {
		p.unidentified = false
	}
	return waiting
}

// begin gives p its first numbers.
func (id *identity) begin(p *partition) {
	p.numbers.Start(id.current)
	if newest, some := id.retired.after(id.current.ID); some {
		p.numbers.Start(newest)
		p.numbers.Break() // so that the next epoch is taken, as after any gap
	}
}

// renew gives p the next epoch. It reports false if the id has run out of epochs, and is of no more use.
func (id *identity) renew(p *partition) bool {
	if !p.numbers.Renew(id.current) {
		id.valid = false
		return false
	}
	id.highest = max(id.highest, p.numbers.Identity().Epoch)
	return true
}

// retire remembers how far p, which is forgotten, has numbered.
func (id *identity) retire(p *partition) {
	if own := p.numbers.Identity(); own.ID == id.current.ID {
		id.retired.add(own)
	}
}
