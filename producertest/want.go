package producertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/epistle-kafka/epistle/producer"
)

// Want is what a test expects of a record. Its methods return a Want that expects more, and do not change the one that they are
// called on. What a Want does not mention can be anything.
type Want struct{ matches []match }

// A match is one thing that is expected.
type match struct {
	text string // as in: key "a"
	is   func(*Sent) bool
}

// AnyRecord expects a record, whatever it has.
func AnyRecord() Want { return Want{} }

// Key expects a record with that key.
func Key(key string) Want { return Want{}.Key(key) }

// Value expects a record with that value.
func Value(value string) Want { return Want{}.Value(value) }

func (w Want) and(text string, is func(*Sent) bool) Want {
	return Want{append(slices.Clip(w.matches), match{text, is})}
}

// Key expects that key.
func (w Want) Key(key string) Want {
	return w.and("key "+shown([]byte(key)), func(s *Sent) bool { return s.Record.Key != nil && string(s.Record.Key) == key })
}

// NoKey expects a record without a key. An empty key is a key.
func (w Want) NoKey() Want {
	return w.and("no key", func(s *Sent) bool { return s.Record.Key == nil })
}

// Value expects that value.
func (w Want) Value(value string) Want {
	return w.and("value "+shown([]byte(value)), func(s *Sent) bool { return s.Record.Value != nil && string(s.Record.Value) == value })
}

// NoValue expects a record without a value: a tombstone.
func (w Want) NoValue() Want {
	return w.and("no value", func(s *Sent) bool { return s.Record.Value == nil })
}

// JSON expects a value that is the same JSON as text, whatever its spaces and the order of its fields.
func (w Want) JSON(text string) Want {
	var want any
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		panic(fmt.Sprintf("producertest: JSON(%q): %v", text, err))
	}
	return w.and("value as JSON "+text, func(s *Sent) bool {
		var got any
		return json.Unmarshal(s.Record.Value, &got) == nil && reflect.DeepEqual(got, want)
	})
}

// Header expects a header with that key and value, among others.
func (w Want) Header(key, value string) Want {
	return w.and(fmt.Sprintf("header %q = %s", key, shown([]byte(value))), func(s *Sent) bool {
		return slices.ContainsFunc(s.Record.Headers, func(h producer.Header) bool { return h.Key == key && bytes.Equal(h.Value, []byte(value)) })
	})
}

// NoHeader expects that there is no header with that key.
func (w Want) NoHeader(key string) Want {
	return w.and(fmt.Sprintf("no header %q", key), func(s *Sent) bool {
		return !slices.ContainsFunc(s.Record.Headers, func(h producer.Header) bool { return h.Key == key })
	})
}

// Partition expects the record in that partition.
func (w Want) Partition(n int32) Want {
	return w.and("partition "+strconv.Itoa(int(n)), func(s *Sent) bool { return s.Metadata.Partition == n })
}

// Offset expects the record at that offset.
func (w Want) Offset(n int64) Want {
	return w.and("offset "+strconv.FormatInt(n, 10), func(s *Sent) bool { return s.Metadata.Offset == n })
}

// Where expects a record for which is returns true. text names that in a failure.
func (w Want) Where(text string, is func(Sent) bool) Want {
	return w.and(text, func(s *Sent) bool { return is(*s) })
}

// String says what is expected.
func (w Want) String() string {
	if len(w.matches) == 0 {
		return "any record"
	}
	return texts(w.matches)
}

// misses are what is expected, and is not so.
func (w Want) misses(s *Sent) (missing []match) {
	for _, m := range w.matches {
		if !m.is(s) {
			missing = append(missing, m)
		}
	}
	return missing
}

func texts(matches []match) string {
	var all []string
	for _, m := range matches {
		all = append(all, m.text)
	}
	return strings.Join(all, ", ")
}

// String says what a record has: key, value, headers, partition, offset, and what has become of it.
func (s Sent) String() string {
	key, value := "no key", "no value"
	if s.Record.Key != nil {
		key = "key " + shown(s.Record.Key)
	}
	if s.Record.Value != nil {
		value = "value " + shown(s.Record.Value)
	}
	parts := []string{key, value}
	for _, h := range s.Record.Headers {
		parts = append(parts, fmt.Sprintf("header %q = %s", h.Key, shown(h.Value)))
	}
	if s.Metadata.Partition >= 0 {
		parts = append(parts, fmt.Sprintf("partition %d", s.Metadata.Partition))
	}
	if s.Metadata.Offset >= 0 {
		parts = append(parts, fmt.Sprintf("offset %d", s.Metadata.Offset))
	}
	if s.State != StateCommitted {
		parts = append(parts, s.State.String())
	}
	if s.Err != nil {
		parts = append(parts, s.Err.Error())
	}
	return strings.Join(parts, ", ")
}

// longestShown is how many bytes of a key or value a failure shows.
const longestShown = 200

// shown is bytes as a failure shows them: quoted, and cut.
func shown(b []byte) string {
	if b == nil {
		return "null"
	}
	if len(b) <= longestShown {
		return strconv.Quote(string(b))
	}
	return fmt.Sprintf("%q… (%d bytes)", b[:longestShown], len(b))
}
