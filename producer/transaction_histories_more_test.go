package producer_test

import (
	"math/rand/v2"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// age lets the next producer have one of the last epochs, now and then.
func (h *txHistory) age() {
	if h.rand.IntN(2) > 0 {
		return
	}
	if _, known := h.c.Transaction("tx"); !known {
		p := uninitialised(h.t, h.c)
		if err := p.InitTransactions(h.t.Context()); err != nil {
			h.t.Error(err)
		}
		if err := p.Close(h.t.Context()); err != nil {
			h.t.Error(err)
		}
	}
	h.c.SetProducerEpoch("tx", int16(32760+h.rand.IntN(7))) // unless something is open
}

// What the brokers of a transaction say when it can only be aborted.
var (
	ofLeaders      = []protocol.ErrorCode{protocol.TransactionAbortable, protocol.InvalidProducerEpoch, protocol.InvalidTxnState}
	ofCoordinators = []protocol.ErrorCode{protocol.TransactionAbortable, protocol.TransactionalIDAuthorizationFailed}
)

// more is what goes wrong besides: brokers ask for patience, or lack replicas, or say that the transaction is lost, or that a
// permission is missing.
func (h *txHistory) more(r *rand.Rand) {
	switch r.IntN(6) {
	case 0:
		api := []int16{brokertest.Produce, brokertest.EndTxn, brokertest.AddPartitionsToTxn, brokertest.TxnOffsetCommit, brokertest.InitProducerID, brokertest.FindCoordinator}[r.IntN(6)]
		h.c.Throttle(api, time.Duration(r.IntN(3000))*time.Millisecond)
		time.Sleep(time.Duration(r.IntN(4000)) * time.Millisecond)
		h.c.Throttle(api, 0)
	case 1:
		if h.brokers == 1 {
			h.c.On(brokertest.Produce).Times(1 + r.IntN(5)).Do(brokertest.Error(protocol.NotEnoughReplicas))
			break
		}
		broker := int32(1 + r.IntN(h.brokers))
		if err := h.c.SetMinISR("out", h.brokers); err != nil {
			h.t.Error(err)
		}
		h.c.StopBroker(broker)
		time.Sleep(time.Duration(r.IntN(4000)) * time.Millisecond)
		if err := h.c.StartBroker(broker); err != nil {
			h.t.Error(err)
		}
		if err := h.c.SetMinISR("out", 1); err != nil {
			h.t.Error(err)
		}
	case 2:
		h.c.On(brokertest.Produce).Skip(r.IntN(3)).Do(brokertest.AppendThenError(protocol.NotEnoughReplicasAfterAppend))
	case 3:
		h.c.On(brokertest.Produce).Skip(r.IntN(4)).Do(brokertest.Error(ofLeaders[r.IntN(len(ofLeaders))]))
	case 4:
		api := []int16{brokertest.AddPartitionsToTxn, brokertest.AddOffsetsToTxn, brokertest.TxnOffsetCommit, brokertest.EndTxn}[r.IntN(4)]
		h.c.On(api).Skip(r.IntN(2)).Do(brokertest.Error(ofCoordinators[r.IntN(len(ofCoordinators))]))
	case 5:
		for range 1 + r.IntN(3) {
			h.c.MoveCoordinator([]string{"tx", "g"}[r.IntN(2)], int32(1+r.IntN(h.brokers)))
			time.Sleep(time.Duration(r.IntN(200)) * time.Millisecond)
		}
	}
}
