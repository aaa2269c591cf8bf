package sender

import (
	"cmp"
	"slices"

	"github.com/epistle-kafka/epistle/accumulator"
)

// Topics are the topics that the loop knows, and what of them is still to be told. The core learns of them (topic_learn.go),
// deals with those that were made again (topic_again.go), and forgets them (topic_forget.go).
type topics struct {
	byName map[string]*topic
	listed []*topic // the same, in an order that can be repeated

	hinted  []string // with a leader that the answer at hand has named
	learned []string // of which OnTopic was told, and Publish was not
}

func newTopics() topics { return topics{byName: map[string]*topic{}} }

// named returns a topic; nil if it is not known.
func (ts *topics) named(name string) *topic { return ts.byName[name] }

// all returns the topics, until one is added or dropped.
func (ts *topics) all() []*topic { return ts.listed }

func (ts *topics) any() bool { return len(ts.listed) > 0 }

// sorted returns the topics by their names.
func (ts *topics) sorted() []*topic {
	return slices.SortedFunc(slices.Values(ts.listed), func(a, b *topic) int { return cmp.Compare(a.name, b.name) })
}

// partitions is how many a topic has, as far as is known; -1 if it is not.
func (ts *topics) partitions(name string) int {
	if t := ts.byName[name]; t != nil {
		return len(t.meta.Partitions)
	}
	return -1
}

func (ts *topics) add(name string, queues *accumulator.Topic) *topic {
	t := &topic{name: name, queues: queues, at: len(ts.listed)}
	ts.byName[name], ts.listed = t, append(ts.listed, t)
	return t
}

func (ts *topics) drop(t *topic) {
	delete(ts.byName, t.name)
	end := len(ts.listed) - 1
	last := ts.listed[end]
	ts.listed[t.at], last.at = last, t.at
	ts.listed[end] = nil
	ts.listed = ts.listed[:end]
}

// hint notes that an answer has named a leader of a topic.
func (ts *topics) hint(name string) {
	if !slices.Contains(ts.hinted, name) {
		ts.hinted = append(ts.hinted, name)
	}
}

// takeHinted returns the topics of hint, each once. They are valid until the next hint.
func (ts *topics) takeHinted() []string {
	names := ts.hinted
	ts.hinted = names[:0]
	return names
}

// addLearned notes that OnTopic was told of a topic.
func (ts *topics) addLearned(name string) { ts.learned = append(ts.learned, name) }

// takeLearned returns the topics of addLearned. They are valid until the next is added.
func (ts *topics) takeLearned() []string {
	names := ts.learned
	ts.learned = names[:0]
	return names
}

// disturb notes that the broker behind leader's next connection may know nothing of us (pitfall 1): it was started anew, or is
// another cluster's.
func (ts *topics) disturb(leader int32) {
	for _, t := range ts.listed {
		for _, p := range t.parts {
			if p.leader == leader {
				p.numbers.Disturb()
			}
		}
	}
}
