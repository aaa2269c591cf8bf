package lines

import (
	"bytes"
	"slices"

	"github.com/epistle-kafka/epistle/producer"
)

// Splitter makes headers, key and value of a line: headers first, then the key, then the value. Its zero value takes the whole
// line as the value.
type Splitter struct {
	Headers     []byte // ends the headers of a line; empty: lines have none
	Pair        []byte // between two headers; empty: ","
	Name        []byte // between the name of a header and its value; empty: ":"
	Key         []byte // ends the key of a line; empty: lines have none
	EmptyIsNull bool   // an empty key or value is null
	NullMarker  []byte // a key, or a value, of this text alone is null; empty: none is
}

// Lacks says which delimiters a line should have and has not.
type Lacks struct{ Headers, Key bool }

// Split cuts at the first delimiter of each kind. A line without the delimiter has no headers, or no key. The results share the
// line's memory. Where they are empty they are not nil, which would be null.
func (s *Splitter) Split(line []byte) (headers []producer.Header, key, value []byte, lacks Lacks) {
	value = line
	if len(s.Headers) > 0 {
		before, after, found := bytes.Cut(value, s.Headers)
		if lacks.Headers = !found; found {
			headers, value = s.headers(before), after
		}
	}
	if len(s.Key) > 0 {
		before, after, found := bytes.Cut(value, s.Key)
		if lacks.Key = !found; found {
			key, value = before, after
		}
	}
	if s.null(key) {
		key = nil
	}
	if s.null(value) {
		value = nil
	}
	return headers, key, value, lacks
}

func (s *Splitter) null(field []byte) bool {
	return s.EmptyIsNull && len(field) == 0 || len(s.NullMarker) > 0 && bytes.Equal(field, s.NullMarker)
}

// headers reads name:value,name:value. A header without a separator has a null value. One without a name is dropped.
func (s *Splitter) headers(text []byte) (list []producer.Header) {
	pair, name := s.Pair, s.Name
	if len(pair) == 0 {
		pair = []byte(",")
	}
	if len(name) == 0 {
		name = []byte(":")
	}
	for more := true; more; {
		var one []byte
		one, text, more = bytes.Cut(text, pair)
		key, value, found := bytes.Cut(one, name)
		switch {
		case len(key) == 0:
		case found:
			list = append(list, producer.Header{Key: string(key), Value: value})
		default:
			list = append(list, producer.Header{Key: string(key)})
		}
	}
	return list
}

// Delimiters are all delimiters in a row.
func (s *Splitter) Delimiters() []byte { return slices.Concat(s.Key, s.Headers, s.Pair, s.Name) }

// Longer is by how much a line may be longer than the record that it makes.
func (s *Splitter) Longer() int { return len(s.Headers) + len(s.Key) }
