package producer

import (
	"context"
	"errors"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/protocol"
)

// KeyValue is a record of a [Topic]:
//
//	type KeyValue struct {
//		Key, Value []byte
//	}
//
// A nil Key is null: the record has no key. A nil Value is null, which a compacted topic takes for a tombstone. KeyValue may
// get further fields. It is declared in package protocol, since the records of a SendAllFunc go to the encoder as they are.
type KeyValue = protocol.KeyValue

// SendAllFunc is SendFunc for each of the records, in their order; done is called once for each record. It is the fastest way
// to send records that come several at a time, if they have no key: neighbours go to one partition, and what they have in
// common is done once. A hundred records in a call are enough. With keys it gains less.
//
// SendAllFunc copies all before it returns, so the caller may use records again. A record that is not taken does not stop those
// behind it, with one exception. If a record has waited in vain, for max.block or for a topic that cannot be found, those
// behind it are refused with the same error, and do not wait as long again.
func (t *Topic) SendAllFunc(ctx context.Context, records []KeyValue, done Callback) {
	if t.p == nil {
		t.sendAllOver(ctx, records, done)
		return
	}
	if passing.Load() && t.refuseUnserialized(ctx, len(records), done) != nil {
		return
	}
	run := entry{Entry: accumulator.Entry{Detached: true}}
	if done != nil {
		run.Callback = done
	}
	var late error // the error of a record that has waited in vain
	var said verdict
	for len(records) > 0 {
		plain := records
		if t.p.watched {
			t.ask(ctx, &said, records)
			plain = records[:said.plain]
		}
		err := late
		if err == nil && len(plain) > 0 {
			if n := t.sendRun(ctx, &run, plain); n > 0 {
				records = records[n:]
				said.plain -= n
				continue
			}
		}
		var e entry
		e.Detached, e.call = true, "SendAllFunc"
		if len(plain) > 0 {
			t.fillPlain(&e, records[0].Key, records[0].Value, done)
			said.plain--
		} else {
			t.fillWatched(ctx, &e, records[0].Key, records[0].Value, done, said.hooks)
			said.concerned = false
		}
		if err == nil {
			err = t.p.admit(ctx, &e, true)
		}
		if err != nil {
			t.p.refuseFunc(&e, done, err)
			if errors.Is(err, ErrMaxBlock) || e.topic == t.name && t.known() == nil {
				late = err
			}
		}
		records = records[1:]
	}
}

// longestRun is how many records are appended under one lock at most.
const longestRun = 256

// A verdict is what hooks have said of the next records of a SendAllFunc. It is kept, since they are asked for each record once.
// It is of use only if p.watched is set.
type verdict struct {
	plain     int         // how many records concern neither hooks nor interceptors
	concerned bool        // the record behind these was asked for, too, and concerns some
	hooks     recordHooks // the hooks that want to be told of that one
}

// ask asks the hooks for the records that they were not asked for, up to the first that concerns any hook or interceptor.
func (t *Topic) ask(ctx context.Context, said *verdict, records []KeyValue) {
	for !said.concerned && said.plain < min(len(records), longestRun) {
		if said.hooks, said.concerned = t.p.watchers(ctx, t.name); !said.concerned {
			said.plain++
		}
	}
}

// sendRun sends the first of records, as many as their partitions' open batches take as they are. None of them concerns hooks
// or interceptors. run has all that the records have in common. sendRun returns how many it has sent: 0 if the first of them
// needs more than that.
func (t *Topic) sendRun(ctx context.Context, run *entry, records []KeyValue) int {
	p := t.p
	if !p.keyless || ctx.Err() != nil {
		return 0
	}
	to := t.known()
	if to == nil {
		return 0
	}
	if p.cfg.TransactionalID != "" {
		var err error
		if run.Txn, err = p.admitTo(t.txn); err != nil {
			return 0
		}
	}
	now := p.clock.Now()
	run.Timestamp = p.clock.Wall(now)
	if records[0].Key == nil {
		return p.sendKeyless(to, run, records, now)
	}
	if p.murmur {
		return p.sendKeyed(to, run, records, now)
	}
	return 0
}

// sendKeyless is sendRun for the first records that have no key: all of them go to one partition.
func (p *Producer) sendKeyless(to *topic, run *entry, records []KeyValue, now int64) int {
	records = records[:min(len(records), longestRun)]
	accumulator.Fetch(records[0].Value)
	run.Key = nil
	q, pick, err := p.choose(to, run)
	if err != nil {
		return 0
	}
	n := q.AppendRun(&run.Entry, records, now)
	if n > 0 && pick != nil {
		to.sticky.Appended(pick, run.SeriesBytes, run.Full, now)
	}
	return n
}

// atOnce is how many partitions are asked for together.
const atOnce = 16

// sendKeyed is sendRun for the first records that have a key. Each of them has a partition of its own. All of these are fetched
// from memory together, before the first record is appended.
func (p *Producer) sendKeyed(to *topic, run *entry, records []KeyValue, now int64) int {
	var queues [atOnce]*accumulator.Queue
	n := 0
	run.Series = nil
	for n < min(len(records), len(queues)) && records[n].Key != nil {
		queues[n] = to.queues[partition.JavaMurmur2(records[n].Key, to.view.Partitions)]
		queues[n].Fetch()
		n++
	}
	for i := range n {
		run.Key, run.Value = records[i].Key, records[i].Value
		if !queues[i].TryAppend(&run.Entry, now) {
			return i
		}
	}
	return n
}
