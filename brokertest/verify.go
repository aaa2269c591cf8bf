package brokertest

import (
	"errors"
	"fmt"

	"github.com/epistle-kafka/epistle/protocol"
)

// Verify checks what is in the logs. It returns everything that is wrong, joined, or nil. This must hold:
//
//   - The offsets of each partition go from 0 on without a gap.
//   - Each producer's sequences in a partition go from 0 on without a gap, in the order of the log. They go from 0 again with
//     each higher epoch, also one that a marker brought. No epoch comes back.
//   - While a producer has a transaction open in a partition, all that it writes there belongs to the transaction, under one
//     epoch. A marker ends it under that epoch or a higher one.
//   - If unique is not nil, it returns a different text for each record of a topic. Two records with the same text are one that
//     was written twice. Records with the text "" do not count, nor do those of transactions that are open or aborted, which
//     nobody reads.
//
// A first sequence other than 0 means that a batch was lost before the partition knew its producer.
func (c *Cluster) Verify(unique func(Record) string) error {
	var errs []error
	for _, t := range c.topicSizes() {
		seen := map[string]string{}
		for i := range int32(t.partitions) {
			v := verifier{producers: map[int64]position{}, unique: unique, seen: seen}
			batches := c.Batches(t.name, i)
			visible := committed(batches)
			for j, b := range batches {
				v.where = fmt.Sprintf("%s-%d at offset %d", t.name, i, b.Header.BaseOffset)
				v.batch(b, visible[j])
			}
			errs = append(errs, v.errs...)
		}
	}
	return errors.Join(errs...)
}

// topicSizes returns all topics, sorted by name.
func (c *Cluster) topicSizes() (sizes []topicSpec) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.sortedTopics() {
		sizes = append(sizes, topicSpec{t.name, len(t.partitions)})
	}
	return sizes
}

// verifier goes through the log of one partition.
type verifier struct {
	next      int64 // the next offset
	producers map[int64]position
	unique    func(Record) string
	seen      map[string]string // where each result of unique was seen

	where string
	errs  []error
}

// position is where a producer is in a partition.
type position struct {
	epoch int16
	next  int32 // the next sequence
	open  bool  // a transaction is open
}

func (v *verifier) failf(format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf(v.where+": "+format, args...))
}

func (v *verifier) batch(b Batch, visible bool) {
	h := &b.Header
	if h.BaseOffset != v.next {
		v.failf("the offset should be %d", v.next)
	}
	v.next = lastOffset(*h) + 1
	switch {
	case h.Control:
		v.marker(h)
		return
	case h.ProducerID >= 0:
		v.sequence(h)
	}
	if v.unique == nil || !visible {
		return
	}
	for _, r := range b.Records() {
		id := v.unique(r)
		if id == "" {
			continue
		}
		if first, twice := v.seen[id]; twice {
			v.failf("record %q was written before, in %s", id, first)
			continue
		}
		v.seen[id] = v.where
	}
}

// sequence checks a batch of an idempotent producer against those before it.
func (v *verifier) sequence(h *protocol.BatchHeader) {
	was, known := v.producers[h.ProducerID]
	switch {
	case known && h.ProducerEpoch < was.epoch:
		v.failf("producer %d has epoch %d after %d", h.ProducerID, h.ProducerEpoch, was.epoch)
	case known && h.ProducerEpoch == was.epoch && h.BaseSequence != was.next:
		v.failf("producer %d, epoch %d, has sequence %d, want %d", h.ProducerID, h.ProducerEpoch, h.BaseSequence, was.next)
	case (!known || h.ProducerEpoch > was.epoch) && h.BaseSequence != 0:
		v.failf("producer %d begins epoch %d with sequence %d, want 0", h.ProducerID, h.ProducerEpoch, h.BaseSequence)
	case was.open && h.ProducerEpoch != was.epoch:
		v.failf("producer %d has epoch %d in a transaction of epoch %d", h.ProducerID, h.ProducerEpoch, was.epoch)
	case was.open && !h.Transactional:
		v.failf("producer %d writes outside of its open transaction", h.ProducerID)
	}
	next := addSequence(h.BaseSequence, h.LastOffsetDelta+1)
	v.producers[h.ProducerID] = position{h.ProducerEpoch, next, h.Transactional || was.open}
}

// marker checks the end of a producer's transaction. There may be nothing to end: a partition can be added to a transaction
// without being written to.
func (v *verifier) marker(h *protocol.BatchHeader) {
	was, known := v.producers[h.ProducerID]
	if known && h.ProducerEpoch < was.epoch {
		v.failf("a marker of producer %d has epoch %d after %d", h.ProducerID, h.ProducerEpoch, was.epoch)
	}
	if !known || h.ProducerEpoch > was.epoch {
		was.next = 0
	}
	v.producers[h.ProducerID] = position{h.ProducerEpoch, was.next, false}
}
