package producer

import (
	"context"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sender"
)

// recordHooks are the hooks of Config.Hooks that are told of records.
type recordHooks []recordHook

// A recordHook is one of these hooks, with the interfaces that it has; nil for each that it lacks.
type recordHook struct {
	filter      RecordFilterHook
	begun       RecordBegunHook
	partitioned RecordPartitionedHook
	ended       RecordEndedHook
}

func recordHooksOf(all []Hook) (some recordHooks) {
	for _, h := range all {
		var one recordHook
		one.filter, _ = h.(RecordFilterHook)
		one.begun, _ = h.(RecordBegunHook)
		one.partitioned, _ = h.(RecordPartitionedHook)
		one.ended, _ = h.(RecordEndedHook)
		if one.begun != nil || one.partitioned != nil || one.ended != nil {
			some = append(some, one)
		}
	}
	return some
}

func (r *recordHook) wants(ctx context.Context, topic string) bool {
	return r.filter == nil || r.filter.WantsRecord(ctx, topic)
}

// wanting returns the hooks that want to be told of a record.
func (r recordHooks) wanting(ctx context.Context, topic string) recordHooks {
	for i := range r {
		if !r[i].wants(ctx, topic) {
			some := slices.Clone(r[:i])
			for j := i + 1; j < len(r); j++ {
				if r[j].wants(ctx, topic) {
					some = append(some, r[j])
				}
			}
			return some
		}
	}
	return r
}

// begin tells the hooks that a record is about to be sent. They may add headers to rec, and to h's context.
func (h *hook) begin(rec *Record) {
	if len(h.hooks) == 0 {
		return
	}
	h.began = time.Now()
	seen := *rec
	seen.Headers = slices.Clip(seen.Headers) // what is behind them is the caller's
	e := RecordBegun{Record: &seen}
	for i := range h.hooks {
		if one := h.hooks[i].begun; one != nil {
			if ctx := one.OnRecordBegun(h.ctx, &e); ctx != nil {
				h.ctx = ctx
			}
		}
	}
	rec.Headers = seen.Headers
}

// choose tells the hooks where a record goes.
func (h *hook) choose(topic string, partition int32) {
	for i := range h.hooks {
		if one := h.hooks[i].partitioned; one != nil {
			one.OnRecordPartitioned(h.ctx, RecordPartitioned{Topic: topic, Partition: partition})
		}
	}
}

// end tells the hooks how a record has ended.
func (h *hook) end(md RecordMetadata, err error) {
	for i := range h.hooks {
		if one := h.hooks[i].ended; one != nil {
			one.OnRecordEnded(h.ctx, RecordEnded{Metadata: md, Err: err, MayBeWritten: MayBeWritten(err), Began: h.began})
		}
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

// notifying returns a function that makes an event public and tells it to the hooks that have an interface; nil if there are
// none.
func notifying[H, Event, Public any](all []Hook, public func(Event) Public, notify func(H, Public)) func(Event) {
	some := among[H](all)
	if some == nil {
		return nil
	}
	return func(e Event) {
		p := public(e)
		for _, one := range some {
			notify(one, p)
		}
	}
}

// senderHooks returns the hooks of Config.Hooks that are told of anything but records; nil if there are none.
func (p *Producer) senderHooks() *sender.Hooks {
	all := p.cfg.Hooks
	on := &sender.Hooks{
		BatchSent:         notifying(all, batchSent, BatchSentHook.OnBatchSent),
		BatchAcknowledged: notifying(all, batchAcknowledged, BatchAcknowledgedHook.OnBatchAcknowledged),
		BatchRetried:      notifying(all, batchRetried, BatchRetriedHook.OnBatchRetried),
		BatchSplit:        notifying(all, batchSplit, BatchSplitHook.OnBatchSplit),
		BatchFailed:       notifying(all, batchFailed, BatchFailedHook.OnBatchFailed),
		Connected:         notifying(all, brokerConnected, BrokerConnectedHook.OnBrokerConnected),
		Disconnected:      notifying(all, brokerDisconnected, BrokerDisconnectedHook.OnBrokerDisconnected),
		RequestEnded:      notifying(all, requestEnded, RequestEndedHook.OnRequestEnded),
		Throttled:         notifying(all, brokerThrottled, BrokerThrottledHook.OnBrokerThrottled),
		LeaderMoved:       notifying(all, leaderMoved, LeaderMovedHook.OnLeaderMoved),
		EpochRenewed:      notifying(all, epochRenewed, EpochRenewedHook.OnEpochRenewed),
		TransactionBegun:  notifying(all, p.transactionBegun, TransactionBegunHook.OnTransactionBegun),
		TransactionEnded:  notifying(all, p.transactionEnded, TransactionEndedHook.OnTransactionEnded),
	}
	if !on.Any() {
		return nil
	}
	on.OnCallers = len(among[AnyGoroutineHook](all)) == len(all)
	return on
}

// isHook reports whether h has any of the interfaces.
func isHook(h Hook) bool {
	p := Producer{cfg: Config{Hooks: []Hook{h}}}
	return len(recordHooksOf(p.cfg.Hooks)) > 0 || p.senderHooks() != nil
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
	return TransactionEnded{
		Transaction: p.transactionOf(e), Asked: e.Asked, Commit: e.Commit, Outcome: TransactionOutcome(e.Outcome), Err: outward(e.Err),
	}
}
