package producer_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/producer"
)

// connectingPage is the page with properties for each way to connect.
const connectingPage = "../docs/connecting.md"

// Each block of properties is one that is taken, but for files that are not on this machine, and for mechanisms of other modules.
func TestPropertiesOfConnecting(t *testing.T) {
	page, err := os.ReadFile(connectingPage)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```properties\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 12 {
		t.Fatalf("the page has %d blocks of properties", len(blocks))
	}
	taken := 0
	for _, block := range blocks {
		_, notices, err := producer.FromProperties(strings.NewReader(block[1]), producer.LibrdkafkaNames(), producer.RefuseUnknown())
		for _, n := range notices {
			if !strings.Contains(n.Text, "librdkafka's name") {
				t.Errorf("%s\nhas a notice: %v", block[1], n)
			}
		}
		wrong, ok := errors.AsType[*producer.PropertiesError](err)
		if err != nil && !ok {
			t.Errorf("%s\nis refused: %v", block[1], err)
		}
		if err == nil {
			taken++
			continue
		}
		for _, p := range wrong.Problems {
			if !strings.Contains(p.Rule, "does not exist") && !strings.Contains(p.Rule, "no such file") && !strings.Contains(p.Rule, "It comes with a module of its own") {
				t.Errorf("%s\nis refused: %v", block[1], p)
			}
		}
	}
	if taken < 5 {
		t.Errorf("%d blocks are taken as they are", taken)
	}
}

// What the page says that errors say is what the code says.
func TestMistakesOfConnecting(t *testing.T) {
	page, err := os.ReadFile(connectingPage)
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, dir := range []string{"../sasl", "../sasl/gssapi", "../sasl/mskiam", "../wire"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, "_test.go") {
				code.Write(text)
			}
		}
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ").FindAllStringSubmatch(string(page), -1)
	if len(rows) < 12 {
		t.Fatalf("the page has %d mistakes", len(rows))
	}
	for _, row := range rows {
		phrase := strings.Replace(row[1], "speak TLS", "speak %s", 1)
		if strings.HasPrefix(row[1], "the other end does not") {
			phrase = row[1]
		}
		if !strings.Contains(code.String(), phrase) {
			t.Errorf("no error says %q", row[1])
		}
	}
}
