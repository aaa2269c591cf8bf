package telemetry

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/internal/otlp"
)

// A Metric is one value, under the name that it has in Java's client.
type Metric struct {
	Group, Name string            // such as producer-node-metrics and request-latency-avg
	Tags        map[string]string // such as node-id
	Value       float64
	Total       bool // counts from the beginning, and never goes back
}

// pushedName is the name of m as it is pushed, by the rule of KIP-714: org.apache.kafka.producer.node.request.latency.avg.
func (m *Metric) pushedName() string {
	return "org.apache.kafka." + strings.ReplaceAll(lower(m.Group, "."), ".metrics", "") + "." + lower(m.Name, ".")
}

func lower(name, joiner string) string { return strings.ReplaceAll(strings.ToLower(name), "-", joiner) }

// ownTag is the tag that is not pushed: the broker knows it from the request.
const ownTag = "client_id"

// attributes are the tags of m as they are pushed, in an order that is always the same.
func (m *Metric) attributes() []otlp.Attribute {
	attributes := make([]otlp.Attribute, 0, len(m.Tags))
	for tag, value := range m.Tags {
		if key := lower(tag, "_"); key != ownTag {
			attributes = append(attributes, otlp.Attribute{Key: key, Value: value})
		}
	}
	slices.SortFunc(attributes, func(a, b otlp.Attribute) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value)) })
	return slices.CompactFunc(attributes, func(a, b otlp.Attribute) bool { return a.Key == b.Key })
}

// series tells a metric with its attributes from all others.
func series(name string, attributes []otlp.Attribute) string {
	var b strings.Builder
	b.WriteString(name)
	for _, a := range attributes {
		b.WriteString("\x00" + a.Key + "\x00" + a.Value)
	}
	return b.String()
}

// has reports whether m has a value. An average of nothing has none.
func (m *Metric) has() bool { return !math.IsNaN(m.Value) && !math.IsInf(m.Value, 0) }
