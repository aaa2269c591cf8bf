package brokertest

import (
	"math"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// transactionalID is what the transaction coordinator knows of one. Guarded by Cluster.mu.
type transactionalID struct {
	producerID int64
	epoch      int16
}

const maxTransactionTimeout = 15 * time.Minute // transaction.max.timeout.ms

// initProducerID answers InitProducerId. The caller holds c.mu.
func (b *broker) initProducerID(m *protocol.InitProducerIDRequest, version int16) protocol.Response {
	c := b.c
	refusal := func(code protocol.ErrorCode) protocol.Response {
		return &protocol.InitProducerIDResponse{ErrorCode: code, ProducerID: -1, ProducerEpoch: -1}
	}
	switch {
	case (m.ProducerID == -1) != (m.ProducerEpoch == -1):
		return refusal(protocol.InvalidRequest)
	case m.TransactionalID == nil:
		// Whatever ID the client had, it gets a new one: the coordinator keeps no idempotent producers.
		return &protocol.InitProducerIDResponse{ProducerID: c.newProducerID()}
	case *m.TransactionalID == "":
		return refusal(protocol.InvalidRequest)
	case c.coordinator(*m.TransactionalID) != b.id:
		return refusal(protocol.NotCoordinator)
	case m.TransactionTimeout <= 0 || m.TransactionTimeout > maxTransactionTimeout:
		return refusal(protocol.InvalidTransactionTimeout)
	}
	t := c.transactional[*m.TransactionalID]
	switch {
	case t == nil:
		t = &transactionalID{producerID: c.newProducerID()}
		c.transactional[*m.TransactionalID] = t
	case m.ProducerID != -1 && (m.ProducerID != t.producerID || m.ProducerEpoch != t.epoch):
		if version >= 4 {
			return refusal(protocol.ProducerFenced)
		}
		return refusal(protocol.InvalidProducerEpoch)
	case t.epoch >= math.MaxInt16-1:
		// The last epoch is for the coordinator itself, to fence with.
		t.producerID, t.epoch = c.newProducerID(), 0
	default:
		t.epoch++
	}
	return &protocol.InitProducerIDResponse{ProducerID: t.producerID, ProducerEpoch: t.epoch}
}

// verifyTransaction is what a partition's leader asks the coordinator before it appends a transactional batch. No batch
// belongs to a transaction, as nobody can begin one here. The caller holds c.mu.
func (c *Cluster) verifyTransaction(call *produceCall) (protocol.ErrorCode, *string) {
	h, id := call.batch.header, call.message.TransactionalID
	if !h.Transactional || h.ProducerID < 0 {
		return protocol.NoError, nil
	}
	switch t := c.transactional[*id]; {
	case t == nil || t.producerID != h.ProducerID:
		return protocol.InvalidProducerIDMapping, nil
	case t.epoch != h.ProducerEpoch:
		return protocol.InvalidProducerEpoch, nil
	case call.request.Version >= 11:
		return protocol.TransactionAbortable, nil
	}
	text := "Partition was not added to the transaction"
	return protocol.InvalidTxnState, &text
}

// newProducerID returns an ID that no producer has. The caller holds c.mu.
func (c *Cluster) newProducerID() int64 {
	c.nextProducer++
	return c.nextProducer
}
