package brokertest

import "github.com/epistle-kafka/epistle/protocol"

// unverified is what a partition remembers of a producer whose transactional batches it has seen, and of which it has appended
// none in this transaction: the lowest sequence, which has to come first.
type unverified struct {
	epoch  int16
	lowest int32
	bumps  bool // the client speaks the new protocol
}

// verifyTransaction asks the coordinator before the first batch of a producer in a transaction is appended. It asks whether the
// partition belongs to the transaction, or, in the new protocol, to add it. The caller holds c.mu.
func (c *Cluster) verifyTransaction(call *produceCall) (protocol.ErrorCode, *string) {
	h, id, version := call.batch.header, *orEmpty(call.message.TransactionalID), call.request.Version
	if !h.Transactional || h.ProducerID < 0 {
		return protocol.NoError, nil
	}
	if call.mixed {
		return refuseVerification(protocol.InvalidProducerIDMapping, "Transactional records contained more than one producer ID")
	}
	log := &call.topic.partitions[call.index].log
	s := log.producers[h.ProducerID]
	switch {
	case c.opts.old && s != nil && s.open:
		return protocol.NoError, nil
	case s != nil && h.ProducerEpoch < s.epoch:
		return protocol.InvalidProducerEpoch, nil
	case s != nil && h.ProducerEpoch == s.epoch && s.open:
		return protocol.NoError, nil
	}
	log.expect(h, version >= 12)
	switch code := c.verify(id, h.ProducerID, h.ProducerEpoch, TopicPartition{call.topic.name, call.index}, version >= 12, version >= 11); code {
	case protocol.InvalidTxnState:
		return refuseVerification(code, "Partition was not added to the transaction")
	case protocol.CoordinatorNotAvailable, protocol.ConcurrentTransactions:
		if code == protocol.ConcurrentTransactions && version >= 12 {
			return code, nil
		}
		// An older client would not retry with the coordinator's code.
		return refuseVerification(protocol.NotEnoughReplicas,
			"Unable to verify the partition has been added to the transaction. Underlying error: "+code.Name())
	default:
		return code, nil
	}
}

func orEmpty(s *string) *string {
	if s == nil {
		return new(string)
	}
	return s
}

func refuseVerification(code protocol.ErrorCode, text string) (protocol.ErrorCode, *string) {
	return code, &text
}

// verify asks the coordinator whether a partition belongs to a transaction, or adds it. abortable says that the client knows
// TRANSACTION_ABORTABLE. The caller holds c.mu.
func (c *Cluster) verify(id string, producerID int64, epoch int16, p TopicPartition, add, abortable bool) protocol.ErrorCode {
	t := c.transactions[id]
	var code protocol.ErrorCode
	switch {
	case id == "":
		return protocol.InvalidRequest
	case c.coordinator(id) < 0:
		return protocol.CoordinatorNotAvailable
	case t == nil:
		return protocol.InvalidProducerIDMapping
	case add:
		code = t.add(producerID, epoch, c.opts.now(), p)
	default:
		code = t.admits(producerID, epoch)
		if code == protocol.NoError && !t.partitions[p] {
			code = protocol.TransactionAbortable
		}
	}
	if code == protocol.TransactionAbortable && !abortable {
		return protocol.InvalidTxnState
	}
	// A client takes PRODUCER_FENCED for final. Only the coordinator's own answer may be that.
	return forVersion(code, false)
}

// expect notes a batch that is the first of a transaction in this partition, if it is appended.
func (l *log) expect(h protocol.BatchHeader, bumps bool) {
	u := l.unverified[h.ProducerID]
	switch {
	case u == nil:
		l.unverified[h.ProducerID] = &unverified{h.ProducerEpoch, h.BaseSequence, bumps}
	case h.ProducerEpoch > u.epoch:
		u.epoch, u.lowest = h.ProducerEpoch, h.BaseSequence
	case h.ProducerEpoch == u.epoch:
		u.lowest = min(u.lowest, h.BaseSequence)
	}
}

// allows reports whether a batch's sequence is not behind one that has to come first.
func (u *unverified) allows(h protocol.BatchHeader, known bool) bool {
	return u == nil || (known || !u.bumps || h.BaseSequence == 0) && h.BaseSequence <= u.lowest
}
