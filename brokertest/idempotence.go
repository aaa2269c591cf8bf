package brokertest

import (
	"math"

	"github.com/epistle-kafka/epistle/protocol"
)

// producerState is what a partition knows of one idempotent producer, as Kafka's ProducerStateManager keeps it.
type producerState struct {
	epoch         int16
	batches       []appended // the last ones of this epoch, at most rememberedBatches, the oldest first
	lastTimestamp int64      // of the last batch: its records' latest, milliseconds since 1970
}

// appended is a batch that a partition still remembers, and can tell to be a duplicate.
type appended struct {
	firstSequence, lastSequence int32
	firstOffset                 int64
	timestamp                   int64
}

// rememberedBatches is Kafka's, and why max.in.flight may be at most 5 with idempotence.
const rememberedBatches = 5

// admit says what to do with an idempotent producer's batch: it is a duplicate of one that is remembered, or it must be
// refused with a code, or it is to be appended.
func (l *log) admit(h protocol.BatchHeader) (duplicate *appended, code protocol.ErrorCode) {
	s := l.producers[h.ProducerID]
	if s == nil {
		// Without any state, Kafka takes whatever sequence comes first: it cannot know that there was one before.
		return nil, protocol.NoError
	}
	last := addSequence(h.BaseSequence, h.LastOffsetDelta)
	if h.ProducerEpoch == s.epoch {
		for i := range s.batches {
			if b := &s.batches[i]; b.firstSequence == h.BaseSequence && b.lastSequence == last {
				return b, protocol.NoError
			}
		}
	}
	switch {
	case h.ProducerEpoch < s.epoch:
		return nil, protocol.InvalidProducerEpoch
	case h.ProducerEpoch > s.epoch:
		if h.BaseSequence != 0 {
			return nil, protocol.OutOfOrderSequenceNumber
		}
	case h.BaseSequence != addSequence(s.batches[len(s.batches)-1].lastSequence, 1):
		// Also a duplicate that is too old to be remembered.
		return nil, protocol.OutOfOrderSequenceNumber
	}
	return nil, protocol.NoError
}

// remember notes a batch that was appended; h has the offset that it got.
func (l *log) remember(h protocol.BatchHeader) {
	if h.ProducerID < 0 {
		return
	}
	s := l.producers[h.ProducerID]
	if s == nil {
		s = &producerState{epoch: h.ProducerEpoch}
		l.producers[h.ProducerID] = s
	}
	if s.epoch != h.ProducerEpoch {
		s.epoch, s.batches = h.ProducerEpoch, nil
	}
	if len(s.batches) == rememberedBatches {
		s.batches = append(s.batches[:0], s.batches[1:]...)
	}
	s.batches = append(s.batches, appended{
		firstSequence: h.BaseSequence, lastSequence: addSequence(h.BaseSequence, h.LastOffsetDelta),
		firstOffset: h.BaseOffset, timestamp: h.MaxTimestamp,
	})
	s.lastTimestamp = h.MaxTimestamp
}

// forget drops producers whose last record is as old as expiration, both in milliseconds.
func (l *log) forget(now, expiration int64) {
	for id, s := range l.producers {
		if now-s.lastTimestamp >= expiration {
			delete(l.producers, id)
		}
	}
}

// addSequence returns the sequence n after s. Sequences go from 0 to 2^31-1 and on from 0.
func addSequence(s, n int32) int32 {
	if s > math.MaxInt32-n {
		return n - (math.MaxInt32 - s) - 1
	}
	return s + n
}
