package producertest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/epistle-kafka/epistle/producer"
)

// State says what has become of a record.
type State uint8

// The states of a record.
const (
	// StateRefused: it was not taken.
	StateRefused State = iota
	// StatePending: it waits for its completion.
	StatePending
	// StateFailed: it has ended with an error.
	StateFailed
	// StateUncommitted: it is acknowledged, and its transaction is open.
	StateUncommitted
	// StateCommitted: consumers see it. It is acknowledged, and its transaction is committed, or it has none.
	StateCommitted
	// StateAborted: it was acknowledged, and its transaction was aborted.
	StateAborted
)

// String returns the state in a word, such as "pending".
func (s State) String() string {
	names := [...]string{"refused", "pending", "failed", "uncommitted", "committed", "aborted"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Sent is a record, and what has become of it. It may get further fields.
type Sent struct {
	// Record is the record as interceptors have left it. Its Timestamp is the one that it was sent with.
	Record producer.Record
	// Metadata is what the program was told, or will be: Partition is -1 if none was chosen, Offset is -1 if there is none.
	Metadata producer.RecordMetadata
	// Err is what the program was told. It is nil for a record that is acknowledged or waits.
	Err   error
	State State
	// Transaction is the number of the record's transaction, from 1 on; 0 if it has none.
	Transaction int64
}

// sentOf copies an entry, so that nothing of the double is the test's.
func sentOf(e *entry) Sent {
	return Sent{Record: copied(&e.rec), Metadata: e.md, Err: e.err, State: e.state, Transaction: e.txn}
}

// copied is a record whose slices are its own.
func copied(rec *producer.Record) producer.Record {
	e := entry{rec: *rec}
	e.keep()
	return e.rec
}

// History returns all records that the program has handed over to these topics, or to all topics if none is named. They are in
// the order in which they were taken or refused.
func (p *Producer) History(topics ...string) []Sent {
	return p.records(topics, func(*entry) bool { return true })
}

// Committed returns the records that a consumer with isolation.level=read_committed sees.
func (p *Producer) Committed(topics ...string) []Sent {
	return p.records(topics, func(e *entry) bool { return e.state == StateCommitted })
}

// Uncommitted returns the records of the open transaction: those that are acknowledged, and those that wait for that.
func (p *Producer) Uncommitted(topics ...string) []Sent {
	return p.records(topics, func(e *entry) bool {
		return e.state == StateUncommitted || e.state == StatePending && e.txn != 0
	})
}

func (p *Producer) records(topics []string, have func(*entry) bool) (all []Sent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.history {
		if have(e) && (len(topics) == 0 || slices.Contains(topics, e.rec.Topic)) {
			all = append(all, sentOf(e))
		}
	}
	return all
}

// Clear forgets the records that have ended, what groups have committed, and the counts of transactions and of Stats. Offsets
// go on from where they are, and so does an open transaction.
func (p *Producer) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.history = slices.DeleteFunc(p.history, func(e *entry) bool { return e.state != StatePending && e.state != StateUncommitted })
	p.stats = producer.Stats{}
	p.groups, p.counts = nil, Transactions{Initialized: p.counts.Initialized}
}

// Offsets are what a group has committed, or will commit, by partition.
type Offsets = map[producer.TopicPartition]producer.OffsetAndMetadata

// GroupOffsets returns what a group has committed. Offsets in an open transaction are not in it.
func (p *Producer) GroupOffsets(groupID string) Offsets {
	p.mu.Lock()
	defer p.mu.Unlock()
	return cloned(p.groups[groupID])
}

// PendingOffsets returns what a group will have committed once the open transaction is committed.
func (p *Producer) PendingOffsets(groupID string) Offsets {
	p.mu.Lock()
	defer p.mu.Unlock()
	return cloned(p.staged[groupID])
}

// cloned is a map that is never nil.
func cloned(offsets Offsets) Offsets {
	all := Offsets{}
	maps.Copy(all, offsets)
	return all
}

// Transactions says what has become of a double's transactions. It may get further fields.
type Transactions struct {
	Initialized bool // InitTransactions has succeeded
	Open        bool // a transaction is open
	Committed   int
	Aborted     int
}

// Transactions returns the counts as they are now.
func (p *Producer) Transactions() Transactions {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := p.counts
	if p.tx != nil {
		counts.Open = !p.tx.Idle()
	}
	return counts
}
