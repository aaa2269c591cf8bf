package producer_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// docs/doctor.md, word for word.
func healthyOrFatal(ctx context.Context, cfg producer.Config) {
	d, err := producer.Diagnose(ctx, cfg, producer.DiagnoseTopics("orders"))
	if err != nil {
		log.Fatal(err) // the settings contradict each other, or a file cannot be read: nothing was tried
	}
	if first := d.FirstFailure(); first != nil {
		log.Fatalf("%s of %s: %s; what to do: %s", first.Stage, first.Of, first.Text, first.Advice)
	}
}

// docs/metrics.md, word for word.
func printMetrics(p *producer.Producer) {
	m := p.Metrics()
	fmt.Println(m.Records.Acknowledged, m.Records.Failed, m.OldestAge)
}

// docs/telemetry.md, word for word.
func instance(ctx context.Context, p *producer.Producer) (protocol.UUID, error) {
	id, err := p.ClientInstanceID(ctx)
	return id, err
}

func withMetricsOfItsOwn(cfg producer.Config, orders *atomic.Int64) producer.Config {
	cfg.ApplicationMetrics = append(cfg.ApplicationMetrics, func() []producer.JavaMetric {
		return []producer.JavaMetric{
			{Group: "app-metrics", Name: "orders-total", Tags: map[string]string{"shop": "berlin"}, Value: float64(orders.Load()), Total: true},
		}
	})
	return cfg
}

// What the pages show works.
func TestTheCodeOfThePages(t *testing.T) {
	c := brokertest.New(t, brokertest.Topic("orders", 3))
	cfg := withMetricsOfItsOwn(producer.DefaultConfig(c.Bootstrap()...), new(atomic.Int64))
	healthyOrFatal(t.Context(), cfg)
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	printMetrics(p)
	if _, err := instance(t.Context(), p); !errors.Is(err, producer.ErrNoTelemetry) {
		t.Errorf("without a receiver of metrics: %v, want ErrNoTelemetry", err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// compiled has, for each page with Go, the files of tests that have it. README.md has tests of its own.
var compiled = map[string][]string{
	"doctor.md": {"docs_snippets_test.go"},
	"exactly-once.md": {
		"docs_exactly_once_test.go", "docs_transaction_steps_test.go", "../examples/orders/outbox.go", "../integration/cmd/transform/worker.go", "../bench/driver/exactly_once_test.go",
	},
	"metrics.md":   {"docs_snippets_test.go", "../epistleprom/docs_test.go"},
	"telemetry.md": {"docs_snippets_test.go"},
	"migrating.md": {"docs_migrating_test.go", "../bench/driver/migrating_test.go", "../bench/confluent/migrating_test.go"},
	"testing.md":   {"../producertest/docs_test.go", "../integration/send/docs_test.go"},
	"running.md":   {"../epistleprom/docs_test.go", "docs_running_test.go"},
	"tracing.md":   {"../epistleotel/readme_test.go"},
}

// No page shows Go that no test compiles, and nothing is listed above of which a page has nothing.
func TestEveryBlockOfGoIsCompiled(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	margin := regexp.MustCompile(`(?m)^\t+`)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		files, used := compiled[filepath.Base(page)], map[string]bool{}
		sources := map[string]string{}
		for _, file := range files {
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources[file] = "\n" + margin.ReplaceAllString(string(code), "")
		}
		for _, block := range goBlock.FindAllStringSubmatch(string(text), -1) {
			code, _ := ofAnother(block[1])
			code = "\n" + margin.ReplaceAllString(code, "")
			i := slices.IndexFunc(files, func(file string) bool { return strings.Contains(sources[file], code) })
			if i < 0 {
				t.Errorf("%s shows what no test compiles, of those that are listed here:\n%s", page, block[1])
				continue
			}
			used[files[i]] = true
		}
		for _, file := range files {
			if !used[file] {
				t.Errorf("%s has nothing of %s", page, file)
			}
		}
	}
}
