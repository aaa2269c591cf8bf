package main

import (
	"log"
	"sync"

	"github.com/epistle-kafka/epistle/protocol"
)

// maxRaw is the most that a batch may hold, in bytes: sarama's are not bounded by max.request.size.
const maxRaw = 128 << 20

// checks are the sequences that producers have reached. A sink knows every batch since the beginning, while a broker may have
// lost its state. So it takes nothing but 0 as a first sequence, also after a new epoch.
type checks struct {
	mu    sync.Mutex // guards the following
	reach map[stream]reached
}

// A stream is the batches of one producer in one partition.
type stream struct {
	producerID int64
	topic      string // its name, or its id where that is what the client sends
	partition  int32
}

type reached struct {
	epoch int16
	next  int32 // sequence
}

// batch reads a batch and says what a broker would answer.
func (c *checks) batch(t *protocol.ProduceTopic, partition int32, batch []byte) (protocol.BatchHeader, protocol.ErrorCode) {
	h, records, err := protocol.DecodeBatch(batch, maxRaw)
	if err != nil {
		log.Print(err)
		return h, protocol.CorruptMessage
	}
	for i := range records {
		if records[i].OffsetDelta != int32(i) {
			log.Printf("record %d has offset delta %d", i, records[i].OffsetDelta)
			return h, protocol.InvalidRecord
		}
	}
	if h.Count == 0 || h.LastOffsetDelta != h.Count-1 {
		log.Printf("a batch of %d records has last offset delta %d", h.Count, h.LastOffsetDelta)
		return h, protocol.InvalidRecord
	}
	if h.ProducerID < 0 {
		return h, protocol.NoError
	}
	key := stream{h.ProducerID, t.Name, partition}
	if t.Name == "" {
		key.topic = string(t.TopicID[:])
	}
	return h, c.sequence(key, &h)
}

func (c *checks) sequence(key stream, h *protocol.BatchHeader) protocol.ErrorCode {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, known := c.reach[key]
	switch {
	case known && h.ProducerEpoch < r.epoch:
		return protocol.InvalidProducerEpoch
	case !known || h.ProducerEpoch > r.epoch:
		r = reached{epoch: h.ProducerEpoch}
	}
	// After the largest int32, sequences go on at 0.
	if ahead := (h.BaseSequence - r.next) & (1<<31 - 1); ahead != 0 {
		if known && ahead > 1<<30 {
			return protocol.DuplicateSequenceNumber
		}
		log.Printf("producer %d, partition %d: sequence %d where %d is next", key.producerID, key.partition, h.BaseSequence, r.next)
		return protocol.OutOfOrderSequenceNumber
	}
	r.next = (r.next + h.Count) & (1<<31 - 1)
	if c.reach == nil {
		c.reach = map[stream]reached{}
	}
	c.reach[key] = r
	return protocol.NoError
}
