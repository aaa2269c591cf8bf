package producer

import (
	"context"
	"iter"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
)

// Batch is a batch of records as hooks are told of it.
type Batch struct {
	Topic     string
	Partition int32

	Records           int
	Bytes             int         // as written, with its header
	UncompressedBytes int         // the same before compression
	Compression       Compression // NoCompression also for one that compression would not make smaller
	Opened            time.Time   // when its first record came

	Attempt int       // how often it was sent, this time included; 0: never
	Sent    time.Time // when the attempt at hand began: it was handed to a connection; zero: there is none, as the batch waits
	Broker  Broker    // where to; its ID is NoBroker where there is none

	batch *accumulator.Batch
}

// Contexts returns the contexts of the batch's records, in their order, as the last RecordBegunHook has left them: for links
// from a batch's span to those of its records. Without hooks that are told of records, and without interceptors, there are
// none. It is of use during the call of the hook alone.
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

// BatchSentHook is told that a batch is on its way: it was handed to a connection in a request, which may be written already
// or have to wait for those before it. It is told of each attempt. It runs on the producer's own goroutine.
type BatchSentHook interface{ OnBatchSent(e BatchSent) }

// BatchSent is an attempt to send a batch.
type BatchSent struct{ Batch Batch }

// BatchAcknowledgedHook is told that a batch is written, before its records are told. It runs on the producer's own goroutine.
// Each batch ends once: it is acknowledged, or fails, or is split.
type BatchAcknowledgedHook interface{ OnBatchAcknowledged(e BatchAcknowledged) }

// BatchAcknowledged is the success of a batch.
type BatchAcknowledged struct {
	Batch  Batch
	Offset int64 // of the first record; -1: not known, with acks=0, or as the broker only says that it has the batch already
}

// BatchRetriedHook is told that an attempt to send a batch has failed, and that the batch will be sent again. Whether it is
// written Err need not say: the attempt that follows tells. It runs on the producer's own goroutine.
type BatchRetriedHook interface{ OnBatchRetried(e BatchRetried) }

// BatchRetried is an attempt that was in vain.
type BatchRetried struct {
	Batch Batch
	Err   error // why; errors.Is finds a broker's protocol.ErrorCode in it, errors.As a *BrokerError
}

// BatchSplitHook is told that parts of a batch will be sent in its place, each a batch of its own, since it is too large for its
// topic, or without the records that the broker has found at fault. It runs on the producer's own goroutine.
type BatchSplitHook interface{ OnBatchSplit(e BatchSplit) }

// BatchSplit is the end of a batch that goes on in parts.
type BatchSplit struct {
	Batch Batch
	Parts int   // 0: all its records were at fault
	Fault int   // records that were at fault; they fail, and are in no part
	Err   error // what the broker has said; nil: it was split before it was sent, as others of its topic had been too large
}

// BatchFailedHook is told that a batch has failed with all its records, before these are told. It runs on the producer's own
// goroutine.
type BatchFailedHook interface{ OnBatchFailed(e BatchFailed) }

// BatchFailed is the failure of a batch.
type BatchFailed struct {
	Batch        Batch
	Err          error // why; the errors of its records wrap it
	MayBeWritten bool  // its records may be in the log all the same
}
