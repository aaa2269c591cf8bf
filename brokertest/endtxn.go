package brokertest

import "github.com/epistle-kafka/epistle/protocol"

// endTxn answers EndTxn. The caller holds c.mu.
func (b *broker) endTxn(m *protocol.EndTxnRequest, version int16) protocol.Response {
	c := b.c
	resp := &protocol.EndTxnResponse{ProducerID: -1, ProducerEpoch: -1}
	t, code := b.coordinated(m.TransactionalID)
	// Since version 5 the client speaks the new protocol, whatever the level of transaction.version.
	bumps := version >= 5
	if code == protocol.NoError {
		var decided TransactionState
		if bumps {
			decided, code = t.judgeNew(m)
		} else {
			decided, code = t.judgeOld(m)
		}
		if decided != "" {
			t.decide(decided, bumps, c.opts.now(), c.newProducerID)
			resp.ProducerID, resp.ProducerEpoch = t.whoNext()
			c.settle()
		} else if code == protocol.NoError {
			resp.ProducerID, resp.ProducerEpoch = t.producerID, t.epoch
		}
	}
	resp.ErrorCode = forVersion(code, version >= 2)
	return resp
}

// whoNext returns the producer ID and epoch that the producer has once its decided transaction has ended.
func (t *transaction) whoNext() (id int64, epoch int16) {
	if t.nextID >= 0 {
		return t.nextID, 0
	}
	return t.producerID, t.epoch
}

// forVersion returns the code for a client that may be too old to know PRODUCER_FENCED.
func forVersion(code protocol.ErrorCode, knowsFenced bool) protocol.ErrorCode {
	if code == protocol.ProducerFenced && !knowsFenced {
		return protocol.InvalidProducerEpoch
	}
	return code
}

// coordinated returns the transaction that a request is about, if this broker coordinates it. The caller holds c.mu.
func (b *broker) coordinated(id string) (*transaction, protocol.ErrorCode) {
	if id == "" {
		return nil, protocol.InvalidRequest
	}
	if b.c.coordinator(id) != b.id {
		return nil, protocol.NotCoordinator
	}
	t := b.c.transactions[id]
	if t == nil {
		return nil, protocol.InvalidProducerIDMapping
	}
	return t, protocol.NoError
}

func prepared(commit bool) TransactionState {
	if commit {
		return StatePrepareCommit
	}
	return StatePrepareAbort
}

// judgeOld returns the state that an EndTxn of the old protocol leads to, if any, and the code of the answer. In the old
// protocol an epoch has many transactions, so a request that comes late or twice can meet another transaction than was meant
// (pitfall 15).
func (t *transaction) judgeOld(m *protocol.EndTxnRequest) (TransactionState, protocol.ErrorCode) {
	switch {
	case t.producerID != m.ProducerID:
		return "", protocol.InvalidProducerIDMapping
	case t.epoch != m.ProducerEpoch:
		return "", protocol.ProducerFenced
	case t.state == StateOngoing:
		return prepared(m.Committed), protocol.NoError
	case t.state == prepared(m.Committed):
		return "", protocol.ConcurrentTransactions
	case t.state == StateCompleteCommit && m.Committed, t.state == StateCompleteAbort && !m.Committed:
		return "", protocol.NoError
	}
	return "", protocol.InvalidTxnState
}

// judgeNew is judgeOld for the new protocol. A request under the epoch before the last end repeats that end.
func (t *transaction) judgeNew(m *protocol.EndTxnRequest) (TransactionState, protocol.ErrorCode) {
	wrapped := t.previousID == m.ProducerID && m.ProducerEpoch == lastClientEpoch && t.epoch == 0
	again := wrapped || t.epoch == m.ProducerEpoch+1
	current := t.epoch == m.ProducerEpoch
	switch {
	case t.producerID != m.ProducerID && !wrapped:
		return "", protocol.InvalidProducerIDMapping
	case t.state.deciding() && !(again && !wrapped), (t.state == StateOngoing || t.state == StateEmpty) && !current, !again && !current:
		return "", protocol.ProducerFenced
	case t.state == StateOngoing:
		return prepared(m.Committed), protocol.NoError
	case t.state == prepared(m.Committed):
		return "", protocol.ConcurrentTransactions
	case again && (t.state == StateCompleteCommit && m.Committed || t.state == StateCompleteAbort && !m.Committed):
		return "", protocol.NoError
	case !again && !m.Committed:
		// Nothing is open, and it is aborted all the same. The client cannot know whether its first Produce has arrived.
		return StatePrepareAbort, protocol.NoError
	}
	return "", protocol.InvalidTxnState
}
