package telemetry

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

var update = flag.Bool("update", false, "write into docs/telemetry.md which metrics both clients push")

const (
	records   = 10
	sentTotal = "org.apache.kafka.producer.record.send.total"
)

// A broker with a receiver gets our metrics and Java's, in the same form: names, kinds and attributes of what we push are Java's.
// What differs is known.
func TestTheBrokerReceivesMetrics(t *testing.T) {
	s := open(t)
	admin, err := reader.NewAdmin(s.Bootstrap())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.CreateTopic(t.Context(), "orders", 1, -1, nil); err != nil {
		t.Fatal(err)
	}
	if err := admin.SubscribeMetrics(t.Context(), "all", []string{"*"}, time.Second); err != nil {
		t.Fatal(err)
	}
	ours := s.ours(t)
	java := s.javas(t)

	if got := sum(ours, sentTotal); got != records {
		t.Errorf("all pushes together have %v records, want %d", got, records)
	}
	for i := range ours {
		for _, q := range ours[i].points {
			if math.IsNaN(q.value) {
				t.Errorf("%s %s has no value, and is pushed", q.name, q.attributes)
			}
		}
	}
	theirs := shapes(java)
	for name, shape := range shapes(ours) {
		switch {
		case strings.HasPrefix(name, "org.apache.kafka.app."):
		case theirs[name] == "":
			t.Errorf("%s (%s) is none of Java's", name, shape)
		case theirs[name] != shape:
			t.Errorf("%s is %s, and Java's is %s", name, shape, theirs[name])
		}
	}
	document(t, ours, java)
}

// ours are the pushes of a producer of this library, from its beginning to its end.
func (s *site) ours(t *testing.T) []push {
	cfg := producer.DefaultConfig(s.Bootstrap())
	cfg.ClientID, cfg.ClientRack = "epistle", "r1"
	cfg.ApplicationMetrics = []func() []producer.JavaMetric{func() []producer.JavaMetric {
		return []producer.JavaMetric{{Group: "app-metrics", Name: "orders-open", Tags: map[string]string{"shop": "a"}, Value: 3}}
	}}
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if _, err := p.SendSync(t.Context(), producer.Record{Topic: "orders", Value: fmt.Appendf(nil, "value %d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	s.await(t, "epistle", func(all []push) bool { return len(all) >= 3 })
	id, err := p.ClientInstanceID(t.Context())
	if err != nil {
		t.Error(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	all := s.await(t, "epistle", func(all []push) bool { return all[len(all)-1].last })
	for i, one := range all {
		if one.instance != id.String() || one.last != (i == len(all)-1) || !slices.Equal(one.resource, []string{"{client_rack=r1}"}) {
			t.Errorf("push %d is of %s, the last: %t, from %v; want one of %v", i, one.instance, one.last, one.resource, id)
		}
		if v := one.of("org.apache.kafka.app.orders.open"); v["{shop=a}"] != 3 {
			t.Errorf("push %d has %v of the application's metric, want 3", i, v)
		}
	}
	return all
}

// javas are those of Java's producer.
func (s *site) javas(t *testing.T) []push {
	cmd := exec.CommandContext(t.Context(), s.java, "-cp", s.classpath, "Producer", s.Bootstrap(), "orders", fmt.Sprint(records), "6")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("java: %v\n%s", err, out)
	}
	return s.await(t, "java", func(all []push) bool { return len(all) >= 2 })
}

// shapes has the kind of each metric and the names of its attributes.
func shapes(pushes []push) map[string]string {
	all := map[string]string{}
	for i := range pushes {
		for _, q := range pushes[i].points {
			var keys []string
			for pair := range strings.SplitSeq(strings.Trim(q.attributes, "{}"), ", ") {
				key, _, _ := strings.Cut(pair, "=")
				keys = append(keys, key)
			}
			all[q.name] = strings.TrimSpace(kindOf(q.kind) + " " + strings.Join(keys, ", "))
		}
	}
	return all
}

func kindOf(kind string) string {
	if kind == "AGGREGATION_TEMPORALITY_DELTA" {
		return "sum"
	}
	return kind
}

const (
	begin = "<!-- pushed:begin -->\n"
	end   = "<!-- pushed:end -->\n"
)

// document has the table of docs/telemetry.md be what was seen.
func document(t *testing.T, ours, java []push) {
	t.Helper()
	const file = "../../docs/telemetry.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks its markers", file)
	}
	got := tableOf(shapes(ours), shapes(java))
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+got+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != table {
		t.Errorf("%s has\n%s\nand what was seen is\n%s\nWrite it anew with -update.", file, table, got)
	}
}

func tableOf(ours, java map[string]string) string {
	var b strings.Builder
	b.WriteString("| metric, behind `org.apache.kafka.` | kind, attributes | Epistle | Java 4.4.0 |\n| --- | --- | --- | --- |\n")
	all := maps.Clone(java)
	maps.Copy(all, ours)
	mark := func(there bool) string {
		if there {
			return "yes"
		}
		return "–"
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		short := strings.TrimPrefix(name, "org.apache.kafka.")
		if strings.HasPrefix(short, "app.") {
			continue // the test's own
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", short, all[name], mark(ours[name] != ""), mark(java[name] != ""))
	}
	return b.String()
}
