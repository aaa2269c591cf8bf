package sender

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// host is where a broker is now. At its former addresses somebody answers who leads nothing.
func (h *history) host(id int32) string { return fmt.Sprintf("host%d-%d", id, h.hosts[id]) }

// former reports whether the connection leads to where its broker is no more.
func (mc *modelConn) former() bool {
	return mc.node.id >= 0 && mc.addr != addrOf(mc.h.host(mc.broker), 9092)
}

// moveBroker gives a broker another address. The connections that it has stay with who is at the old one.
func (h *history) moveBroker() {
	id := 1 + h.rng.Int32N(h.brokers)
	h.hosts[id]++
	h.counts[tallyMoved]++
	h.hurt = true // where brokers lag behind, it may take longer than records have
	h.tracef("broker %d is at %s", id, h.host(id))
	if h.chance(0.5) {
		h.core.meta.RequestUpdate()
	}
}

// A stranger is another producer, to whom a cluster that was made again has given an id that ours may have.
type stranger struct {
	id    int64
	epoch int16
	next  map[*modelLog]int32 // sequence
}

// makeAgain puts another cluster in the place of the one that is. What shows it is its id, or those of the topics, or both.
// Producer ids are given from the start, and the first may be somebody else's before our producer comes.
func (h *history) makeAgain() {
	newID, newTopics := h.chance(0.6), true
	if slices.ContainsFunc(h.topics, func(t *modelTopic) bool { return !h.knows(t) }) {
		newID = true // a topic that is met afterwards, as it is, is no sign of anything
	}
	if newID {
		newTopics = h.chance(0.6)
		h.cluster = fmt.Sprint("cluster ", h.epochs+1)
	}
	if h.mode == modeStrangers {
		newTopics = newTopics && !newID || h.chance(0.1) // as long as it knows of neither, it sends under its old id
	}
	h.epochs++
	h.counts[tallyAgain]++
	h.tracef("the cluster is made again: new id=%v, new topics=%v", newID, newTopics)
	for _, flights := range h.late {
		for _, f := range flights {
			f.lose()
		}
	}
	h.late = nil
	outlives := h.outlive()
	for _, mc := range slices.Clone(h.conns) {
		if mc != outlives {
			mc.hangUp(errReset, pick(h, []hangWay{hangDrop, hangUnsent}))
		}
	}
	for _, t := range h.topics {
		id := t.id
		h.makeTopic(t)
		if t.met = nil; !newID {
			t.met = h.core.topics.named(t.name)
		}
		if !newTopics {
			delete(h.lives, t.id)
			t.id = id
			h.lives[id] = t.life
		}
		for _, p := range t.parts {
			p.leader, p.epoch = 1+h.rng.Int32N(h.brokers), 0
			p.cutBackAt, p.returns = 0, false
		}
	}
	h.hurt = true
	h.lastID = 1000
	clear(h.given)
	clear(h.spoiled)
	h.strangers = nil
	if h.chance(0.7) {
		for range 1 + h.rng.IntN(2) {
			s := &stranger{id: h.newProducerID(), next: map[*modelLog]int32{}}
			if h.mode == modeStrangers {
				s.epoch = int16(h.rng.IntN(4))
				if ours := h.core.identity.current.ID; ours > s.id && h.chance(0.7) {
					s.id, h.lastID = ours, ours // so many were given before it came
				}
			}
			h.strangers = append(h.strangers, s)
		}
	}
	if h.core.transactor() != nil {
		h.mayDie, h.taken = "the cluster is another one", false // who has taken over knows no more of it than we
		h.txn = &modelTxn{id: -1, epoch: -1, previousID: -1, lastEpoch: -1, nextID: -1, parts: map[*modelPart]bool{}}
	}
}

// outlive has a connection outlive its cluster, now and then: it leads to a process that hangs. As long as other connections
// end, the producer asks who is there before it sends. Where it is the only one, nothing shows that the cluster is gone, and
// the producer sends to the new one over its next connection. Not while a batch goes on in parts because it is in
// doubt: what another cluster takes of these says nothing of the batch in the cluster before, and nothing shows in time that
// it is another. See elsewhere, and README's limits.
func (h *history) outlive() *modelConn {
	likely := 0.2
	switch {
	case h.mode == modeStrangers && len(h.conns) == 1:
		likely = 1
	case h.mode == modeStrangers:
		likely = 0.5
	}
	h.blind = false
	if len(h.conns) == 0 || !h.chance(likely) || h.inParts() {
		return nil
	}
	mc := pick(h, h.conns)
	h.blind = len(h.conns) == 1
	mc.deaf = true
	for _, f := range mc.flights {
		f.processed = true
		f.lose()
	}
	h.counts[tallyOutlived]++
	h.tracef("connection %d.%d outlives it", mc.node.id, mc.which)
	return mc
}

// makeAgainUnawares has the cluster made again, mostly such that the producer sends to the new one before it hears of it.
func (h *history) makeAgainUnawares() {
	if h.chance(0.7) {
		h.leaveOne()
	}
	h.makeAgain()
	if h.blind && h.chance(0.5) {
		for range 3 {
			h.strangerWrites()
		}
	}
	for range 3 {
		h.send()
	}
	if h.blind && h.chance(0.5) {
		h.hearLate()
	}
}

// leaveOne has all connections end but one, which then brings metadata: the producer knows that the cluster is there, and asks
// nobody again before it sends. If the cluster is made again at this moment, and that connection outlives it, the producer
// sends to the new one unawares. First it writes to partitions of all topics, so that it has a producer id, and knows how
// brokers answer.
func (h *history) leaveOne() {
	for range 4 {
		for _, t := range h.topics {
			h.append(pick(h, t.existing()), 0, false)
		}
		for range 4 {
			h.serve()
			h.pass(5 * time.Millisecond)
		}
	}
	i := slices.IndexFunc(h.conns, func(mc *modelConn) bool { return mc.which == control && mc.node.id >= 0 && !mc.deaf })
	if i < 0 {
		return
	}
	stays := h.conns[i]
	for _, mc := range slices.Clone(h.conns) {
		if mc != stays {
			mc.hangUp(errReset, pick(h, []hangWay{hangDrop, hangUnsent}))
		}
	}
	h.core.meta.RequestUpdate()
	for range 3 {
		h.pass(20 * time.Millisecond)
		for len(stays.flights) > 0 && !stays.broken {
			h.serveConn(stays)
		}
		h.settle()
	}
	h.tracef("connection %d.%d alone has stayed", stays.node.id, stays.which)
}

// hearLate has brokers work at batches while their answers, and those to Metadata on a connection that has outlived its
// cluster, take their time. So the producer may hear of the new cluster before it hears what that has made of a batch.
func (h *history) hearLate() {
	h.core.meta.RequestUpdate()
	h.pass(h.cfg.RequestTimeout / 2)
	for len(h.dials) > 0 {
		h.dialDone()
	}
	h.settle()
	for _, mc := range slices.Clone(h.conns) {
		for _, f := range mc.flights {
			if mc.which == data && !f.processed {
				h.work(f)
			}
		}
	}
	for range 7 { // an eighth before the batches time out
		h.pass(h.cfg.RequestTimeout / 8)
		for len(h.dials) > 0 {
			h.dialDone()
		}
		h.settle()
		for _, mc := range slices.Clone(h.conns) {
			if mc.which == control && len(mc.flights) > 0 {
				h.serveConn(mc)
			}
		}
		h.settle()
	}
}

// inParts reports whether a batch goes on in parts because it is in doubt.
func (h *history) inParts() bool {
	for _, t := range h.core.topics.all() {
		for _, p := range t.parts {
			for _, d := range slices.Concat(p.inFlight, p.retry) {
				if d.doubt != nil && d.doubt.open() {
					return true
				}
			}
		}
	}
	return false
}

// strangerWrites has another producer write a batch. Where somebody else has written under its id, it raises its epoch.
func (h *history) strangerWrites() {
	if len(h.strangers) == 0 {
		return
	}
	s := pick(h, h.strangers)
	l := pick(h, pick(h, h.topics).existing()).log
	n := int32(1 + h.rng.IntN(2))
	seq := s.next[l]
	p := l.producers[s.id]
	if p != nil && (p.epoch != s.epoch || len(p.batches) == 0 || sequenceAfter(p.batches[len(p.batches)-1].last, 1) != seq) {
		if p.epoch == math.MaxInt16 {
			return
		}
		s.epoch, seq = p.epoch+1, 0 // it does what we must not
		clear(s.next)
	}
	h.counts[tallyStranger]++
	h.tracef("a stranger writes %d/%d+%d to %s-%d", s.id, s.epoch, seq, l.part.topic.name, l.part.index)
	p = l.remember(s.id, s.epoch)
	if len(p.batches) == 5 {
		p.batches = append(p.batches[:0], p.batches[1:]...)
	}
	p.batches = append(p.batches, logBatch{seq, sequenceAfter(seq, n-1), l.end, true})
	l.end += int64(n)
	l.last = h.now
	s.next[l] = sequenceAfter(seq, n)
}

// twin has another producer, which has our id in another cluster, write what has a batch's numbers just before that is
// written. Not where the producer cannot tell (see blindTo): the batch would be refused, and sent again behind younger ones, which
// the log takes as next to the stranger's. No producer can prevent that.
func (h *history) twin(a *modelAttempt) {
	l := a.part.log
	p := l.producers[a.id]
	if h.given[a.id] || h.blindTo(a) || p != nil && (p.epoch != a.epoch || p.next() != a.seq) || !slices.ContainsFunc(h.strangers, func(s *stranger) bool { return s.id == a.id }) {
		return
	}
	n := int32(len(a.records))
	p = l.remember(a.id, a.epoch)
	p.batches = append(p.batches, logBatch{a.seq, sequenceAfter(a.seq, n-1), l.end, true})
	l.end += int64(n)
	l.last = h.now
	h.tracef("a stranger has the numbers of %v", a)
}

// knows reports whether the producer can know that the cluster, and its topics, are what they are.
func (h *history) knows(t *modelTopic) bool {
	known := h.core.meta.Topic(t.name)
	return h.core.meta.Snapshot().ClusterID == h.cluster && known != nil && known.ID == t.id && t.id != protocol.UUID{}
}

// unknowing reports whether a record is only in the log of a cluster that was made again, and the producer cannot know of
// that yet: what the new one takes of its batch then looks like a proof that the batch was in no log.
func (h *history) unknowing(r *modelRecord) bool {
	return !h.knows(r.part.topic) && !slices.ContainsFunc(r.places, func(at place) bool { return at.log == r.part.log })
}

// blindTo reports whether the producer cannot tell that a is taken for a duplicate of a stranger's: an earlier attempt could
// have been written, or it does not know how the topic's brokers answer when they append. Such a batch is acknowledged and
// in no log, whatever is done (see README's limits), and so it is left out here.
func (h *history) blindTo(a *modelAttempt) bool {
	return !h.core.topics.named(a.part.topic.name).stamps.untimed(a.part.leader) || slices.ContainsFunc(a.part.attempts, func(o *modelAttempt) bool {
		return o != a && (o.fate != refused || o.vague) && o.id == a.id && o.epoch == a.epoch && o.seq == a.seq
	})
}

// checkOwner demands that a batch has a producer id that this cluster gave, as soon as the producer can know that it is
// another one, and that no epoch is raised of an id that somebody else has.
func (h *history) checkOwner(a *modelAttempt) {
	t := a.part.topic
	forgotten := t.met != nil && t.met != h.core.topics.named(t.name) // and met again, as if it had always been so
	if h.knows(t) && !h.given[a.id] && !forgotten {
		h.fail("I6: %v has a producer id that this cluster did not give", a)
	}
	for _, o := range a.part.attempts {
		if o.sum == a.sum || o.id == a.id && o.cluster == a.cluster && o.epoch >= a.epoch {
			return // it is no new one
		}
	}
	if h.spoiled[a.id] {
		h.fail("I6: %v has a new epoch of a producer id that is somebody else's, too", a)
	}
}

// tells returns what an answer to Metadata that the core is about to take says of topics. Of brokers that are asked the same,
// side by side, only the first that answers is heard (R3). The core takes nothing from the others, and does not know what they
// say.
func (h *history) tells(e event) []protocol.MetadataTopic {
	r, ok := e.(replied)
	if !ok || r.call.Err != nil {
		return nil
	}
	resp, ok := r.call.Response.(*protocol.MetadataResponse)
	heard := slices.ContainsFunc(h.core.questions.all(), func(q *question) bool { return q.request == r.call.Request })
	if !ok || !heard || resp.ErrorCode != protocol.NoError || *resp.ClusterID != h.cluster {
		return nil
	}
	return resp.Topics
}

// tell notes what the core has just been told of topics. Settled says that it has ended a doubt about which cluster is there.
func (h *history) tell(topics []protocol.MetadataTopic, settled bool) {
	if settled {
		h.hush(topics)
	}
	for _, told := range topics {
		if t := h.topic(*told.Name); told.ErrorCode == protocol.NoError {
			t.told, t.hushed = told.TopicID, false
		}
	}
}

// hush notes that the cluster may be another one, if no topic has the id that it had in the answer that ends the doubt.
func (h *history) hush(topics []protocol.MetadataTopic) {
	for _, told := range topics {
		if told.ErrorCode == protocol.NoError && told.TopicID == h.topic(*told.Name).told {
			return
		}
	}
	for _, t := range h.topics {
		t.hushed = true
	}
}

// checkTold: once the core has heard that a topic is another one, nothing that is in the log of the one before is sent to it
// (I6). checkNumbers sees that only where requests name topics by their ids. A request that names the one before by its id
// reaches no other. The core may send it still: it takes one answer that has the new id for an older one that was late. And
// once the core has heard that the cluster may be another one, nothing that may be written, and nothing of a transaction, is
// sent to a topic of which it has heard nothing.
func (h *history) checkTold(a *modelAttempt) {
	t := a.part.topic
	if t.hushed && h.cfg.Idempotent && (a.txn || a.part.doubts(a) || slices.ContainsFunc(a.records, func(r *modelRecord) bool { return len(r.places) > 0 })) {
		h.fail("I6: %v is sent to a topic that no answer has described since the cluster may be another one, and may be written or is of a transaction", a)
	}
	if t.told != t.id || a.life >= 0 && a.life != t.life {
		return
	}
	for _, r := range a.records {
		for _, at := range r.places {
			if at.entry.topic != t.id && at.entry.topic != (protocol.UUID{}) {
				h.fail("I6: %v is sent to a topic that was made again, as metadata has said, and record %d is in the log of the one before", a, r.id)
			}
		}
	}
}
