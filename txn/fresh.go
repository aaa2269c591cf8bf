package txn

import "time"

// Freshness is how far the producer id is one that EndTxn has given in place of another, and that its coordinator takes when the
// markers are written.
type freshness struct {
	stage stage
	since time.Time // when the coordinator first said that it does not know the id; zero: it has not
}

type stage uint8

const (
	settled stage = iota // the id is not of that kind
	fresh                // the coordinator need not know it yet
	met                  // it has shown that it knows it
)

// given notes that EndTxn has given an identity; another says that the id is another one.
func (f *freshness) given(another bool) {
	*f = freshness{}
	if another {
		f.stage = fresh
	}
}

// meet notes that the coordinator knows who asks.
func (f *freshness) meet() {
	if f.stage == fresh {
		f.stage = met
	}
}

// unknown says that the coordinator may not know the id yet. It is given that long, from its first word of it. One that has
// lost the id, as in a cluster that was made again, says the same for ever.
func (f *freshness) unknown(now time.Time, patience time.Duration) bool {
	if f.stage != fresh {
		return false
	}
	if f.since.IsZero() {
		f.since = now
	}
	return now.Sub(f.since) < patience
}
