package app

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// figures are those of --json, by their names.
func figures(t *testing.T, s *session) map[string]float64 {
	t.Helper()
	out := s.stdout.String()
	if strings.Count(out, "\n") != 1 {
		t.Fatalf("--json prints %q, want one line", out)
	}
	m := make(map[string]float64)
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestPerfMeasures(t *testing.T) {
	const records, warmup = 20_000, 3_000
	c, b := brokers(t, brokertest.Topic("load", 3))
	s := epistle(t, 0, "", "perf", "-b", b, "-t", "load", "-n", "20k", "--warmup", "3k", "--size", "0.2kB", "--key-size", "10",
		"--goroutines", "3", "--compression", "lz4", "--linger", "2ms", "--batch", "8KiB", "--in-flight", "3", "--json")
	got := figures(t, s)
	if got["records"] != records || got["errors"] != 0 {
		t.Errorf("records, errors = %v, %v, want %d, 0", got["records"], got["errors"], records)
	}
	if n := count(c, "load"); n != records+warmup {
		t.Errorf("the log has %d records, want %d with those of the warm-up", n, records+warmup)
	}
	if want := got["records"] / got["wall_seconds"]; got["records_per_second"] < 0.99*want || got["records_per_second"] > 1.01*want {
		t.Errorf("records_per_second = %v, want records / wall_seconds = %v", got["records_per_second"], want)
	}
	if want := got["records_per_second"] * 210 / 1e6; got["mb_per_second"] < 0.99*want || got["mb_per_second"] > 1.01*want {
		t.Errorf("mb_per_second = %v, want %v", got["mb_per_second"], want)
	}
	for _, name := range []string{"cpu_seconds", "records_per_cpu_second", "allocations_per_record", "bytes_per_record", "peak_rss_bytes", "latency_p50_us", "latency_samples"} {
		if got[name] <= 0 {
			t.Errorf("%s = %v, want more than 0", name, got[name])
		}
	}
	if !(got["latency_p50_us"] <= got["latency_p99_us"] && got["latency_p99_us"] <= got["latency_p999_us"] && got["latency_p999_us"] <= got["latency_max_us"]) {
		t.Errorf("the latencies do not rise: %v", got)
	}
	r := c.Records("load", 0)[0]
	if len(r.Key) != 10 || len(r.Value) != 200 {
		t.Errorf("a record has %d and %d bytes of key and value, want 10 and 200", len(r.Key), len(r.Value))
	}
}

// With a rate, the latency counts from when a record was due, also for those that could not be handed over in time.
func TestPerfSeesWhatAPauseDelays(t *testing.T) {
	const pause = 300 * time.Millisecond
	c, b := brokers(t, brokertest.Topic("load", 1))
	c.On(brokertest.Produce).Skip(3).Do(brokertest.Pass().Delayed(pause))
	// A buffer for a few records makes each send wait for the answers before it.
	s := epistle(t, 0, "", "perf", "-b", b, "-t", "load", "-n", "1000", "--rate", "2000", "--size", "1000", "--linger", "0", "--batch", "1000",
		"--in-flight", "1", "-X", "buffer.memory=16384", "--json")
	got := figures(t, s)
	if got["latency_samples"] != 1000 {
		t.Errorf("%v latencies were measured, want all 1000", got["latency_samples"])
	}
	// All that was due within the pause was late, so half of these, 300 of 1000, by half of the pause or more.
	if want := 0.5 * float64(pause.Microseconds()); got["latency_p99_us"] < want {
		t.Errorf("p99 = %v µs, want at least %v: what the pause has held up does not count", got["latency_p99_us"], want)
	}
	if got["wall_seconds"] < 0.499 {
		t.Errorf("1000 records at 2000 a second took %v s, want at least 0.5", got["wall_seconds"])
	}
}

// The load may be that of a file, so that compression is measured on what it is for.
func TestPerfSendsPayloadsOfAFile(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("load", 1))
	payloads := file(t, "a:1|k1=>one;|k2=>;b:2,c|k3=>three;four;")
	s := epistle(t, 0, "", "perf", "-b", b, "-t", "load", "-n", "9", "--payload-file", payloads, "--payload-delimiter", ";",
		"--header-delimiter", "|", "-K", "=>", "-Z", "-H", "all=x")
	var got []string
	for _, r := range c.Records("load", 0) {
		line := ""
		for _, h := range r.Headers {
			line += fmt.Sprintf("%s=%s ", h.Key, h.Value)
		}
		got = append(got, line)
	}
	for i, record := range logged(c, "load") {
		got[i] += record
	}
	four := []string{"a=1 all=x k1=one", "all=x k2=<null>", "b=2 c= all=x k3=three", "all=x <null>=four"}
	if want := slices.Concat(four, four, four[:1]); !slices.Equal(got, want) {
		t.Errorf("log = %q, want %q", got, want)
	}
	s.wantErr("4 payloads of ")

	// What compression makes of it is among the figures.
	_, b = brokers(t, brokertest.Topic("load", 1))
	alike := file(t, strings.Repeat("the same text again and again, in every line of it\n", 100))
	for codec, most := range map[string]float64{"none": 2, "zstd": 0.5} {
		s := epistle(t, 0, "", "perf", "-b", b, "-t", "load", "-n", "5000", "-z", codec, "--payload-file", alike, "--json")
		got := figures(t, s)
		if got["payload_bytes"] != 5000*50 {
			t.Errorf("payload_bytes = %v, want 250000", got["payload_bytes"])
		}
		if share := got["sent_bytes"] / got["payload_bytes"]; share <= 0 || share > most {
			t.Errorf("%s: %v of the payload was sent, want at most %v", codec, share, most)
		}
		if out := s.stdout.String(); s.stderr.String() != "" {
			t.Errorf("with --json it says %q besides %q", s.stderr.String(), out)
		}
	}
	out := epistle(t, 0, "", "perf", "-b", b, "-t", "load", "-n", "10", "--payload-file", alike).stdout.String()
	if !strings.Contains(out, "network     ") {
		t.Errorf("the figures do not tell of bytes on the network:\n%s", out)
	}
}

func TestPayloadsThatCannotBeSent(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--payload-file", "/no/such/file"}, "--payload-file: open /no/such/file"},
		{[]string{"--payload-file", file(t, "")}, "is empty"},
		{[]string{"--payload-file", file(t, "x\n"), "--size", "5"}, "--size and --key-size are for records that are made up"},
		{[]string{"--payload-file", file(t, "x\n"), "--payload-delimiter", ""}, "--payload-delimiter"},
		{[]string{"--payload-file", file(t, strings.Repeat("x", 2_000_000))}, "2000000 bytes, more than max.request.size, 1048576: -X max.request.size=2001024, and the topic's max.message.bytes"},
		{[]string{"--payload-file", file(t, "\x28\xb5\x2f\xfd")}, "is zstd"},
		{[]string{"-K", ":"}, "only with --payload-file"},
		{[]string{"-H", "=x"}, "a header needs a name"},
	} {
		epistle(t, 2, "", append([]string{"perf", "-b", "h:1", "-t", "t"}, test.args...)...).wantErr(test.want)
	}
}

func TestPerfCountsFailures(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("load", 1))
	c.DenyWrite("load")
	s := epistle(t, 1, "", "perf", "-b", b, "-t", "load", "-n", "500")
	s.wantErr("500 records not acknowledged", "TOPIC_AUTHORIZATION_FAILED")
	if out := s.stdout.String(); !strings.Contains(out, "500 records sent, 500 failed") {
		t.Errorf("the figures do not tell of the failures:\n%s", out)
	}
}

func TestPerfIsInterrupted(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("load", 1))
	s := start(t, strings.NewReader(""), "perf", "-b", b, "-t", "load", "-n", "100000000", "--rate", "1000", "--json")
	eventually(t, "load", func() bool { return count(c, "load") > 0 })
	s.interrupt()
	if got := s.wait(); got != 130 {
		t.Errorf("exit status %d, want 130", got)
	}
	got := figures(t, s)
	if n := float64(count(c, "load")); got["records"] != n || got["errors"] != 0 {
		t.Errorf("records, errors = %v, %v, want %v and 0: what was sent before is acknowledged", got["records"], got["errors"], n)
	}
}

// The load goes out in transactions of so many records, and commits are measured.
func TestPerfSendsInTransactions(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("load", 1))
	s := epistle(t, 0, "", "perf", "-b", b, "-t", "load", "-n", "10500", "--warmup", "1500", "--goroutines", "3",
		"--transactional-id", "x", "--transaction-size", "1000", "--json")
	got := figures(t, s)
	if got["records"] != 10500 || got["errors"] != 0 || got["transactions"] != 11 {
		t.Errorf("records, errors, transactions = %v, %v, %v, want 10500, 0, 11", got["records"], got["errors"], got["transactions"])
	}
	if want := got["transactions"] / got["wall_seconds"]; got["transactions_per_second"] < 0.99*want || got["transactions_per_second"] > 1.01*want {
		t.Errorf("transactions_per_second = %v, want transactions / wall_seconds = %v", got["transactions_per_second"], want)
	}
	if !(0 < got["commit_p50_us"] && got["commit_p50_us"] <= got["commit_p99_us"] && got["commit_p99_us"] <= got["commit_max_us"]) {
		t.Errorf("the times of commits do not rise from above 0: %v", got)
	}
	if n := len(c.Committed("load", 0)); n != 12000 {
		t.Errorf("%d records are committed, want 12000 with those of the warm-up", n)
	}
	if commits, aborts := markers(c, "load"); commits != 13 || aborts != 0 {
		t.Errorf("%d commits, %d aborts, want 2 of the warm-up and 11, and none", commits, aborts)
	}
	text := epistle(t, 0, "", "perf", "-b", b, "-t", "load", "-n", "100", "--transactional-id", "x").stdout.String()
	if !strings.Contains(text, "committed   1 transaction, ") {
		t.Errorf("the figures do not tell of the transaction:\n%s", text)
	}
}

// A commit may take longer than max.block: the call is made again, for as long as records and their coordinator may take.
func TestPerfWaitsForASlowCommit(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("load", 1))
	c.On(brokertest.EndTxn).Do(brokertest.Pass().Delayed(1500 * time.Millisecond))
	s := epistle(t, 0, "", "perf", "-b", b, "-t", "load", "-n", "10", "--transactional-id", "x", "-X", "max.block.ms=500")
	if n := len(c.Committed("load", 0)); n != 10 {
		t.Errorf("%d records are committed, want 10; standard error:\n%s", n, s.stderr.String())
	}
}

// All records of a transaction that is lost count as failed, those that were acknowledged before among them, and no other.
func TestPerfCountsRecordsOfLostTransactions(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("load", 1))
	c.On(brokertest.Produce).Skip(1).Do(brokertest.Error(protocol.TopicAuthorizationFailed))
	s := epistle(t, 1, "", "perf", "-b", b, "-t", "load", "-n", "25", "--transactional-id", "x", "--transaction-size", "10", "--linger", "1000ms")
	s.wantErr("10 records not committed", "TOPIC_AUTHORIZATION_FAILED")
	if out := s.stdout.String(); !strings.Contains(out, "25 records sent, 10 failed") || !strings.Contains(out, "committed   2 transactions") {
		t.Errorf("the figures do not tell of the lost transaction alone:\n%s", out)
	}

	c, b = brokers(t, brokertest.Topic("load", 1))
	c.On(brokertest.EndTxn).Skip(1).Do(brokertest.Error(protocol.ProducerFenced))
	s = epistle(t, 1, "", "perf", "-b", b, "-t", "load", "-n", "25", "--transactional-id", "x", "--transaction-size", "10")
	s.wantErr("10 records not committed", "fenced")
	if out := s.stdout.String(); !strings.Contains(out, "20 records sent, 10 failed") {
		t.Errorf("the figures do not tell of the end of transactions:\n%s", out)
	}
}
