package metadata

import (
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// topic is one topic that is looked for, or known.
type topic struct {
	name    string
	wanted  bool      // a caller waits for it; only while data is nil
	touched time.Time // last Want or Touch

	data     *Topic       // nil: never seen
	shared   bool         // data was given out and must not be written
	replaced []replacedID // ids it had before, newest last
	foreign  bool         // data is of another cluster than the present one
	older    olderView    // what answers in a row have said that are behind data
	asked    bool         // a request in flight asks for it
	doubted  bool         // Refresh was called: a caller hopes that it has changed

	reason       error     // what the last answer said, while data is nil
	unknownSince time.Time // first of the answers in a row that call it unknown; zero: none does
	unknownBy    []int32   // the nodes that gave them
}

// replacedID is an id that a topic had before. An answer with it most likely comes from a broker that lags behind. But ids have
// no order. If the first broker that we asked was ahead, and the next one behind, we have taken a step back. So once nobody
// confirms the present id, the former one is believed again after staleTime, if two brokers name it.
type replacedID struct {
	id    protocol.UUID
	since time.Time
	by    []int32 // nodes that have named it since the present id was last confirmed
}

// olderView is the answers in a row that have an older leader epoch than the one known. As a rule their brokers lag behind. But
// epochs go back for good where a topic without an id was made again, or where a cluster was restored from a copy. And one
// answer with an epoch that is too high is contradicted by all later ones. So once nobody confirms what is known, the older view
// is believed after staleTime, if two brokers have it. If it is wrong after all, its leaders refuse what they are sent.
type olderView struct {
	since time.Time
	by    []int32 // empty: the last answer was not behind
}

const (
	// staleTime is how long brokers may take to hear that a topic was made anew, or has another leader. If all is well it is a
	// second at most.
	staleTime = 10 * time.Second

	// maxReplaced bounds how many replaced ids are remembered. Brokers lag behind by a deletion or two, not by more.
	maxReplaced = 8
)

// stale reports whether id is to be ignored. node names the topic by it, instead of by the present id.
func (t *topic) stale(now time.Time, node int32, id protocol.UUID, brokers int) bool {
	for i := range t.replaced {
		if r := &t.replaced[i]; r.id == id {
			r.by = withNode(r.by, node)
			return now.Sub(r.since) < staleTime || !agreed(r.by, brokers)
		}
	}
	return false
}

// replace notes that next takes the place of the topic's present id.
func (t *topic) replace(now time.Time, next protocol.UUID) {
	t.replaced = slices.DeleteFunc(t.replaced, func(r replacedID) bool { return r.id == next })
	t.replaced = append(t.replaced, replacedID{id: t.data.ID, since: now})
	t.replaced = t.replaced[max(0, len(t.replaced)-maxReplaced):]
}

// heldAgainst returns what the answer in of a node is merged into: what is known, without the epochs that in may replace
// although its own are older.
func (t *topic) heldAgainst(now time.Time, node int32, in *protocol.MetadataTopic, brokers int) *Topic {
	behind := func(p protocol.MetadataPartition) bool {
		i := p.PartitionIndex
		return i >= 0 && int(i) < len(t.data.Partitions) && p.LeaderEpoch >= 0 && p.LeaderEpoch < t.data.Partitions[i].LeaderEpoch
	}
	if !slices.ContainsFunc(in.Partitions, behind) {
		t.older.by = nil
		return t.data
	}
	if len(t.older.by) == 0 {
		t.older.since = now
	}
	t.older.by = withNode(t.older.by, node)
	if now.Sub(t.older.since) < staleTime || !agreed(t.older.by, brokers) {
		return t.data
	}
	t.older.by = nil
	old := &Topic{Name: t.data.Name, ID: t.data.ID, Partitions: slices.Clone(t.data.Partitions)}
	for i := range min(len(in.Partitions), len(old.Partitions)) {
		old.Partitions[i].LeaderEpoch = -1
	}
	return old
}

// confirm notes that a broker knows the topic by its present id.
func (t *topic) confirm() {
	for i := range t.replaced {
		t.replaced[i].by = nil
	}
}

// own makes data safe to write until Topic returns it again.
func (t *topic) own() *Topic {
	if t.shared {
		t.data = &Topic{Name: t.data.Name, ID: t.data.ID, Partitions: slices.Clone(t.data.Partitions)}
		t.shared = false
	}
	return t.data
}

// leaderless reports whether some partition has no leader.
func (t *topic) leaderless() bool {
	return slices.ContainsFunc(t.data.Partitions, func(p Partition) bool { return p.Leader < 0 })
}

// exists notes that a broker knows the topic, so that earlier answers to the contrary do not count.
func (t *topic) exists() {
	t.unknownSince = time.Time{}
	t.unknownBy = nil
}

// merge returns old, changed by the answer in. old is nil for a topic that was never seen. known reports whether a leader is
// among the brokers. merge returns old itself if nothing has changed, and false if the answer makes no sense.
func merge(old *Topic, in *protocol.MetadataTopic, known func(node int32) bool) (*Topic, bool) {
	merged := &Topic{Name: *in.Name, ID: in.TopicID}
	count := len(in.Partitions)
	if old != nil {
		count = max(count, len(old.Partitions)) // a broker that lags behind knows fewer
		if merged.ID == (protocol.UUID{}) {
			merged.ID = old.ID
		}
	}
	merged.Partitions = make([]Partition, count)
	for i := range merged.Partitions {
		merged.Partitions[i] = Partition{Leader: -1, LeaderEpoch: -1}
	}
	if old != nil {
		copy(merged.Partitions, old.Partitions)
	}
	listed := make([]bool, len(in.Partitions))
	for i := range in.Partitions {
		p := &in.Partitions[i]
		if p.PartitionIndex < 0 || int(p.PartitionIndex) >= len(listed) || listed[p.PartitionIndex] {
			return old, false
		}
		listed[p.PartitionIndex] = true
		merged.Partitions[p.PartitionIndex].take(p)
	}
	for i := range merged.Partitions {
		if p := &merged.Partitions[i]; p.Leader >= 0 && !known(p.Leader) {
			p.Leader = -1
		}
	}
	if old != nil && merged.ID == old.ID && slices.Equal(merged.Partitions, old.Partitions) {
		return old, true
	}
	return merged, true
}

// take replaces p by what a broker says of it, unless p has a newer epoch.
func (p *Partition) take(in *protocol.MetadataPartition) {
	if in.LeaderEpoch >= 0 {
		if in.LeaderEpoch < p.LeaderEpoch {
			return
		}
		p.LeaderEpoch = in.LeaderEpoch
	}
	p.Leader = in.LeaderID
	// REPLICA_NOT_AVAILABLE is about followers.
	if in.ErrorCode != protocol.NoError && in.ErrorCode != protocol.ReplicaNotAvailable || p.Leader < 0 {
		p.Leader = -1
	}
}

// agreed reports whether nodes has two brokers, or the only one. A bootstrap server may be one of the brokers with an id, so
// its word does not count where there are several brokers.
func agreed(nodes []int32, brokers int) bool {
	if brokers == 1 {
		return true
	}
	count := 0
	for _, node := range nodes {
		if node >= 0 {
			count++
		}
	}
	return count >= 2
}

func withNode(nodes []int32, node int32) []int32 {
	if slices.Contains(nodes, node) {
		return nodes
	}
	return append(nodes, node)
}
