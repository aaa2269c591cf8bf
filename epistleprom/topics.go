package epistleprom

import "github.com/epistle-kafka/epistle/producer"

// A series is what counts something of a topic.
type series struct {
	name            string
	topic           string
	reason, written string // "" where it has no such label
}

// A counter is a series of a topic that has a label of its own. It goes on when the producer forgets the topic, and when it
// counts from 0 after that. If it did not, what was counted long ago would come up under "_other" at that moment, and rate and
// increase would take it for what has just happened.
type counter struct {
	before int64 // what was counted until the producer forgot the topic last
	now    int64 // what the producer has said last
}

func (c *counter) read(n int64) {
	if n < c.now { // it was forgotten meanwhile
		c.before += c.now
	}
	c.now = n
}

// byTopic are the counters of each topic.
var byTopic = map[string]func(*producer.RecordMetrics) int64{
	"records_sent_total":    func(r *producer.RecordMetrics) int64 { return r.Acknowledged },
	"record_bytes_total":    func(r *producer.RecordMetrics) int64 { return r.RawBytes },
	"batch_bytes_total":     func(r *producer.RecordMetrics) int64 { return r.Bytes },
	"batches_sent_total":    func(r *producer.RecordMetrics) int64 { return r.Batches },
	"batches_split_total":   func(r *producer.RecordMetrics) int64 { return r.BatchesSplit },
	"batches_expired_total": func(r *producer.RecordMetrics) int64 { return r.BatchesExpired },
}

// count takes a reading, and returns what each series has then. If a later reading has come before this one, as two scrapes at
// once may have it, count returns that in its place.
func (c *Collector) count(m producer.Metrics) (producer.Metrics, map[series]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.At.Before(c.newest.At) {
		m = c.newest
	}
	c.newest = m
	own, all, others := c.read(&m)
	for of, n := range c.counters {
		n.read(own[of])
		delete(own, of)
	}
	for of, n := range own {
		c.counters[of] = &counter{now: n}
	}
	// What has no label of its own is all that those with one have not, so no count goes back.
	counts := map[series]int64{}
	for of, n := range c.counters {
		counts[of] = n.before + n.now
		of.topic = Other
		all[of] -= n.before + n.now
	}
	for name := range byTopic {
		others = others || all[series{name: name, topic: Other}] > 0
	}
	for of, n := range all {
		if _, always := byTopic[of.name]; n > 0 || always && others {
			counts[of] = n
		}
	}
	return m, counts
}

// read returns what a reading has of topics with a label of their own, and what it has of all topics, under "_other". others
// says that some topics have no label of their own.
func (c *Collector) read(m *producer.Metrics) (own, all map[series]int64, others bool) {
	own, all = map[series]int64{}, map[series]int64{}
	add := func(of series, topic string, n int64) {
		of.topic = Other
		all[of] += n
		if of.topic = c.labelled(topic); of.topic != Other {
			own[of] += n
		}
	}
	known := map[string]bool{}
	for i := range m.Topics {
		t := &m.Topics[i]
		known[t.Topic] = true
		label := c.labelled(t.Topic)
		others = others || label == Other
		for name, of := range byTopic {
			if label != Other {
				own[series{name: name, topic: label}] = of(&t.RecordMetrics)
			}
		}
	}
	for name, of := range byTopic {
		all[series{name: name, topic: Other}] = of(&m.Records)
	}
	for _, f := range m.Failures {
		written := "no"
		if f.MayBeWritten {
			written = "maybe"
		}
		add(series{name: "records_failed_total", reason: f.Reason, written: written}, f.Topic, f.Records)
	}
	for _, r := range m.Retries {
		add(series{name: "records_retried_total", reason: r.Reason}, r.Topic, r.Records)
	}
	c.forget(known)
	return own, all, others
}

// label returns the topic as a label.
func (c *Collector) label(topic string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.labelled(topic)
}

// labelled is label for one who holds c.mu.
func (c *Collector) labelled(topic string) string {
	if topic == "" || topic == Other {
		return Other
	}
	own, met := c.topics[topic]
	if !met {
		own = c.own < c.max
		if own {
			c.own++
		}
		c.topics[topic] = own // what was counted with others stays with them: no count may go back
	}
	if own {
		return topic
	}
	return Other
}

// forget drops topics without a label that the producer does not know any more. The caller holds c.mu.
func (c *Collector) forget(known map[string]bool) {
	for topic, own := range c.topics {
		if !own && !known[topic] {
			delete(c.topics, topic)
		}
	}
}
