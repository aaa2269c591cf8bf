package producer

import (
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sender"
)

// recordHooks are those of Config.Hooks that are told of records.
type recordHooks struct {
	begun       []RecordBegunHook
	partitioned []RecordPartitionedHook
	ended       []RecordEndedHook
}

func recordHooksOf(all []Hook) recordHooks {
	return recordHooks{among[RecordBegunHook](all), among[RecordPartitionedHook](all), among[RecordEndedHook](all)}
}

func (r *recordHooks) any() bool { return len(r.begun)+len(r.partitioned)+len(r.ended) > 0 }

// begin tells that a record is about to be sent. They may add headers to it, and to h's context.
func (r *recordHooks) begin(h *hook, rec *Record) {
	h.began = time.Now()
	if len(r.begun) == 0 {
		return
	}
	seen := *rec
	seen.Headers = slices.Clip(seen.Headers) // what is behind them is the caller's
	e := RecordBegun{Record: &seen}
	for _, one := range r.begun {
		if ctx := one.OnRecordBegun(h.ctx, &e); ctx != nil {
			h.ctx = ctx
		}
	}
	rec.Headers = seen.Headers
}

// choose tells where a record goes.
func (r *recordHooks) choose(e *entry, partition int32) {
	for _, one := range r.partitioned {
		one.OnRecordPartitioned(e.hook.ctx, RecordPartitioned{Topic: e.topic, Partition: partition})
	}
}

// end tells how a record has ended.
func (r *recordHooks) end(h *hook, md RecordMetadata, err error) {
	for _, one := range r.ended {
		one.OnRecordEnded(h.ctx, RecordEnded{Metadata: md, Err: err, MayBeWritten: MayBeWritten(err), Began: h.began})
	}
}

// among returns the hooks that have an interface.
func among[H any](all []Hook) (some []H) {
	for _, h := range all {
		if one, ok := h.(H); ok {
			some = append(some, one)
		}
	}
	return some
}

// telling returns a function that makes an event public and tells it to the hooks that have an interface; nil if none has.
func telling[H, Event, Public any](all []Hook, public func(Event) Public, tell func(H, Public)) func(Event) {
	some := among[H](all)
	if some == nil {
		return nil
	}
	return func(e Event) {
		p := public(e)
		for _, one := range some {
			tell(one, p)
		}
	}
}

// senderHooks are those of Config.Hooks that are told of anything but records; nil if there are none.
func (p *Producer) senderHooks() *sender.Hooks {
	all := p.cfg.Hooks
	on := &sender.Hooks{
		BatchSent:         telling(all, batchSent, BatchSentHook.OnBatchSent),
		BatchAcknowledged: telling(all, batchAcknowledged, BatchAcknowledgedHook.OnBatchAcknowledged),
		BatchRetried:      telling(all, batchRetried, BatchRetriedHook.OnBatchRetried),
		BatchSplit:        telling(all, batchSplit, BatchSplitHook.OnBatchSplit),
		BatchFailed:       telling(all, batchFailed, BatchFailedHook.OnBatchFailed),
		Connected:         telling(all, brokerConnected, BrokerConnectedHook.OnBrokerConnected),
		Disconnected:      telling(all, brokerDisconnected, BrokerDisconnectedHook.OnBrokerDisconnected),
		RequestEnded:      telling(all, requestEnded, RequestEndedHook.OnRequestEnded),
		Throttled:         telling(all, brokerThrottled, BrokerThrottledHook.OnBrokerThrottled),
		LeaderMoved:       telling(all, leaderMoved, LeaderMovedHook.OnLeaderMoved),
		EpochRenewed:      telling(all, epochRenewed, EpochRenewedHook.OnEpochRenewed),
		TransactionBegun:  telling(all, p.transactionBegun, TransactionBegunHook.OnTransactionBegun),
		TransactionEnded:  telling(all, p.transactionEnded, TransactionEndedHook.OnTransactionEnded),
	}
	if !on.Any() {
		return nil
	}
	return on
}

// isHook reports whether h has any of the interfaces.
func isHook(h Hook) bool {
	p := Producer{cfg: Config{Hooks: []Hook{h}}}
	records := recordHooksOf(p.cfg.Hooks)
	return records.any() || p.senderHooks() != nil
}

func brokerOf(id int32, addr string) Broker { return Broker{ID: id, Addr: protocol.Shown(addr)} }

func batchOf(e *sender.BatchEvent) Batch {
	b := Batch{
		Topic: e.Batch.Topic(), Partition: e.Batch.Partition(),
		Records: int(e.Batch.Count()), Bytes: e.Batch.Size(), UncompressedBytes: e.Batch.RawSize(),
		Compression: Compression(e.Batch.Codec()), Opened: e.Batch.Opened(),
		Attempt: e.Attempt, Sent: e.Sent, Broker: Broker{ID: NoBroker},
		batch: e.Batch,
	}
	if !e.Sent.IsZero() {
		b.Broker = brokerOf(e.Node, e.Addr)
	}
	return b
}

func batchSent(e *sender.BatchEvent) BatchSent { return BatchSent{Batch: batchOf(e)} }

func batchAcknowledged(e *sender.BatchEvent) BatchAcknowledged {
	return BatchAcknowledged{Batch: batchOf(e), Offset: e.Offset}
}

func batchRetried(e *sender.BatchEvent) BatchRetried {
	return BatchRetried{Batch: batchOf(e), Err: outward(e.Err)}
}

func batchSplit(e *sender.BatchEvent) BatchSplit {
	return BatchSplit{Batch: batchOf(e), Parts: e.Parts, Fault: e.Faulty, Err: outward(e.Err)}
}

func batchFailed(e *sender.BatchEvent) BatchFailed {
	return BatchFailed{Batch: batchOf(e), Err: outward(e.Err), MayBeWritten: e.MayBeWritten}
}

func brokerConnected(e *sender.BrokerEvent) BrokerConnected {
	return BrokerConnected{Broker: brokerOf(e.Node, e.Addr), Control: e.Control, Took: e.Took, Err: outward(e.Err)}
}

func brokerDisconnected(e *sender.BrokerEvent) BrokerDisconnected {
	return BrokerDisconnected{Broker: brokerOf(e.Node, e.Addr), Control: e.Control, Lasted: e.Lasted, Err: outward(e.Err)}
}

func brokerThrottled(e *sender.BrokerEvent) BrokerThrottled {
	return BrokerThrottled{Broker: brokerOf(e.Node, e.Addr), Control: e.Control, Asked: e.Asked, Granted: e.Granted}
}

func requestEnded(e *sender.RequestEvent) RequestEnded {
	r := RequestEnded{
		Broker: brokerOf(e.Node, e.Addr), API: e.API.Name, Key: e.API.Key, Version: e.Version,
		RequestBytes: e.Request, ResponseBytes: e.Answer, Written: e.MayBeThere, Err: outward(e.Err),
	}
	if e.Written.IsZero() {
		r.Queued = max(e.Ended.Sub(e.Asked), 0)
	} else {
		r.Queued, r.Latency = max(e.Written.Sub(e.Asked), 0), max(e.Ended.Sub(e.Written), 0)
	}
	return r
}

func leaderMoved(e *sender.PartitionEvent) LeaderMoved {
	return LeaderMoved{Topic: e.Topic, Partition: e.Partition, From: e.From, To: e.To}
}

func epochRenewed(e *sender.PartitionEvent) EpochRenewed {
	return EpochRenewed{Topic: e.Topic, Partition: e.Partition, ProducerID: e.ID, Epoch: e.Epoch}
}

func (p *Producer) transactionOf(e *sender.TransactionEvent) Transaction {
	return Transaction{ID: p.cfg.TransactionalID, Number: e.Number, ProducerID: e.ID, Epoch: e.Epoch, Began: e.Began}
}

func (p *Producer) transactionBegun(e *sender.TransactionEvent) TransactionBegun {
	return TransactionBegun{Transaction: p.transactionOf(e)}
}

func (p *Producer) transactionEnded(e *sender.TransactionEvent) TransactionEnded {
	return TransactionEnded{Transaction: p.transactionOf(e), Outcome: TransactionOutcome(e.Outcome), Err: outward(e.Err)}
}
