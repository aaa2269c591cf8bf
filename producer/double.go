package producer

import (
	"math"
	"time"

	"github.com/epistle-kafka/epistle/internal/double"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
)

// The double of a Producer in package producertest gets its rules from here.
func init() {
	double.CheckTopic = checkTopic
	double.Milliseconds = func(when any) (int64, error) {
		ms := milliseconds(when.(time.Time))
		if ms < 0 || ms == math.MaxInt64 {
			return ms, &InvalidTimestampError{ms}
		}
		return ms, nil
	}
	double.Offsets = func(offsets, group any) (txn.Group, []protocol.TxnOffsetCommitTopic, error) {
		return checkOffsets(offsets.(map[TopicPartition]OffsetAndMetadata), group.(ConsumerGroupMetadata))
	}
	double.Outward, double.CalledBy, double.InTransact = outward, calledBy, inTransact
	double.NotTransactional, double.Passes, double.AbortFailed = notTransactional, passes, abortFailed
	double.Retries = func(options any) int { return chosen(options.([]TransactOption)).retries }
	double.Grace = func(config any) time.Duration {
		c := config.(Config)
		return c.grace()
	}
	double.PartitionerFailed = func(err error) error { return &partitionerError{err} }
	double.SoFar = func(future, metadata any) { future.(Future).failed.soFar = metadata.(RecordMetadata) }
	double.Joined = joined
	double.ErrTxEnded, double.ErrOverlap, double.ErrGone = errTxEnded, errOverlap, errPartitionerGone
}
