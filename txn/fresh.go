package txn

import "time"

// freshness says whether the producer id is one that EndTxn has given in place of another. The coordinator does not know such
// an id until the markers of the last transaction are written.
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

// given notes that EndTxn has given an identity. another says that its producer id is a new one.
func (f *freshness) given(another bool) {
	*f = freshness{}
	if another {
		f.stage = fresh
	}
}

// meet notes that the coordinator has shown that it knows the id.
func (f *freshness) meet() {
	if f.stage == fresh {
		f.stage = met
	}
}

// unknown reports whether the coordinator may not know the id yet. It has the given time, from when it first said so. A
// coordinator that has lost the id, as in a cluster that was made again, says the same for ever.
func (f *freshness) unknown(now time.Time, patience time.Duration) bool {
	if f.stage != fresh {
		return false
	}
	if f.since.IsZero() {
		f.since = now
	}
	return now.Sub(f.since) < patience
}
