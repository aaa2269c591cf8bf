package faults_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// audit is what the comparison of the log with what was sent, and what was said of it, has found.
// Each list holds a line for each record concerned.
type audit struct {
	lost       []string // acknowledged, and not in the log
	duplicated []string // in the log more than once
	reordered  []string // behind a younger record of its key
	denied     []string // certainly not written, it was said, and in the log
	misplaced  []string // in the log, but not where it was said to be
	invented   []string // in the log, and never sent
	unsettled  []string // not exactly one outcome
}

// compare reads values as load writes them. Duplicates do not count for the order.
func compare(records []*sent, log map[int32][]*reader.Record) *audit {
	a := new(audit)
	byValue := make(map[string]*sent, len(records))
	for _, s := range records {
		byValue[s.value()] = s
	}
	found := make(map[string]*reader.Record, len(records))
	for _, partition := range log {
		latest := make(map[string]int) // by key: its youngest record so far
		for _, r := range partition {
			value, _, _ := strings.Cut(string(r.Value), " ")
			s := byValue[value]
			if s == nil || string(r.Key) != s.key {
				add(&a.invented, "%s = %q at %d-%d", r.Key, value, r.Partition, r.Offset)
				continue
			}
			if first := found[value]; first != nil {
				add(&a.duplicated, "%s at %d-%d (producer %d/%d) and %d-%d (producer %d/%d)", value,
					first.Partition, first.Offset, first.ProducerID, first.ProducerEpoch,
					r.Partition, r.Offset, r.ProducerID, r.ProducerEpoch)
				if s.err == nil && r.Partition == s.md.Partition && r.Offset == s.md.Offset {
					found[value] = r // the copy that was acknowledged: the answer to the first was lost
				}
				continue
			}
			found[value] = r
			if n, ok := latest[s.key]; ok && s.n < n {
				add(&a.reordered, "%s at %d-%d, after %s/%d", value, r.Partition, r.Offset, s.key, n)
			}
			latest[s.key] = max(latest[s.key], s.n)
		}
	}
	for _, s := range records {
		a.judge(s, found[s.value()])
	}
	return a
}

// judge compares what was said of one record with where it is; r is nil for nowhere.
func (a *audit) judge(s *sent, r *reader.Record) {
	switch {
	case s.outcomes != 1:
		add(&a.unsettled, "%v: %d outcomes", s, s.outcomes)
	case s.err == nil && r == nil:
		add(&a.lost, "%v", s)
	case s.err != nil && r != nil && !producer.MayBeWritten(s.err):
		add(&a.denied, "%v at %d-%d", s, r.Partition, r.Offset)
	case s.err == nil && (r.Partition != s.md.Partition || s.md.Offset >= 0 && r.Offset != s.md.Offset):
		add(&a.misplaced, "%v at %d-%d", s, r.Partition, r.Offset)
	}
}

func add(list *[]string, format string, args ...any) {
	*list = append(*list, fmt.Sprintf(format, args...))
}

// String has a paragraph for each list that is not empty; "" is a clean log.
func (a *audit) String() string {
	var text strings.Builder
	for _, l := range []struct {
		what string
		list []string
	}{
		{"lost", a.lost}, {"duplicated", a.duplicated}, {"reordered", a.reordered},
		{"written though said not to be", a.denied}, {"elsewhere than said", a.misplaced},
		{"never sent", a.invented}, {"without one outcome", a.unsettled},
	} {
		if len(l.list) == 0 {
			continue
		}
		const shown = 10
		fmt.Fprintf(&text, "%d %s:\n", len(l.list), l.what)
		for _, line := range l.list[:min(shown, len(l.list))] {
			fmt.Fprintf(&text, "\t%s\n", line)
		}
	}
	return text.String()
}

func (a *audit) demandClean(t *testing.T) {
	t.Helper()
	if wrong := a.String(); wrong != "" {
		t.Errorf("the log and what was said of it differ:\n%s", wrong)
	}
}

// TestAuditFindsWhatIsWrong plants each fault that the audit is there for.
func TestAuditFindsWhatIsWrong(t *testing.T) {
	const key = "k"
	acked := func(n int, offset int64) *sent {
		return &sent{key: key, n: n, outcomes: 1, md: producer.RecordMetadata{Offset: offset}}
	}
	failed := func(n int, maybe bool) *sent {
		return &sent{key: key, n: n, outcomes: 1, err: &producer.SendError{MayBeWritten: maybe, Err: errors.New("planted")}}
	}
	log := func(ns ...int) map[int32][]*reader.Record {
		var records []*reader.Record
		for i, n := range ns {
			records = append(records, &reader.Record{Key: []byte(key), Value: fmt.Appendf(nil, "k/%d padding", n), Offset: int64(i)})
		}
		return map[int32][]*reader.Record{0: records}
	}
	for _, c := range []struct {
		name    string
		records []*sent
		log     map[int32][]*reader.Record
		want    string // the beginning of the report
	}{
		{"clean", []*sent{acked(0, 0), acked(1, 1)}, log(0, 1), ""},
		{"maybe written, and is", []*sent{acked(0, 0), failed(1, true)}, log(0, 1), ""},
		{"maybe written, and is not", []*sent{acked(0, 0), failed(1, true)}, log(0), ""},
		{"offset not known", []*sent{acked(0, -1)}, log(0), ""},
		{"lost", []*sent{acked(0, 0), acked(1, 1)}, log(0), "1 lost"},
		{"duplicated", []*sent{acked(0, 0)}, log(0, 0), "1 duplicated"},
		{"duplicated, the second acknowledged", []*sent{acked(0, 1)}, log(0, 0), "1 duplicated"},
		{"reordered", []*sent{acked(0, 1), acked(1, 0)}, log(1, 0), "1 reordered"},
		{"denied", []*sent{failed(0, false)}, log(0), "1 written though said not to be"},
		{"misplaced", []*sent{acked(0, 7)}, log(0), "1 elsewhere than said"},
		{"invented", nil, log(0), "1 never sent"},
		{"unsettled", []*sent{{key: key}}, log(), "1 without one outcome"},
		{"told twice", []*sent{{key: key, outcomes: 2}}, log(0), "1 without one outcome"},
	} {
		got := compare(c.records, c.log).String()
		if first, _, _ := strings.Cut(got, ":"); first != c.want {
			t.Errorf("%s: reported %q, want %q", c.name, first, c.want)
		}
	}
}
