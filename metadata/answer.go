package metadata

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// maxOldFailures is how many failures are kept beyond their time, for Snapshot.LastFailure.
const maxOldFailures = 1000

// secondOpinion is how long a topic may stay undecided because no second broker says anything of it.
const secondOpinion = 5 * time.Second

// answer is a usable answer while it is taken into the Cluster.
type answer struct {
	*Cluster
	flight  *flight
	inVain  bool // a topic for which Refresh was called has not changed
	now     time.Time
	node    int32
	before  map[int32]Broker // the brokers known before this answer
	changes Changes
}

// Answer takes resp, node's answer to req, into the next snapshot. It keeps neither resp nor anything in it.
func (c *Cluster) Answer(now time.Time, node int32, req *protocol.MetadataRequest, resp *protocol.MetadataResponse) Changes {
	f := c.flight(req)
	if f == nil {
		panic("metadata: Answer without Sent")
	}
	if resp.ErrorCode == protocol.RebootstrapRequired && c.cfg.Rebootstrap {
		ch := c.Failed(now, node, req)
		if !ch.Rebootstrap {
			ch = c.rebootstrap()
		}
		return ch
	}
	if resp.ErrorCode != protocol.NoError || len(resp.Brokers) == 0 {
		return c.Failed(now, node, req) // a broker that knows no brokers has just started
	}
	late := f.number < c.newest
	if late && resp.ClusterID != nil && c.clusterID != "" && *resp.ClusterID != c.clusterID {
		return c.Failed(now, node, req) // it is from the former cluster
	}

	full := f.full
	c.endFlight(f)
	c.newest = max(c.newest, f.number)
	c.failed, c.retryAt, c.since = 0, time.Time{}, time.Time{}
	if full || c.lastFull.IsZero() {
		c.lastFull = now
	}
	waited := len(c.pending)

	a := &answer{Cluster: c, flight: f, now: now, node: node, before: c.brokers}
	a.takeCluster(resp, late)
	a.takeTopics(req, resp)
	a.settleLeaders()
	a.publishBrokers()
	a.sweep(full)
	a.pace(full, waited)
	return a.changes
}

// takeCluster takes what is not about topics. A late answer says nothing about brokers that are known, since a request that was
// sent after its own has been answered already.
func (a *answer) takeCluster(resp *protocol.MetadataResponse, late bool) {
	if resp.ClusterID != nil && *resp.ClusterID != a.clusterID {
		if a.clusterID != "" {
			a.otherCluster()
		}
		a.clusterID = strings.Clone(*resp.ClusterID)
		a.snapshot = nil
	}
	brokers := make(map[int32]Broker, len(resp.Brokers))
	for _, b := range resp.Brokers {
		brokers[b.NodeID] = newBroker(b.NodeID, b.Host, b.Port, b.Rack)
	}
	if late {
		maps.Copy(brokers, a.before)
	}
	a.brokers = brokers
}

// otherCluster forgets what is known of the old cluster's topics, except that they are looked for. Their ids and epochs mean
// nothing in the new cluster.
func (a *answer) otherCluster() {
	a.changes.OtherCluster = true
	a.unrest.changed(a.now)
	a.before = nil
	a.nodes.forget()
	clear(a.failures)
	for _, name := range slices.Sorted(maps.Keys(a.topics)) {
		t := a.topics[name]
		t.exists()
		if t.data == nil {
			continue
		}
		t.foreign, t.replaced = true, nil
		data := t.own()
		data.ID = protocol.UUID{}
		for i := range data.Partitions {
			data.Partitions[i] = Partition{Leader: -1, LeaderEpoch: -1}
		}
		a.changes.Changed = append(a.changes.Changed, name)
		a.ask(t)
	}
}

// newBroker copies the strings, since they may be part of a much larger frame.
func newBroker(id int32, host string, port int32, rack *string) Broker {
	b := Broker{ID: id, Host: strings.Clone(host), Port: port}
	if rack != nil {
		b.Rack = strings.Clone(*rack)
	}
	return b
}

// takeTopics takes what the answer says of each topic that req asked for and that is still known or looked for.
func (a *answer) takeTopics(req *protocol.MetadataRequest, resp *protocol.MetadataResponse) {
	listed := make(map[string]*protocol.MetadataTopic, len(resp.Topics))
	for i := range resp.Topics {
		if t := &resp.Topics[i]; t.Name != nil {
			listed[*t.Name] = t
		}
	}
	for _, asked := range req.Topics {
		if t := a.topics[*asked.Name]; t != nil {
			a.takeTopic(t, listed[t.name])
		}
	}
}

// addr returns the address of the node that has answered; "" if it is not known.
func (a *answer) addr() string {
	if b, ok := a.brokers[a.node]; ok {
		return b.Addr()
	}
	return ""
}

func (a *answer) bad(t *topic, what string) error {
	return &badTopicError{t.name, a.node, what, a.addr()}
}

func (a *answer) takeTopic(t *topic, in *protocol.MetadataTopic) {
	switch {
	case in == nil:
		a.again(t, a.bad(t, "the answer leaves it out"))
	case in.ErrorCode == protocol.UnknownTopicOrPartition:
		a.unknown(t)
	case in.ErrorCode == protocol.NoError && len(in.Partitions) > 0:
		a.described(t, in)
	case in.ErrorCode == protocol.NoError:
		t.exists()
		a.again(t, a.bad(t, "it has no partitions yet"))
	case in.ErrorCode.Retriable():
		t.exists()
		a.again(t, &TopicError{t.name, a.node, in.ErrorCode, a.addr()})
	default:
		a.fail(t, &TopicError{t.name, a.node, in.ErrorCode, a.addr()})
	}
}

// again keeps t among the topics to ask for soon.
func (a *answer) again(t *topic, reason error) {
	a.ask(t)
	a.nodes.markUnhelpful(a.node)
	if t.data == nil {
		t.reason = reason
		a.snapshot = nil
	}
}

// fail gives up on t. If t was seen before, it only reports the failure and keeps t.
func (a *answer) fail(t *topic, err error) {
	a.changes.Failed = append(a.changes.Failed, TopicFailure{t.name, err})
	a.remember(a.now, t.name, err)
	a.stopAsking(t)
	if t.data == nil {
		a.drop(t)
	}
}

// unknown notes that a broker does not know t, and fails t if that settles the matter.
func (a *answer) unknown(t *topic) {
	err := &UnknownTopicError{Topic: t.name, Nodes: []int32{a.node}}
	if t.data != nil {
		// The broker has just started, or the topic was deleted. Its records may wait for it to come back.
		a.again(t, err)
		return
	}
	if t.unknownSince.IsZero() {
		t.unknownSince = a.now
	}
	t.unknownBy = withNode(t.unknownBy, a.node)
	err.Nodes = slices.Clone(t.unknownBy)
	err.After = a.now.Sub(t.unknownSince)
	grace := a.grace()
	if err.After >= grace && agreed(t.unknownBy, len(a.brokers)) || err.After >= grace+secondOpinion {
		a.fail(t, err)
		return
	}
	a.again(t, err)
}

func (c *Cluster) grace() time.Duration {
	if c.cfg.AutoCreate {
		return c.cfg.UnknownTopicGrace
	}
	return 0
}

// described takes the partitions of t.
func (a *answer) described(t *topic, in *protocol.MetadataTopic) {
	old := t.data
	if t.foreign {
		old = nil
	}
	if old != nil && in.TopicID != old.ID && in.TopicID != (protocol.UUID{}) && old.ID != (protocol.UUID{}) {
		if t.stale(a.now, a.node, in.TopicID, len(a.brokers)) {
			a.nodes.markUnhelpful(a.node)
			return
		}
		old = nil
	}
	if old != nil {
		old = t.heldAgainst(a.now, a.node, in, len(a.brokers))
	} else {
		t.older.by = nil
	}
	merged, ok := merge(old, in, a.leaderKnown)
	if !ok {
		a.again(t, a.bad(t, "its partitions are not numbered 0 to n-1"))
		return
	}
	if old == nil && t.data != nil && !t.foreign {
		t.replace(a.now, merged.ID)
	}
	t.confirm()
	if t.wanted {
		t.touched = a.now // a caller has waited for it until now
	}
	t.wanted, t.reason = false, nil
	t.exists()
	a.stopAsking(t)
	a.inVain = a.inVain || t.doubted && merged == t.data
	t.doubted = false
	if merged != t.data {
		merged.Name = t.name // the answer's own string is part of its frame
		t.data, t.shared = merged, false
		if !a.changes.OtherCluster || !t.foreign { // otherwise it is in the list already
			a.changes.Changed = append(a.changes.Changed, t.name)
		}
		a.snapshot = nil
	}
	t.foreign = false
	if _, ok := a.failures[t.name]; ok { // it was denied before
		delete(a.failures, t.name)
		a.snapshot = nil
	}
	if t.leaderless() {
		a.ask(t)
	}
}

// leaderKnown reports whether node is a broker. A broker that this answer leaves out is kept if an earlier answer had it: this
// one may come from a node that has not heard of it yet.
func (a *answer) leaderKnown(node int32) bool {
	if _, ok := a.brokers[node]; ok {
		return true
	}
	b, ok := a.before[node]
	if ok {
		a.brokers[node] = b
	}
	return ok
}

// settleLeaders makes sure that every leader of every topic is a known broker.
func (a *answer) settleLeaders() {
	if len(a.before) > 0 && a.allStillThere() {
		return // the leaders in this answer were checked when they were taken
	}
	for _, name := range slices.Sorted(maps.Keys(a.topics)) {
		t := a.topics[name]
		if t.data == nil {
			continue
		}
		changed := false
		for i, p := range t.data.Partitions {
			if p.Leader >= 0 && !a.leaderKnown(p.Leader) {
				t.own().Partitions[i].Leader = -1
				changed = true
			}
		}
		if changed {
			a.ask(t)
			if !slices.Contains(a.changes.Changed, name) {
				a.changes.Changed = append(a.changes.Changed, name)
			}
		}
	}
	slices.Sort(a.changes.Changed)
}

// allStillThere reports whether no broker known before has gone.
func (a *answer) allStillThere() bool {
	for id := range a.before {
		if _, ok := a.brokers[id]; !ok {
			return false
		}
	}
	return true
}

// publishBrokers is called once a.brokers is complete. The map is not written afterwards.
func (a *answer) publishBrokers() {
	if maps.Equal(a.brokers, a.before) {
		a.brokers = a.before
	} else {
		a.snapshot = nil
	}
}

// sweep forgets what nobody needs: old failures, and after a full answer idle topics. A topic that this answer has changed stays
// until a later one. Whoever is told of the change has to find it here, and may still have records for the topic.
func (a *answer) sweep(full bool) {
	for name, f := range a.failures {
		if age := a.now.Sub(f.until); age >= a.cfg.MaxIdle || age >= 0 && len(a.failures) > maxOldFailures {
			delete(a.failures, name)
			a.snapshot = nil
		}
	}
	if !full {
		return
	}
	changed := make(map[string]bool, len(a.changes.Changed))
	for _, name := range a.changes.Changed {
		changed[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(a.topics)) {
		if t := a.topics[name]; !t.wanted && !changed[name] && a.now.Sub(t.touched) >= a.cfg.MaxIdle {
			a.drop(t)
			a.changes.Forgotten = append(a.changes.Forgotten, name)
		}
	}
}

// pace plans the next requests by how much this answer helped.
func (a *answer) pace(full bool, waited int) {
	helped := len(a.changes.Changed) > 0
	if full {
		inVain := a.flight.due && !helped
		a.fullPace.answered(a.now, !inVain, a.backoff, a.cfg.Jitter())
		if inVain {
			a.nodes.markUnhelpful(a.node)
		}
	}
	switch {
	case a.inVain: // it may be asked for once more
		a.pendingPace.answered(a.now, false, a.backoff, a.cfg.Jitter())
	case len(a.pending) == 0:
		a.pendingPace = pace{}
	default:
		a.pendingPace.answered(a.now, helped || waited == 0 || len(a.pending) < waited, a.backoff, a.cfg.Jitter())
	}
	a.nodes.answered(len(a.pending) == 0 && helped)

	// A topic whose grace ends is asked for then, not up to a whole backoff later.
	for _, t := range a.pending {
		if t.data == nil && !t.unknownSince.IsZero() {
			if end := t.unknownSince.Add(a.grace()); end.After(a.now) && end.Before(a.pendingPace.at) {
				a.pendingPace.at = end
			}
		}
	}
}
