package telemetry

import (
	"cmp"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/internal/otlp"
	"github.com/epistle-kafka/epistle/protocol"
)

// A ledger has what was last pushed of each counter, by its series.
type ledger map[string]mark

type mark struct {
	value float64
	at    time.Time
}

// A Push is one push, from Reporter.Collect until it is answered. Between Collect and Reporter.Pushing it belongs to whoever
// encodes it.
type Push struct {
	instance protocol.UUID
	sub      *subscription
	last     bool
	since    time.Time // when counters began
	at       time.Time
	before   ledger
	unable   []int8 // codecs that are of no use

	// Set by Encode.
	metrics []byte
	codec   protocol.Codec
	after   ledger // what before becomes if the push arrives
	failed  []int8 // codecs that have failed

	// What was not pushed though it was wanted, set by Encode.
	Omitted int    // points for which there was no room
	Twice   int    // metrics whose name another one has
	Named   string // one of the latter
}

// A Source is who pushes.
type Source struct {
	Resource         []otlp.Attribute // of the client, beyond what the broker knows
	Library, Version string
}

// Encode makes the payload of metrics, of which those that come first have a name that several have.
func (p *Push) Encode(from Source, metrics []Metric) {
	data := &otlp.Data{Resource: from.Resource, Scope: from.Library, Version: from.Version}
	counters := p.points(data, metrics)
	raw, omitted := otlp.Append(nil, data, p.sub.most)
	p.Omitted = omitted
	for _, c := range counters {
		if !c.point.Omitted {
			p.after[c.series] = mark{c.value, p.at}
		}
	}
	p.compress(raw)
}

// A counter is one whose difference is pushed.
type counter struct {
	metric, index int
	point         *otlp.Point // of that metric, at that index
	series        string
	value         float64
}

// A kind is the metrics that are one in the data. That a name is a counter's and a gauge's is nobody's intention.
type kind struct {
	name string
	is   otlp.Temporality
}

// points fills data with the metrics that are wanted, those with the fewest points first, and returns its counters. What the
// ledger has of metrics that are there, and not wanted, is kept.
func (p *Push) points(data *otlp.Data, metrics []Metric) []counter {
	p.after = make(ledger, len(p.before))
	seen := make(map[string]bool, len(metrics))
	place := map[kind]int{}
	var counters []counter
	for i := range metrics {
		m := &metrics[i]
		if !m.has() {
			continue
		}
		name, attributes := m.pushedName(), m.attributes()
		key := series(name, attributes)
		if seen[key] {
			p.Twice++
			p.Named = name
			continue
		}
		seen[key] = true
		before, pushed := p.before[key]
		if pushed {
			p.after[key] = before
		}
		if !p.sub.wants(name) {
			continue
		}
		k := kind{name, p.temporality(m)}
		at, known := place[k]
		if !known {
			at = len(data.Metrics)
			place[k] = at
			data.Metrics = append(data.Metrics, otlp.Metric{Name: name, Temporality: k.is})
		}
		point := otlp.Point{Attributes: attributes, Start: p.since, Time: p.at, Value: m.Value}
		if k.is == otlp.Delta {
			if pushed {
				point.Start = before.at
				if m.Value >= before.value { // else it has begun anew
					point.Value = m.Value - before.value
				}
			}
			counters = append(counters, counter{metric: at, index: len(data.Metrics[at].Points), series: key, value: m.Value})
		}
		data.Metrics[at].Points = append(data.Metrics[at].Points, point)
	}
	for i := range counters {
		c := &counters[i]
		c.point = &data.Metrics[c.metric].Points[c.index]
	}
	slices.SortStableFunc(data.Metrics, func(a, b otlp.Metric) int { return cmp.Compare(len(a.Points), len(b.Points)) })
	return counters
}

func (p *Push) temporality(m *Metric) otlp.Temporality {
	switch {
	case !m.Total:
		return otlp.Gauge
	case p.sub.delta:
		return otlp.Delta
	}
	return otlp.Cumulative
}

// compress takes the first codec that the broker takes and we have. What does not become smaller goes as it is.
func (p *Push) compress(raw []byte) {
	p.metrics, p.codec = raw, protocol.CodecNone
	if len(raw) == 0 {
		return
	}
	for _, number := range p.sub.codecs {
		codec := protocol.Codec(number)
		if codec == protocol.CodecNone {
			return
		}
		if slices.Contains(p.unable, number) {
			continue
		}
		compressor, err := protocol.NewCompressor(codec, protocol.LevelDefault)
		if err != nil {
			continue // nobody here knows it
		}
		packed, err := compressor.Compress(nil, [][]byte{raw})
		if err != nil {
			p.failed = append(p.failed, number)
			continue
		}
		if len(packed) < len(raw) {
			p.metrics, p.codec = packed, codec
		}
		return
	}
}

// Request is what is to be sent. It shares its metrics with p.
func (p *Push) Request() *protocol.PushTelemetryRequest {
	return &protocol.PushTelemetryRequest{
		ClientInstanceID: p.instance, SubscriptionID: p.sub.id, Terminating: p.last,
		CompressionType: int8(p.codec), Metrics: p.metrics,
	}
}
