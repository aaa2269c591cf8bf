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
	open          bool       // in a transaction, since
	openFrom      int64      // this offset
}

// appended is a batch that a partition still remembers, so that it knows a duplicate of it.
type appended struct {
	firstSequence, lastSequence int32
	firstOffset                 int64
	timestamp                   int64
}

// rememberedBatches is Kafka's number. It is the reason why max.in.flight may be at most 5 with idempotence.
const rememberedBatches = 5

// admit decides about an idempotent producer's batch: it is a duplicate of a remembered one, or is refused with a code, or is
// to be appended.
func (l *log) admit(h protocol.BatchHeader) (duplicate *appended, code protocol.ErrorCode) {
	s, u := l.producers[h.ProducerID], l.unverified[h.ProducerID]
	if s == nil {
		// Without any state, Kafka takes whatever sequence comes first, since it cannot know that there was one before (pitfall
		// 1). In the new protocol of transactions the first one has to be 0.
		if !u.allows(h, false) {
			return nil, protocol.OutOfOrderSequenceNumber
		}
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
	case !u.allows(h, len(s.batches) > 0):
		return nil, protocol.OutOfOrderSequenceNumber
	case h.ProducerEpoch > s.epoch:
		if h.BaseSequence != 0 {
			return nil, protocol.OutOfOrderSequenceNumber
		}
	case h.BaseSequence != s.nextSequence():
		// Also a duplicate that is too old to be remembered.
		return nil, protocol.OutOfOrderSequenceNumber
	}
	if s.open && !h.Transactional {
		return nil, protocol.InvalidTxnState
	}
	return nil, protocol.NoError
}

// nextSequence returns the sequence after the last batch of the epoch; 0 if the epoch has only a marker.
func (s *producerState) nextSequence() int32 {
	if len(s.batches) == 0 {
		return 0
	}
	return addSequence(s.batches[len(s.batches)-1].lastSequence, 1)
}

// remember notes a batch, or a marker, that was appended; h has the offset that it got.
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
	delete(l.unverified, h.ProducerID)
	s.lastTimestamp = h.MaxTimestamp
	if h.Control {
		s.open = false
		return
	}
	if h.Transactional && !s.open {
		s.open, s.openFrom = true, h.BaseOffset
	}
	if len(s.batches) == rememberedBatches {
		s.batches = append(s.batches[:0], s.batches[1:]...)
	}
	s.batches = append(s.batches, appended{
		firstSequence: h.BaseSequence, lastSequence: addSequence(h.BaseSequence, h.LastOffsetDelta),
		firstOffset: h.BaseOffset, timestamp: h.MaxTimestamp,
	})
}

// forget drops producers that are not in a transaction and whose last record is as old as expiration. Both times are in
// milliseconds.
func (l *log) forget(now, expiration int64) {
	for id, s := range l.producers {
		if !s.open && now-s.lastTimestamp >= expiration {
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
