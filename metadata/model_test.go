package metadata

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// world is a cluster as it really is, with brokers that each see it as it was some time ago.
type world struct {
	r      *rand.Rand
	past   []map[string]protocol.MetadataTopic // states, the newest last
	lastID byte
}

var worldTopics = []string{"a", "b", "c"}

// change lets time pass in the world: a leader moves, a topic grows, or one is deleted and perhaps made again.
func (w *world) change() {
	topics := make(map[string]protocol.MetadataTopic)
	for name, t := range w.past[len(w.past)-1] {
		t.Partitions = slices.Clone(t.Partitions)
		topics[name] = t
	}
	name := worldTopics[w.r.IntN(len(worldTopics))]
	t, exists := topics[name]
	switch n := w.r.IntN(10); {
	case !exists:
		w.lastID++
		t = protocol.MetadataTopic{Name: &name, TopicID: protocol.UUID{w.lastID}}
		for p := range int32(1 + w.r.IntN(3)) {
			t.Partitions = append(t.Partitions, protocol.MetadataPartition{PartitionIndex: p, LeaderID: 1 + w.r.Int32N(3)})
		}
		topics[name] = t
	case n == 0:
		delete(topics, name)
	case n == 1 && len(t.Partitions) < 6:
		t.Partitions = append(t.Partitions, protocol.MetadataPartition{PartitionIndex: int32(len(t.Partitions)), LeaderID: 1 + w.r.Int32N(3)})
		topics[name] = t
	default:
		p := &t.Partitions[w.r.IntN(len(t.Partitions))]
		p.LeaderEpoch++
		p.LeaderID = w.r.Int32N(4)
		p.ErrorCode = protocol.NoError
		if p.LeaderID == 0 {
			p.LeaderID, p.ErrorCode = -1, protocol.LeaderNotAvailable
		}
	}
	w.past = append(w.past, topics)
}

// answer is what a broker says that is behind by some changes.
func (w *world) answer(req *protocol.MetadataRequest, behind int) *protocol.MetadataResponse {
	state := w.past[max(0, len(w.past)-1-behind)]
	resp := response(nil, nil)
	for _, asked := range req.Topics {
		t, ok := state[*asked.Name]
		if !ok {
			t = protocol.MetadataTopic{Name: asked.Name, ErrorCode: protocol.UnknownTopicOrPartition}
		}
		t.Partitions = slices.Clone(t.Partitions)
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}

// Whatever lagging, failing brokers say: within a topic id no epoch goes back and no partition goes away, no id comes back
// within ten seconds, every leader is a broker, and once the world rests and brokers catch up, we see it as it is.
func TestAgainstLaggingBrokers(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) { lagging(t, seed) })
	}
}

func lagging(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 516))
	w := &world{r: r, past: []map[string]protocol.MetadataTopic{{}}}
	for range 6 {
		w.change()
	}
	cfg := testConfig()
	cfg.Jitter = r.Float64
	c := New(cfg)
	now := epoch
	seen := whole(c)
	gone := make(map[protocol.UUID]time.Time)
	rebooted := false // since the last answer
	look := func(what string) {
		t.Helper()
		next := whole(c)
		if !rebooted {
			checkLeaders(t, next, what)
		}
		checkStep(t, seen, next, now, gone, what)
		seen = next
	}
	for step := range 500 {
		resting := step >= 300
		now = now.Add(time.Duration(r.IntN(300)) * time.Millisecond)
		for _, name := range worldTopics {
			c.Touch(now, name)
		}
		if !resting {
			w.change()
		}
		if r.IntN(4) == 0 || resting {
			c.RequestUpdate()
		}
		if r.IntN(4) == 0 && !resting {
			hintFrom(r, w, c, now)
			look(fmt.Sprintf("step %d: hint", step))
		}
		req, at := c.Next(now)
		if req == nil {
			if !at.IsZero() && !at.After(now) {
				t.Fatalf("step %d: nothing to send, though it was due at %v, now is %v", step, at, now)
			}
			continue
		}
		node := c.Prefer([]int32{1, 2, 3})
		c.Sent()
		behind := 0
		if !resting {
			behind = r.IntN(8)
			if r.IntN(6) == 0 {
				rebooted = c.Failed(now, node, req).Rebootstrap || rebooted
				look(fmt.Sprintf("step %d: failure", step))
				continue
			}
		}
		c.Answer(now, node, req, w.answer(req, behind))
		rebooted = false
		look(fmt.Sprintf("step %d: answer of node %d, %d behind", step, node, behind))
	}
	checkTruth(t, seen, w)
}

// hintFrom gives a hint that was true some changes ago.
func hintFrom(r *rand.Rand, w *world, c *Cluster, now time.Time) {
	name := worldTopics[r.IntN(len(worldTopics))]
	truth := w.past[max(0, len(w.past)-1-r.IntN(8))][name]
	known := whole(c).Topics[name]
	if known == nil || truth.TopicID != known.ID { // a broker answers with a hint for the id that was asked about
		return
	}
	p := truth.Partitions[r.IntN(len(truth.Partitions))]
	endpoints := []protocol.NodeEndpoint{{NodeID: p.LeaderID, Host: fmt.Sprint("b", p.LeaderID), Port: 9092}}
	c.Hint(now, name, p.PartitionIndex, protocol.LeaderIDAndEpoch{LeaderID: p.LeaderID, LeaderEpoch: p.LeaderEpoch}, endpoints)
}

func checkLeaders(t *testing.T, s cut, what string) {
	t.Helper()
	for name, topic := range s.Topics {
		for i, p := range topic.Partitions {
			if _, ok := s.Brokers[p.Leader]; p.Leader >= 0 && !ok {
				t.Fatalf("%s: leader %d of %s-%d is no broker", what, p.Leader, name, i)
			}
		}
	}
}

func checkStep(t *testing.T, before, after cut, now time.Time, gone map[protocol.UUID]time.Time, what string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(after.Topics)) {
		topic := after.Topics[name]
		if since, ok := gone[topic.ID]; ok && now.Sub(since) < staleTime {
			t.Fatalf("%s: topic %s is back to id %v after %v", what, name, topic.ID, now.Sub(since))
		}
		delete(gone, topic.ID)
		old := before.Topics[name]
		if old == nil {
			continue
		}
		if old.ID != topic.ID {
			gone[old.ID] = now
			continue
		}
		if len(topic.Partitions) < len(old.Partitions) {
			t.Fatalf("%s: %s shrank from %d to %d partitions", what, name, len(old.Partitions), len(topic.Partitions))
		}
		for i, p := range old.Partitions {
			if topic.Partitions[i].LeaderEpoch < p.LeaderEpoch {
				t.Fatalf("%s: epoch of %s-%d went back from %d to %d", what, name, i, p.LeaderEpoch, topic.Partitions[i].LeaderEpoch)
			}
		}
		if topic != old && slices.Equal(topic.Partitions, old.Partitions) {
			t.Fatalf("%s: %s did not change and is another pointer", what, name)
		}
	}
}

func checkTruth(t *testing.T, seen cut, w *world) {
	t.Helper()
	for name, truth := range w.past[len(w.past)-1] {
		got := seen.Topics[name]
		if got == nil {
			t.Errorf("topic %s is missing at the end", name)
			continue
		}
		if got.ID != truth.TopicID || len(got.Partitions) != len(truth.Partitions) {
			t.Errorf("topic %s at the end: id %v, %d partitions, want %v, %d", name, got.ID, len(got.Partitions), truth.TopicID, len(truth.Partitions))
			continue
		}
		for i, p := range truth.Partitions {
			if want := (Partition{p.LeaderID, p.LeaderEpoch}); got.Partitions[i] != want {
				t.Errorf("%s-%d at the end: %v, want %v", name, i, got.Partitions[i], want)
			}
		}
	}
}
