package sender

// Requests are what is known of all produce requests together. Each request itself is on its node. The core chooses batches for
// them (request_take.go), fills and sends them (request_build.go), and applies their answers (request_answer.go).
type requests struct {
	number uint64 // the last that next has returned
	flying int    // batches in requests that have not ended
	pool          // requests and deliveries that are used again
}

// next returns a number that was never used before, to mark what a request has met.
func (rs *requests) next() uint64 {
	rs.number++
	return rs.number
}

// batchAdded notes that a request was given a batch.
func (rs *requests) batchAdded() { rs.flying++ }

// batchGone notes that a request has given a batch back, or has ended with it.
func (rs *requests) batchGone() { rs.flying-- }

// empty reports whether no request has a batch.
func (rs *requests) empty() bool { return rs.flying == 0 }
