// Package otlp writes metrics as OpenTelemetry's MetricsData, which is what clients push to Kafka's brokers (KIP-714).
//
// It knows the part of the format that is needed for that: gauges and monotonic sums of doubles, with attributes that are
// strings. So the module depends on neither OpenTelemetry nor protobuf. The numbers of the fields are those of
// opentelemetry/proto/metrics/v1/metrics.proto, common.proto and resource.proto in version 1.
package otlp

import (
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// Data is what one push has. All metrics are of one resource and one scope.
type Data struct {
	Resource       []Attribute // of the client
	Scope, Version string      // of the library that has measured
	Metrics        []Metric
}

// A Metric is all that has one name.
type Metric struct {
	Name        string
	Temporality Temporality
	Points      []Point
}

// Temporality says what the points of a metric are.
type Temporality uint8

const (
	Gauge      Temporality = iota // values as of now
	Delta                         // sums over the time from Start to Time
	Cumulative                    // sums since Start
)

// A Point is one value. Start is of no meaning for a Gauge.
type Point struct {
	Attributes  []Attribute
	Start, Time time.Time
	Value       float64

	Omitted bool // set by Append: there was no room for it
}

// An Attribute is a name and its value. What is no UTF-8 in them is replaced.
type Attribute struct{ Key, Value string }

// Append appends d to dst, and sets Omitted of the points that it has left out so that no more than limit bytes are
// appended. Points are taken in their order as long as there is room. It returns how many were left out. Data without a
// point, or without room for one, is no bytes at all.
func Append(dst []byte, d *Data, limit int) (out []byte, omitted int) {
	head := appendMessage(nil, resourceMetricsResource, appendAttributes(nil, resourceAttributes, d.Resource))
	scope := appendString(nil, scopeName, d.Scope)
	scope = appendString(scope, scopeVersion, d.Version)
	body := appendMessage(nil, scopeMetricsScope, scope)

	room := limit - len(head) - len(body) - outerOverhead
	taken := 0
	for i := range d.Metrics {
		m := &d.Metrics[i]
		points, left := m.points(room - m.overhead())
		omitted += left
		if len(points) == 0 {
			continue
		}
		taken += len(m.Points) - left
		before := len(body)
		body = m.appendTo(body, points)
		room -= len(body) - before
	}
	if taken == 0 {
		return dst, omitted
	}
	resource := appendMessage(head, resourceMetricsScopeMetrics, body)
	return appendMessage(dst, dataResourceMetrics, resource), omitted
}

// The tags and lengths around parts of a message, in bytes at most: a tag is one byte, and a length is five.
const (
	oneOverhead    = 1 + 5
	outerOverhead  = 2 * oneOverhead
	metricOverhead = 3*oneOverhead + 4 // itself, its name, its gauge or sum, and what else a sum has
)

func (m *Metric) overhead() int { return metricOverhead + len(valid(m.Name)) }

// points returns the points that fit into room, as the fields of a gauge or a sum, and how many do not.
func (m *Metric) points(room int) (fields []byte, left int) {
	var one []byte
	for i := range m.Points {
		p := &m.Points[i]
		one = p.appendTo(one[:0], m.Temporality)
		p.Omitted = len(fields)+len(one)+oneOverhead > room
		if p.Omitted {
			left++
			continue
		}
		fields = appendMessage(fields, numbersDataPoints, one)
	}
	return fields, left
}

func (m *Metric) appendTo(dst, points []byte) []byte {
	field := metricGauge
	if m.Temporality != Gauge {
		field = metricSum
		temporality := byte(temporalityDelta)
		if m.Temporality == Cumulative {
			temporality = temporalityCumulative
		}
		points = append(appendTag(points, sumTemporality, varint), temporality)
		points = append(appendTag(points, sumMonotonic, varint), 1)
	}
	metric := appendString(nil, metricName, m.Name)
	metric = appendMessage(metric, field, points)
	return appendMessage(dst, scopeMetricsMetrics, metric)
}

func (p *Point) appendTo(dst []byte, t Temporality) []byte {
	if t != Gauge {
		dst = appendFixed64(dst, pointStart, nanos(p.Start))
	}
	dst = appendFixed64(dst, pointTime, nanos(p.Time))
	dst = appendFixed64(dst, pointDouble, math.Float64bits(p.Value))
	return appendAttributes(dst, pointAttributes, p.Attributes)
}

// nanos is a time as the format has it; 0 for one before 1970.
func nanos(t time.Time) uint64 {
	if t.Before(time.Unix(0, 0)) {
		return 0
	}
	return uint64(t.UnixNano())
}

// The numbers of fields, by the message that they belong to.
const (
	dataResourceMetrics = 1

	resourceMetricsResource     = 1
	resourceMetricsScopeMetrics = 2

	resourceAttributes = 1

	scopeMetricsScope   = 1
	scopeMetricsMetrics = 2

	scopeName    = 1
	scopeVersion = 2

	metricName  = 1
	metricGauge = 5
	metricSum   = 7

	numbersDataPoints = 1 // of a gauge and of a sum
	sumTemporality    = 2
	sumMonotonic      = 3

	pointStart      = 2
	pointTime       = 3
	pointDouble     = 4
	pointAttributes = 7

	attributeKey   = 1
	attributeValue = 2
	valueString    = 1
)

const (
	temporalityDelta      = 1
	temporalityCumulative = 2
)

// How a field is written.
const (
	varint          = 0
	fixed64         = 1
	lengthDelimited = 2
)

// appendTag begins a field. All numbers here are below 16, so that it is one byte.
func appendTag(dst []byte, field, written int) []byte { return append(dst, byte(field<<3|written)) }

func appendMessage(dst []byte, field int, message []byte) []byte {
	dst = binary.AppendUvarint(appendTag(dst, field, lengthDelimited), uint64(len(message)))
	return append(dst, message...)
}

// appendString leaves an empty string out, as proto3 does.
func appendString(dst []byte, field int, s string) []byte {
	if s = valid(s); s == "" {
		return dst
	}
	dst = binary.AppendUvarint(appendTag(dst, field, lengthDelimited), uint64(len(s)))
	return append(dst, s...)
}

func appendFixed64(dst []byte, field int, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(appendTag(dst, field, fixed64), v)
}

func appendAttributes(dst []byte, field int, attributes []Attribute) []byte {
	for _, a := range attributes {
		pair := appendString(nil, attributeKey, a.Key)
		// A value is one of several kinds, so an empty string has to be written, or it would be none of them.
		value := valid(a.Value)
		text := append(binary.AppendUvarint(appendTag(nil, valueString, lengthDelimited), uint64(len(value))), value...)
		dst = appendMessage(dst, field, appendMessage(pair, attributeValue, text))
	}
	return dst
}

// valid is s as protobuf demands it: receivers refuse what is no UTF-8.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
