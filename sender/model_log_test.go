package sender

import (
	"math"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A modelTopic is a topic in its present life. Its logs of former lives are in the history's list of logs.
type modelTopic struct {
	name     string
	id       protocol.UUID // zero where the brokers have no topic ids
	told     protocol.UUID // the id that the core heard last
	hushed   bool          // the cluster may be another one than before, and no answer has described the topic since
	life     int
	met      *topic // what the core had of it when the cluster was made again under its old id
	parts    []*modelPart
	maxBatch int // bytes
	gone     int // how many of the last parts it has no more
	refusals int // for their size, since maxBatch was set
	resized  time.Time
}

// A modelPart is one partition, with the log of its present life.
type modelPart struct {
	topic     *modelTopic
	index     int32
	leader    int32
	epoch     int32
	log       *modelLog
	returns   bool            // the leader that has lost its log's tail has not had a batch since
	cutBackAt int32           // the leader epoch that began with the loss of the log's tail; 0: none
	records   []*modelRecord  // that callers have appended, in order
	waiting   []*modelRecord  // those of them without an outcome
	attempts  []*modelAttempt // batches that were sent for it, in order
	successes int             // of them, that the client was told of
}

// A modelLog is what is written to one partition, and Kafka's memory of who wrote it: the rules are those of brokertest,
// which were compared with a real broker.
type modelLog struct {
	part       *modelPart
	life       int
	end        int64
	highest    int // id of a record; -1: none
	entries    []*logEntry
	producers  map[int64]*logProducer
	unverified map[int64]*logUnverified
	last       time.Time // of the last append
	most       int       // batches that it remembers of a producer
	strict     bool      // it refuses numbers but 0 of producers that it does not know
}

// A logEntry is a batch.
type logEntry struct {
	base    int64
	topic   protocol.UUID // the topic's id then
	records []*modelRecord
	attempt *modelAttempt // that it was written by
	txn     bool
	ended   bool // by a marker
	commit  bool // which one
	id      int64
}

type logProducer struct {
	epoch   int16
	batches []logBatch
	open    bool // in a transaction
}

type logBatch struct {
	first, last int32
	offset      int64
	strange     bool // another producer's
}

// logUnverified is the lowest sequence that was seen of a producer before its first batch of a transaction was appended.
type logUnverified struct {
	epoch  int16
	lowest int32
	bumps  bool
}

// A place is where a record is written.
type place struct {
	log    *modelLog
	entry  *logEntry
	offset int64
}

func newModelLog(p *modelPart, life int) *modelLog {
	return &modelLog{
		part: p, life: life, most: maxSpan, highest: -1, producers: map[int64]*logProducer{}, unverified: map[int64]*logUnverified{},
	}
}

func (u *logUnverified) allows(a *modelAttempt, known bool) bool {
	return u == nil || (known || !u.bumps || a.seq == 0) && a.seq <= u.lowest
}

// expect notes a batch that would be the first of a transaction here.
func (l *modelLog) expect(a *modelAttempt, bumps bool) {
	u := l.unverified[a.id]
	switch {
	case u == nil:
		l.unverified[a.id] = &logUnverified{a.epoch, a.seq, bumps}
	case a.epoch > u.epoch:
		u.epoch, u.lowest = a.epoch, a.seq
	case a.epoch == u.epoch:
		u.lowest = min(u.lowest, a.seq)
	}
}

// admit is the check of a batch's numbers.
func (l *modelLog) admit(a *modelAttempt) (duplicate *logBatch, code protocol.ErrorCode) {
	s, u := l.producers[a.id], l.unverified[a.id]
	if s == nil {
		if !u.allows(a, false) {
			return nil, protocol.OutOfOrderSequenceNumber
		}
		if l.strict && a.seq != 0 {
			return nil, protocol.UnknownProducerID
		}
		return nil, protocol.NoError
	}
	last := sequenceAfter(a.seq, int32(len(a.records))-1)
	if a.epoch == s.epoch {
		for i := range s.batches {
			if b := &s.batches[i]; b.first == a.seq && b.last == last {
				return b, protocol.NoError
			}
		}
	}
	next := s.next()
	switch {
	case a.epoch < s.epoch:
		return nil, protocol.InvalidProducerEpoch
	case !u.allows(a, len(s.batches) > 0), a.epoch > s.epoch && a.seq != 0, a.epoch == s.epoch && a.seq != next:
		return nil, protocol.OutOfOrderSequenceNumber
	case s.open && !a.txn:
		return nil, protocol.InvalidTxnState
	}
	return nil, protocol.NoError
}

// next is the number that comes next.
func (s *logProducer) next() int32 {
	if n := len(s.batches); n > 0 {
		return sequenceAfter(s.batches[n-1].last, 1)
	}
	return 0
}

// remember notes a batch, or a marker, of a producer.
func (l *modelLog) remember(id int64, epoch int16) *logProducer {
	s := l.producers[id]
	if s == nil {
		s = &logProducer{epoch: epoch}
		l.producers[id] = s
	}
	if s.epoch != epoch {
		s.epoch, s.batches = epoch, nil
	}
	delete(l.unverified, id)
	return s
}

// append writes a batch.
func (l *modelLog) append(h *history, a *modelAttempt) int64 {
	e := &logEntry{base: l.end, topic: l.part.topic.id, records: a.records, attempt: a, txn: a.txn, id: a.id}
	l.end += int64(len(a.records))
	l.entries = append(l.entries, e)
	l.last = h.now
	if a.id >= 0 {
		s := l.remember(a.id, a.epoch)
		s.open = s.open || a.txn
		if len(s.batches) == l.most {
			s.batches = append(s.batches[:0], s.batches[1:]...)
		}
		s.batches = append(s.batches, logBatch{a.seq, sequenceAfter(a.seq, int32(len(a.records))-1), e.base, false})
	}
	for i, r := range a.records {
		h.checkWritten(l, r)
		r.places = append(r.places, place{l, e, e.base + int64(i)})
		l.highest = max(l.highest, r.id)
	}
	return e.base
}

// cutBack drops all but the first n entries, and what producers did in them. Records in them are lost, whether or not
// they were acknowledged.
func (l *modelLog) cutBack(n int) {
	for _, e := range l.entries[n:] {
		l.end = min(l.end, e.base)
		for _, o := range l.part.attempts {
			if o.sum == e.attempt.sum && o.fate == written {
				o.fate = refused
			}
		}
		for _, r := range e.records {
			r.lost = true
			r.places = slices.DeleteFunc(r.places, func(at place) bool { return at.entry == e })
		}
	}
	l.entries = l.entries[:n]
	l.highest = -1
	clear(l.producers)
	clear(l.unverified)
	for _, e := range l.entries {
		a := e.attempt
		s := l.remember(a.id, a.epoch)
		s.batches = append(s.batches, logBatch{first: a.seq, last: sequenceAfter(a.seq, int32(len(a.records))-1), offset: e.base})
		s.batches = s.batches[max(0, len(s.batches)-l.most):]
		for _, r := range e.records {
			l.highest = max(l.highest, r.id)
		}
	}
}

// mark ends a producer's transaction in this log.
func (l *modelLog) mark(id int64, epoch int16, commit bool) {
	s := l.remember(id, epoch)
	s.open = false
	l.end++
	for _, e := range l.entries {
		if e.id == id && e.txn && !e.ended {
			e.ended, e.commit = true, commit
		}
	}
}

// sequenceAfter returns the sequence n after s, which goes from 0 to 2^31-1 and on from 0.
func sequenceAfter(s, n int32) int32 {
	if s > math.MaxInt32-n {
		return n - (math.MaxInt32 - s) - 1
	}
	return s + n
}
