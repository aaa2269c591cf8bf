package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// script is a Transport that does as it is told.
type script struct {
	resolve map[string]error                                                      // by host; others resolve
	connect map[string]error                                                      // by address; others are connected
	ask     func(addr string, req protocol.Request, resp protocol.Response) error // nil: as one healthy broker
	other   bool                                                                  // OtherWay
	web     bool                                                                  // Web
	closed  map[string]int
}

func (s *script) Resolve(_ context.Context, host string) ([]string, error) {
	if err := s.resolve[host]; err != nil {
		return nil, err
	}
	return []string{"203.0.113.5"}, nil
}

func (s *script) Connect(ctx context.Context, addr string, node int32, _ string, passed func(wire.Passed)) (Link, error) {
	if err := s.connect[addr]; err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	passed(wire.Passed{Stage: wire.StageDial, Remote: &net.TCPAddr{IP: net.IPv4(203, 0, 113, 5), Port: 9092}, Took: time.Millisecond})
	var offered []protocol.ApiVersion
	for _, api := range protocol.APIs() {
		offered = append(offered, protocol.ApiVersion{APIKey: api.Key, MinVersion: api.Min, MaxVersion: api.Max})
	}
	passed(wire.Passed{Stage: wire.StageApiVersions, Offered: offered, Features: map[string]int16{"transaction.version": 2}, Took: time.Millisecond})
	return &scriptedLink{s, addr}, nil
}

func (s *script) OtherWay(context.Context, string) bool { return s.other }

func (s *script) Web(context.Context, string, bool) bool { return s.web }

func (s *script) Send(context.Context, string) (Landed, error) {
	return Landed{Topic: "t", Offset: 7, Sent: time.Now(), Timestamp: time.Now()}, nil
}

func (s *script) Now() time.Time { return time.Now() }

type scriptedLink struct {
	s    *script
	addr string
}

func (l *scriptedLink) Ask(ctx context.Context, req protocol.Request, resp protocol.Response) error {
	time.Sleep(time.Millisecond)
	if l.s.ask != nil {
		if err := l.s.ask(l.addr, req, resp); err != errNotScripted {
			return err
		}
	}
	name := "t"
	switch resp := resp.(type) {
	case *protocol.MetadataResponse:
		id := "cluster"
		resp.ClusterID, resp.ControllerID = &id, 1
		resp.Brokers = []protocol.MetadataBroker{{NodeID: 1, Host: "kafka.example.com", Port: 9092}}
		if len(req.(*protocol.MetadataRequest).Topics) > 0 {
			resp.Topics = []protocol.MetadataTopic{{Name: &name, TopicAuthorizedOperations: -1, Partitions: []protocol.MetadataPartition{
				{LeaderID: 1, ReplicaNodes: []int32{1}, ISRNodes: []int32{1}},
			}}}
		}
	case *protocol.DescribeConfigsResponse:
		resp.Results = []protocol.DescribeConfigsResult{{}}
	}
	return ctx.Err()
}

func (l *scriptedLink) Close() {
	if l.s.closed == nil {
		l.s.closed = map[string]int{}
	}
	l.s.closed[l.addr]++
}

var errNotScripted = errors.New("as a healthy broker")

// play runs a script in fake time.
func play(t *testing.T, s *script, change func(*Options)) *Report {
	t.Helper()
	o := Options{
		Bootstrap: []string{"kafka.example.com:9092"}, Topics: []string{"t"}, Within: 30 * time.Second,
		Acks: -1, Idempotent: true, MaxRequestSize: 1 << 20, BatchSize: 16384, AutoCreate: true,
	}
	if change != nil {
		change(&o)
	}
	return Run(t.Context(), s, o, nil)
}

// show is what a report says, a check in a line.
func show(r *Report) string {
	var b strings.Builder
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%s %s %s: %s", c.Verdict, c.Stage, c.Of, c.Text)
		if c.Advice != "" {
			fmt.Fprintf(&b, " | %s", c.Advice)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// A stage that cannot be done says because of which, and all of them are told, in order.
func TestStagesThatCannotBeDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{resolve: map[string]error{"kafka.example.com": &net.DNSError{Err: "no such host", Name: "kafka.example.com"}}}
		got := show(play(t, s, func(o *Options) { o.TransactionalID = "tx" }))
		want := `failed resolve kafka.example.com:9092: resolve: lookup kafka.example.com: no such host | check the host name in bootstrap.servers, and the resolver of this machine (hosts file, DNS servers, VPN)
skipped dial : because of resolve
skipped tls : none is set (security.protocol PLAINTEXT or SASL_PLAINTEXT)
skipped versions : because of resolve
skipped sasl : none is set (security.protocol PLAINTEXT or SSL)
skipped metadata : because of resolve
skipped brokers : because of resolve
skipped round-trip : because of resolve
skipped topic topic "t": because of resolve
skipped rights topic "t": because of resolve
skipped settings topic "t": because of resolve
skipped idempotence : the transactional id has its own right
skipped transactions transactional id "tx": because of resolve
skipped record : none was asked for
skipped clock : no broker has told its time: only the answer to a record does, and of a topic with message.timestamp.type=LogAppendTime
`
		if got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	})
}

// A healthy cluster, in the words that there are for it; every connection is closed.
func TestAHealthyScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		r := play(t, s, func(o *Options) { o.Send = true })
		want := `ok resolve kafka.example.com:9092: 203.0.113.5
ok dial kafka.example.com:9092: connected to 203.0.113.5:9092
skipped tls : none is set (security.protocol PLAINTEXT or SASL_PLAINTEXT)
ok versions kafka.example.com:9092: it speaks as Apache Kafka 4.4 or newer does
skipped sasl : none is set (security.protocol PLAINTEXT or SSL)
ok metadata : cluster "cluster", 1 broker, controller 1
ok brokers broker 1 at kafka.example.com:9092: reached, as Apache Kafka 4.4 or newer
ok round-trip : broker 1 1.00 ms (medians of 5)
ok topic topic "t": 1 partition, led by 1 broker
ok rights topic "t": this client may write to it
ok settings topic "t": the broker tells none that concerns a producer
ok idempotence : this client may write idempotently: a producer id was given, as to each producer that starts
skipped transactions : no transactional.id is set
ok record topic "t": a record was written: partition 0, offset 7
skipped clock : no broker has told its time: only the answer to a record does, and of a topic with message.timestamp.type=LogAppendTime
`
		if got := show(r); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
		if !r.Healthy() || s.closed["kafka.example.com:9092"] != 2 {
			t.Errorf("healthy: %t; closed: %v, want the bootstrap server's and the broker's", r.Healthy(), s.closed)
		}
	})
}

// Where a server hangs up on the handshake it is asked in the other way, and the setting is named that is wrong.
func TestTheOtherWayIsTried(t *testing.T) {
	for _, test := range []struct {
		stage     wire.Stage
		tls       bool
		mechanism string
		want      string
	}{
		{wire.StageTLS, true, "", "it answers without TLS: set security.protocol to PLAINTEXT"},
		{wire.StageTLS, true, "PLAIN", "it answers without TLS: set security.protocol to SASL_PLAINTEXT"},
		{wire.StageApiVersions, false, "", "it answers to TLS: set security.protocol to SSL"},
		{wire.StageApiVersions, false, "PLAIN", "it answers to TLS: set security.protocol to SASL_SSL"},
	} {
		synctest.Test(t, func(t *testing.T) {
			gone := &wire.Error{Stage: test.stage, Addr: "kafka.example.com:9092", NodeID: -1, Err: syscall.ECONNRESET, Hint: "a guess"}
			s := &script{connect: map[string]error{"kafka.example.com:9092": gone}, other: true}
			set := func(o *Options) { o.TLS, o.Mechanism = test.tls, test.mechanism }
			if first := play(t, s, set).FirstFailure(); first == nil || !strings.Contains(first.Advice, test.want) {
				t.Errorf("got %+v, want %q", first, test.want)
			}
			s.other = false
			if first := play(t, s, set).FirstFailure(); first == nil || first.Advice != "a guess" {
				t.Errorf("got %+v, want the library's words", first)
			}
		})
	}
}

// Of a server that hangs up between two requests no more can be told than of one that hangs up on the first.
func TestAServerThatIsGoneBeforeItIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{ask: func(addr string, req protocol.Request, _ protocol.Response) error {
			return &wire.Error{Stage: wire.StageRequest, Addr: addr, NodeID: -1, API: req.API().Name, Err: errHungUp}
		}}
		first := play(t, s, nil).FirstFailure()
		if first == nil || first.Stage != Metadata || !strings.Contains(first.Advice, "may want SASL (security.protocol SASL_PLAINTEXT") {
			t.Errorf("got %+v", first)
		}
	})
}

// A cluster of any size costs no more than so many connections.
func TestManyBrokers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{ask: func(_ string, req protocol.Request, resp protocol.Response) error {
			m, ok := resp.(*protocol.MetadataResponse)
			if !ok {
				return errNotScripted
			}
			id := "cluster"
			m.ClusterID, m.ControllerID = &id, -1
			for i := range 1000 {
				m.Brokers = append(m.Brokers, protocol.MetadataBroker{NodeID: int32(i), Host: fmt.Sprintf("b-%d.example.com", i), Port: 9092})
			}
			return nil
		}}
		r := play(t, s, func(o *Options) { o.Topics = nil })
		if len(r.Brokers) != mostBrokers || len(s.closed) != mostBrokers+1 || !strings.Contains(show(r), "800 brokers more") {
			t.Errorf("%d brokers, %d connections:\n%.2000s", len(r.Brokers), len(s.closed), show(r))
		}
		if text := show(r); !strings.Contains(text, "skipped topic : no topic was named") {
			t.Errorf("it does not say that no topic was named:\n%.500s", text)
		}
	})
}

// What is done several at a time is handed over in order.
func TestInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []int
		began := time.Now()
		inOrder(20, func(i int) int {
			time.Sleep(time.Duration(20-i) * time.Second)
			return i * i
		}, func(i, v int) {
			if v != i*i {
				t.Errorf("%d brought %d", i, v)
			}
			got = append(got, i)
		})
		if len(got) != 20 || got[0] != 0 || got[19] != 19 || time.Since(began) > 60*time.Second {
			t.Errorf("%v after %v", got, time.Since(began))
		}
	})
}
