package producer

import (
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/sender"
)

// docs/metrics.md has each of Java's metrics that Java gives, and none that it does not.
func TestTheDocumentationHasJavasMetrics(t *testing.T) {
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "<!-- java:begin -->")
	table, rest, _ := strings.Cut(table, "<!-- java:end -->")
	rest, _, _ = strings.Cut(rest, "\n## ") // what is left out; a comparison with Java's values follows
	documented := map[string]bool{}
	name := regexp.MustCompile("`([a-z-]+)`")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || !strings.Contains(cells[2], "`") {
			continue
		}
		for _, found := range name.FindAllStringSubmatch(cells[2], -1) {
			documented[strings.TrimSpace(cells[1])+" "+found[1]] = true
		}
	}
	given := map[string]bool{}
	for _, j := range everything().Java() {
		given[j.Group+" "+j.Name] = true
		if j.Total != strings.HasSuffix(j.Name, "-total") || math.IsNaN(j.Value) {
			t.Errorf("%+v", j)
		}
	}
	for n := range documented {
		if !given[n] {
			t.Errorf("the documentation has %s, and Java does not give it", n)
		}
	}
	for n := range given {
		if !documented[n] {
			t.Errorf("Java gives %s, and the documentation lacks it", n)
		}
		if _, left, _ := strings.Cut(n, " "); strings.Contains(rest, "`"+left+"`") {
			t.Errorf("the documentation says that %s is left out", n)
		}
	}
	if len(given) < 80 {
		t.Errorf("Java gives %d metrics, want those of Java's producer", len(given))
	}
}

// everything is Metrics with a sample of all that Java leaves out where there is none.
func everything() Metrics {
	some := sender.Window{Avg: 1, Max: 2, Some: true}
	counts := sender.Counts{Batches: 1, Compression: some}
	seen := &sender.Metrics{
		All:     counts,
		Topics:  []sender.TopicReading{{Topic: "t", Counts: counts}},
		Brokers: []sender.BrokerReading{{Created: 1, Latency: some, RequestSize: some}},
		Recent: sender.Recent{
			Queue: some, BatchSize: some, RecordSize: some, PerRequest: some, Latency: some, RequestSize: some, Throttle: some, Renewal: some,
		},
	}
	m := Metrics{seen: seen}
	m.Metadata.Refreshed = m.Metadata.Refreshed.AddDate(1, 0, 0)
	return m
}

// The zero Metrics has nothing for Java.
func TestNothingForJava(t *testing.T) {
	if all := (Metrics{}).Java(); len(all) != 0 {
		t.Errorf("got %v", all)
	}
}
