package brokertest

import (
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

const maxTransactionTimeout = 15 * time.Minute // transaction.max.timeout.ms

// initProducerID answers InitProducerId. The caller holds c.mu.
func (b *broker) initProducerID(m *protocol.InitProducerIDRequest, version int16) protocol.Response {
	c := b.c
	resp := &protocol.InitProducerIDResponse{ProducerID: -1, ProducerEpoch: -1}
	if m.TransactionalID == nil && (m.ProducerID == -1) == (m.ProducerEpoch == -1) {
		// Whatever ID the client had, it gets a new one: the coordinator keeps no idempotent producers.
		resp.ProducerID, resp.ProducerEpoch = c.newProducerID(), 0
		return resp
	}
	t, code := b.initTransactionalID(m)
	if code == protocol.NoError {
		resp.ProducerID, resp.ProducerEpoch = t.producerID, t.epoch
	}
	resp.ErrorCode = forVersion(code, version >= 4)
	return resp
}

// initTransactionalID gives the transactional ID to the producer that asks. An open transaction is aborted first, and the
// producer has to ask again. The caller holds c.mu.
func (b *broker) initTransactionalID(m *protocol.InitProducerIDRequest) (*transaction, protocol.ErrorCode) {
	c := b.c
	if (m.ProducerID == -1) != (m.ProducerEpoch == -1) {
		return nil, protocol.InvalidRequest
	}
	if *m.TransactionalID != "" && (m.TransactionTimeout <= 0 || m.TransactionTimeout > maxTransactionTimeout) {
		return nil, protocol.InvalidTransactionTimeout
	}
	t, code := b.coordinated(*m.TransactionalID)
	if code != protocol.NoError && code != protocol.InvalidProducerIDMapping {
		return nil, code
	}
	if t == nil {
		t = newTransaction(*m.TransactionalID, c.newProducerID())
		c.transactions[t.id] = t
	}
	switch {
	case m.ProducerID != -1 && !t.owns(m.ProducerID, m.ProducerEpoch):
		return nil, protocol.ProducerFenced
	case t.state.deciding():
		return nil, protocol.ConcurrentTransactions
	case t.state == StateOngoing:
		t.fence(c.transactionVersion() >= 2, c.opts.now(), c.newProducerID)
		c.settle()
		return nil, protocol.ConcurrentTransactions
	}
	if code := t.initialise(m.ProducerID, m.ProducerEpoch, c.newProducerID); code != protocol.NoError {
		return nil, code
	}
	t.timeout = m.TransactionTimeout
	return t, protocol.NoError
}

// newProducerID returns an ID that no producer has. The caller holds c.mu.
func (c *Cluster) newProducerID() int64 {
	c.nextProducer++
	return c.nextProducer
}
