package sender

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// errNoAnswer: the broker's response does not mention the partition.
var errNoAnswer = errors.New("the broker's answer does not mention the partition")

// errTwoAnswers: the broker's response mentions the partition twice, so that nobody knows which of the two is meant.
var errTwoAnswers = errors.New("the broker's answer mentions the partition twice")

// twice is the answer of a partition that has two.
var twice = &protocol.ProducePartitionResponse{}

// apply ends an attempt of each batch of a produce request.
func (e answered) apply(c *core) {
	r, call := e.request, &e.request.call
	c.pending--
	c.metrics.countProduced(r)
	c.hooks.produceEnded(r)
	r.node.removeInFlight(r)
	l := r.node.ended(data, r.conn)
	if l != nil && call.Err == nil {
		l.answered(c.now)
		delete(l.lacks, produceKey)
		c.throttled(r.node, l, call.Response)
	}
	c.unsupported(r.node, l, call)
	failures := r.node.health.failures
	if call.Err == nil && call.Response != nil {
		r.match(&c.topics)
	}
	c.news.heard(r.node)
	if call.Err == nil {
		c.news.answered(r.node)
	}
	for _, d := range r.deliveries {
		p := d.part
		p.removeInFlight(d)
		c.requests.batchGone()
		d.conn = nil
		late := d.resolved // then nobody else may hold its batch, which is needed below (I5)
		if !late {
			d.Drop()
		}
		switch a := p.answer; {
		case call.Err != nil:
			r.node.failed(c.now, call.Err)
			c.broken(r.node, p, d, call.Err, call.Written)
		case call.Response == nil:
			c.deliver(p, d, -1, -1) // acks=0: written is all there is to know
		case a == nil:
			c.broken(r.node, p, d, r.node.refused("Produce", errNoAnswer), true)
		case a == twice:
			c.broken(r.node, p, d, r.node.refused("Produce", errTwoAnswers), true)
		default:
			c.judge(r, p, d, a)
		}
		if late {
			d.Drop()
		}
		if d.over {
			c.refreshDelivered(p)
			c.requests.recycle(d)
		} else {
			c.refresh(p)
		}
	}
	if call.Err == nil {
		r.node.answered(c.now, failures)
	}
	c.news.heard(nil)
	c.learnHinted()
	c.requests.reuse(r)
}

// learnHinted applies the leaders that an answer named, all at once.
func (c *core) learnHinted() {
	hinted := c.topics.takeHinted()
	if len(hinted) == 0 {
		return
	}
	for _, name := range hinted {
		c.learn(name)
	}
	c.publish()
}

// match stores in each partition of r its answer. Answers of version 13 and later name a topic by the id that it has in the
// request. One that is mentioned twice has the answer twice.
func (r *request) match(known *topics) {
	for _, d := range r.deliveries {
		d.part.answer = nil
	}
	byID := r.call.Version > lastVersionByName
	for i := range r.response.Topics {
		t := &r.response.Topics[i]
		name := t.Name
		if byID {
			name = r.nameOf(i, t.TopicID)
		}
		of := known.named(name)
		for j := range t.Partitions {
			a := &t.Partitions[j]
			if of == nil || a.Index < 0 || int(a.Index) >= len(of.parts) {
				continue
			}
			p := of.parts[a.Index]
			if p.answer != nil {
				a = twice
			}
			p.answer = a
		}
	}
}

// nameOf returns the name that the request had for a topic id: metadata may have moved on since. Most brokers answer in the
// order of the request, so place is tried first.
func (r *request) nameOf(place int, id protocol.UUID) string {
	topics := r.message.Topics
	if place >= len(topics) || topics[place].TopicID != id {
		place = slices.IndexFunc(topics, func(t protocol.ProduceTopic) bool { return t.TopicID == id })
	}
	if place < 0 {
		return ""
	}
	return topics[place].Name
}

// judge deals with one partition's answer.
func (c *core) judge(r *request, p *partition, d *delivery, a *protocol.ProducePartitionResponse) {
	code := a.ErrorCode
	v := delivered
	if code != protocol.NoError {
		at := attempt{
			code: code, records: d.Count(), named: len(a.RecordErrors) > 0,
			idempotent: c.cfg.Idempotent, oldest: p.oldest(d), unknown: d.doubtful(), estranged: p.numbers.Estranged(),
		}
		c.txn.qualify(&at)
		v = judge(at)
	}
	if v == delivered && c.txn.strange(p, d, r.node.id, a.LogAppendTime) {
		d.unknown = true
		if d.resolved {
			c.breakSequence(p)
		} else {
			c.giveUp(p, d, errStranger)
		}
		return
	}
	if v == delivered || v == duplicate {
		if v == duplicate {
			a.BaseOffset, a.LogAppendTime = -1, -1 // not reliable (pitfall 12)
		} else if d.doubt != nil {
			c.proven(p, d, r.call.Version <= lastVersionByName)
		}
		c.deliver(p, d, a.BaseOffset, a.LogAppendTime)
		return
	}
	err := c.txn.explain(p, d, code, brokerError(code, a.ErrorMessage))
	p.lastErr = r.node.refused("Produce", err)
	r.node.failed(c.now, p.lastErr)
	p.numbers.Disturb()
	if code.MayBeWritten() {
		d.unknown = true
	}
	moved := d.old // the news is newer than what this answer is about
	if code.RefreshMetadata() && !d.old {
		moved = c.follow(r, p, d, a)
	}
	if d.resolved {
		c.breakSequence(p)
		return
	}
	if v != fail && c.lost(p, d) != nil {
		v = again // retry ends it
	}
	switch v {
	case split:
		c.split(p, d, err)
	case rejectRecords:
		c.rejectRecords(p, d, a)
	case renumber:
		c.breakSequence(p)
		p.keepNothing()
		c.retry(p, d, err, moved)
	case again:
		c.retry(p, d, err, moved)
	default:
		if sequence(code) && d.doubt != nil && d.doubt.open() {
			err = fmt.Errorf("%w: %w", errWhole, err)
		}
		c.giveUp(p, d, err)
	}
}

// errWhole: a broker takes no part of a batch that it has.
var errWhole = errors.New("it was sent before in a larger batch, which the broker seems to have")

// follow takes the leader that the answer names (KIP-951), or asks for metadata. It reports whether the leader is another one
// now: a batch sent to it need not wait for the backoff.
func (c *core) follow(r *request, p *partition, d *delivery, a *protocol.ProducePartitionResponse) bool {
	if a.CurrentLeader.LeaderID >= 0 && c.meta.Hint(c.now, p.topic.name, p.index, a.CurrentLeader, r.response.NodeEndpoints) {
		c.topics.hint(p.topic.name)
		for _, at := range r.response.NodeEndpoints {
			if at.NodeID == a.CurrentLeader.LeaderID {
				c.nodeAt(at.NodeID, at.Host, at.Port)
			}
		}
		return p.leader != a.CurrentLeader.LeaderID
	}
	c.meta.RequestUpdate()
	return false
}

// brokerError is a broker's code, with the text that came with it.
func brokerError(code protocol.ErrorCode, message *string) error {
	if message == nil || *message == "" {
		return code
	}
	return fmt.Errorf("%w: the broker says %s", code, protocol.Quoted(*message))
}

// broken deals with an attempt that ended without an answer.
func (c *core) broken(n *node, p *partition, d *delivery, err error, written bool) {
	p.lastErr = err
	p.numbers.Disturb()
	d.unknown = d.unknown || written
	c.meta.RequestUpdate()
	unsupported := (*wire.UnsupportedVersionError)(nil)
	switch {
	case d.resolved:
		c.breakSequence(p)
	case c.cfg.Acks == 0, errors.As(err, &unsupported):
		c.giveUp(p, d, err)
	default:
		if !written {
			d.attempts-- // nobody has seen it
		}
		// If a silent leader was given up for a new one, there is nothing to wait for.
		moved := errors.Is(err, errMoved) && p.leader >= 0 && p.leader != n.id
		if moved {
			p.backoff = time.Time{}
		}
		c.retry(p, d, err, moved)
	}
}
