package epistleprom_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/epistleprom"
	"github.com/epistle-kafka/epistle/internal/notrun"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// program finds a program of Debian's package prometheus. Without it the test is put on the list of those not run.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		notrun.Skip(t, "there is no "+name+" (Debian: prometheus)")
	}
	return path
}

// Prometheus' own tool takes the rules, and each alert is raised by what it is for.
func TestTheAlerts(t *testing.T) {
	promtool := program(t, "promtool")
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"test", "rules", "alerts_test.yml"}} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// No alert is without a test that raises it, and one that does not.
func TestEveryAlertHasItsTest(t *testing.T) {
	rules, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("alerts_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(rules)) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "- alert: ")
		if !ok {
			continue
		}
		raised := strings.Count(string(tests), "alertname: "+name+"\n")
		quiet := strings.Count(string(tests), "alertname: "+name+", ")
		if raised == 0 || quiet == 0 {
			t.Errorf("alerts_test.yml raises %s %d times, and %d times it does not; want both", name, raised, quiet)
		}
	}
}

// A server is a Prometheus that scrapes one target, and has the alert rules.
type server struct{ address string }

func scraped(t *testing.T, target string, more ...string) *server {
	t.Helper()
	prometheus := program(t, "prometheus")
	dir := t.TempDir()
	rules, err := filepath.Abs("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 500ms}\nrule_files: [%q]\n"+
		"scrape_configs: [{job_name: orders, static_configs: [{targets: [%q]}]}]\n", rules, target)
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &server{freeAddress(t)}
	cmd := exec.Command(prometheus, append([]string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + s.address,
	}, more...)...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Prometheus says:\n%s", log.Bytes())
		}
	})
	return s
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// An answer is what its API says.
type answer struct {
	Status, Error string
	Data          struct {
		ResultType string
		Result     []struct {
			Metric map[string]string
			Value  []any
		}
		Groups []struct {
			Rules []struct{ Name, Health, State, LastError string }
		}
	}
}

// ask calls the API; ok says that there was an answer.
func (s *server) ask(t *testing.T, path string, values url.Values) (a answer, ok bool) {
	t.Helper()
	resp, err := http.Get("http://" + s.address + path + "?" + values.Encode())
	if err != nil {
		return a, false // it is about to listen
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a, json.Unmarshal(body, &a) == nil
}

func (s *server) query(t *testing.T, expr string) (answer, bool) {
	t.Helper()
	return s.ask(t, "/api/v1/query", url.Values{"query": {expr}})
}

// await asks until the answer is as wanted.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// expressions are those of the dashboard, with all jobs and instances chosen, as Grafana would ask for them.
func expressions(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	chosen := strings.NewReplacer("$job", ".*", "$instance", ".*", "$__rate_interval", "10s")
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			all = append(all, chosen.Replace(target.Expr))
		}
	}
	return all
}

// troubled is a producer that has seen something of each kind: records that were sent again, that have failed, that were not
// taken, a broker that throttles, one that is lost. It goes on sending until the test ends.
func troubled(t *testing.T) *producer.Producer {
	t.Helper()
	c := brokertest.New(t, brokertest.Topic("orders", 3))
	cfg := producer.ExactlyOnce("orders-1", c.Bootstrap()...)
	cfg.Linger = time.Millisecond
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = p.Close(context.Background())
	})
	go func() {
		defer close(ended)
		for n := 0; ctx.Err() == nil; n++ {
			switch n % 20 {
			case 3:
				c.On(brokertest.Produce).Do(brokertest.Error(protocol.NotEnoughReplicas)) // sent again
			case 7:
				c.On(brokertest.Produce).Do(brokertest.Error(protocol.InvalidRecord)) // fails
			case 11:
				c.CutConnections(1, false)
			case 15:
				c.Throttle(brokertest.Produce, 20*time.Millisecond)
			case 16:
				c.Throttle(brokertest.Produce, 0)
			}
			_ = p.TrySend(producer.Record{Topic: "orders", Value: []byte("in no transaction")}, nil) // not taken
			_ = p.Transact(ctx, func(tx *producer.Tx) error {
				for range 20 {
					tx.Send(ctx, producer.Record{Topic: "orders", Value: []byte("12.50")})
				}
				return nil
			})
			time.Sleep(5 * time.Millisecond) // as long as nobody counts, it need not be a flood
		}
	}()
	return p
}

// A real Prometheus scrapes a producer, evaluates the alert rules, and answers every query of the dashboard with data.
func TestARealPrometheus(t *testing.T) {
	p := troubled(t)
	registry := prometheus.NewRegistry()
	registry.MustRegister(epistleprom.New(p, epistleprom.Options{Transactional: true}))
	target := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(target.Close)
	s := scraped(t, strings.TrimPrefix(target.URL, "http://"))
	s.answers(t, expressions(t)...)
	await(t, "the alert rules have been evaluated", func() bool {
		a, ok := s.ask(t, "/api/v1/rules", nil)
		rules := 0
		for _, g := range a.Data.Groups {
			for _, r := range g.Rules {
				if r.Health == "err" {
					t.Fatalf("the rule %s: %s", r.Name, r.LastError)
				}
				if r.Health == "ok" {
					rules++
				}
			}
		}
		return ok && rules >= 10
	})
	// What has happened is what it says: records have failed, the first of them before anybody had asked.
	await(t, "the alert that records have failed", func() bool {
		a, ok := s.query(t, `ALERTS{alertname="EpistleRecordsFailed", alertstate="firing", reason="INVALID_RECORD"}`)
		return ok && len(a.Data.Result) > 0
	})
}

// answers waits for data for each expression.
func (s *server) answers(t *testing.T, expressions ...string) {
	t.Helper()
	for _, expr := range expressions {
		await(t, "data for "+expr, func() bool {
			a, ok := s.query(t, expr)
			if ok && a.Status != "success" {
				t.Fatalf("%s: %s", expr, a.Error)
			}
			return ok && (len(a.Data.Result) > 0 || rare(expr))
		})
	}
}

// A real Prometheus that takes native histograms, and not the classic ones beside them, has those of times and sizes. The
// dashboard is answered all the same.
func TestARealPrometheusWithNativeHistograms(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(epistleprom.New(troubled(t), epistleprom.Options{Transactional: true}))
	target := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(target.Close)
	s := scraped(t, strings.TrimPrefix(target.URL, "http://"), "--enable-feature=native-histograms")
	s.answers(t, `histogram_count(kafka_producer_record_delivery_seconds) > 0`, `histogram_count(kafka_producer_batch_bytes) > 0`,
		`histogram_quantile(0.5, rate(kafka_producer_request_seconds{api="Produce"}[10s])) < 60`)
	s.answers(t, expressions(t)...)
}

// rare says of an expression that it may have nothing to show here: no attempt to connect has failed.
func rare(expr string) bool {
	return strings.Contains(expr, "connect_errors_total")
}
