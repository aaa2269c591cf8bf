package sender

import "time"

// Health is what the loop knows of whether records can be delivered now.
type Health struct {
	At     time.Time
	Closed bool
	Dead   error // why the transactional producer is of no more use; nil: it is, or there is none

	Tried     bool // some broker was dialled
	Met       bool // there was a connection to somebody
	Connected int  // brokers with a connection now; bootstrap servers, where no broker has one
	Refused   int  // times in a row that nobody has let this client in, without a connection
	Identity  error

	LastAcknowledged time.Time
	Oldest           time.Duration // age of the oldest record without an outcome
	Waits            error         // what that waits for; nil: there is none, or it is young

	Leaderless []TopicLeaders // topics with a partition without a leader
	Asked      []TopicLeaders // those that were asked for, in their order
}

// TopicLeaders says how many partitions of a topic have a leader.
type TopicLeaders struct {
	Topic      string
	Partitions int // 0: it is not known
	Leaderless int
}

// examining: somebody wants to know how the producer is.
type examining struct {
	topics []string
	old    time.Duration
	done   chan struct{} // closed when health is set
	health *Health
}

func (e *examining) apply(c *core) {
	e.health = c.examine(e.topics, e.old)
	close(e.done)
}

// Health returns whether records can be delivered, and how many leaders some topics have. If the oldest record is at least that
// old, it says what that waits for. It waits for a step of the loop, which waits for nothing.
func (s *Sender) Health(old time.Duration, topics ...string) *Health {
	e := &examining{topics: topics, old: old, done: make(chan struct{})}
	s.inbox.put(e)
	var h *Health
	select {
	case <-e.done:
		h = e.health
	case <-s.stopped:
		s.last(func(c *core) { h = c.examine(topics, old) })
	}
	h.Closed = h.Closed || s.closing.Load()
	return h
}

func (c *core) examine(topics []string, old time.Duration) *Health {
	h := &Health{
		At: c.now, Closed: c.closing, Dead: c.txn.dead(), LastAcknowledged: c.metrics.acknowledged(), Identity: c.identity.lacking(),
	}
	h.Met, h.Refused = c.nodes.reached()
	h.Tried, h.Connected = c.nodes.brokersConnected()
	if !c.aborted {
		c.takeChanges()
	}
	for _, t := range c.topics.all() {
		h.Oldest = max(h.Oldest, t.age(c.now))
		if l := t.leaders(); l.Leaderless > 0 {
			h.Leaderless = append(h.Leaderless, l)
		}
	}
	if h.Oldest >= old {
		h.Waits = c.oldestStanding()
	}
	for _, name := range topics {
		l := TopicLeaders{Topic: name}
		if t := c.topics.named(name); t != nil {
			l = t.leaders()
		}
		h.Asked = append(h.Asked, l)
	}
	return h
}

// acknowledged returns when a record last was; zero: none was yet.
func (m *metrics) acknowledged() time.Time { return m.lastAck }

// reached reports whether there ever was a connection, and how many refusals in a row have come without one.
func (ns *nodes) reached() (ever bool, refused int) { return ns.met, ns.reception.refused }

// brokersConnected reports whether anybody was ever dialled, and how many brokers have a connection now. A bootstrap server is one of
// the brokers that have an id, so it counts only where none of these has a connection.
func (ns *nodes) brokersConnected() (tried bool, brokers int) {
	var servers int
	for _, n := range ns.all() {
		tried = tried || n.tried()
		switch {
		case !n.connected():
		case n.id < 0:
			servers++
		default:
			brokers++
		}
	}
	if brokers == 0 {
		return tried, servers
	}
	return tried, brokers
}

// lacking returns what keeps the producer id from coming, if there is none and the last request for one has failed.
func (id *identity) lacking() error {
	if id.valid {
		return nil
	}
	return id.trouble
}

// tried reports whether n was ever dialled.
func (n *node) tried() bool {
	for i := range n.links {
		if len(n.links[i].dials) > 0 {
			return true
		}
	}
	return n.counts.created > 0 || n.health.failures > 0
}

func (t *topic) leaders() TopicLeaders {
	l := TopicLeaders{Topic: t.name, Partitions: len(t.meta.Partitions)}
	for i := range t.meta.Partitions {
		if t.meta.Partitions[i].Leader < 0 {
			l.Leaderless++
		}
	}
	return l
}

func (ordinary) dead() error { return nil }

// dead returns why the producer is of no more use; nil while it is.
func (t *transactor) dead() error {
	if t.State().Dead() {
		return t.Cause()
	}
	return nil
}
