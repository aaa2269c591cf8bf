package producer

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/internal/properties"
)

var update = flag.Bool("update", false, "write testdata again")

// Java's defaults, spelled out, are DefaultConfig: nobody's settings change by being written down.
func TestDefaultsAreJavas(t *testing.T) {
	m := with()
	for _, s := range slices.Concat(properties.Java(), properties.Own()) {
		if s.Default != properties.Required && s.Default != properties.NotSet {
			m[s.Key] = s.Default
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
	for _, s := range slices.Concat(properties.Java(), properties.Own()) {
		if (s.How == properties.Honoured) != (fieldOfKey[s.Key] != nil) && s.Key != "partitioner.class" {
			t.Errorf("%s: is %v, reaches a field: %v", s.Key, s.How, fieldOfKey[s.Key] != nil)
		}
	}
	fields := map[string]bool{}
	for _, s := range slices.Concat(properties.Java(), properties.Own()) {
		if s.How != properties.Honoured {
			continue
		}
		fields[s.Field] = true
		want, _ := fromMap(t, base(s.Key))
		m := base(s.Key)
		m[s.Key] = other[s.Key]
		switch {
		case s.Key == "enable.idempotence":
			m[s.Key] = "true"
		case other[s.Key] != "":
		case s.Kind == "BOOLEAN":
			m[s.Key] = map[string]string{"true": "false", "false": "true"}[s.Default]
		case s.Default == "0":
			m[s.Key] = "1"
		case s.Default == "-1":
			m[s.Key] = "1"
		default:
			var n int64
			fmt.Sscan(s.Default, &n)
			m[s.Key] = fmt.Sprint(n - 1)
		}
		got, _ := fromMap(t, m)
		if diff := differing(got, want); !slices.Equal(diff, []string{s.Field}) {
			t.Errorf("%s=%s: changed %v, want %s alone", s.Key, m[s.Key], diff, s.Field)
		}
	}
	typ := reflect.TypeFor[Config]()
	for i := range typ.NumField() {
		name := typ.Field(i).Name
		if !typ.Field(i).IsExported() {
			continue
		}
		withoutKey := slices.Contains([]string{"TLS", "TLSFiles", "SASL", "DialContext", "Partitioner", "Interceptors", "Hooks", "ApplicationMetrics", "Logger"}, name)
		if !fields[name] && !withoutKey {
			t.Errorf("Config.%s: no key sets it", name)
		}
	}
}

func differing(a, b Config) []string {
	var names []string
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		if va.Type().Field(i).IsExported() && !reflect.DeepEqual(va.Field(i).Interface(), vb.Field(i).Interface()) {
			names = append(names, va.Type().Field(i).Name)
		}
	}
	return names
}

const settingsTable = "testdata/settings-table.md"

// The table of docs/settings.md is made of the table in Go: run with -update to write it again.
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
	rows := slices.SortedFunc(slices.Values(properties.Java()), func(a, b properties.Setting) int { return strings.Compare(a.Key, b.Key) })
	b.WriteString("| Java's key | Java's default | Epistle's default | here | what that means |\n| --- | --- | --- | --- | --- |\n")
	for _, s := range rows {
		writeRow(&b, s)
	}
	b.WriteString("\nKeys of Epistle's own:\n\n| key | default | here | what it does |\n| --- | --- | --- | --- |\n")
	for _, s := range properties.Own() {
		fmt.Fprintf(&b, "| `%s` | %s | `Config.%s`%s | %s |\n", s.Key, code(s.Default), s.Field, constantsOf(s.Field), cell(s.Why))
	}
	return b.String()
}

func writeRow(b *strings.Builder, s properties.Setting) {
	ours := "–"
	if s.How == properties.Honoured || s.How == properties.Mapped {
		ours = code(s.Default)
		if s.Ours != "" {
			ours = s.Ours
		}
	}
	text := s.Why
	if s.Field != "" && s.How != properties.Refused {
		text = "`Config." + s.Field + "`" + constantsOf(s.Field)
		if s.Why != "" {
			text += "; " + s.Why
		}
	}
	fmt.Fprintf(b, "| `%s` | %s | %s | %v | %s |\n", s.Key, code(s.Default), ours, s.How, cell(text))
}

// constantsOf names the constants that a field of Config can have, in their order in the source: ": `producer.Gzip`, …"; "" for
// a field that takes other values, too.
func constantsOf(field string) string {
	f, ok := reflect.TypeFor[Config]().FieldByName(field)
	if !ok || f.Type.PkgPath() != reflect.TypeFor[Config]().PkgPath() {
		return ""
	}
	source, err := parser.ParseFile(token.NewFileSet(), "config_types.go", nil, 0)
	if err != nil {
		panic(err)
	}
	var names []string
	for _, d := range source.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		of := "" // with iota the first one alone has the type
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			if typ, ok := v.Type.(*ast.Ident); ok {
				of = typ.Name
			}
			if of == f.Type.Name() {
				names = append(names, "`producer."+v.Names[0].Name+"`")
			}
		}
	}
	if names == nil {
		return ""
	}
	return ": " + strings.Join(names, ", ")
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func code(def string) string {
	switch def {
	case properties.Required:
		return "(required)"
	case properties.NotSet:
		return "null"
	case "":
		return "(empty)"
	}
	return "`" + strings.TrimPrefix(def, "org.apache.kafka.common.metrics.") + "`"
}

// Whatever the table says to be of no effect beside another setting gives a notice that names it. Beside other values of that
// setting, and for the default, there is none.
func TestSettingsOfNoEffectAreNoticed(t *testing.T) {
	const roundRobin = "org.apache.kafka.clients.producer.RoundRobinPartitioner"
	cases := map[string]struct {
		value         string
		idle, working []string // the other setting
	}{
		"compression.gzip.level":                   {"7", []string{"compression.type", "zstd"}, []string{"compression.type", "gzip"}},
		"compression.lz4.level":                    {"3", nil, []string{"compression.type", "lz4"}},
		"compression.zstd.level":                   {"7", []string{"compression.type", "lz4"}, []string{"compression.type", "zstd"}},
		"metadata.cluster.check.enable":            {"false", []string{"metadata.recovery.strategy", "NONE"}, nil},
		"metadata.recovery.rebootstrap.trigger.ms": {"1000", []string{"metadata.recovery.strategy", "none"}, nil},
		"partitioner.adaptive.partitioning.enable": {"false", []string{"partitioner.class", roundRobin}, nil},
		"partitioner.availability.timeout.ms":      {"1000", []string{"partitioner.adaptive.partitioning.enable", "false"}, nil},
		"partitioner.ignore.keys":                  {"true", []string{"partitioner.class", roundRobin}, nil},
		"partitioner.rack.aware":                   {"true", nil, []string{"client.rack", "a"}},
		"transaction.timeout.ms":                   {"5000", nil, []string{"transactional.id", "x"}},
		"unknown.topic.grace.ms":                   {"1000", []string{"allow.auto.create.topics", "false"}, nil},
	}
	for _, s := range slices.Concat(properties.Java(), properties.Own()) {
		c, has := cases[s.Key]
		if has != strings.Contains(s.Why, "no effect") && !strings.HasPrefix(s.Key, "ssl.") { // those without a store: package properties
			t.Errorf("%s: the table says %q; a case of this test: %v", s.Key, s.Why, has)
		}
		if !has {
			continue
		}
		_, notices := fromMap(t, with(append([]string{s.Key, c.value}, c.idle...)...))
		said := func(n Notice) bool {
			_, since, found := strings.Cut(n.Text, "has no effect")
			return n.Key == s.Key && found && (len(c.idle) == 0 || strings.Contains(since, c.idle[0]))
		}
		if len(notices) != 1 || !said(notices[0]) {
			t.Errorf("%s=%s with %q: got notices %v, want one that it has no effect", s.Key, c.value, c.idle, notices)
		}
		for _, quiet := range [][]string{append([]string{s.Key, c.value}, c.working...), append([]string{s.Key, s.Default}, c.idle...)} {
			if _, notices := fromMap(t, with(quiet...)); len(notices) != 0 {
				t.Errorf("%q: got notices %v, want none", quiet, notices)
			}
		}
	}
}
