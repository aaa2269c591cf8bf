package producer

import (
	"context"
	"iter"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
)

// Batch is a batch of records, as hooks are told of it.
type Batch struct {
	Topic     string
	Partition int32

	Records           int
	Bytes             int         // size as written, with the header
	UncompressedBytes int         // size before compression
	Compression       Compression // NoCompression also if compression would not make the batch smaller
	Opened            time.Time   // when its first record came

	Attempt int       // how often the batch was sent, this time included; 0: never
	Sent    time.Time // when this attempt was handed to a connection; zero: the batch waits
	Broker  Broker    // where this attempt goes; its ID is NoBroker while the batch waits

	batch *accumulator.Batch
}

// Contexts returns the contexts of the batch's records, in their order, as the last RecordBegunHook has returned them: for
// links from a batch's span to those of its records. There are none without hooks of records and without interceptors. It may
// only be used during the call of the hook.
func (b Batch) Contexts() iter.Seq[context.Context] {
	return func(yield func(context.Context) bool) {
		if b.batch == nil {
			return
		}
		first, end := b.batch.First(), b.batch.First()+b.batch.Count()
		more := true
		b.batch.Outcome().EachCallback(func(c *accumulator.Callback) {
			if h, ok := c.Fn.(*hook); ok && more && c.Index >= first && c.Index < end {
				more = yield(h.ctx)
			}
		})
	}
}

// BatchSentHook is told that a batch was handed to a connection in a request, which may still wait for the requests before it.
// It is told of each attempt. It is called on the producer's own goroutine.
type BatchSentHook interface{ OnBatchSent(e BatchSent) }

// BatchSent is an attempt to send a batch.
type BatchSent struct{ Batch Batch }

// BatchAcknowledgedHook is told that a batch was acknowledged, before its records are told. It is called on the producer's own
// goroutine. Each batch ends once: it is acknowledged, fails, or is split.
type BatchAcknowledgedHook interface{ OnBatchAcknowledged(e BatchAcknowledged) }

// BatchAcknowledged is the success of a batch.
type BatchAcknowledged struct {
	Batch  Batch
	Offset int64 // offset of the first record; -1: not known, with acks=0 or if the broker only said that it has the batch
}

// BatchRetriedHook is told that an attempt to send a batch has failed, and that the batch will be sent again. Err need not say
// whether the batch is written, since the next attempt tells. The hook is called on the producer's own goroutine.
type BatchRetriedHook interface{ OnBatchRetried(e BatchRetried) }

// BatchRetried is an attempt that has failed.
type BatchRetried struct {
	Batch Batch
	Err   error // why it failed; errors.Is finds a broker's protocol.ErrorCode in it, errors.As a *BrokerError
}

// BatchSplitHook is told that a batch ends, and that its parts will be sent in its place, each a batch of its own. Either the
// batch was too large for its topic, or the broker found some of its records at fault, which are left out. The hook is called
// on the producer's own goroutine.
type BatchSplitHook interface{ OnBatchSplit(e BatchSplit) }

// BatchSplit is the end of a batch that goes on in parts.
type BatchSplit struct {
	Batch Batch
	Parts int   // number of parts; 0: all records were at fault
	Fault int   // number of records at fault; they fail, and are in no part
	Err   error // what the broker said; nil: the batch was split before it was sent, as others of its topic had been too large
}

// BatchFailedHook is told that a batch has failed with all its records, before these are told. It is called on the producer's
// own goroutine.
type BatchFailedHook interface{ OnBatchFailed(e BatchFailed) }

// BatchFailed is the failure of a batch.
type BatchFailed struct {
	Batch        Batch
	Err          error // why it failed; the errors of its records wrap this one
	MayBeWritten bool  // the records may be in the log all the same
}
