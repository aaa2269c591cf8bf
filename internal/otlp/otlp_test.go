package otlp

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

var (
	start = time.Unix(1_700_000_000, 0).UTC()
	now   = start.Add(90 * time.Second)
)

// decoded walks through a protobuf message and returns a line for each field, with the numbers of the fields that lead to it.
// It is told which fields are messages, and knows nothing else of the format.
func decoded(t *testing.T, message []byte, at string, messages map[string]bool) (lines []string) {
	t.Helper()
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			t.Fatalf("%s: no tag in % x", at, message)
		}
		message = message[n:]
		here := strings.TrimPrefix(fmt.Sprintf("%s.%d", at, tag>>3), ".")
		switch tag & 7 {
		case 0:
			v, n := binary.Uvarint(message)
			if n <= 0 {
				t.Fatalf("%s: no varint in % x", here, message)
			}
			lines, message = append(lines, fmt.Sprintf("%s = %d", here, v)), message[n:]
		case 1:
			lines, message = append(lines, fmt.Sprintf("%s = %#x", here, binary.LittleEndian.Uint64(message))), message[8:]
		case 2:
			size, n := binary.Uvarint(message)
			if n <= 0 || uint64(len(message)-n) < size {
				t.Fatalf("%s: a length of %d in % x", here, size, message)
			}
			inner := message[n : n+int(size)]
			message = message[n+int(size):]
			if messages[here] {
				lines = append(lines, here)
				lines = append(lines, decoded(t, inner, here, messages)...)
			} else {
				lines = append(lines, fmt.Sprintf("%s = %q", here, inner))
			}
		default:
			t.Fatalf("%s: wire type %d", here, tag&7)
		}
	}
	return lines
}

// Which fields of MetricsData are messages, by the numbers that lead there.
var messages = map[string]bool{
	"1": true, "1.1": true, "1.1.1": true, "1.1.1.2": true, // ResourceMetrics, Resource, KeyValue, AnyValue
	"1.2": true, "1.2.1": true, "1.2.2": true, // ScopeMetrics, InstrumentationScope, Metric
	"1.2.2.5": true, "1.2.2.5.1": true, "1.2.2.5.1.7": true, "1.2.2.5.1.7.2": true, // Gauge, NumberDataPoint, KeyValue, AnyValue
	"1.2.2.7": true, "1.2.2.7.1": true, "1.2.2.7.1.7": true, "1.2.2.7.1.7.2": true, // Sum, and the same
}

func bits(f float64) string { return fmt.Sprintf("%#x", math.Float64bits(f)) }
func at(t time.Time) string { return fmt.Sprintf("%#x", uint64(t.UnixNano())) }

// A gauge and sums of both kinds are the fields that OpenTelemetry has for them.
func TestWhatIsWritten(t *testing.T) {
	d := &Data{
		Resource: []Attribute{{"client_rack", "r1"}}, Scope: "scope", Version: "1.2",
		Metrics: []Metric{
			{Name: "latency.avg", Points: []Point{
				{Attributes: []Attribute{{"node_id", "node-1"}}, Start: start, Time: now, Value: 2.5},
				{Attributes: []Attribute{{"node_id", ""}}, Time: now, Value: -1},
			}},
			{Name: "sent.total", Temporality: Delta, Points: []Point{{Start: start, Time: now, Value: 7}}},
			{Name: "failed.total", Temporality: Cumulative, Points: []Point{{Start: start, Time: now, Value: 0}}},
			{Name: "nothing"},
		},
	}
	got, omitted := Append([]byte("before"), d, 1000)
	if omitted != 0 || string(got[:6]) != "before" {
		t.Fatalf("%d were omitted, and the beginning is %q", omitted, got[:6])
	}
	want := []string{
		"1",
		"1.1", "1.1.1", `1.1.1.1 = "client_rack"`, "1.1.1.2", `1.1.1.2.1 = "r1"`,
		"1.2",
		"1.2.1", `1.2.1.1 = "scope"`, `1.2.1.2 = "1.2"`,
		"1.2.2", `1.2.2.1 = "latency.avg"`, "1.2.2.5",
		"1.2.2.5.1", "1.2.2.5.1.3 = " + at(now), "1.2.2.5.1.4 = " + bits(2.5), "1.2.2.5.1.7", `1.2.2.5.1.7.1 = "node_id"`, "1.2.2.5.1.7.2", `1.2.2.5.1.7.2.1 = "node-1"`,
		"1.2.2.5.1", "1.2.2.5.1.3 = " + at(now), "1.2.2.5.1.4 = " + bits(-1), "1.2.2.5.1.7", `1.2.2.5.1.7.1 = "node_id"`, "1.2.2.5.1.7.2", `1.2.2.5.1.7.2.1 = ""`,
		"1.2.2", `1.2.2.1 = "sent.total"`, "1.2.2.7",
		"1.2.2.7.1", "1.2.2.7.1.2 = " + at(start), "1.2.2.7.1.3 = " + at(now), "1.2.2.7.1.4 = " + bits(7), "1.2.2.7.2 = 1", "1.2.2.7.3 = 1",
		"1.2.2", `1.2.2.1 = "failed.total"`, "1.2.2.7",
		"1.2.2.7.1", "1.2.2.7.1.2 = " + at(start), "1.2.2.7.1.3 = " + at(now), "1.2.2.7.1.4 = " + bits(0), "1.2.2.7.2 = 2", "1.2.2.7.3 = 1",
	}
	if lines := decoded(t, got[6:], "", messages); strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// The bytes of the smallest sum, written down by hand.
func TestTheBytesOfASum(t *testing.T) {
	d := &Data{Metrics: []Metric{{Name: "a", Temporality: Delta, Points: []Point{{Start: time.Unix(0, 1), Time: time.Unix(0, 2), Value: 1}}}}}
	got, _ := Append(nil, d, 1000)
	want := "0a2e" + "0a00" + "122a" + "0a00" + // MetricsData, an empty Resource, ScopeMetrics, an empty scope
		"1226" + "0a0161" + "3a21" + // Metric, its name, Sum
		"0a1b" + "110100000000000000" + "190200000000000000" + "21000000000000f03f" + // a point: start, time, value
		"1001" + "1801" // delta, monotonic
	if hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
}

// What is no UTF-8 is replaced: receivers refuse the whole message else. A time before 1970 is 0.
func TestWhatCannotBeWrittenIsReplaced(t *testing.T) {
	d := &Data{Metrics: []Metric{{Name: "a\xff", Points: []Point{{Attributes: []Attribute{{"k\xff", "v\xfe"}}, Value: 1}}}}}
	got, _ := Append(nil, d, 1000)
	text := strings.Join(decoded(t, got, "", messages), "\n")
	for _, want := range []string{`"a` + "\uFFFD" + `"`, `"k` + "\uFFFD" + `"`, `"v` + "\uFFFD" + `"`, "1.2.2.5.1.3 = 0x0"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing is %s in\n%s", want, text)
		}
	}
}

// No more bytes than the limit are written, whatever it is. What is left out is marked, and all that fits is there.
func TestTheLimitIsKept(t *testing.T) {
	make := func() *Data {
		d := &Data{Resource: []Attribute{{"client_rack", "r1"}}, Scope: "scope"}
		for i := range 9 {
			m := Metric{Name: fmt.Sprintf("metric.%d", i), Temporality: Temporality(i % 3)}
			for j := range i {
				m.Points = append(m.Points, Point{Attributes: []Attribute{{"topic", strings.Repeat("t", j)}}, Start: start, Time: now, Value: float64(j)})
			}
			d.Metrics = append(d.Metrics, m)
		}
		return d
	}
	whole, omitted := Append(nil, make(), math.MaxInt32)
	if omitted != 0 {
		t.Fatalf("%d were omitted without need", omitted)
	}
	for limit := range len(whole) + 100 {
		d := make()
		got, omitted := Append(nil, d, limit)
		if len(got) > limit {
			t.Fatalf("with a limit of %d there are %d bytes", limit, len(got))
		}
		marked, points := 0, 0
		for _, m := range d.Metrics {
			for _, p := range m.Points {
				if p.Omitted {
					marked++
				}
				points++
			}
		}
		written := 0
		for _, line := range decoded(t, got, "", messages) {
			if line == "1.2.2.5.1" || line == "1.2.2.7.1" {
				written++
			}
		}
		if marked != omitted || written != points-omitted {
			t.Fatalf("with a limit of %d: %d of %d points are written, %d are marked, and %d are said to be omitted", limit, written, points, marked, omitted)
		}
		if limit >= len(whole)+60 && omitted > 0 {
			t.Fatalf("with a limit of %d, %d are omitted of what has %d bytes", limit, omitted, len(whole))
		}
	}
}
