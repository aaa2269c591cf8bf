package brokertest

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/epistle-kafka/epistle/protocol"
)

// log is what was appended to one partition. Guarded by Cluster.mu.
type log struct {
	end       int64 // the offset of the next record; the first is 0
	batches   []Batch
	producers map[int64]*producerState

	unverified map[int64]*unverified // by producer ID
}

// Batch is a record batch in the log.
type Batch struct {
	Header protocol.BatchHeader
	Bytes  []byte // the whole batch as a consumer would fetch it; it must not be changed
}

// Record is a record in the log.
type Record struct {
	Offset     int64
	Timestamp  int64 // milliseconds since 1970
	Key, Value []byte
	Headers    []protocol.Header
	ProducerID int64 // -1: not idempotent
	Epoch      int16
	Sequence   int32
}

func newLog() log {
	return log{producers: map[int64]*producerState{}, unverified: map[int64]*unverified{}}
}

// append adds a valid batch and returns its base offset. It copies the bytes, and writes into the copy what a broker writes:
// base offset, leader epoch and, where it is not zero, the time of append in milliseconds.
func (l *log) append(h protocol.BatchHeader, bytes []byte, leaderEpoch int32, appendTime int64, keep bool) int64 {
	base := l.end
	h.BaseOffset, h.PartitionLeaderEpoch = base, leaderEpoch
	l.end += int64(h.LastOffsetDelta) + 1
	if !keep {
		return base
	}
	bytes = slices.Clone(bytes)
	if appendTime != 0 {
		h.LogAppendTime, h.MaxTimestamp = true, appendTime
		h.Put(bytes)
		protocol.PutBatchCRC([][]byte{bytes})
	} else {
		binary.BigEndian.PutUint64(bytes, uint64(base))
		binary.BigEndian.PutUint32(bytes[12:], uint32(leaderEpoch))
	}
	l.batches = append(l.batches, Batch{Header: h, Bytes: bytes})
	return base
}

// truncate drops what begins at offset or ends behind it, and what producers wrote there.
func (l *log) truncate(offset int64) {
	for len(l.batches) > 0 && lastOffset(l.batches[len(l.batches)-1].Header) >= offset {
		l.batches = l.batches[:len(l.batches)-1]
	}
	l.end = 0
	if n := len(l.batches); n > 0 {
		l.end = lastOffset(l.batches[n-1].Header) + 1
	}
	l.producers, l.unverified = map[int64]*producerState{}, map[int64]*unverified{}
	for _, b := range l.batches {
		l.remember(b.Header)
	}
}

func lastOffset(h protocol.BatchHeader) int64 { return h.BaseOffset + int64(h.LastOffsetDelta) }

// Batches returns the batches in a partition's log, also the markers that end transactions in it. There are none if there is no
// such partition.
func (c *Cluster) Batches(topic string, index int32) (batches []Batch) {
	c.change(topic, index, func(p *partition) error {
		c.settle()
		batches = slices.Clone(p.log.batches)
		return nil
	})
	return batches
}

// Records returns the records in a partition's log, in order. There are none if there is no such partition. Records of
// transactions that are open or aborted are among them (see Committed), but no markers.
func (c *Cluster) Records(topic string, index int32) (records []Record) {
	for _, b := range c.Batches(topic, index) {
		if !b.Header.Control {
			records = append(records, b.Records()...)
		}
	}
	return records
}

// EndOffset returns the offset that a partition's next record gets, behind all records and markers; -1 if there is no such
// partition.
func (c *Cluster) EndOffset(topic string, index int32) int64 {
	end := int64(-1)
	c.change(topic, index, func(p *partition) error {
		c.settle()
		end = p.log.end
		return nil
	})
	return end
}

// Records decodes the batch.
func (b Batch) Records() []Record {
	h, decoded, err := protocol.DecodeBatch(b.Bytes, maxBatchBytes)
	if err != nil {
		panic(fmt.Sprintf("brokertest: a batch that was checked and appended cannot be decoded: %v", err))
	}
	records := make([]Record, len(decoded))
	for i := range decoded {
		d := &decoded[i]
		records[i] = Record{
			Offset: h.BaseOffset + int64(d.OffsetDelta), Timestamp: timestamp(&h, d), Key: d.Key, Value: d.Value,
			Headers: d.Headers, ProducerID: h.ProducerID, Epoch: h.ProducerEpoch, Sequence: -1,
		}
		if h.ProducerID >= 0 {
			records[i].Sequence = addSequence(h.BaseSequence, d.OffsetDelta)
		}
	}
	return records
}

// timestamp returns a record's timestamp in milliseconds since 1970.
func timestamp(h *protocol.BatchHeader, r *protocol.Record) int64 {
	if h.LogAppendTime {
		return h.MaxTimestamp
	}
	return h.BaseTimestamp + r.TimestampDelta
}
