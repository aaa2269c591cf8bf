package producer

import (
	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/internal/sticky"
	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/partition"
)

// A topic is what Send needs to know of a topic. It is immutable but for its sticky partitioner: a change of the topic makes a
// new one.
type topic struct {
	name   string
	queues []*accumulator.Queue // by partition; as many as the topic has now
	view   *partition.Topic
	sticky *sticky.Sticky
}

// setTopic takes over a topic's new metadata, for publish. Only the sender loop calls it.
func (p *Producer) setTopic(queues *accumulator.Topic, m *metadata.Topic, s *metadata.Snapshot) {
	view := &partition.Topic{Name: m.Name, Partitions: int32(len(m.Partitions))}
	for i, part := range m.Partitions {
		if part.Leader < 0 {
			continue
		}
		view.Available = append(view.Available, int32(i))
		if p.cfg.PartitionerRackAware && s.Brokers[part.Leader].Rack == p.cfg.ClientRack {
			view.Local = append(view.Local, int32(i))
		}
	}
	t := &topic{name: m.Name, queues: queues.Queues()[:len(m.Partitions)], view: view}
	now := p.clock.Now()
	if was := p.latest(m.Name); was != nil {
		t.sticky = was.sticky
		t.sticky.Update(view, now)
	} else {
		t.sticky = sticky.New(sticky.Config{
			BatchSize: p.cfg.BatchSize,
			Adaptive:  p.cfg.PartitionerAdaptivePartitioning,
			Even:      !p.cfg.PartitionerAdaptivePartitioning,
			Load:      &load{queues: queues, patience: p.patience()},
		}, view, now)
	}
	if p.unpublished == nil {
		p.unpublished = map[string]*topic{}
	}
	p.unpublished[m.Name] = t
}

// latest returns a topic as setTopic last made it, or nil.
func (p *Producer) latest(name string) *topic {
	if t := p.unpublished[name]; t != nil {
		return t
	}
	return p.topics.get(name)
}

// publish makes visible to Send what setTopic has taken over. Only the sender loop calls it.
func (p *Producer) publish() {
	for _, t := range p.unpublished {
		p.topics.set(t)
	}
	p.unpublished = nil
}

// patience is the number of milliseconds for which a partition's broker may take nothing before records without a key avoid it;
// 0: for ever.
func (p *Producer) patience() int64 {
	if !p.cfg.PartitionerAdaptivePartitioning {
		return 0
	}
	return p.cfg.PartitionerAvailabilityTimeout.Milliseconds()
}

// load tells the sticky partitioner how busy the queues of a topic are.
type load struct {
	queues   *accumulator.Topic
	patience int64 // milliseconds; 0: for ever
}

func (l *load) Queued(p int32) int64 {
	queues := l.queues.Queues()
	if int(p) >= len(queues) {
		return 0
	}
	return queues[p].Queued()
}

func (l *load) Available(p int32, nowMs int64) bool {
	queues := l.queues.Queues()
	if l.patience == 0 || int(p) >= len(queues) {
		return true
	}
	since := queues[p].BlockedSince.Load()
	return since == 0 || nowMs-since < l.patience
}
