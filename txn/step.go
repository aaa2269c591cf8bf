package txn

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A Step is a request that is due. Several may be under way: addPartitions runs beside everything but end. Of the other kinds
// there is one at a time, and end waits until no other is under way.
type Step struct {
	Node    int32 // which node to ask, or Anyone
	Request protocol.Request
	// The versions that will do, since others mean something else; 0 for no bound. If the node knows none of them, call
	// Unsupported.
	MinVersion, MaxVersion int16

	// Set by the sender of the step: the node that is asked, and its name for errors.
	Asked  int32
	Broker string

	old   bool // an EndTxn of the old protocol
	early bool // it was sent before the coordinator had shown that it knows the producer id
	kind  kind
	key   key         // which coordinator is looked for, or asked
	parts []Partition // of addPartitions
	op    *Op         // of addOffsets and commitOffsets
}

// Anyone is the Node of a Step that any broker can answer.
const Anyone int32 = -1

type kind uint8

const (
	nothing kind = iota
	find
	initID
	addPartitions
	addOffsets
	commitOffsets
	end
)

// The first versions of the new protocol, and the last of the old.
const (
	firstNewEndTxn       = 5
	lastOldEndTxn        = 4
	firstNewOffsetCommit = 5
	lastOldOffsetCommit  = 4
	lastOffsetsByName    = 5
	firstRenewal         = 3 // of InitProducerId: the first that says who asks (KIP-360)
)

// lastButOne is the epoch under which InitProducerId cannot abort a transaction. The abort would take the last epoch that
// clients may get, and the coordinator then fails to give another.
const lastButOne = math.MaxInt16 - 2

// Next returns the request that is due. If none is, it returns nil and when to call again; the zero time if something has to
// happen first. quiet says that no record of the transaction waits or is in flight.
func (t *Txn) Next(now time.Time, quiet bool) (*Step, time.Time) {
	t.now = now
	t.expire(now)
	k := t.due(quiet)
	if k == nothing {
		return nil, t.deadline()
	}
	if k == end && t.current.known == unregistered {
		t.attempts.succeeded()
		t.ended() // the coordinator knows nothing of the transaction, so there is nothing to end
		return nil, time.Time{}
	}
	if t.attempts.notBefore.After(now) {
		return nil, t.attempts.notBefore
	}
	if k == initID && t.state == Aborting {
		t.move(renew)
	}
	to := key{protocol.CoordinatorKeyTransaction, t.cfg.ID}
	if k == commitOffsets {
		to = key{protocol.CoordinatorKeyGroup, t.offsets[0].Group.ID}
	}
	node, known := t.coordinators[to]
	if !known {
		if t.busy() {
			return nil, time.Time{}
		}
		return &Step{Node: Anyone, kind: find, key: to, Request: to.search()}, time.Time{}
	}
	s := &Step{Node: node, kind: k, key: to}
	t.fill(s)
	return s, time.Time{}
}

func (k key) search() *protocol.FindCoordinatorRequest {
	return &protocol.FindCoordinatorRequest{Key: k.name, KeyType: k.kind, CoordinatorKeys: []string{k.name}}
}

// Search returns a request that asks which node the coordinator of s is now.
func (s *Step) Search() *protocol.FindCoordinatorRequest { return s.key.search() }

// Moved takes the answer to a Search for s, and reports whether it names another node than the one that s goes to. Steps go to
// the new node from now on. The coordinators of other keys that were on the old node are looked for again.
func (t *Txn) Moved(s *Step, resp *protocol.FindCoordinatorResponse) bool {
	node, code, _ := located(s.key, resp)
	if code != protocol.NoError || node < 0 || node == s.Node {
		return false
	}
	t.coordinators[s.key] = node
	for k, id := range t.coordinators {
		if id == s.Node && k != s.key {
			delete(t.coordinators, k) // it has probably moved, too
		}
	}
	return true
}

// deadline returns when expire has to be called again; the zero time means never.
func (t *Txn) deadline() time.Time {
	if len(t.offsets) == 0 {
		return time.Time{}
	}
	return t.offsets[0].until
}

// expire fails the transaction if its offsets were not taken in time: it could be neither committed nor aborted otherwise.
func (t *Txn) expire(now time.Time) {
	if len(t.offsets) > 0 && !t.offsets[0].until.After(now) {
		err := fmt.Errorf("the offsets of group %s were not taken within delivery.timeout (%v)", protocol.Quoted(t.offsets[0].Group.ID), t.cfg.Patience)
		if why := t.cfg.Hindered(t.offsets[0].until.Add(-t.cfg.Patience)); why != nil {
			err = fmt.Errorf("%w: %w", err, why)
		}
		t.Fail(err)
	}
}

// due returns the kind of the next request.
func (t *Txn) due(quiet bool) kind {
	switch t.state {
	case Initializing, Renewing, AbortingByEpoch:
		if len(t.inFlight) == 0 {
			return initID
		}
	case InTransaction, Committing:
		switch {
		case len(t.current.pending) > 0 && len(t.inFlight) < maxInFlight:
			return addPartitions
		case t.busy():
		case len(t.offsets) > 0:
			if t.current.offsetsLevel < 2 && !t.current.groups[t.offsets[0].Group.ID] {
				return addOffsets
			}
			return commitOffsets
		case t.state == Committing && quiet && len(t.inFlight) == 0 && len(t.current.pending) == 0:
			return end
		}
	case Aborting, AbortingOrphan:
		if quiet && len(t.inFlight) == 0 {
			return t.aborts()
		}
	}
	return nothing
}

// aborts returns the request that aborts the transaction.
func (t *Txn) aborts() kind {
	if t.UsesV2() && t.newest >= 2 && t.current.known == maybeRegistered && t.fresh.stage == settled && t.identity.Epoch != lastButOne {
		// While the last transaction is being completed, the coordinator takes the EndTxn of the next one for that of a fenced
		// producer. InitProducerId waits for the completion, and then aborts what is open.
		return initID
	}
	return end
}

// fill writes the request of s.
func (t *Txn) fill(s *Step) {
	id, epoch := t.identity.ID, t.identity.Epoch
	switch s.kind {
	case initID:
		s.Request = &protocol.InitProducerIDRequest{
			TransactionalID: &t.cfg.ID, TransactionTimeout: t.cfg.Timeout, ProducerID: id, ProducerEpoch: epoch,
		}
		if id >= 0 {
			s.MinVersion = firstRenewal
		}
	case addPartitions:
		s.parts = t.current.pending
		s.Request = &protocol.AddPartitionsToTxnRequest{
			TransactionalID: t.cfg.ID, ProducerID: id, ProducerEpoch: epoch, Topics: byTopic(s.parts),
		}
	case addOffsets:
		s.op = t.offsets[0]
		s.Request = &protocol.AddOffsetsToTxnRequest{
			TransactionalID: t.cfg.ID, ProducerID: id, ProducerEpoch: epoch, GroupID: s.op.Group.ID,
		}
	case commitOffsets:
		s.op = t.offsets[0]
		g := &s.op.Group
		s.Request = &protocol.TxnOffsetCommitRequest{
			TransactionalID: t.cfg.ID, GroupID: g.ID, ProducerID: id, ProducerEpoch: epoch,
			GenerationIDOrMemberEpoch: g.Generation, MemberID: g.MemberID, GroupInstanceID: g.InstanceID,
			Topics: s.op.Offsets,
		}
		s.MinVersion, s.MaxVersion = 0, lastOldOffsetCommit
		if t.current.offsetsLevel >= 2 {
			s.MinVersion, s.MaxVersion = firstNewOffsetCommit, 0
			if s.op.byName || slices.ContainsFunc(s.op.Offsets, func(o protocol.TxnOffsetCommitTopic) bool { return o.TopicID == protocol.UUID{} }) {
				s.MaxVersion = lastOffsetsByName
			}
		}
	case end:
		s.Request = &protocol.EndTxnRequest{
			TransactionalID: t.cfg.ID, ProducerID: id, ProducerEpoch: epoch, Committed: t.state == Committing,
		}
		s.old = t.current.endLevel < 2
		s.MaxVersion = lastOldEndTxn
		if !s.old {
			s.MinVersion, s.MaxVersion = firstNewEndTxn, 0
		}
	}
}

// RepeatsEnd reports whether s repeats an EndTxn of the new protocol whose answer was lost. In the old protocol nobody can say
// what became of that.
func (t *Txn) RepeatsEnd(s *Step) bool { return s.kind == end && t.current.doubtful() }

// Lower notes that the node of s, which was not Sent, knows the request only in the versions of the old protocol, though the
// transaction is in the new one. It reports whether those will do. Another step is due then.
func (t *Txn) Lower(s *Step) bool {
	switch {
	case s.kind == commitOffsets:
		t.current.offsetsLevel = 1
	case s.kind == end:
		t.current.lowerEnd()
	default:
		return false
	}
	return true
}

// maxInFlight bounds the steps that are under way at once.
const maxInFlight = 3

// busy reports whether a step is under way beside which only addPartitions may run.
func (t *Txn) busy() bool {
	return slices.ContainsFunc(t.inFlight, func(s *Step) bool { return s.kind != addPartitions })
}

// Awaits returns the request that has waited longest for its answer, and the node that is to give it; "" if there is none.
func (t *Txn) Awaits() (api string, node int32) {
	if len(t.inFlight) == 0 {
		return "", 0
	}
	s := t.inFlight[0]
	return s.Request.API().Name, s.Asked
}

// answered wraps a code with the request that it answers, and with the broker that has answered.
func (s *Step) answered(code error) error {
	if s.Broker == "" {
		return fmt.Errorf("%s: %w", s.Request.API().Name, code)
	}
	return fmt.Errorf("%s, answered by %s: %w", s.Request.API().Name, s.Broker, code)
}

// waits reports whether a step of that kind is under way.
func (t *Txn) waits(k kind) bool {
	return slices.ContainsFunc(t.inFlight, func(s *Step) bool { return s.kind == k })
}

func byTopic(parts []Partition) []protocol.AddPartitionsToTxnTopic {
	var topics []protocol.AddPartitionsToTxnTopic
	for _, p := range parts {
		i := slices.IndexFunc(topics, func(have protocol.AddPartitionsToTxnTopic) bool { return have.Name == p.Topic })
		if i < 0 {
			i = len(topics)
			topics = append(topics, protocol.AddPartitionsToTxnTopic{Name: p.Topic})
		}
		topics[i].Partitions = append(topics[i].Partitions, p.Index)
	}
	return topics
}

// Sent notes that s is on its way.
func (t *Txn) Sent(s *Step) {
	t.inFlight = append(t.inFlight, s)
	s.early = t.fresh.stage == fresh
	switch s.kind {
	case addPartitions:
		t.current.pending = nil
		t.current.announced()
	case addOffsets, commitOffsets:
		t.current.announced()
	case end:
		t.current.end = max(t.current.end, endSent)
	}
}

// Unreachable notes that a node cannot be connected to. The coordinators that were on it are looked for again, at once. The
// attempts to connect keep these searches apart.
func (t *Txn) Unreachable(node int32, err error) {
	for k, id := range t.coordinators {
		if id == node {
			delete(t.coordinators, k)
			t.attempts.troubled(t.now, err)
		}
	}
}
