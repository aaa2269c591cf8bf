package brokertest

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// settle brings transactions up to date: those that have outlived their timeout are aborted, and those that are decided get
// their markers. It is called before each request and each call of the test, so that no goroutine and no timer is needed. The
// caller holds c.mu.
func (c *Cluster) settle() {
	if len(c.transactions) == 0 {
		return
	}
	now := c.opts.now()
	var busy []*transaction
	for _, t := range c.transactions {
		if t.state == StateOngoing || t.state.deciding() {
			busy = append(busy, t)
		}
	}
	// In the same order each time, so that equal histories give equal logs.
	slices.SortFunc(busy, func(a, b *transaction) int { return strings.Compare(a.id, b.id) })
	for _, t := range busy {
		if t.state == StateOngoing && now.Sub(t.began) > t.timeout && c.coordinator(t.id) >= 0 {
			t.fence(c.transactionVersion() >= 2, now, c.newProducerID)
		}
		if t.state.deciding() && !c.holdMarkers && now.Sub(t.ended) >= c.opts.markerDelay {
			c.writeMarkers(t, now)
		}
	}
}

// ExpireTransactions aborts transactions that have outlived their timeout, by the cluster's clock. A Kafka broker does so every
// ten seconds. The cluster also does so before each request and each call.
func (c *Cluster) ExpireTransactions() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
}

// HoldMarkers(true) keeps decided transactions from being completed, until HoldMarkers(false). A producer that asks meanwhile
// is told CONCURRENT_TRANSACTIONS, and read_committed consumers see nothing of them.
func (c *Cluster) HoldMarkers(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holdMarkers = on
	c.settle()
}

// writeMarkers ends a decided transaction in every partition that has a leader, and completes the transaction with the last
// one. The caller holds c.mu.
func (c *Cluster) writeMarkers(t *transaction, now time.Time) {
	commit := t.state == StatePrepareCommit
	for p := range t.partitions {
		if p.Topic == offsetsTopic {
			c.endOffsets(p, t.producerID, commit)
			delete(t.partitions, p)
			continue
		}
		topic := c.topics[p.Topic]
		if topic != nil && int(p.Partition) < len(topic.partitions) {
			partition := topic.partitions[p.Partition]
			if s := partition.log.producers[t.producerID]; partition.leader < 0 || s != nil && s.epoch > t.epoch {
				continue // until there is a leader; or for ever, if the epoch is an old one: Kafka refuses such a marker
			}
			h, bytes := marker(t.producerID, t.epoch, commit, now)
			partition.log.mark(h, bytes, partition.epoch, !c.opts.discard)
		}
		delete(t.partitions, p)
	}
	if len(t.partitions) == 0 {
		t.complete()
	}
}

// marker is a control batch that ends a producer's transaction in a partition.
func marker(producerID int64, epoch int16, commit bool, now time.Time) (protocol.BatchHeader, []byte) {
	kind := protocol.ControlAbort
	if commit {
		kind = protocol.ControlCommit
	}
	r := protocol.Record{
		Key:   binary.BigEndian.AppendUint16([]byte{0, 0}, uint16(kind)),
		Value: make([]byte, 6), // version 0, epoch 0 of the coordinator
	}
	record := r.Append(nil, r.BodySize())
	h := protocol.BatchHeader{
		Length: int32(protocol.BatchHeaderSize - overhead + len(record)), Transactional: true, Control: true,
		BaseTimestamp: now.UnixMilli(), MaxTimestamp: now.UnixMilli(),
		ProducerID: producerID, ProducerEpoch: epoch, BaseSequence: -1, Count: 1,
	}
	batch := append(make([]byte, protocol.BatchHeaderSize), record...)
	h.Put(batch)
	protocol.PutBatchCRC([][]byte{batch})
	return h, batch
}

// mark appends a marker.
func (l *log) mark(h protocol.BatchHeader, bytes []byte, leaderEpoch int32, keep bool) {
	h.BaseOffset = l.append(h, bytes, leaderEpoch, 0, keep)
	l.remember(h)
}

// Marker reports whether the batch is a marker (ok), which ends its producer's transaction in this partition, and whether it
// commits.
func (b Batch) Marker() (commit, ok bool) {
	if !b.Header.Control {
		return false, false
	}
	_, records, err := protocol.DecodeBatch(b.Bytes, maxBatchBytes)
	if err != nil || len(records) == 0 {
		return false, false
	}
	kind, err := protocol.ParseControlType(records[0].Key)
	return kind == protocol.ControlCommit, err == nil
}
