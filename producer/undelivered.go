package producer

import "fmt"

// Undelivered counts records that were not acknowledged, by whether they may be in the log. It may get further fields, such as
// counts by topic.
type Undelivered struct {
	NotWritten   int64 // records that are certainly not in the log: sending them again writes none of them twice
	MayBeWritten int64 // records that were sent and not answered: each may be in the log or not
}

// Total returns the number of all of them.
func (u Undelivered) Total() int64 { return u.NotWritten + u.MayBeWritten }

// String says how many there are, and how many of them may be in the log.
func (u Undelivered) String() string {
	text := fmt.Sprintf("%d records", u.Total())
	if u.Total() == 1 {
		text = "1 record"
	}
	switch {
	case u.MayBeWritten == 0:
		return text + " (not in the log)"
	case u.Total() == 1:
		return text + " (it may be in the log)"
	case u.NotWritten == 0:
		return text + " (all may be in the log)"
	}
	return fmt.Sprintf("%s (%d of them may be in the log)", text, u.MayBeWritten)
}

// A FlushError says why Flush did not wait to the end. The records are not lost. It may get further fields.
type FlushError struct {
	// Waiting counts the records that Flush still waited for, by what was known of them then. They go on, and each gets its
	// outcome later. Records that have joined the batch of such a record count as well. Both numbers are 0 if Flush waited for
	// callbacks alone.
	Waiting Undelivered
	Err     error // the error of ctx and its cause, or ErrCallback, with what the records waited for
}

func (e *FlushError) Error() string {
	if e.Waiting.Total() == 0 {
		return fmt.Sprintf("flush: %v", e.Err)
	}
	return fmt.Sprintf("flush: %v; without an outcome: %v", e.Err, e.Waiting)
}

// Unwrap returns why Flush has ended.
func (e *FlushError) Unwrap() error { return e.Err }

// A CloseError says what Close could not do: deliver all records, or end the transaction. The producer is closed all the same.
// It may get further fields, such as the records themselves, by topic.
type CloseError struct {
	// Lost counts the records that failed with ErrClosed because Close did not wait for them any longer. Each of them has also
	// got its own error.
	Lost Undelivered
	Err  error // the error of ctx and its cause, ErrCallback, or the *TransactionError of a transaction that has not ended
}

func (e *CloseError) Error() string {
	if e.Lost.Total() == 0 {
		return fmt.Sprintf("close: %v", e.Err)
	}
	return fmt.Sprintf("close: %v failed with ErrClosed: %v", e.Lost, e.Err)
}

// Unwrap returns why Close could not do all.
func (e *CloseError) Unwrap() error { return e.Err }
