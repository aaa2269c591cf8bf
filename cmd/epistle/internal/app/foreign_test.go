package app

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
)

// What users of other tools type does what it does there. BROKER stands for the brokers.
func TestCommandLinesOfOtherTools(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, content := range map[string]string{
		"topic=orders.txt": "k:v\n", "client.properties": "acks=1\n", "tab.txt": "a:1,b:2\tk\tv\n",
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ line, want string }{
		// Words that look like flags, and are values.
		{"produce -b BROKER -t orders topic=orders.txt", "<null>=k:v"},
		{"produce -b BROKER -t orders -H topic=orders -H partition=0 -p 0", "topic=orders partition=0 <null>=k:v"},
		{"produce -bBROKER -torders -Htopic=orders -K:", "topic=orders k=v"},
		// kafka-console-producer
		{"produce --bootstrap-server BROKER --topic orders", "<null>=k:v"},
		{"produce --broker-list BROKER --topic orders --property parse.key=true --property key.separator=:", "k=v"},
		{"produce --bootstrap-server BROKER --topic orders --reader-property parse.key=true --reader-property key.separator=:", "k=v"},
		{"produce --bootstrap-server BROKER --topic orders --property parse.key=false", "<null>=k:v"},
		{"produce --bootstrap-server BROKER --topic orders --producer.config client.properties", "<null>=k:v"},
		{"produce --bootstrap-server BROKER --topic orders --command-config client.properties --sync", "<null>=k:v"},
		{"produce --bootstrap-server BROKER --topic orders --producer-property acks=1 --producer-property linger.ms=0", "<null>=k:v"},
		{"produce --bootstrap-server BROKER --topic orders --compression-codec --request-required-acks all --batch-size 100 --timeout 10", "<null>=k:v"},
		{"produce --bootstrap-server BROKER --topic orders --compression-codec zstd --max-block-ms 9000 --retry-backoff-ms 50 --message-send-max-retries 3", "<null>=k:v"},
		{"produce --bootstrap-server BROKER --topic orders --property parse.key=true --property parse.headers=true tab.txt", "a=1 b=2 k=v"},
		{"produce --bootstrap-server BROKER --topic orders --property parse.key=true --property key.separator=: --property null.marker=v", "k=<null>"},
		// kcat
		{"produce -P -b BROKER -t orders -K : -z gzip -p 0", "k=v"},
		{"produce -P -b BROKER -t orders -l -K: topic=orders.txt", "k=v"},
		{"produce -P -b BROKER -t orders -k fixed -H a=b", "a=b fixed=k:v"},
		{"produce -P -F client.properties -b BROKER -t orders -D \\n -X topic.acks=1", "<null>=k:v"},
		// rpk, kaf, kafkactl
		{"produce --brokers BROKER -t orders -k fixed -z snappy --acks 1 --delivery-timeout 60000", "fixed=k:v"},
		{"produce -b BROKER --topic orders --input-mode line --key fixed", "fixed=k:v"},
		{"produce -b BROKER --topic orders --separator : --file topic=orders.txt", "k=v"},
	} {
		t.Run(test.line, func(t *testing.T) {
			c, b := brokers(t, brokertest.Topic("orders", 1))
			epistle(t, 0, "k:v\n", strings.Fields(strings.ReplaceAll(test.line, "BROKER", b))...)
			var got []string
			for _, r := range c.Records("orders", 0) {
				for _, h := range r.Headers {
					got = append(got, fmt.Sprintf("%s=%s", h.Key, h.Value))
				}
			}
			if got = append(got, logged(c, "orders")...); strings.Join(got, " ") != test.want {
				t.Errorf("the log has %q, want %q", got, test.want)
			}
		})
	}
	t.Run("kafka-producer-perf-test", func(t *testing.T) {
		c, b := brokers(t, brokertest.Topic("orders", 1))
		config := filepath.Join(dir, "client.properties")
		epistle(t, 0, "", "perf", "--topic", "orders", "--throughput", "-1", "--record-size", "10", "--num-records", "20", "--warmup-records", "5",
			"--producer-props", "bootstrap.servers="+b, "linger.ms=0", "--producer.config", config, "--print-metrics").wantErr("note: --print-metrics: ")
		if n := count(c, "orders"); n != 25 {
			t.Errorf("the log has %d records, want 25", n)
		}
		epistle(t, 0, "", "perf", "--bootstrap-server", b, "--topic", "orders", "--throughput", "1000", "--record-size", "10", "--num-records", "5", "-X", "acks=1")
	})
}

// What is not there is answered with what does it here.
func TestOtherToolsWordsAreAnswered(t *testing.T) {
	for _, test := range []struct {
		line string
		want []string
	}{
		{"kafka-console-producer --topic t", []string{`here it is called "produce"`}},
		{"kcat -P", []string{`here it is called "produce"`}},
		{"publish", []string{`here it is called "produce"`}},
		{"perf-test", []string{`here it is called "perf"`}},
		{"bench", []string{`here it is called "perf"`}},
		{"consume -t t", []string{"epistle sends records, and does nothing else"}},
		{"topic produce t", []string{"epistle produce -t TOPIC"}},
		{"-b h:1 -t t", []string{"which command?", "epistle produce -b …"}},
		{"produce -b h:1 -t t -topic x", []string{"two dashes: --topic"}},
		{"produce -bootstrap-server h:1", []string{"two dashes: --bootstrap-server"}},
		{"produce -b h:1 -t t -C", []string{"does not consume"}},
		{"produce -b h:1 -L", []string{"lists no brokers"}},
		{"produce -b h:1 -t t -c 3", []string{"-c: put head(1) before it: head -n 3 FILE"}},
		{"produce -b h:1 -t t -c few", []string{"head -n 100 FILE"}},
		{"produce -b h:1 -t t -m 5", []string{"-m: how long to wait for the cluster is -X max.block.ms=5000"}},
		{"produce -b h:1 -t t -m x", []string{"-X max.block.ms=60000"}},
		{"produce -b h:1 -t t -D ;", []string{"records end at a newline", "tr ';'"}},
		{"produce -b h:1 -t t -D,", []string{`tr ',' '\n' < FILE`}},
		{`produce -b h:1 -t t -D \t`, []string{`tr '\t' '\n' < FILE`}},
		{"produce -b h:1 -t t -D '", []string{`tr ';' '\n' < FILE`}},
		{"produce -b h:1 -t t --from-beginning", []string{"--from-beginning: epistle produces and does not consume"}},
		{"--from-beginning -b h:1", []string{"--from-beginning: epistle produces and does not consume"}},
		{"produce -b h:1 -t t --consumer.config c.properties", []string{"--consumer.config: epistle produces and does not consume"}},
		{"perf -b h:1 -t t --max-messages 5", []string{"--max-messages: epistle produces and does not consume"}},
		{"produce -b h:1 -t t --group g", []string{"--group: epistle produces and does not consume"}},
		{"produce -b h:1 -t t --property print.key=true", []string{"--property print.key: is kafka-console-consumer's; epistle produces and does not consume"}},
		{"produce -b h:1 -t t -T", []string{"tee"}},
		{"produce -b h:1 -t t --value x", []string{"printf", "epistle produce"}},
		{"produce -b h:1 -t t --line-reader org.example.Reader", []string{"Java class"}},
		{"produce -b h:1 -t t --property key.separator=:", []string{"parse.key=true", "-K :"}},
		{"produce -b h:1 -t t --linger.msec 5", []string{"did you mean -X linger.ms=…"}},
		{"produce -b h:1 -t t --max.in.flight.requests.per.connection 1", []string{"-X max.in.flight.requests.per.connection=…"}},
		{"produce -b h:1 -t t --throughput 5", []string{"epistle perf sends at a rate"}},
		{"perf -b h:1 -t t --duration 5", []string{"--duration: a load has a number of records: -n N"}},
		{"perf -b h:1 -t t --time 5s", []string{"--time: a load has a number of records"}},
		{"doctor -b h:1 --timeout 5", []string{`--timeout is "5", which has no unit: for seconds 5s`}},
		{"produce -t -b h:1", []string{"which cluster?", "-b was taken as the value of -t"}},
		{"produce -b h:1 -t t -X topic.request.required.acks=7", []string{"librdkafka's name, and is taken for acks", "topic.request.required.acks = 7: "}},
		{"produce localhost:9092 t", []string{"which topic?", "localhost:9092 looks like a broker", "-b"}},
		{"produce -b h:1 orders", []string{"which topic?", "-t orders"}},
		{"perf localhost:9092", []string{"localhost:9092 looks like a broker"}},
		{"produce -b h:1 -t t --property key.seperator=:", []string{"did you mean key.separator?"}},
		{"produce -b h:1 -t t -Z=x", []string{"-Z/--null", "x"}},
		{"perf --topic t --transaction-duration-ms 100", []string{"--transaction-size"}},
		{"perf --topic t --payload-monotonic", []string{"seq 1000000"}},
		{"perf -b h:1 -t t --throughput x", []string{"--throughput", `not "x"`}},
		{"produce -V", []string{"epistle version"}},
		{"-L -b h:1", []string{"epistle produces; it lists no brokers"}},
		{"-b h:1 -C -t t", []string{"-C: epistle produces and does not consume"}},
		{"-topic t -b h:1", []string{"which command?", "epistle produce -topic …; and there -topic: ", "two dashes: --topic"}},
		{"-P -b h:1 -t t -T", []string{"which command?", "; and there -T: put tee(1) before it"}},
		{"produce -b h:1 -t t -X topic.foo=1", []string{"topic.foo: is not a known setting"}},
		{"produce -b h:1 -t t -X topic.acks=9", []string{"topic.acks = 9: "}},
		{"produce -b h:1 -t t -X topic.compression.codec=gzap", []string{"topic.compression.codec: is librdkafka's name, and is taken for compression.type", "topic.compression.codec = gzap: "}},
		{"produce -b h:1 -t t --producer.config /no/such", []string{"--producer.config (here --config): open /no/such"}},
		{"produce -b h:1 -t t -F /no/such", []string{"-F (here --config): open /no/such"}},
		{"produce -b h:1 -t t --producer.config /no/such --config /no/such", []string{"epistle: --config: open /no/such"}},
		{"produce -b h:1 -t t --producer-config=", []string{"--producer-config (here --config): the value is empty"}},
		{"perf -b h:1 -t t --num-records x", []string{"--num-records (here -n/--records) is \"x\""}},
		{"perf -b h:1 -t t --num-records 0", []string{"--num-records (here --records) 0: want at least 1"}},
	} {
		t.Run(test.line, func(t *testing.T) { epistle(t, 2, "", strings.Fields(test.line)...).wantErr(test.want...) })
	}
}

// A value that gives way to another on the same command line is told of, and no value is shown: it may be a secret.
func TestAValueThatGivesWayIsToldOf(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("t", 1))
	for _, test := range []struct {
		args []string
		want string // "" for no note
	}{
		{[]string{"-b", b, "-X", "bootstrap.servers=127.0.0.1:2"}, "note: bootstrap.servers: has no effect, since -b is given\n"},
		{[]string{"-b", b, "-X", "bootstrap.servers=" + b}, ""},
		{[]string{"-b", b, "-X", "acks=1", "-X", " acks=0", "-X", "acks=all"}, "note: acks: is given more than once; the last value counts\n"},
		{[]string{"-b", b, "-X", "acks=all", "-X", "acks=all", "-X", "linger.ms=0"}, ""},
	} {
		got := epistle(t, 0, "x\n", append([]string{"produce", "-t", "t"}, test.args...)...).stderr.String()
		if strings.Count(got, "note: ") != strings.Count(test.want, "note: ") || !strings.Contains(got, test.want) {
			t.Errorf("%q says\n%s, want %q", test.args, got, test.want)
		}
	}
}

// A file's name, a topic and a broker's words are shown as text, whatever is in them.
func TestWhatIsShownIsHarmless(t *testing.T) {
	_, b := brokers(t, brokertest.Topic("t", 1))
	const title = "\x1b]0;owned\a\x1b[2J"
	wicked := title + "\r\nepistle: all is well\n" + strings.Repeat("x", 30_000)
	const named = 28 // of them, those whose error names what was given
	for i, args := range [][]string{
		{wicked},
		{"help", wicked},
		{"produce", "-b", b, "-t", wicked},
		{"produce", "-b", b, "-t", "t", wicked},
		{"produce", "-b", b, "-t", "t", "--" + wicked},
		{"produce", "-b", wicked, "-t", "t"},
		{"produce", "-b", b, "-t", "t", "--config", wicked},
		{"produce", "-b", b, "-t", "t", "--config", file(t, "bootstrap.servers=h:1\n"+strings.ReplaceAll(url.QueryEscape(wicked), "%", "\\u00")+"=1\n")},
		{"produce", "-b", b, "-t", "t", "--config", file(t, "acks="+strings.ReplaceAll(url.QueryEscape(wicked), "%", "\\u00")+"\n")},
		{"produce", "-b", b, "-t", "t", "-X", wicked},
		{"produce", "-b", b, "-t", "t", "-X", wicked + "=1"},
		{"produce", "-b", b, "-t", "t", "-X", "topic." + wicked + "=1"},
		{"produce", "-b", b, "-t", "t", "-X", "acks=" + wicked},
		{"produce", "-b", b, "-t", "t", "-X", "transactional.id=" + wicked, "-X", "enable.idempotence=false"},
		{"produce", "-b", b, "-t", "t", "-X", "max.api.versions=" + wicked},
		{"produce", "-b", b, "-t", "t", "-p", wicked},
		{"produce", "-b", b, "-t", "t", "-z", wicked},
		{"produce", "-b", b, "-t", "t", "-K", wicked + "\\q"},
		{"produce", "-b", b, "-t", "t", "-H", "=" + wicked},
		{"produce", "-b", b, "-t", "t", "--failed-to", "/no/such/" + wicked},
		{"produce", "-b", b, "-t", "t", "--property", "key.separator=" + wicked},
		{"perf", "-b", b, "-t", "t", wicked},
		{"perf", "-b", b, "-t", "t", "--throughput", wicked},
		{"perf", "-b", b, "-t", "t", "--payload-file", wicked},
		{"perf", "-b", b, "-t", "t", "--payload-file", "x", "--payload-delimiter", wicked + "\\q"},
		{"demo", "-b", b, "-t", wicked},
		{"demo", wicked},
		{"demo", "--file-out", "/no/such/" + wicked},
		// Of these the words of others are left out.
		{"produce", "-b", b, "-t", "t", "-" + wicked},
		{"produce", "-b", b, "-t", "t", "-D", wicked},
		{"produce", "-b", b, wicked},
		{"produce", "-t", "--" + wicked, "-b"},
		{"perf", "-b", b, "-t", "t", "-K", wicked},
		{"perf", "-b", b, "-t", "t", "--linger", wicked},
		{"-" + wicked},
	} {
		s := start(t, strings.NewReader(""), args...)
		s.wait()
		got := s.stderr.String()
		if strings.ContainsAny(got, "\x1b\a\r") || strings.Contains(got, "\nepistle: all is well") || i < named && !strings.Contains(got, "owned") {
			t.Errorf("epistle %.100q shows %.300q, want the name, written out", args, got)
		}
		if len(got) > 3000 {
			t.Errorf("epistle %.100q shows %d bytes", args, len(got))
		}
	}

	// So are the lines that are handed back.
	c, b := brokers(t, brokertest.Topic("t", 1))
	c.DenyWrite("t")
	s := epistle(t, 1, title+"\n", "produce", "-b", b, "-t", "t")
	if got := s.stderr.String(); strings.ContainsAny(got, "\x1b\a") || !slices.Contains(strings.Split(got, "\n"), `\x1b]0;owned\x07\x1b[2J`) {
		t.Errorf("a line is shown as %q", got)
	}
}
