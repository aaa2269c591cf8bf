package producer

import (
	"maps"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/partition"
)

// A topic is what Send needs to know of a topic. It is immutable but for its
// sticky partitioner: a change of the topic makes a new one.
type topic struct {
	name   string
	queues []*accumulator.Queue // by partition; as many as the topic has now
	view   *partition.Topic
	sticky *partition.Sticky
}

// A topicSet is the topics that Send knows. It is immutable.
type topicSet struct {
	byName map[string]*topic
	near   [32]*topic // by nearby: one topic of each place, so that most records need no hash of their topic's name
}

func newTopicSet(byName map[string]*topic) *topicSet {
	s := &topicSet{byName: byName}
	for name, t := range byName {
		s.near[nearby(name)] = t
	}
	return s
}

// nearby is a name's place among the near topics: its length and last letter tell most apart.
func nearby(name string) uint {
	if len(name) == 0 {
		return 0
	}
	return (uint(len(name))*5 + uint(name[len(name)-1])) % uint(len(topicSet{}.near))
}

// get returns nil for a topic that is not known.
func (s *topicSet) get(name string) *topic {
	if t := s.near[nearby(name)]; t != nil && t.name == name {
		return t
	}
	return s.byName[name]
}

// setTopic takes a topic's new metadata, for publish. It runs on the sender loop
// alone.
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
	if p.unpublished == nil {
		p.unpublished = maps.Clone(p.topics.Load().byName)
	}
	if was := p.unpublished[m.Name]; was != nil {
		t.sticky = was.sticky
		t.sticky.Update(view, now)
	} else {
		t.sticky = partition.NewSticky(partition.StickyConfig{
			BatchSize: p.cfg.BatchSize,
			Adaptive:  p.cfg.PartitionerAdaptivePartitioning,
			Load:      &load{queues: queues, patience: p.patience()},
		}, view, now)
	}
	p.unpublished[m.Name] = t
}

// publish makes the topics that setTopic was told of visible to Send, with one
// copy of the map for all of them. It runs on the sender loop alone.
func (p *Producer) publish() {
	if next := p.unpublished; next != nil {
		p.unpublished = nil
		p.topics.Store(newTopicSet(next))
	}
}

// patience is how many milliseconds a partition's broker may take nothing
// before records without a key avoid it; 0: for ever.
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
	since := queues[p].Stalled.Load()
	return since == 0 || nowMs-since < l.patience
}
