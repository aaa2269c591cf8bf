package sender

import "github.com/epistle-kafka/epistle/protocol"

// A verdict says what becomes of a batch after an attempt.
type verdict uint8

const (
	fail          verdict = iota // its records end with the error
	delivered                    // acknowledged, with an offset
	duplicate                    // acknowledged earlier; the offset is not known
	again                        // sent again, unchanged, before every younger batch
	renumber                     // sent again, under a new epoch of its partition
	split                        // too large: sent again in pieces
	rejectRecords                // the named records end, the others are sent again
)

// An attempt is what is known of a batch when the broker has answered it.
type attempt struct {
	code       protocol.ErrorCode
	records    int32 // in the batch
	named      bool  // the broker named the records at fault (KIP-467)
	idempotent bool
	// transactional: sequences cannot begin anew before the transaction has ended.
	transactional bool
	fresh         bool // the producer id is one that brokers need not know yet
	oldest        bool // no older batch of its partition is unresolved
	unknown       bool // an earlier attempt may have been written, of it or of the batch that it is a part of
	estranged     bool // somebody else is known to have the producer id
}

// judge is the whole rule, to be read as a table: the first case that matches decides. It never gives a new epoch to records
// that may be written (I3, I6). The parts of a batch in doubt stay within its numbers.
func judge(a attempt) verdict {
	switch {
	case a.code == protocol.NoError:
		return delivered
	case a.code == protocol.DuplicateSequenceNumber && a.idempotent && (!a.unknown || a.estranged):
		return fail // the log has these numbers, and not from us as far as can be known
	case a.code == protocol.DuplicateSequenceNumber:
		return duplicate

	case tooLarge(a.code) && a.records > 1:
		return split
	case a.code.Reach() == protocol.ReachRecord && a.named:
		return rejectRecords

	case a.code == protocol.InvalidProducerEpoch && a.transactional:
		return fail
	case sequence(a.code) && a.idempotent:
		switch {
		case !a.oldest:
			return again // the echo of an older batch's failure
		case !a.unknown && !a.transactional:
			return renumber // the gap is real, and nothing of it is written
		}
		return fail // it may be written, and cannot be taken in its place any more; or its transaction is lost
	case a.code.Retriable(), a.code == protocol.InvalidProducerIDMapping && a.fresh:
		return again
	}
	return fail
}

// tooLarge reports whether a batch of fewer records may be taken.
func tooLarge(code protocol.ErrorCode) bool {
	return code == protocol.MessageTooLarge || code == protocol.RecordListTooLarge
}

// sequence reports whether the code is about the batch's numbers. Without a transaction that includes an epoch which the broker
// calls old, since no other producer can have the id.
func sequence(code protocol.ErrorCode) bool {
	return code.Class() == protocol.ClassSequence || code == protocol.InvalidProducerEpoch
}
