package epistleotel_test

import (
	"log"
	"os"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/epistleotel"
	"github.com/epistle-kafka/epistle/producer"
)

// started is what README.md of the root module and docs/tracing.md have for this module, the latter word for word: a test of package
// producer sees to that.
func started() (*producer.Producer, error) {
	cfg := producer.DefaultConfig("localhost:9092")
	if err := epistleotel.Instrument(&cfg); err != nil {
		log.Fatal(err)
	}
	p, err := producer.New(cfg)
	return p, err
}

// What the pages say is what this file compiles.
func TestThePagesLines(t *testing.T) {
	p, err := started()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for file, lines := range map[string][]string{
		"../README.md":       {"if err := epistleotel.Instrument(&cfg); err != nil {"},
		"../docs/tracing.md": {`cfg := producer.DefaultConfig("localhost:9092")`, "if err := epistleotel.Instrument(&cfg); err != nil {", "p, err := producer.New(cfg)"},
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		own, err := os.ReadFile("readme_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if !strings.Contains(string(text), line+"\n") || !strings.Contains(string(own), "\t"+line+"\n") {
				t.Errorf("%s lacks %s, or this file does", file, line)
			}
		}
	}
}
