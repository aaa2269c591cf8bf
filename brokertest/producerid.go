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

// newProducerID returns an ID that no producer has. The caller holds c.mu.
func (c *Cluster) newProducerID() int64 {
	c.nextProducer++
	return c.nextProducer
}
