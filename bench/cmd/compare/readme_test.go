package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func find(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("nothing matches %s", pattern)
	}
	return m[1]
}

// TestReadmeComparesWhatIsMeasured guards that the versions in the table of clients are those that the benchmark builds.
func TestReadmeComparesWhatIsMeasured(t *testing.T) {
	readme := read(t, "../../../README.md")
	gomod, confluentMod, pom := read(t, "../../go.mod"), read(t, "../../confluent/go.mod"), read(t, "../../java/pom.xml")
	const version = ` v([0-9.]+)`
	measured := map[string]string{
		"Java":     find(t, pom, `<artifactId>kafka-clients</artifactId><version>([0-9.]+)<`),
		"franz-go": find(t, gomod, `github.com/twmb/franz-go`+version),
		"sarama":   find(t, gomod, `github.com/IBM/sarama`+version),
		"kafka-go": find(t, gomod, `github.com/segmentio/kafka-go`+version),
	}
	confluent := find(t, confluentMod, `github.com/confluentinc/confluent-kafka-go/v2`+version)
	if want := "confluent-kafka-go " + confluent + " ships"; !strings.Contains(readme, want) {
		t.Errorf("README does not say that librdkafka is the one that %s", want)
	}
	if shipped := librdkafkaOf(t); shipped != "" {
		measured["librdkafka"] = shipped
	}
	head := find(t, readme, `\n(\| \| Epistle \|.*)\n`)
	for client, version := range measured {
		if !strings.Contains(head, "| "+client+" "+version+" |") {
			t.Errorf("README's table has not %s %s, which is measured:\n%s", client, version, head)
		}
	}
}

// librdkafkaOf is the version of librdkafka that the confluent module ships; "" where the module is not on this machine.
func librdkafkaOf(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("go", "list", "-m", "-json", "github.com/confluentinc/confluent-kafka-go/v2")
	cmd.Dir = "../../confluent"
	out, err := cmd.Output()
	var module struct{ Dir string }
	if err != nil || json.Unmarshal(out, &module) != nil || module.Dir == "" {
		return ""
	}
	header := read(t, filepath.Join(module.Dir, "kafka", "librdkafka_vendor", "rdkafka.h"))
	var major, minor, patch int
	number := find(t, header, `#define RD_KAFKA_VERSION 0x([0-9a-f]{8})`)
	if _, err := fmt.Sscanf(number, "%2x%2x%2x", &major, &minor, &patch); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d.%d.%d", major, minor, patch)
}

// TestReadmeClaimsWhatTheReportHas guards that what README says of speed is written with the report, from its rounds, and that
// nothing else of README is.
func TestReadmeClaimsWhatTheReportHas(t *testing.T) {
	dir := t.TempDir()
	source, readme := filepath.Join(dir, "bench"), filepath.Join(dir, "README.md")
	if err := os.Mkdir(source, 0o777); err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(readme, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	r := &runner{builder: &builder{source: source, bin: dir}, peers: slices.Clone(peers), rounds: 3, date: "2001-02-03", machine: "an abacus"}
	list := outcomes()
	list[0].by[epistle][0].Trip, list[0].by[epistle][1].Trip = 50, 500
	list[0].by[shared] = of(9e6, 9.1e6, 9.2e6)
	list[0].by[franz][0].Version = "v1.2.3"
	write("# Before\n" + readmeBegin + "old\n" + readmeEnd + "after\n")
	if err := r.report(list); err != nil {
		t.Fatal(err)
	}
	got := read(t, readme)
	for line := range strings.SplitSeq(got, "\n") {
		if len([]rune(line)) > 120 && !strings.HasPrefix(line, "|") {
			t.Errorf("a line of README is too long: %s", line)
		}
	}
	for _, want := range []string{
		"# Before\n" + readmeBegin, readmeEnd + "after\n", "(an abacus)", "none left out, 50 % of the runs",
		"beside franz-go 1.2.3 |", "| (a) 100 bytes | 4.3 (3.0…7.0) × | – | 3 % |\n", "one callback for all records, 1.42 ×",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("README does not say %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "old") {
		t.Errorf("README still has the claims of another report:\n%s", got)
	}

	// Two quick rounds and a real Kafka have no say in it.
	r.rounds = 2
	write("untouched")
	if err := r.report(list); err != nil || read(t, readme) != "untouched" {
		t.Errorf("after two rounds README is %q, error %v", read(t, readme), err)
	}
	r.rounds, r.real = 3, "kafka:9092"
	if err := r.report(list); err != nil || read(t, readme) != "untouched" {
		t.Errorf("after a real Kafka README is %q, error %v", read(t, readme), err)
	}
	r.real = ""
	if err := r.report(list); err == nil || read(t, readme) != "untouched" {
		t.Errorf("with no place for claims README is %q, error %v, want an error", read(t, readme), err)
	}
}

// TestReadmeHasAPlaceForClaims guards the marks in the project's own README.
func TestReadmeHasAPlaceForClaims(t *testing.T) {
	readme := read(t, "../../../README.md")
	if begin, end := strings.Index(readme, readmeBegin), strings.Index(readme, readmeEnd); begin < 0 || end < begin {
		t.Errorf("README has no place between %q and %q", readmeBegin, readmeEnd)
	}
}
