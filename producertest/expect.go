package producertest

import (
	"fmt"
	"strings"
)

// Expect fails the test unless consumers see exactly these records of a topic, in the order in which they were sent. The test
// goes on. The failure says what came in their place, and what has become of other records to the topic.
func (p *Producer) Expect(t TB, topic string, want ...Want) {
	t.Helper()
	got := p.Committed(topic)
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(want):
			t.Errorf("topic %s has %s, want %d: the first beyond that is %v%s", topic, records(len(got)), len(want), got[i], p.told(topic))
		case i >= len(got):
			t.Errorf("topic %s has %s, want %d: the first that is missing is one with %v%s", topic, records(len(got)), len(want), want[i], p.told(topic))
		default:
			missing := want[i].misses(&got[i])
			if len(missing) == 0 {
				continue
			}
			t.Errorf("topic %s, record %d of %d: got %v, want %s%s", topic, i+1, len(want), got[i], texts(missing), p.told(topic))
		}
		return
	}
}

// ExpectAmong fails the test unless these records are among those that consumers see of a topic, in this order. Others may be
// before, between and behind them.
func (p *Producer) ExpectAmong(t TB, topic string, want ...Want) {
	t.Helper()
	found := 0
	for _, s := range p.Committed(topic) {
		if found < len(want) && len(want[found].misses(&s)) == 0 {
			found++
		}
	}
	if found < len(want) {
		behind := ""
		if found > 0 {
			behind = fmt.Sprintf(" behind one with %v", want[found-1])
		}
		t.Errorf("topic %s has no record with %v%s%s", topic, want[found], behind, p.told(topic))
	}
}

// ExpectNone fails the test if consumers see any record of these topics, or of any topic if none is named.
func (p *Producer) ExpectNone(t TB, topics ...string) {
	t.Helper()
	got := p.Committed(topics...)
	if len(got) == 0 {
		return
	}
	t.Errorf("consumers see %s, want none: the first is in topic %s, with %v%s", records(len(got)), got[0].Record.Topic, got[0], p.told(topics...))
}

// ExpectOffsets fails the test unless a group has committed these offsets, and no others. A LeaderEpoch or Metadata that is not
// given can be anything.
func (p *Producer) ExpectOffsets(t TB, groupID string, want Offsets) {
	t.Helper()
	got := p.GroupOffsets(groupID)
	for tp, w := range want {
		g, ok := got[tp]
		switch {
		case !ok:
			t.Errorf("group %s has committed no offset of %s-%d, want %d; it has %v%s", groupID, tp.Topic, tp.Partition, w.Offset, got, p.stagedFor(groupID))
		case g.Offset != w.Offset, w.LeaderEpoch != 0 && g.LeaderEpoch != w.LeaderEpoch, w.Metadata != "" && g.Metadata != w.Metadata:
			t.Errorf("group %s has committed %+v of %s-%d, want %+v", groupID, g, tp.Topic, tp.Partition, w)
		}
	}
	for tp, g := range got {
		if _, ok := want[tp]; !ok {
			t.Errorf("group %s has committed offset %d of %s-%d, want none", groupID, g.Offset, tp.Topic, tp.Partition)
		}
	}
}

// stagedFor says that a group has offsets in an open transaction.
func (p *Producer) stagedFor(groupID string) string {
	staged := p.PendingOffsets(groupID)
	if len(staged) == 0 {
		return ""
	}
	return fmt.Sprintf("; in the transaction that is open: %v", staged)
}

func records(n int) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}

// mostListed is how many records a failure lists.
const mostListed = 20

// told lists all that was sent to topics, one a line.
func (p *Producer) told(topics ...string) string {
	all := p.History(topics...)
	if len(all) == 0 {
		return "\nnothing was sent" + p.elsewhere()
	}
	var b strings.Builder
	b.WriteString("\nwhat was sent:")
	for i, s := range all {
		if i == mostListed {
			fmt.Fprintf(&b, "\n\tand %s more", records(len(all)-i))
			break
		}
		topic := ""
		if len(topics) != 1 {
			topic = s.Record.Topic + ": "
		}
		fmt.Fprintf(&b, "\n\t%s%v", topic, s)
	}
	waiting := 0
	for _, s := range all {
		if s.State == StatePending {
			waiting++
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if waiting > 0 {
		b.WriteString(p.waiting(p.pending))
	}
	return b.String()
}

// elsewhere names the topics that something was sent to.
func (p *Producer) elsewhere() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := map[string]bool{}
	var names []string
	for _, e := range p.history {
		if name := e.rec.Topic; !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ", to any topic"
	}
	return " to it; other topics have records: " + strings.Join(names, ", ")
}
