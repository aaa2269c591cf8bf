package faults_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/integration/reader"
)

// transformed compares what a topic holds with what integration/cmd/transform has made of it, and returns a paragraph for
// each promise that is broken: "" if every record of in is in out once, in upper case, those of a key in one partition and
// in the order that they have in in.
func transformed(in, out map[int32][]*reader.Record) string {
	type place struct {
		partition int32
		offset    int64
	}
	inputs := map[string]*reader.Record{} // by what the header calls them
	for _, partition := range in {
		for _, r := range partition {
			inputs[fmt.Sprintf("%s-%d@%d", r.Topic, r.Partition, r.Offset)] = r
		}
	}
	var lost, duplicated, reordered, scattered, wrong []string
	found := map[string]place{}
	home := map[string]int32{} // of each key
	latest := map[string]int64{}
	for _, partition := range out {
		for _, r := range partition {
			here := place{r.Partition, r.Offset}
			from := ""
			if len(r.Headers) > 0 && r.Headers[0].Key == "from" {
				from = string(r.Headers[0].Value)
			}
			input, key := inputs[from], string(r.Key)
			if input == nil || !bytes.Equal(r.Value, bytes.ToUpper(input.Value)) || !bytes.Equal(r.Key, input.Key) {
				add(&wrong, "%v: %q = %.40q from %q", here, key, r.Value, from)
				continue
			}
			if first, ok := found[from]; ok {
				add(&duplicated, "%s at %v and %v", from, first, here)
				continue
			}
			found[from] = here
			if at, ok := home[key]; ok && at != r.Partition {
				add(&scattered, "%q at %v, others in partition %d", key, here, at)
				continue
			}
			home[key] = r.Partition
			if offset, ok := latest[key]; ok && input.Offset < offset {
				add(&reordered, "%s at %v, after offset %d of its key %q", from, here, offset, key)
				continue
			}
			latest[key] = input.Offset
		}
	}
	for from := range inputs {
		if _, ok := found[from]; !ok {
			add(&lost, "%s", from)
		}
	}
	var text strings.Builder
	for _, l := range []struct {
		what string
		list []string
	}{{"lost", lost}, {"duplicated", duplicated}, {"reordered", reordered}, {"scattered", scattered}, {"not of the input", wrong}} {
		if len(l.list) > 0 {
			fmt.Fprintf(&text, "%d %s:\n\t%s\n", len(l.list), l.what, strings.Join(l.list[:min(10, len(l.list))], "\n\t"))
		}
	}
	return text.String()
}

// TestTransformAuditFindsWhatIsWrong plants each fault that the audit is there for.
func TestTransformAuditFindsWhatIsWrong(t *testing.T) {
	record := func(topic string, partition int32, offset int64, key, value, from string) *reader.Record {
		r := &reader.Record{Topic: topic, Partition: partition, Offset: offset, Key: []byte(key), Value: []byte(value)}
		r.Headers = append(r.Headers, struct {
			Key   string
			Value []byte
		}{"from", []byte(from)})
		return r
	}
	in := map[int32][]*reader.Record{0: {record("in", 0, 0, "k", "a", ""), record("in", 0, 1, "k", "b", "")}}
	a := func(partition int32, offset int64) *reader.Record {
		return record("out", partition, offset, "k", "A", "in-0@0")
	}
	b := func(partition int32, offset int64) *reader.Record {
		return record("out", partition, offset, "k", "B", "in-0@1")
	}
	for _, c := range []struct {
		name string
		out  []*reader.Record
		want string // the beginning of the report
	}{
		{"clean", []*reader.Record{a(3, 0), b(3, 1)}, ""},
		{"lost", []*reader.Record{a(3, 0)}, "1 lost"},
		{"duplicated", []*reader.Record{a(3, 0), b(3, 1), b(3, 2)}, "1 duplicated"},
		{"reordered", []*reader.Record{b(3, 0), a(3, 1)}, "1 reordered"},
		{"scattered", []*reader.Record{a(3, 0), b(4, 0)}, "1 scattered"},
		{"invented", []*reader.Record{a(3, 0), b(3, 1), record("out", 3, 2, "k", "C", "in-0@2")}, "1 not of the input"},
		{"not transformed", []*reader.Record{a(3, 0), b(3, 1), record("out", 3, 2, "k", "b", "in-0@1")}, "1 not of the input"},
		{"another's key", []*reader.Record{a(3, 0), b(3, 1), record("out", 3, 2, "x", "B", "in-0@1")}, "1 not of the input"},
	} {
		out := map[int32][]*reader.Record{}
		for _, r := range c.out {
			out[r.Partition] = append(out[r.Partition], r)
		}
		if first, _, _ := strings.Cut(transformed(in, out), ":"); first != c.want {
			t.Errorf("%s: reported %q, want %q", c.name, first, c.want)
		}
	}
}
