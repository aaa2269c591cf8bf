package epistleotel

import (
	"slices"

	"github.com/epistle-kafka/epistle/producer"
)

// headers are what a propagator reads from, and writes to: those of one record. The slice that they begin with is the
// producer's, so a change makes a new one.
type headers struct{ list []producer.Header }

// Get returns the value of the last header with that key, which is the one that counts in Kafka; "" if there is none.
func (h *headers) Get(key string) string {
	for _, one := range slices.Backward(h.list) {
		if one.Key == key {
			return string(one.Value)
		}
	}
	return ""
}

// Set puts a header in the place of all that have that key.
func (h *headers) Set(key, value string) {
	h.remove(key)
	h.list = append(slices.Clip(h.list), producer.Header{Key: key, Value: []byte(value)})
}

// Keys returns the keys, each once.
func (h *headers) Keys() []string {
	var keys []string
	for _, one := range h.list {
		if !slices.Contains(keys, one.Key) {
			keys = append(keys, one.Key)
		}
	}
	return keys
}

func (h *headers) remove(key string) {
	is := func(one producer.Header) bool { return one.Key == key }
	if slices.ContainsFunc(h.list, is) {
		h.list = slices.DeleteFunc(slices.Clone(h.list), is)
	}
}
