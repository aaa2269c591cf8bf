package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// topic is one that was asked about.
type topic struct {
	name  string
	of    string
	found *protocol.MetadataTopic // nil: Metadata has no answer
	state TopicState
}

// newTopic finds a topic in Metadata's answer, nil where there is none.
func (r *run) newTopic(name string, metadata *protocol.MetadataResponse) *topic {
	t := &topic{name: name, of: "topic " + protocol.Quoted(name), state: TopicState{Name: name}}
	r.topics = append(r.topics, t)
	if metadata == nil {
		return t
	}
	for i := range metadata.Topics {
		if found := &metadata.Topics[i]; found.Name != nil && *found.Name == name {
			t.found = found
		}
	}
	return t
}

// describeTopic is the stage Topic: whether it exists, and whether a leader answers for each partition.
func (r *run) describeTopic(t *topic) {
	if t.found == nil || r.over() {
		r.blocked(Topic, t.of)
		return
	}
	c := Check{Stage: Topic, Of: t.of}
	if t.found.ErrorCode != protocol.NoError {
		r.add(r.judgeNoTopic(c, t))
		return
	}
	t.state.Exists = true
	for i := range t.found.Partitions {
		p := &t.found.Partitions[i]
		t.state.Partitions = append(t.state.Partitions, PartitionState{
			Partition: p.PartitionIndex, Leader: p.LeaderID, Replicas: len(p.ReplicaNodes), InSync: len(p.ISRNodes), End: -1,
		})
	}
	slices.SortFunc(t.state.Partitions, func(x, y PartitionState) int { return cmp.Compare(x.Partition, y.Partition) })
	began := r.t.Now()
	refused := r.askLeaders(t)
	c.Took = r.since(began)
	r.add(judgePartitions(c, t.state.Partitions, r.cutOff(t), refused))
}

// cutOff lists the leaders of a topic that cannot be used. Of brokers that were not looked at nothing is known.
func (r *run) cutOff(t *topic) map[int32]bool {
	out := map[int32]bool{}
	for _, p := range t.state.Partitions {
		b := r.brokers[p.Leader]
		if b == nil && len(r.brokers) < mostBrokers || b != nil && !b.about.Reached {
			out[p.Leader] = true
		}
	}
	return out
}

// askLeaders asks each leader how far its logs go, which leaders alone answer. It returns what it was refused by for which
// partitions.
func (r *run) askLeaders(t *topic) map[int32]error {
	led := map[int32][]int32{}
	for _, p := range t.state.Partitions {
		if b := r.brokers[p.Leader]; b != nil && b.about.Reached {
			led[p.Leader] = append(led[p.Leader], p.Partition)
		}
	}
	leaders := slices.Sorted(maps.Keys(led))
	refused := map[int32]error{}
	inOrder(len(leaders), func(i int) logEnds {
		return r.askLeader(t.name, r.brokers[leaders[i]], led[leaders[i]])
	}, func(i int, a logEnds) {
		for _, p := range led[leaders[i]] {
			if a.err != nil {
				refused[p] = a.err
			}
		}
		for p, end := range a.ends {
			at, found := slices.BinarySearchFunc(t.state.Partitions, p, func(s PartitionState, p int32) int { return cmp.Compare(s.Partition, p) })
			if found {
				t.state.Partitions[at].End = end
			}
		}
		maps.Copy(refused, a.refused)
	})
	return refused
}

// logEnds is what a leader has answered.
type logEnds struct {
	ends    map[int32]int64
	refused map[int32]error
	err     error
}

func (r *run) askLeader(name string, b *broker, partitions []int32) logEnds {
	want := protocol.ListOffsetsTopic{Name: name}
	for _, p := range partitions {
		want.Partitions = append(want.Partitions, protocol.ListOffsetsPartition{PartitionIndex: p, CurrentLeaderEpoch: -1, Timestamp: protocol.LatestTimestamp})
	}
	resp := new(protocol.ListOffsetsResponse)
	if err := b.link.Ask(r.ctx, &protocol.ListOffsetsRequest{ReplicaID: -1, Topics: []protocol.ListOffsetsTopic{want}}, resp); err != nil {
		if errors.As(err, new(*wire.UnsupportedVersionError)) {
			err = nil // so nothing can be told
		}
		return logEnds{err: err}
	}
	a := logEnds{ends: map[int32]int64{}, refused: map[int32]error{}}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != protocol.NoError {
				a.refused[p.PartitionIndex] = fmt.Errorf("broker %d: ListOffsets: %w", b.about.ID, p.ErrorCode)
				continue
			}
			a.ends[p.PartitionIndex] = p.Offset
		}
	}
	return a
}

// judgeNoTopic says what it means that Metadata has an error in place of a topic.
func (r *run) judgeNoTopic(c Check, t *topic) Check {
	code := t.found.ErrorCode
	c = codeCheck(c, "Metadata", code)
	switch code {
	case protocol.UnknownTopicOrPartition:
		makes := r.settings["auto.create.topics.enable"]
		c = judgeUnknownTopic(c, makes, r.o.AutoCreate)
		if meant := r.topicLike(t.name); meant != "" {
			c.Advice = fmt.Sprintf("there is a topic %s: if that is meant, correct the name; else %s", protocol.Quoted(meant), c.Advice)
		}
		return c
	case protocol.TopicAuthorizationFailed:
		c.Advice = "grant this client DESCRIBE and WRITE on the topic, or check its name: whoever may not see a topic is told the same whether it exists or not"
	case protocol.InvalidTopicException:
		c.Advice = "use another name"
	default:
		c.Advice = "look at the brokers' logs, and try again"
	}
	return c
}

// judgeUnknownTopic says what becomes of the first record to a topic that does not exist. makes is what the brokers have set for
// auto.create.topics.enable, "" where that is not known.
func judgeUnknownTopic(c Check, makes string, allowed bool) Check {
	c.Text = "it does not exist, and nothing was done to create it"
	switch {
	case makes == "true" && allowed:
		c.Verdict, c.Err = Notice, nil
		c.Advice = "brokers create it with the first record (auto.create.topics.enable), with their defaults for partitions and replicas: create it beforehand if those do not suit"
	case makes == "true":
		c.Advice = "create it, or set allow.auto.create.topics: the brokers would create it"
	case makes == "" && allowed:
		c.Advice = "check the name, or create it; where brokers have auto.create.topics.enable, which could not be read, they create it with the first record"
	default:
		c.Advice = "check the name, or create it: brokers do not create topics by themselves here"
	}
	return c
}

// judgePartitions says how the partitions of a topic are led. Partitions are listed by their leaders that cannot be reached, and
// by what their leaders have refused.
func judgePartitions(c Check, partitions []PartitionState, unreached map[int32]bool, refused map[int32]error) Check {
	var leaderless, cutOff, behind []int32
	leaders := map[int32]bool{}
	for _, p := range partitions {
		switch {
		case p.Leader < 0:
			leaderless = append(leaderless, p.Partition)
			continue
		case unreached[p.Leader]:
			cutOff = append(cutOff, p.Partition)
		}
		leaders[p.Leader] = true
		if p.InSync < p.Replicas {
			behind = append(behind, p.Partition)
		}
	}
	c.Verdict = OK
	c.Text = fmt.Sprintf("%s, led by %s", count(len(partitions), "partition"), count(len(leaders), "broker"))
	bad := slices.Sorted(maps.Keys(refused))
	switch {
	case len(leaderless) > 0:
		c.Verdict = Failed
		c.Text = fmt.Sprintf("%s no leader: %s", have(leaderless), whichPartitions(leaderless))
		c.Advice = "start the brokers that have their replicas; kafka-topics.sh --describe --unavailable-partitions lists them. Records to them wait, and fail after delivery.timeout.ms"
	case len(cutOff) > 0:
		c.Verdict = Failed
		c.Text = fmt.Sprintf("their leader cannot be used from here: %s", whichPartitions(cutOff))
		c.Advice = "see what is said of these brokers"
	case len(bad) > 0:
		c.Verdict, c.Err = Failed, refused[bad[0]]
		c.Text = fmt.Sprintf("%s: %s", whichPartitions(bad), wholeTextOf(refused[bad[0]]))
		c.Advice = "try again: a leader may have moved meanwhile. If it stays like that, the address leads to another broker than the cluster says"
	case len(behind) > 0:
		c.Verdict = Notice
		c.Text += fmt.Sprintf("; not all replicas are in sync: %s", whichPartitions(behind))
		c.Advice = "look at the brokers that are behind or down: with fewer replicas in sync than min.insync.replicas, acks=all is refused"
	}
	return c
}

func have(partitions []int32) string {
	if len(partitions) == 1 {
		return "1 partition has"
	}
	return fmt.Sprintf("%d partitions have", len(partitions))
}

// whichPartitions lists some.
func whichPartitions(partitions []int32) string { return "partition " + numbers(partitions) }

// numbers lists some.
func numbers(all []int32) string {
	const shown = 10
	var texts []string
	for _, n := range all[:min(shown, len(all))] {
		texts = append(texts, fmt.Sprint(n))
	}
	text := strings.Join(texts, ", ")
	if more := len(all) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
