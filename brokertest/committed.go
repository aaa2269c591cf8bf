package brokertest

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// lastStable returns the offset before which no transaction is open: Kafka's last stable offset.
func (l *log) lastStable() int64 {
	offset := l.end
	for _, s := range l.producers {
		if s.open {
			offset = min(offset, s.openFrom)
		}
	}
	return offset
}

// LastStableOffset returns the offset up to which a read_committed consumer reads a partition now: the offset of the first
// record of an open transaction, or the end. It is -1 if there is no such partition.
func (c *Cluster) LastStableOffset(topic string, index int32) int64 {
	offset := int64(-1)
	c.change(topic, index, func(p *partition) error {
		c.settle()
		offset = p.log.lastStable()
		return nil
	})
	return offset
}

// Committed returns the records that a read_committed consumer reads of a partition now: those of no transaction and of
// committed ones, up to the first record of an open transaction. There are none if there is no such partition.
func (c *Cluster) Committed(topic string, index int32) (records []Record) {
	var batches []Batch
	end := int64(0)
	c.change(topic, index, func(p *partition) error {
		c.settle()
		batches, end = slices.Clone(p.log.batches), p.log.lastStable()
		return nil
	})
	visible := committed(batches)
	for i, b := range batches {
		if visible[i] && b.Header.BaseOffset < end {
			records = append(records, b.Records()...)
		}
	}
	return records
}

// committed says for each batch whether its records are committed, or belong to no transaction.
func committed(batches []Batch) []bool {
	visible := make([]bool, len(batches))
	open := map[int64][]int{} // batches by producer ID
	for i, b := range batches {
		switch {
		case !b.Header.Control && !b.Header.Transactional:
			visible[i] = true
		case !b.Header.Control:
			open[b.Header.ProducerID] = append(open[b.Header.ProducerID], i)
		default:
			commit, _ := b.Marker()
			for _, j := range open[b.Header.ProducerID] {
				visible[j] = commit
			}
			delete(open, b.Header.ProducerID)
		}
	}
	return visible
}

// Transaction is what the coordinator knows of a transactional ID.
type Transaction struct {
	State      TransactionState
	ProducerID int64
	Epoch      int16
	Timeout    time.Duration
	Began      time.Time        // when the last transaction began; zero before the first
	Partitions []TopicPartition // where the transaction still has to be ended, in order; offsets are in __consumer_offsets
}

// Transaction returns what the coordinator knows of a transactional ID, and whether it knows it.
func (c *Cluster) Transaction(transactionalID string) (Transaction, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	t := c.transactions[transactionalID]
	if t == nil {
		return Transaction{}, false
	}
	return Transaction{
		State: t.state, ProducerID: t.producerID, Epoch: t.epoch, Timeout: t.timeout, Began: t.began,
		Partitions: slices.SortedFunc(maps.Keys(t.partitions), func(a, b TopicPartition) int {
			return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
		}),
	}, true
}

// SetProducerEpoch gives the producer of a transactional ID this epoch, as if it had been raised often. So a test reaches the
// last epoch, 32766, without as many transactions. The next InitProducerId or EndTxn goes on from it. It returns false if there
// is no such transactional ID, a transaction is open, or the epoch is not higher than the present one.
func (c *Cluster) SetProducerEpoch(transactionalID string, epoch int16) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.transactions[transactionalID]
	if t == nil || t.state == StateOngoing || t.state.deciding() || epoch <= t.epoch || epoch == math.MaxInt16 {
		return false
	}
	t.epoch, t.lastEpoch = epoch, -1
	return true
}
