package sender

import (
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/wire"
)

// Metrics is a copy of what a sender has counted since New, and of what it measures now. Lists are in no order, except Brokers.
type Metrics struct {
	At, Started time.Time

	All      Counts
	Topics   []TopicReading
	Failures []FailureCount
	Retries  []RetryCount
	InFlight int64 // records, as Stats.InFlight

	Brokers      []BrokerReading // in the order of Sender.Brokers
	Throttles    int64
	ThrottleTime time.Duration

	Memory, MemoryLimit        int64 // bytes
	Waiters                    int64
	MemoryWaits, MetadataWaits Waits
	Refused                    map[string]int64
	Calls                      map[string]Calls

	Refreshed                      time.Time // zero: never
	Refreshes, MetadataErrors      int64
	KnownTopics, KnownBrokers      int
	ProducerIDs, EpochBumps        int64
	Begun, Committed, Aborted      int64 // transactions
	Unknown                        int64 // the same
	CallbacksWaiting               int64 // batches
	CallbacksRunning               time.Duration
	Authenticates                  bool // SASL is in use
	Secured                        bool // TLS or SASL is: Java counts each connection as an authentication
	LastAcknowledged               time.Time
	Admission, Queue, Throttle     Histogram
	Flight, Delivery, Callbacks    Histogram
	BatchBytes, BatchRecords, Size Histogram // Size: of Ratios

	Recent Recent
}

// Counts are of records and batches, of one topic or of all.
type Counts struct {
	Sent, Acknowledged, Failed, MayBeWritten, Retried int64
	Batches, Split, Expired                           int64
	Bytes, Raw                                        int64
	Oldest                                            time.Duration // age of the oldest record without an outcome; 0: there is none

	SendRate, ErrorRate, RetryRate, ByteRate float64
	Compression                              Window
}

// TopicReading is of one topic.
type TopicReading struct {
	Topic string
	Counts
}

// BrokerReading is of one broker.
type BrokerReading struct {
	Broker
	Written, Read   int64
	InFlight        int64
	Requests        []RequestReading
	Sent            int64 // records sent again
	Throttles       int64
	ThrottleTime    time.Duration
	Created, Closed int64
	Failed          [wire.StageRequest + 1]int64 // by stage
	Handshake       Histogram
	Renewals        wire.Renewals

	WrittenRate, ReadRate, RequestRate, ResponseRate float64
	Latency, RequestSize                             Window
}

// RequestReading is of the requests of one API to one broker.
type RequestReading struct {
	API                    string
	Sent, Answered, Failed int64
	Written, Read          int64
	Latency                Histogram
}

// Recent is what Java measures over its last windows, of all brokers and topics together.
type Recent struct {
	Queue, BatchSize, RecordSize, PerRequest                                Window // of times in milliseconds
	Latency, RequestSize, Throttle, Renewal                                 Window
	SplitRate, RequestRate, ResponseRate                                    float64
	CreatedRate, ClosedRate, LoginFailureRate, RenewalRate, RenewalFailures float64
	WrittenRate, ReadRate, ExhaustedRate, RefusedRate                       float64
	MemoryWaitRatio                                                         float64
}

// measuring: somebody wants to see the metrics.
type measuring struct {
	done    chan struct{} // closed when metrics is set
	metrics *Metrics
}

func (e *measuring) apply(c *core) {
	e.metrics = c.measure()
	close(e.done)
}

// Metrics returns what was counted so far. The loop makes the copy, in a step of its own that waits for nothing. When the loop
// has ended, the caller makes it.
func (s *Sender) Metrics() *Metrics {
	e := &measuring{done: make(chan struct{})}
	s.inbox.put(e)
	var m *Metrics
	select {
	case <-e.done:
		m = e.metrics
	case <-s.stopped:
		s.last(func(c *core) { m = c.measure() })
	}
	m.Memory = s.acc.Memory.Used()
	s.published.callers.read(m)
	s.completions.read(m)
	return m
}

// last has look read the core once the loop has ended. Nobody owns it then, so one reads it at a time.
func (s *Sender) last(look func(*core)) {
	s.looking.Lock()
	defer s.looking.Unlock()
	s.core.now = systemTime()
	look(s.core)
}

// measure makes the copy.
func (c *core) measure() *Metrics {
	if !c.aborted {
		c.takeChanges() // else the core knows of no new batches
	}
	r := c.metrics.reading(c.now, c.topics.all(), c.nodes.all(), &c.published.callers)
	r.InFlight = c.published.inFlight.Load()
	r.Throttles, r.ThrottleTime = c.published.throttles.Load(), time.Duration(c.published.throttleTime.Load())
	r.MemoryLimit, r.Authenticates = c.cfg.Memory, c.cfg.Wire.SASL != nil
	r.Secured = r.Authenticates || c.cfg.Wire.TLS != nil
	r.KnownTopics, r.KnownBrokers = len(c.topics.all()), len(c.meta.Snapshot().Brokers)
	return r
}

// reading copies what was counted.
func (m *metrics) reading(now time.Time, topics []*topic, nodes []*node, callers *callers) *Metrics {
	if m.started.IsZero() {
		m.start(now)
	}
	m.pass(now, nodes, callers)
	m.sample(nodes, callers)
	r := &Metrics{
		At: now, Started: m.started,
		Refreshed: m.metadata.refreshed, Refreshes: m.metadata.refreshes, MetadataErrors: m.metadata.errors,
		ProducerIDs: m.ids, EpochBumps: m.bumps,
		Begun: m.txn.begun, Committed: m.txn.committed, Aborted: m.txn.aborted, Unknown: m.txn.unknown,
		LastAcknowledged: m.lastAck,
		Queue:            m.queue, Throttle: m.throttle, Flight: m.flight, Delivery: m.delivery,
		BatchBytes: m.batchBytes, BatchRecords: m.batchRecords, Size: m.ratio,
		Recent: m.recent(now),
	}
	m.readTopics(r, topics)
	m.readBrokers(r, nodes)
	return r
}

// readTopics reads each topic, and sums them up with those that were forgotten.
func (m *metrics) readTopics(r *Metrics, topics []*topic) {
	all := m.gone.counts
	r.Topics = make([]TopicReading, 0, len(topics))
	r.Failures, r.Retries = slices.Clone(m.gone.failures), slices.Clone(m.gone.resends)
	var rates [4]float64
	var compression level
	compression.turn(m.slots.number)
	oldest := time.Duration(0)
	for _, t := range topics {
		of := t.counts.read(&m.slots, m.now)
		of.Oldest = t.age(m.now)
		r.Topics = append(r.Topics, TopicReading{t.name, of})
		oldest = max(oldest, of.Oldest)
		all.add(&t.counts.counts)
		for i, rate := range [4]float64{of.SendRate, of.ErrorRate, of.RetryRate, of.ByteRate} {
			rates[i] += rate
		}
		compression.merge(&t.counts.compression)
		for _, f := range t.counts.failures {
			f.Topic = t.name
			r.Failures = append(r.Failures, f)
		}
		for _, a := range t.counts.resends {
			a.Topic = t.name
			r.Retries = append(r.Retries, a)
		}
	}
	r.All = all.read(&m.slots, m.now)
	r.All.Oldest = oldest
	r.All.SendRate, r.All.ErrorRate, r.All.RetryRate, r.All.ByteRate = rates[0], rates[1], rates[2], rates[3]
	r.All.Compression = compression.window(&m.slots)
}

// merge adds another level of the same slot.
func (l *level) merge(o *level) {
	o.turn(l.slot)
	for _, v := range [2]struct{ to, from *values }{{&l.now, &o.now}, {&l.before, &o.before}} {
		if v.from.n == 0 {
			continue
		}
		if v.to.n == 0 || v.from.max > v.to.max {
			v.to.max = v.from.max
		}
		v.to.n += v.from.n
		v.to.sum += v.from.sum
	}
}

func (t *counts) read(s *slots, now time.Time) Counts {
	return Counts{
		Sent: t.sent, Acknowledged: t.acknowledged, Failed: t.failed, MayBeWritten: t.mayBeWritten, Retried: t.retried,
		Batches: t.batches, Split: t.split, Expired: t.expired, Bytes: t.bytes, Raw: t.raw,
		SendRate: t.sends.perSecond(s, now), ErrorRate: t.errors.perSecond(s, now), RetryRate: t.retries.perSecond(s, now),
		ByteRate: t.byteRate.perSecond(s, now), Compression: t.compression.window(s),
	}
}

// age is that of the topic's oldest record without an outcome; 0: there is none.
func (t *topic) age(now time.Time) time.Duration {
	var oldest time.Time
	for _, p := range t.parts {
		oldest = sooner(oldest, p.oldestOpened())
		if p.queued() {
			oldest = sooner(oldest, p.head.Opened)
		}
	}
	if oldest.IsZero() {
		return 0
	}
	return max(now.Sub(oldest), 0)
}

func (m *metrics) readBrokers(r *Metrics, nodes []*node) {
	for _, n := range nodes {
		b := &n.counts
		of := BrokerReading{
			Sent: b.retried, Throttles: b.throttles, ThrottleTime: b.throttleTime,
			Created: b.created, Closed: b.closed, Failed: b.failed, Handshake: b.handshake, Renewals: b.renewals,
			WrittenRate: b.written.perSecond(&m.slots, m.now), ReadRate: b.read.perSecond(&m.slots, m.now),
			RequestRate: b.sent.perSecond(&m.slots, m.now), ResponseRate: b.responses.perSecond(&m.slots, m.now),
			Latency: b.latency.window(&m.slots), RequestSize: b.requestSize.window(&m.slots),
		}
		of.Written, of.Read = b.wire.Bytes()
		for i := range b.requests {
			q := &b.requests[i]
			of.InFlight += q.sent - q.answered - q.failed
			of.Requests = append(of.Requests, RequestReading{q.api, q.sent, q.answered, q.failed, q.written, q.read, q.latency})
		}
		n.health.mu.Lock()
		of.Broker = n.health.broker
		n.health.mu.Unlock()
		r.Brokers = append(r.Brokers, of)
	}
	slices.SortFunc(r.Brokers, func(a, b BrokerReading) int { return byID(a.ID, b.ID) })
}

// recent reads what is measured over the last windows.
func (m *metrics) recent(now time.Time) Recent {
	s := &m.slots
	return Recent{
		Queue: m.queued.window(s), BatchSize: m.batchSize.window(s), RecordSize: m.recordSize.window(s), PerRequest: m.perRequest.window(s),
		Latency: m.latency.window(s), RequestSize: m.requestSize.window(s), Throttle: m.throttled.window(s), Renewal: m.renewal.window(s),
		SplitRate: m.splits.perSecond(s, now), RequestRate: m.requests.perSecond(s, now), ResponseRate: m.responses.perSecond(s, now),
		CreatedRate: m.created.perSecond(s, now), ClosedRate: m.closed.perSecond(s, now),
		LoginFailureRate: m.loginFailures.perSecond(s, now), RenewalRate: m.renewals.perSecond(s, now), RenewalFailures: m.renewalFailures.perSecond(s, now),
		WrittenRate: m.written.perSecond(s, now), ReadRate: m.read.perSecond(s, now),
		ExhaustedRate: m.exhausted.perSecond(s, now), RefusedRate: m.refused.perSecond(s, now),
		MemoryWaitRatio: m.memoryTime.perSecond(s, now) / float64(time.Second),
	}
}

// Add takes in what others have counted.
func (r *RequestReading) Add(o *RequestReading) {
	r.Sent, r.Answered, r.Failed = r.Sent+o.Sent, r.Answered+o.Answered, r.Failed+o.Failed
	r.Written, r.Read = r.Written+o.Written, r.Read+o.Read
	r.Latency.Add(&o.Latency)
}

// AddConnections takes in what another has counted of connections.
func (b *BrokerReading) AddConnections(o *BrokerReading) {
	b.Created, b.Closed = b.Created+o.Created, b.Closed+o.Closed
	for stage, n := range o.Failed {
		b.Failed[stage] += n
	}
	b.Handshake.Add(&o.Handshake)
	b.Renewals.Succeeded += o.Renewals.Succeeded
	b.Renewals.Failed += o.Renewals.Failed
}

// Add takes in what another of the same scale has counted.
func (h *Histogram) Add(o *Histogram) {
	for i, n := range o.Buckets {
		h.Buckets[i] += n
	}
	h.Sum += o.Sum
	h.Count += o.Count
}
