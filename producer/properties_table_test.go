package producer

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata again")

type javaSetting struct {
	Key, Type, Valid, Importance string
	Default                      *string
	Required                     bool
}

// Every key of Java's producer has a row, and the row says of it what Java says.
func TestTableHasAllOfJava(t *testing.T) {
	own := map[string]bool{}
	for _, s := range ownSettings {
		own[s.key] = true
	}
	java := map[string]bool{}
	for _, j := range javaVectors[javaSetting](t, "java-producer-config-4.4.0.json") {
		java[j.Key] = true
		s := settingOfKey[j.Key]
		if s == nil {
			t.Errorf("%s: Java has it, the table has not", j.Key)
			continue
		}
		def := notSet
		if j.Required {
			def = required
		} else if j.Default != nil {
			def = *j.Default
		}
		got := [...]string{s.kind, s.def, s.valid}
		if want := [...]string{j.Type, def, j.Valid}; got != want {
			t.Errorf("%s: got %q, want %q", j.Key, got, want)
		}
	}
	if len(java) != 120 {
		t.Errorf("got %d keys of Java, want the 120 of 4.4.0", len(java))
	}
	seen := map[string]bool{}
	for _, s := range allSettings {
		if !java[s.key] && !own[s.key] {
			t.Errorf("%s: the table has it, Java has not", s.key)
		}
		if seen[s.key] {
			t.Errorf("%s: two rows", s.key)
		}
		seen[s.key] = true
		if s.how != honoured && s.why == "" {
			t.Errorf("%s: is %v, and nothing says why", s.key, s.how)
		}
		if (s.how == honoured) != (s.set != nil) {
			t.Errorf("%s: is %v, has a setter: %v", s.key, s.how, s.set != nil)
		}
	}
}

// Java's defaults, spelled out, are DefaultConfig: nobody's settings change by being written down.
func TestDefaultsAreJavas(t *testing.T) {
	m := with()
	for _, s := range allSettings {
		if s.def != required && s.def != notSet {
			m[s.key] = s.def
		}
	}
	got, notices := fromMap(t, m)
	if want := DefaultConfig("localhost:9092"); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if len(notices) > 0 {
		t.Errorf("got notices %v, want none: defaults have no consequences", notices)
	}
}

// Each honoured key reaches its own field and no other.
func TestEachKeySetsItsField(t *testing.T) {
	other := map[string]string{ // values that differ from the default and drag no other setting along
		"acks": "1", "enable.idempotence": "false", "bootstrap.servers": "elsewhere:1", "client.id": "x", "client.rack": "r",
		"compression.type": "zstd", "metadata.recovery.strategy": "none", "topic.recreation": "fail",
		"max.in.flight.requests.per.connection": "4", "partitioner.rack.aware": "true",
		"linger.ms": "6", "batch.size": "17000", "reconnect.backoff.ms": "51", "compression.gzip.level": "7", "compression.lz4.level": "7", "compression.zstd.level": "7",
		"transactional.id": "x", "max.api.versions": "Produce=9", "unknown.topic.grace.ms": "5000",
	}
	base := func(key string) map[string]string {
		idempotence := "false"
		if key == "transactional.id" {
			idempotence = "true"
		}
		return with("client.rack", "a", "enable.idempotence", idempotence, "reconnect.backoff.max.ms", "1000")
	}
	fields := map[string]bool{}
	for _, s := range allSettings {
		if s.how != honoured {
			continue
		}
		fields[s.field] = true
		want, _ := fromMap(t, base(s.key))
		m := base(s.key)
		m[s.key] = other[s.key]
		switch {
		case s.key == "enable.idempotence":
			m[s.key] = "true"
		case other[s.key] != "":
		case s.kind == "BOOLEAN":
			m[s.key] = map[string]string{"true": "false", "false": "true"}[s.def]
		case s.def == "0":
			m[s.key] = "1"
		case s.def == "-1":
			m[s.key] = "1"
		default:
			var n int64
			fmt.Sscan(s.def, &n)
			m[s.key] = fmt.Sprint(n - 1)
		}
		got, _ := fromMap(t, m)
		if diff := differing(got, want); !slices.Equal(diff, []string{s.field}) {
			t.Errorf("%s=%s: changed %v, want %s alone", s.key, m[s.key], diff, s.field)
		}
	}
	typ := reflect.TypeFor[Config]()
	for i := range typ.NumField() {
		name := typ.Field(i).Name
		withoutKey := slices.Contains([]string{"TLS", "SASL", "DialContext", "Partitioner", "Interceptors", "Logger"}, name)
		if !fields[name] && !withoutKey {
			t.Errorf("Config.%s: no key sets it", name)
		}
	}
}

func differing(a, b Config) []string {
	var names []string
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		if !reflect.DeepEqual(va.Field(i).Interface(), vb.Field(i).Interface()) {
			names = append(names, va.Type().Field(i).Name)
		}
	}
	return names
}

const settingsTable = "testdata/settings-table.md"

// The README's table is made of the table in Go: run with -update to write it again.
func TestSettingsTable(t *testing.T) {
	got := renderSettings()
	if *update {
		if err := os.WriteFile(settingsTable, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(settingsTable)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what the table in Go says; run go test ./producer -run TestSettingsTable -update", settingsTable)
	}
}

func renderSettings() string {
	var b strings.Builder
	own := len(ownSettings)
	rows := slices.SortedFunc(slices.Values(allSettings[:len(allSettings)-own]), func(a, b setting) int { return strings.Compare(a.key, b.key) })
	b.WriteString("| Java's key | Java's default | Epistle's default | here | what that means |\n| --- | --- | --- | --- | --- |\n")
	for _, s := range rows {
		writeRow(&b, s)
	}
	b.WriteString("\nKeys of Epistle's own:\n\n| key | default | here | what it does |\n| --- | --- | --- | --- |\n")
	for _, s := range ownSettings {
		fmt.Fprintf(&b, "| `%s` | %s | `Config.%s` | %s |\n", s.key, code(s.def), s.field, cell(s.why))
	}
	return b.String()
}

func writeRow(b *strings.Builder, s setting) {
	ours := "–"
	if s.how == honoured || s.how == mapped {
		ours = code(s.def)
		if s.ours != "" {
			ours = s.ours
		}
	}
	text := s.why
	if s.field != "" && s.how != refused {
		text = "`Config." + s.field + "`"
		if s.why != "" {
			text += "; " + s.why
		}
	}
	fmt.Fprintf(b, "| `%s` | %s | %s | %v | %s |\n", s.key, code(s.def), ours, s.how, cell(text))
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func code(def string) string {
	switch def {
	case required:
		return "(required)"
	case notSet:
		return "null"
	case "":
		return "(empty)"
	}
	return "`" + strings.TrimPrefix(def, "org.apache.kafka.common.metrics.") + "`"
}
