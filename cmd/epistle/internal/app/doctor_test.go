package app

import (
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
)

// wantOut checks that standard output has each of some texts.
func (s *session) wantOut(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if got := s.stdout.String(); !strings.Contains(got, text) {
			s.t.Errorf("standard output does not say %q:\n%s", text, got)
		}
	}
}

// A healthy cluster: every stage in a line, no alarm, nothing written, exit status 0.
func TestDoctorOfAHealthyCluster(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("orders", 2))
	s := epistle(t, 0, "", "doctor", "-b", b, "-t", "orders")
	s.wantOut("ok       dial", "ok       versions", "it speaks as Apache Kafka 4.4 or newer does", "ok       metadata      cluster ", "ok       brokers       broker 1 at "+b,
		"ok       topic         topic \"orders\": 2 partitions", "ok       rights", "ok       idempotence", "skipped  transactions", "skipped  record        none was asked for",
		"\nhealthy: nothing failed, 0 notices, ")
	if out := s.stdout.String(); strings.Contains(out, "what to do") || strings.Contains(out, "failed  ") {
		t.Errorf("there is an alarm:\n%s", out)
	}
	if n := count(c, "orders"); n != 0 || s.stderr.String() != "" {
		t.Errorf("%d records were written; standard error: %s", n, s.stderr.String())
	}
	s = epistle(t, 0, "", "doctor", "-b", b, "-t", "orders", "--send")
	s.wantOut("ok       record        topic \"orders\": a record was written: partition ", "offset 0")
	if n := count(c, "orders"); n != 1 {
		t.Errorf("--send has written %d records, want 1", n)
	}
}

// A fault: its line, what to do, and the first one again at the end; exit status 1.
func TestDoctorOfAFault(t *testing.T) {
	_, b := brokers(t, brokertest.AutoCreate(false))
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // connections wait in its queue for ever
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"a topic that does not exist", []string{"-b", b, "-t", "orders"},
			[]string{"failed   topic         topic \"orders\": it does not exist", "what to do: check the name, or create it", "skipped  rights", "not healthy: this failed first", "\n  topic: topic \"orders\": it does not exist"}},
		{"nobody listens", []string{"-b", closed.Addr().String()},
			[]string{"failed   dial", "connection refused", "check that the broker is up", "skipped  metadata      because of dial", "\n  dial: " + closed.Addr().String() + ": "}},
		{"nobody says anything", []string{"-b", silent.Addr().String(), "-X", "socket.connection.setup.timeout.ms=1000"},
			[]string{"ok       dial", "failed   versions", "says nothing", "\n  versions: "}},
		{"a web server", []string{"-b", blunt(t, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")},
			[]string{"failed   versions", "HTTP", "check the port"}},
		{"less time than it takes", []string{"-b", silent.Addr().String(), "--timeout", "1500ms"},
			[]string{"failed   versions", "the time for all stages together has passed (1.5s)", "skipped  metadata"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			epistle(t, 1, "", append([]string{"doctor"}, test.args...)...).wantOut(test.want...)
		})
	}
}

// Command lines and settings that make no sense are told before anything is tried: exit status 2.
func TestDoctorOfWrongSettings(t *testing.T) {
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{}, []string{"which cluster?"}},
		{[]string{"-b", "h:1", "-t", ""}, []string{"--topic: the value is empty"}},
		{[]string{"-b", "h:1", "-t", "a b"}, []string{`"a b" is not a topic name`}},
		{[]string{"-b", "h:1", "--send"}, []string{"--send: to which topic?"}},
		{[]string{"-b", "h:1", "--timeout", "0s"}, []string{"--timeout 0s"}},
		{[]string{"-b", "h:1", "orders"}, []string{"takes no arguments but flags"}},
		{[]string{"-b", "h:1", "-X", "acks=9"}, []string{"acks = 9"}},
		{[]string{"--config", file(t, "bootstrap.servers=kafka\nacks=most\n")}, []string{"bootstrap.servers", "acks"}},
		{[]string{"-b", "h:1", "--config", "/nowhere/producer.properties"}, []string{"/nowhere/producer.properties"}},
	} {
		s := epistle(t, 2, "", append([]string{"doctor"}, test.args...)...)
		s.wantErr(test.want...)
		if out := s.stdout.String(); out != "" {
			t.Errorf("epistle doctor %v prints %q", test.args, out)
		}
	}
}

// --json is one object, with names that scripts can go by.
func TestDoctorPrintsJSON(t *testing.T) {
	_, b := brokers(t, brokertest.AutoCreate(false), brokertest.Topic("orders", 2))
	var r struct {
		Healthy      *bool `json:"healthy"`
		FirstFailure *struct {
			Stage, Of, Verdict, Text, Advice string
		} `json:"first_failure"`
		Checks []struct {
			Stage, Of, Verdict, Text, Advice string
			TookMS                           *float64 `json:"took_ms"`
		}
		ClusterID string `json:"cluster_id"`
		Brokers   []struct {
			ID       int32
			Address  string
			Reached  bool
			Software string
			MedianMS *float64  `json:"round_trip_median_ms"`
			TripsMS  []float64 `json:"round_trips_ms"`
		}
		Servers []map[string]any `json:"bootstrap_servers"`
		Topics  []struct {
			Name       string
			Exists     bool
			MayWrite   *bool `json:"may_write"`
			Settings   map[string]string
			Partitions []struct {
				Leader, Replicas int
				InSync           int `json:"in_sync"`
			}
		}
		Record *struct{ Offset *int64 }
	}
	s := epistle(t, 1, "", "doctor", "-b", b, "-t", "orders", "-t", "invoices", "--send", "--json")
	out := s.stdout.String()
	if err := json.Unmarshal([]byte(out), &r); err != nil || strings.Count(out, "\n") != 1 {
		t.Fatalf("%v:\n%s", err, out)
	}
	if r.Healthy == nil || *r.Healthy || r.FirstFailure == nil || r.FirstFailure.Stage != "topic" || r.FirstFailure.Of != `topic "invoices"` || r.FirstFailure.Advice == "" {
		t.Errorf("healthy %v, first failure %+v", r.Healthy, r.FirstFailure)
	}
	if len(r.Checks) < 15 || r.Checks[0].Stage != "resolve" || r.Checks[0].Verdict != "ok" || r.Checks[0].TookMS == nil || r.ClusterID == "" || len(r.Servers) != 1 {
		t.Errorf("checks %+v, cluster %q", r.Checks, r.ClusterID)
	}
	if len(r.Brokers) != 1 || !r.Brokers[0].Reached || r.Brokers[0].Address != b || r.Brokers[0].MedianMS == nil || len(r.Brokers[0].TripsMS) != 5 {
		t.Errorf("brokers %+v", r.Brokers)
	}
	if len(r.Topics) != 2 || !r.Topics[0].Exists || r.Topics[1].Exists || r.Topics[0].MayWrite == nil || r.Topics[0].Settings["min.insync.replicas"] != "1" || r.Topics[0].Partitions[1].InSync != 1 {
		t.Errorf("topics %+v", r.Topics)
	}
	if r.Record == nil || r.Record.Offset == nil || *r.Record.Offset != 0 {
		t.Errorf("record %+v", r.Record)
	}
}

// Ctrl-C ends it, and what is known by then is printed.
func TestDoctorIsInterrupted(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("orders", 1))
	for _, how := range []string{"in lines", "in JSON"} {
		t.Run(how, func(t *testing.T) {
			asked := make(chan struct{}, 1)
			c.Control(func(r *brokertest.Request) *brokertest.Action {
				if r.APIKey != brokertest.InitProducerID {
					return nil
				}
				asked <- struct{}{}
				return brokertest.Swallow()
			})
			args := []string{"doctor", "-b", b, "-t", "orders"}
			if how == "in JSON" {
				args = append(args, "--json")
			}
			s := start(t, strings.NewReader(""), args...)
			<-asked
			began := time.Now()
			s.interrupt()
			if got := s.wait(); got != 130 || time.Since(began) > 10*time.Second {
				t.Errorf("exit status %d after %v, want 130", got, time.Since(began))
			}
			if how == "in JSON" {
				s.wantOut(`"interrupted":"`, `"healthy":false`, `"stage":"metadata"`)
				return
			}
			s.wantOut("ok       metadata", "skipped  idempotence   interrupted", "interrupted after ")
		})
	}
}

// No secret is printed, whatever happens.
func TestDoctorPrintsNoSecret(t *testing.T) {
	const secret = "hunter2-is-no-password"
	_, b := brokers(t, brokertest.SASL(brokertest.Plain("alice", "another")))
	config := file(t, "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\""+secret+"\";\n")
	for _, more := range [][]string{nil, {"--json"}} {
		s := epistle(t, 1, "", append([]string{"doctor", "-b", b, "--config", config}, more...)...)
		s.wantOut("sasl", `the password of`)
		if all := s.stdout.String() + s.stderr.String(); strings.Contains(all, secret) {
			t.Errorf("the password is printed:\n%s", all)
		}
	}
}
