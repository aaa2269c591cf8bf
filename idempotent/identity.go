package idempotent

import "math"

// An Identity is a producer id with an epoch, as batches carry it.
type Identity struct {
	ID    int64
	Epoch int16
}

// None is the identity of a producer without idempotence, as on the wire.
var None = Identity{ID: -1, Epoch: -1}

// Advance returns the sequence number n after seq. Numbers go from 0 to the largest int32 and then on from 0.
func Advance(seq, n int32) int32 {
	const last = math.MaxInt32
	if seq > last-n {
		return n - (last - seq) - 1
	}
	return seq + n
}
