package app

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
)

func TestWrongCommandLines(t *testing.T) {
	for _, test := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"which command?", "Commands:"}},
		{[]string{"prodcue"}, []string{`there is no command "prodcue"; did you mean "produce"?`}},
		{[]string{"xyzzy"}, []string{`there is no command "xyzzy"`, "epistle help"}},
		{[]string{"help", "pref"}, []string{`did you mean "perf"?`}},
		{[]string{"produce", "-b", "h:1", "--topik", "t"}, []string{"there is no flag --topik; did you mean --topic?", "epistle help produce"}},
		{[]string{"produce", "-b", "h:1", "-topic", "t"}, []string{"--topic"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "-y"}, []string{"there is no flag -y"}},
		{[]string{"produce", "-b", "h:1", "-t"}, []string{"needs an argument"}},
		{[]string{"produce", "-b", "h:1"}, []string{"which topic?", "-t"}},
		{[]string{"produce"}, []string{"which cluster, and which topic?", "-b host:port", "-t"}},
		{[]string{"perf"}, []string{"which cluster, and which topic?", "-b host:port", "-t"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "-X", "retry.backoff=5"}, []string{"did you mean retry.backoff.ms?"}},
		{[]string{"produce", "-t", "t"}, []string{"which cluster?", "-b host:port"}},
		{[]string{"produce", "-b", "h", "-t", "t"}, []string{`"h"`, "has no port", "h:9092"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "-p", "x"}, []string{"-p/--partition", `"x"`}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "-p", "-2"}, []string{"-p -2", "numbered from 0"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "-H", "=v"}, []string{`-H "=v"`, "k=v"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "-K", `\q`}, []string{`-K \q`}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "-K", ""}, []string{"-K", "empty"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "-z", "zip"}, []string{"compression.type = zip", "gzip"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "-X", "linger"}, []string{"-X linger: want key=value"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "-X", "linger=5", "-X", "acks=9"}, []string{"2 settings are wrong", "did you mean linger.ms?", "acks = 9"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "--config", "/no/such.properties"}, []string{"--config", "/no/such.properties"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "--failed-to", "/no/such/dir/f"}, []string{"--failed-to", "/no/such/dir/f"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "--transaction-size", "10"}, []string{"--transaction-size", "only with --transactional-id"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "--transactional-id", "x", "--transaction-size", "0"}, []string{"--transaction-size 0: want at least 1"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "--transactional-id", ""}, []string{"transactional.id", "must not be empty"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "--failed-to", ""}, []string{"--failed-to: the value is empty"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "--config", ""}, []string{"--config: the value is empty"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "-z", ""}, []string{"--compression: the value is empty"}},
		{[]string{"produce", "-X", "bootstrap.servers=h:1", "-t", "t", "-b", ""}, []string{"--bootstrap: the value is empty"}},
		{[]string{"produce", "-b", "h:1", "-t", ""}, []string{"--topic: the value is empty"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "-n", "10KB"}, []string{"must be a whole number, such as 10000, 10k or 1.5M"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--size", "1 page"}, []string{"--size", "must be a number of bytes, such as 65536, 64KiB"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--batch", "64x"}, []string{"--batch", "must be a number of bytes"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--size", "2MiB"}, []string{"--size 2097152 and --key-size 0 are more than max.request.size"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--rate", "fast"}, []string{"--rate", "must be a number, such as 50000, 50k or 0.5"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--linger", "500ns"}, []string{"--linger", "must be whole milliseconds, since Kafka counts in them"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "--max-errors", "few"}, []string{"--max-errors", "must be a whole number, such as"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--payload-file", ""}, []string{"--payload-file: the value is empty"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--config", ""}, []string{"--config: the value is empty"}},
		{[]string{"perf", "-b", "h:1", "-t", ""}, []string{"--topic: the value is empty"}},
		{[]string{"demo", "--file-out", ""}, []string{"--file-out: the value is empty"}},
		{[]string{"demo", "--config", ""}, []string{"--config: the value is empty"}},
		{[]string{"demo", "-b", ""}, []string{"--bootstrap: the value is empty"}},
		{[]string{"demo", "-t", ""}, []string{"--topic: the value is empty"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "--transactional-id", "x", "-X", "acks=1"}, []string{"acks = 1", "with TransactionalID (transactional.id)"}},
		{[]string{"produce", "-b", "h:1", "-t", "t", "-", "-"}, []string{"named twice"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "extra"}, []string{"takes no arguments", "extra"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "-n", "0"}, []string{"--records 0"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--transaction-size", "10"}, []string{"--transaction-size", "only with --transactional-id"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--transactional-id", "x", "--transaction-size", "0"}, []string{"--transaction-size 0: want at least 1"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--transactional-id", "x", "--rate", "10"}, []string{"--transaction-size 1000 at --rate 10", "transaction.timeout.ms, 1m0s"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--transactional-id", "x", "--acks", "1"}, []string{"acks = 1"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--rate", "-5"}, []string{"--rate -5"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--size", "2000000"}, []string{"--size 2000000", "max.request.size"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--linger", "1.5ms"}, []string{"whole milliseconds"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--idempotent", "--acks", "1"}, []string{"acks"}},
		{[]string{"perf", "-b", "h:1", "-t", "t", "--in-flight", "6"}, []string{"max.in.flight.requests.per.connection"}},
		{[]string{"demo", "-X", "transactional.id=x"}, []string{"transactional.id", "epistle produce does"}},
		{[]string{"demo", "extra"}, []string{"takes no arguments"}},
		{[]string{"demo", "--partitions", "0"}, []string{"--partitions 0"}},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			s := epistle(t, 2, "", test.args...)
			s.wantErr(test.want...)
			if got := s.stdout.String(); got != "" {
				t.Errorf("standard output = %q, want nothing", got)
			}
		})
	}
}

// What is to be done about several mistakes of a kind is said once.
func TestOneHintForMistakesOfAKind(t *testing.T) {
	for _, test := range []struct {
		args []string
		hint string
		want []string
	}{
		{[]string{"-b", "h:1", "-X", "foo=1", "-X", "bar=2", "-X", "baz=3"}, "lists all of them", []string{"3 settings are wrong", "  foo: ", "  bar: ", "  baz: "}},
		{[]string{"-b", "a,b,c"}, "host:port, e.g. ", []string{"3 settings are wrong", `"a": has no port`, `"b": has no port`, `"c": has no port`}},
	} {
		s := epistle(t, 2, "", append([]string{"produce", "-t", "t"}, test.args...)...)
		s.wantErr(test.want...)
		if n := strings.Count(s.stderr.String(), test.hint); n != 1 {
			t.Errorf("epistle produce %v says %q %d times, want once:\n%s", test.args, test.hint, n, s.stderr.String())
		}
	}
	many := "h"
	for i := range 999 {
		many += fmt.Sprintf(",h%d", i)
	}
	if got := epistle(t, 2, "", "produce", "-t", "t", "-b", many).stderr.String(); len(got) > 3000 || !strings.Contains(got, "and 980 more") {
		t.Errorf("1000 brokers without a port make %d bytes of errors:\n%.500s", len(got), got)
	}
}

// A topic's name that no request can hold is refused, not met by a panic.
func TestATopicThatNoRequestCanHold(t *testing.T) {
	_, b := brokers(t)
	for _, command := range []string{"produce", "perf", "demo"} {
		epistle(t, 1, "", command, "-b", b, "-t", strings.Repeat("x", 40_000)).wantErr("is not a topic name: it must have at most 249 characters")
	}
}

// With a file that cannot be read nothing is sent, not even the files before it.
func TestFilesThatCannotBeRead(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	s := epistle(t, 1, "", "produce", "-b", b, "-t", "t", file(t, "fine\n"), "/no/such/file", os.TempDir())
	s.wantErr("nothing was sent", "/no/such/file", os.TempDir()+" is a directory")
	if n := count(c, "t"); n != 0 {
		t.Errorf("%d records were sent, want none", n)
	}
}

// An input that breaks off in the middle of a line: what came before is delivered, the piece is handed back and not sent as if
// it were a line.
func TestAnInputThatBreaksOff(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	disk := errors.New("the disk is on fire")
	s := start(t, io.MultiReader(strings.NewReader("one\ntwo\nthr"), brokenReader{disk}), "produce", "-b", b, "-t", "t", "-", file(t, "later\n"))
	if got := s.wait(); got != 1 {
		t.Errorf("exit status %d, want 1", got)
	}
	s.wantErr("standard input:3 was not delivered", "\nthr\n", "the disk is on fire", "not sent: 1 file")
	if n := count(c, "t"); n != 2 {
		t.Errorf("%d records were sent, want 2", n)
	}
}

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }

func TestTopicsThatCannotBeSentTo(t *testing.T) {
	_, b := brokers(t, brokertest.AutoCreate(false), brokertest.Topic("t", 3))
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"unknown", []string{"-t", "nowhere", "-X", "unknown.topic.grace.ms=50"}, []string{`topic "nowhere" is unknown`}},
		{"illegal", []string{"-t", "a b"}, []string{`"a b" is not a topic name`}},
		{"no such partition", []string{"-t", "t", "-p", "3", "-X", "max.block.ms=700"}, []string{"not every broker knows it yet: asking again until ", "partition 3 does not exist", "the topic has 3, numbered from 0, still so after "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := epistle(t, 1, "x\n", append([]string{"produce", "-b", b}, test.args...)...)
			s.wantErr(append(test.want, "nothing was read or sent")...)
		})
	}
}

// A partition that was added a moment ago is waited for: brokers hear of it one after the other.
func TestAPartitionThatWasJustAdded(t *testing.T) {
	const asking = "not every broker knows it yet: asking again until "
	c, b := brokers(t, brokertest.Topic("t", 2))
	s := start(t, strings.NewReader("x\n"), "produce", "-b", b, "-t", "t", "-p", "2")
	s.says(asking)
	if err := c.AddPartitions("t", 3); err != nil {
		t.Fatal(err)
	}
	if got := s.wait(); got != 0 || len(c.Records("t", 2)) != 1 {
		t.Errorf("exit status %d, %d records in the partition, want 0 and 1; standard error:\n%s", got, len(c.Records("t", 2)), s.stderr.String())
	}

	s = start(t, strings.NewReader("x\n"), "produce", "-b", b, "-t", "t", "-p", "3")
	s.says(asking)
	s.interrupt()
	if got := s.wait(); got != 130 {
		t.Errorf("after Ctrl-C: exit status %d, want 130", got)
	}
	s.wantErr("stopped by signal", "nothing was read or sent")
}

// With max.block.ms=0 sending never waits. The command still waits for the cluster before it begins.
func TestNothingWaitsButTheStart(t *testing.T) {
	c, b := brokers(t, brokertest.Topic("t", 1))
	for _, args := range [][]string{
		{"produce", "-t", "t"}, {"produce", "-t", "t", "--transactional-id", "x"}, {"perf", "-t", "t", "-n", "1"}, {"demo"},
	} {
		s := start(t, strings.NewReader("x\n"), append(args, "-b", b, "-X", "max.block.ms=0")...)
		if got := s.wait(); got != 0 {
			t.Errorf("%v: exit status %d, want 0; standard error:\n%s", args, got, s.stderr.String())
		}
	}
	if got := len(c.Records("t", 0)); got < 3 {
		t.Errorf("%d records in the topic, want one of each command", got)
	}
	s := start(t, strings.NewReader("x\n"), "produce", "-b", b, "-t", "t", "-p", "1", "-X", "max.block.ms=0")
	s.says("not every broker knows it yet: asking again until ")
	if err := c.AddPartitions("t", 2); err != nil {
		t.Fatal(err)
	}
	if got := s.wait(); got != 0 || len(c.Records("t", 1)) != 1 {
		t.Errorf("exit status %d, %d records in the partition that comes, want 0 and 1; standard error:\n%s", got, len(c.Records("t", 1)), s.stderr.String())
	}
}

func TestPortsThatAreNotKafka(t *testing.T) {
	silent := httptest.NewServer(http.NotFoundHandler()) // waits for the end of a line
	defer silent.Close()
	web := blunt(t, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	_, overTLS := brokers(t, brokertest.TLS(&tls.Config{Certificates: certificate.TLS.Certificates}))
	_, plain := brokers(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()

	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"HTTP", []string{"-b", web}, []string{"HTTP", "check the port"}},
		{"HTTP that waits", []string{"-b", silent.Listener.Addr().String(), "-X", "max.block.ms=900", "-X", "socket.connection.setup.timeout.ms=200"}, []string{"no Kafka broker"}},
		{"TLS", []string{"-b", overTLS}, []string{"may want TLS", "it answers to TLS: use -X security.protocol=SSL"}},
		{"plaintext", []string{"-b", plain, "-X", "security.protocol=SSL"}, []string{"may be one without TLS", "it answers without TLS: use -X security.protocol=PLAINTEXT"}},
		{"nothing", []string{"-b", closed.Addr().String(), "-X", "max.block.ms=900"}, []string{"not connected yet: ", "connection refused", "check that the broker is up", "; or it is still starting: waiting until ", "(max.block.ms is 900ms); `epistle doctor` with the same settings looks for the cause"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			began := time.Now()
			s := epistle(t, 1, "x\n", append([]string{"produce", "-t", "t"}, test.args...)...)
			s.wantErr(append(test.want, "nothing was read or sent")...)
			if text := s.stderr.String(); strings.Contains(text, "goes on") {
				t.Errorf("it says that something goes on, though it has ended:\n%s", text)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v to say so, want a few seconds", took)
			}
		})
	}
}

// A port that hangs up or resets may be that of a broker that is starting, or of what stands in front of it: it is waited for,
// and the user is told until when.
func TestABrokerThatIsStarting(t *testing.T) {
	for _, how := range []string{"hangs up", "resets", "hangs up on TLS"} {
		t.Run(how, func(t *testing.T) {
			args := []string{"-t", "t"}
			opts := []brokertest.Option{brokertest.Topic("t", 1)}
			if how == "hangs up on TLS" {
				certificate := httptest.NewUnstartedServer(nil)
				certificate.StartTLS()
				defer certificate.Close()
				opts = append(opts, brokertest.TLS(&tls.Config{Certificates: certificate.TLS.Certificates}))
				args = append(args, "-X", "security.protocol=SSL", "-X", "ssl.endpoint.identification.algorithm=",
					"-X", "ssl.truststore.type=PEM", "-X", "ssl.truststore.location="+authority(t, certificate))
			}
			c, b := brokers(t, opts...)
			front, started := gatehouse(t, b, how == "resets")
			s := start(t, strings.NewReader("x\n"), append([]string{"produce", "-b", front}, args...)...)
			s.says("; or it is still starting: waiting until ")
			started()
			if got := s.wait(); got != 0 || count(c, "t") != 1 {
				t.Errorf("exit status %d, %d records, want 0 and 1; standard error:\n%s", got, count(c, "t"), s.stderr.String())
			}
			if n := strings.Count(s.stderr.String(), "not connected yet"); n != 1 {
				t.Errorf("it is told %d times, want once", n)
			}
		})
	}
}

// authority writes the certificate of a server to a file.
func authority(t *testing.T, s *httptest.Server) string {
	t.Helper()
	return file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
}

// gatehouse listens in front of a broker, and turns everybody away until started is called.
func gatehouse(t *testing.T, broker string, reset bool) (addr string, started func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var open atomic.Bool
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if !open.Load() {
				if reset {
					conn.(*net.TCPConn).SetLinger(0)
				}
				conn.Close()
				continue
			}
			go func() {
				defer conn.Close()
				behind, err := net.Dial("tcp", broker)
				if err != nil {
					return
				}
				defer behind.Close()
				go io.Copy(behind, conn)
				io.Copy(conn, behind)
			}()
		}
	}()
	return l.Addr().String(), func() { open.Store(true) }
}

// blunt starts a server that says one thing to everybody, and returns its address.
func blunt(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.Read(make([]byte, 4096))
				io.WriteString(conn, answer)
			}()
		}
	}()
	return l.Addr().String()
}
