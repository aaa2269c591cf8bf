package metadata

import (
	"time"

	"github.com/epistle-kafka/epistle/internal/backoff"
	"github.com/epistle-kafka/epistle/protocol"
)

// Cluster collects what brokers tell about the cluster. The sender loop owns it.
type Cluster struct {
	cfg     Config
	backoff backoff.Policy

	clusterID string
	unrest    unrest             // of clusterID
	brokers   map[int32]Broker   // shared with snapshots: replaced, never written
	topics    map[string]*topic  // all topics that are looked for or known
	pending   map[string]*topic  // those that are to be asked for again soon
	idle      map[string]*topic  // those of pending for which no request is in flight
	failures  map[string]failure // remembered answers, by topic
	snapshot  *Snapshot          // nil if what it holds changed since the last
	nodes     nodes              // which of them were of no help

	request     *protocol.MetadataRequest // the last result of Next, until it is sent or out of date
	requestFull bool                      // request asks for every topic
	flights     []*flight                 // requests in flight, in order
	sent        int                       // how many requests were sent
	newest      int                       // the highest number of a request that was answered
	wantFull    bool                      // a full request is asked for
	fresh       bool                      // idle has a topic for which no request was sent yet
	freshSince  time.Time                 // since when the first such topic is in it

	fullPace, pendingPace pace
	lastFull              time.Time // of the last usable answer to a full request, or of the first to any; zero: none yet
	failed                int       // requests without a usable answer in a row
	retryAt               time.Time // after a failure, no request is sent before this
	since                 time.Time // since when a usable answer is due; zero: none is due
}

// Config holds what a Cluster needs to know. No value has a default here.
type Config struct {
	MaxAge  time.Duration // every topic is asked for again after it: metadata.max.age.ms
	MaxIdle time.Duration // a topic is forgotten after it without Want or Touch: metadata.max.idle.ms

	// RetryBackoff is the least time between two requests for the same thing, doubled up to RetryBackoffMax while the answers
	// bring nothing new: retry.backoff.ms, retry.backoff.max.ms.
	RetryBackoff, RetryBackoffMax time.Duration

	AutoCreate bool // let brokers create the topics that we ask for, if they are set to

	Rebootstrap        bool          // metadata.recovery.strategy=rebootstrap
	RebootstrapTrigger time.Duration // metadata.recovery.rebootstrap.trigger.ms

	// UnknownTopicGrace is how long a topic that brokers call unknown may take to be created. It counts only with AutoCreate.
	// LeastGrace is a sensible minimum.
	UnknownTopicGrace time.Duration

	// UnknownTopicMemory is how long a topic's failure is remembered. DefaultUnknownTopicMemory suits most.
	UnknownTopicMemory time.Duration

	Jitter func() float64 // in [0, 1)
}

const (
	// LeastGrace is well above what a healthy cluster takes to create a topic, which is less than a second. A busy cluster
	// takes longer.
	LeastGrace = 5 * time.Second

	// DefaultUnknownTopicMemory keeps a loop that sends to a missing topic from asking for it each time.
	DefaultUnknownTopicMemory = time.Second

	// jitter is Kafka's, for all of its backoffs.
	jitter = 0.2
)

// Changes is what an answer brought. Lists are sorted by topic. A topic that was made again is in Changed, and is not forgotten by
// the same answer: whoever has records for the old one has to hear of that.
type Changes struct {
	Changed   []string       // topics whose *Topic has been replaced
	Failed    []TopicFailure // topics that brokers deny; those never seen are no longer looked for
	Forgotten []string       // topics idle for MaxIdle, which are no longer known

	// OtherCluster says that the cluster's id has changed. Every topic is in Changed. Its partitions have no leaders unless
	// this answer names them: what was known is of the old cluster.
	OtherCluster bool

	// Rebootstrap asks for the bootstrap servers. The brokers have been forgotten, the topics have not. Connections that carry
	// no metadata may be kept.
	Rebootstrap bool
}

// TopicFailure is a topic that a broker denies, or that does not exist. Err is an *UnknownTopicError or a *TopicError. If the
// topic was seen before (then it is denied now), its data is kept.
type TopicFailure struct {
	Topic string
	Err   error
}

// New returns a Cluster that knows nothing and wants nothing.
func New(cfg Config) *Cluster {
	return &Cluster{
		cfg:      cfg,
		backoff:  backoff.Policy{Base: cfg.RetryBackoff, Max: cfg.RetryBackoffMax, Jitter: jitter},
		topics:   make(map[string]*topic),
		pending:  make(map[string]*topic),
		idle:     make(map[string]*topic),
		failures: make(map[string]failure),
	}
}

// Snapshot returns the present state, without the topics that are there. It costs nothing if none of that has changed since the
// last call. Its cost does not grow with the number of topics that are known.
func (c *Cluster) Snapshot() *Snapshot {
	if c.snapshot != nil {
		return c.snapshot
	}
	s := &Snapshot{
		ClusterID: c.clusterID,
		Brokers:   c.brokers,
		failures:  make(map[string]failure, len(c.failures)),
		waiting:   make(map[string]error),
	}
	for name, t := range c.pending { // a topic that is not there yet is always asked for
		if t.data == nil && t.reason != nil {
			s.waiting[name] = t.reason
		}
	}
	for name, f := range c.failures {
		s.failures[name] = f
	}
	c.snapshot = s
	return s
}

// Topic returns a topic as it is now; nil if it was never seen, or is forgotten. The result is immutable and safe for
// concurrent use. A change makes a new one. A topic that has not changed is the same pointer.
func (c *Cluster) Topic(name string) *Topic {
	t := c.topics[name]
	if t == nil || t.data == nil {
		return nil
	}
	t.shared = true
	return t.data
}

// Want says that a caller waits for a topic. It is asked for at once, and then with backoff until it is there, has failed, or
// nobody wants it any more (Unwant). A topic that is there is only touched. Want does not look at remembered failures: call
// UnknownTopic first.
func (c *Cluster) Want(now time.Time, name string) {
	t := c.topics[name]
	if t == nil {
		t = &topic{name: name}
		c.topics[name] = t
		if !c.fresh {
			c.fresh, c.freshSince = true, now
		}
		c.ask(t)
	}
	t.wanted = t.data == nil
	t.touched = now
}

// Unwant says that the last caller who waited for topic has given up.
func (c *Cluster) Unwant(name string) {
	if t := c.topics[name]; t != nil && t.data == nil {
		c.drop(t)
	}
}

// Unused reports whether nobody has wanted or touched topic for MaxIdle.
func (c *Cluster) Unused(now time.Time, name string) bool {
	t := c.topics[name]
	return t == nil || now.Sub(t.touched) >= c.cfg.MaxIdle
}

// Touch says that records are sent to a topic, or wait for it. It will not be forgotten for MaxIdle. A topic that was forgotten
// is wanted again.
func (c *Cluster) Touch(now time.Time, name string) {
	if t := c.topics[name]; t != nil {
		t.touched = now
		return
	}
	c.Want(now, name)
}

// RequestUpdate asks for all topics again, because a leader was not what the metadata says. The request is sent at once, or
// when the backoff since the last such request allows it.
func (c *Cluster) RequestUpdate() {
	if !c.wantFull {
		c.wantFull = true
		c.request = nil
	}
}

// Anew asks for all topics again, without any backoff: for a while there was nobody to answer, and now there is.
func (c *Cluster) Anew() {
	c.wantFull, c.request = true, nil
	c.retryAt, c.fullPace = time.Time{}, pace{}
}

// UnknownTopic is Snapshot.Failure of the newest state.
func (c *Cluster) UnknownTopic(now time.Time, name string) error {
	if f, ok := c.failures[name]; ok && now.Before(f.until) {
		return f.err
	}
	return nil
}

// Refresh asks once more for a topic that is there, because a caller hopes that it has changed. An answer without a change
// counts as fruitless, so that the next request comes after a backoff.
func (c *Cluster) Refresh(name string) {
	if t := c.topics[name]; t != nil && t.data != nil {
		t.doubted = true
		c.ask(t)
	}
}

// ask puts t among the topics to ask for soon.
func (c *Cluster) ask(t *topic) {
	if c.pending[t.name] == nil {
		c.pending[t.name] = t
		if !t.asked {
			c.idle[t.name] = t
		}
		c.request = nil
	}
}

// stopAsking removes t from the topics to ask for soon.
func (c *Cluster) stopAsking(t *topic) {
	delete(c.pending, t.name)
	delete(c.idle, t.name)
}

// drop forgets t.
func (c *Cluster) drop(t *topic) {
	delete(c.topics, t.name)
	c.stopAsking(t)
	c.request = nil
	c.snapshot = nil
}

// remember keeps err for callers who ask for the topic shortly afterwards.
func (c *Cluster) remember(now time.Time, name string, err error) {
	c.failures[name] = failure{err: err, until: now.Add(c.cfg.UnknownTopicMemory)}
	c.snapshot = nil
}

// setBroker adds b to the brokers.
func (c *Cluster) setBroker(b Broker) {
	if old, ok := c.brokers[b.ID]; ok && old == b {
		return
	}
	brokers := make(map[int32]Broker, len(c.brokers)+1)
	for id, broker := range c.brokers {
		brokers[id] = broker
	}
	brokers[b.ID] = b
	c.brokers = brokers
	c.snapshot = nil
}
