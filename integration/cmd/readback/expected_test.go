package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// read runs a topic's records, written partition:line in the order they are read, against the lines
// of a file, and returns the report.
func read(t *testing.T, file, topic string) string {
	t.Helper()
	e := newExpected()
	for line := range strings.FieldsSeq(file) {
		key, value := split([]byte(line), "=")
		e.line(key, value)
	}
	offsets := make(map[string]int64)
	for record := range strings.FieldsSeq(topic) {
		partition, line, _ := strings.Cut(record, ":")
		var number int32
		if _, err := fmt.Sscan(partition, &number); err != nil {
			t.Fatal(err)
		}
		key, value := split([]byte(line), "=")
		e.record(number, offsets[partition], bytes.Clone(key), bytes.Clone(value))
		offsets[partition]++
	}
	return strings.Join(e.finish(), "\n")
}

func TestWhatIsWrongIsFound(t *testing.T) {
	tests := []struct {
		name, file, topic string
		want              string // "" for nothing wrong
	}{
		{"all there", "a=1 b=1 a=2", "1:b=1 0:a=1 0:a=2", ""},
		{"keys may overtake each other", "a=1 b=1", "0:b=1 0:a=1", ""},
		{"equal lines", "a=1 a=2 a=1", "0:a=1 0:a=2 0:a=1", ""},
		{"a line is missing", "a=1 a=2 a=3", "0:a=1 0:a=3", "lines that are missing: 1\n  line 2"},
		{"a record twice", "a=1 a=2", "0:a=1 0:a=1 0:a=2", "records too many: 1\n  partition 0, offset 1: \"a\": \"1\" is there more often than in the file"},
		{"a record of something else", "a=1", "0:a=1 0:x=1", "records too many: 1\n  partition 0, offset 1: \"x\": \"1\" is no line of the file"},
		{"a key lost", "a=1", "0:1", "lines that are missing: 1\n  line 1\nrecords too many: 1\n  partition 0, offset 0: \"1\" is no line of the file"},
		{"out of order", "a=1 a=2 a=3", "0:a=1 0:a=3 0:a=2", "records out of order: 1\n  partition 0, offset 2: line 2 comes after line 3"},
		{"a key in two partitions", "a=1 a=2", "0:a=1 1:a=2", "records of a key in another partition: 1\n  partition 1, offset 0: earlier records of key \"a\" are in partition 0"},
		{"no keys", "1 2 3 4", "0:1 1:2 1:4 0:3", ""},
		{"no keys, equal lines", "1 2 1 2", "1:2 0:1 1:1 0:2", ""},
		{"no keys, out of order", "1 2 3", "0:2 0:1 1:3", "records out of order: 1\n  partition 0, offset 1: line 1 comes after line 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := read(t, test.file, test.topic); got != test.want {
				t.Errorf("file %q, topic %q:\ngot  %q\nwant %q", test.file, test.topic, got, test.want)
			}
		})
	}
}
