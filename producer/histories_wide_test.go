package producer_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// more makes something go wrong that is not about Produce.
func (h *history) more(r *rand.Rand, broker int32) {
	api := []int16{brokertest.Metadata, brokertest.Metadata, brokertest.InitProducerID, brokertest.ApiVersions}[r.IntN(4)]
	on := h.c.On(api).Skip(r.IntN(2)).Times(1 + r.IntN(4))
	short := time.Duration(r.IntN(4000)) * time.Millisecond
	switch r.IntN(13) {
	case 0:
		code := []protocol.ErrorCode{protocol.CoordinatorNotAvailable, protocol.CoordinatorLoadInProgress, protocol.RequestTimedOut}[r.IntN(3)]
		if api == brokertest.Metadata {
			code = []protocol.ErrorCode{protocol.UnknownTopicOrPartition, protocol.LeaderNotAvailable}[r.IntN(2)]
		}
		on.Do(brokertest.Error(code))
	case 1:
		on.Do(brokertest.Drop())
	case 2:
		on.Do(brokertest.HandleThenSwallow())
	case 3:
		on.Do(brokertest.Pass().Delayed(short))
	case 4:
		on.Do([]*brokertest.Action{brokertest.HalfFrame(), brokertest.Truncated(1 + r.IntN(8)), brokertest.WrongCorrelationID()}[r.IntN(3)])
	case 5:
		on.Do(brokertest.Throttled(short))
	case 6:
		h.c.Throttle(brokertest.Produce, short/4)
	case 7:
		faults := make([]brokertest.DialFault, 1+r.IntN(4))
		for i := range faults {
			faults[i] = brokertest.DialFault(1 + r.IntN(3))
		}
		h.c.NextDials(broker, faults...)
		h.c.CutConnections(broker, r.IntN(2) == 0)
	case 8:
		h.c.Break(broker, brokertest.Outage(1+r.IntN(5)))
		time.Sleep(short)
		h.c.Mend(broker)
	case 9:
		if err := h.c.AddPartitions("t", h.c.Partitions("t")+1); err != nil {
			h.t.Error(err)
		}
	case 10:
		h.replace(r)
	case 11:
		if err := h.c.MoveBroker(broker); err != nil {
			h.t.Error(err)
		}
		h.moved[broker] = true
	case 12:
		h.closeEarly(r)
	}
}

// replace makes the topic again, or the whole cluster, by which the producer can tell.
func (h *history) replace(r *rand.Rand) {
	if r.IntN(3) > 0 {
		return
	}
	h.replaced = true
	if r.IntN(2) == 0 {
		h.c.MakeAgain(brokertest.Again{ClusterID: r.IntN(2) == 0})
		return
	}
	if err := h.c.RecreateTopic("t"); err != nil {
		h.t.Error(err)
	}
}

// closeEarly closes the producer while records are under way: all of them have their outcome when it returns.
func (h *history) closeEarly(r *rand.Rand) {
	if r.IntN(3) > 0 {
		return
	}
	h.early = true
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Duration(r.IntN(3000))*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := h.p.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, producer.ErrClosed) {
		h.t.Errorf("Close: %v", err)
	}
	if took := time.Since(began); took > 4*time.Second+10*time.Millisecond {
		h.t.Errorf("Close took %v, and its context a second less", took)
	}
}

// calmDown ends what more has done.
func (h *history) calmDown() {
	h.c.Throttle(brokertest.Produce, 0)
	for id := range h.brokers {
		h.c.Mend(int32(id + 1))
	}
}

// mayEnd reports whether a record may end so, by what has happened to the cluster or the producer.
func (h *history) mayEnd(err error) bool {
	again := errors.Is(err, producer.ErrTopicRecreated) || errors.Is(err, producer.ErrClusterReplaced) || errors.Is(err, producer.ErrPartitionGone)
	// All bootstrap addresses are dead, and every connection may have been lost before the producer has heard of the new ones.
	lost := len(h.moved) == h.brokers && errors.Is(err, producer.ErrMaxBlock)
	return lost || h.replaced && (again || producer.MayBeWritten(err)) || h.early && errors.Is(err, producer.ErrClosed)
}
