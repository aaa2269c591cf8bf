package doctor

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

func dialed(err error) error {
	return &wire.Error{Stage: wire.StageDial, Addr: "host:9092", NodeID: 1, Err: err, Hint: "the hint"}
}

func unresolved(name string) error {
	return &wire.Error{Stage: wire.StageResolve, Addr: name + ":9092", NodeID: 1, Err: &net.DNSError{Err: "no such host", Name: name}}
}

// What is the matter with an address that a broker advertises.
func TestJudgeListener(t *testing.T) {
	refused := dialed(syscall.ECONNREFUSED)
	for _, test := range []struct {
		name      string
		addr      string
		err       error
		answered  []string
		addresses []string
		says      string
	}{
		{"localhost, from outside", "localhost:9092", refused, []string{"kafka.example.com:9092"}, []string{"203.0.113.5"}, "advertises localhost"},
		{"a loopback address, from outside", "127.0.0.1:9092", refused, []string{"kafka.example.com:9092"}, []string{"203.0.113.5"}, "advertises localhost"},
		{"the loopback address of IPv6", "[::1]:9092", refused, []string{"kafka.example.com:9092"}, []string{"203.0.113.5"}, "advertises localhost"},
		{"localhost, beside the broker", "localhost:9092", refused, []string{"127.0.0.1:9092"}, []string{"127.0.0.1"}, "the hint"},
		{"another port of localhost", "localhost:9092", refused, []string{"127.0.0.1:29092"}, []string{"127.0.0.1"}, "port 29092 of the same host"},
		{"no address", "0.0.0.0:9092", refused, []string{"kafka.example.com:9092"}, []string{"203.0.113.5"}, "all of them"},
		{"a container's name", "kafka-1:9092", unresolved("kafka-1"), []string{"localhost:9092"}, []string{"127.0.0.1"}, "name of a container"},
		{"a container's id", "0123456789ab:9092", unresolved("0123456789ab"), []string{"localhost:9092"}, []string{"127.0.0.1"}, "id of a container"},
		{"a service of Kubernetes", "kafka.data.svc:9092", unresolved("kafka.data.svc"), []string{"localhost:9092"}, []string{"127.0.0.1"}, "Kubernetes"},
		{"a name of DNS", "b-1.kafka.example.com:9092", unresolved("b-1.kafka.example.com"), []string{"kafka.example.com:9092"}, nil, "not known to the resolver"},
		{"a private address, from outside", "172.17.0.3:9092", refused, []string{"kafka.example.com:9092"}, []string{"203.0.113.5"}, "172.17.0.3 is a private address"},
		{"a shared address, from outside", "100.64.1.2:9092", refused, []string{"kafka.example.com:9092"}, []string{"203.0.113.5"}, "100.64.1.2 is a private address"},
		{"a private address, from inside", "10.0.0.3:9092", refused, []string{"10.0.0.2:9092"}, []string{"10.0.0.2"}, "the hint"},
		{"a private address that answers otherwise", "10.0.0.3:9092",
			&wire.Error{Stage: wire.StageSASL, Addr: "10.0.0.3:9092", NodeID: 1, Err: errors.New("refused"), Hint: "the hint of SASL"},
			[]string{"kafka.example.com:9092"}, []string{"203.0.113.5"}, "the hint of SASL"},
		{"a mapped port", "kafka.example.com:9092", refused, []string{"kafka.example.com:31000"}, []string{"203.0.113.5"}, "port 31000 of the same host"},
		{"another host", "other.example.com:9092", refused, []string{"kafka.example.com:31000"}, []string{"203.0.113.5"}, "the hint"},
	} {
		text, advice := judgeListener(listener{test.addr, test.err, test.answered, test.addresses, nil})
		if !strings.Contains(text, "cannot be used from here") || !strings.Contains(advice, test.says) {
			t.Errorf("%s: %q, %q; want %q", test.name, text, advice, test.says)
		}
	}
}

// What a broker is, as far as its versions tell.
func TestSoftwareOf(t *testing.T) {
	for produce, want := range map[int16]string{13: "4.1 to 4.3", 12: "4.0", 11: "3.8 or 3.9", 9: "2.8 to 3.6", 7: "2.1 to 2.3", 4: "0.11", 0: "older than Apache Kafka 0.10"} {
		offered := []protocol.ApiVersion{{APIKey: keyProduce, MaxVersion: produce}, {APIKey: keyAPIVersions, MaxVersion: 4}}
		if got := softwareOf(offered); !strings.Contains(got, want) {
			t.Errorf("Produce up to %d: %q, want %q", produce, got, want)
		}
	}
	newest := []protocol.ApiVersion{{APIKey: keyProduce, MaxVersion: 14}, {APIKey: keyAPIVersions, MaxVersion: 5}}
	if got := softwareOf(newest); !strings.Contains(got, "4.4 or newer") {
		t.Errorf("the newest is %q", got)
	}
}

// A transactional producer needs more of a broker than another one; in the newer protocol it adds no partitions.
func TestMissingRequests(t *testing.T) {
	offered := []protocol.ApiVersion{
		{APIKey: keyProduce, MaxVersion: 13}, {APIKey: keyMetadata, MaxVersion: 13}, {APIKey: keyInitProducerID, MaxVersion: 5},
		{APIKey: keyFindCoordinator, MaxVersion: 6}, {APIKey: keyEndTxn, MaxVersion: 5},
	}
	for _, test := range []struct {
		o        Options
		features map[string]int16
		want     int
	}{
		{Options{Idempotent: true}, nil, 0},
		{Options{TransactionalID: "x"}, map[string]int16{"transaction.version": 2}, 0},
		{Options{TransactionalID: "x"}, nil, 1},
		{Options{MaxVersions: map[int16]int16{keyProduce: 2}}, nil, 0}, // which Validate refuses
	} {
		if got := missing(offered, test.features, &test.o); len(got) != test.want {
			t.Errorf("%+v: %q, want %d", test.o, got, test.want)
		}
	}
}

// Settings of a topic against those of the producer: only what hurts is told, and what fails comes first.
func TestJudgeSettings(t *testing.T) {
	healthy := []PartitionState{{Partition: 0, Leader: 1, Replicas: 3, InSync: 3}}
	defaults := Options{Acks: -1, MaxRequestSize: 1 << 20, BatchSize: 16384}
	for _, test := range []struct {
		name       string
		settings   map[string]string
		partitions []PartitionState
		change     func(*Options)
		verdict    Verdict
		says       string
	}{
		{"all is well", map[string]string{"min.insync.replicas": "2", "max.message.bytes": "1048588", "cleanup.policy": "delete", "compression.type": "producer"}, healthy, nil, OK, "min.insync.replicas=2"},
		{"nothing is known", nil, healthy, nil, OK, ""},
		{"more than there are, and all in sync", map[string]string{"min.insync.replicas": "2"}, []PartitionState{{Leader: 1, Replicas: 1, InSync: 1}}, nil, Notice, "the topic has 1 replica"},
		{"too few", map[string]string{"min.insync.replicas": "2"}, []PartitionState{{Leader: 1, Replicas: 3, InSync: 1}}, nil, Failed, "acks=all is refused"},
		{"too few, and acks=1", map[string]string{"min.insync.replicas": "2"}, []PartitionState{{Leader: 1, Replicas: 3, InSync: 1}}, func(o *Options) { o.Acks = 1 }, OK, ""},
		{"too few, and no leader, which was told before", map[string]string{"min.insync.replicas": "2"}, []PartitionState{{Leader: -1, Replicas: 3, InSync: 1}}, nil, OK, ""},
		{"one replica of one", map[string]string{"min.insync.replicas": "1"}, []PartitionState{{Leader: 1, Replicas: 1, InSync: 1}}, nil, OK, ""},
		{"a failure after a notice", map[string]string{"min.insync.replicas": "1", "max.message.bytes": "100", "cleanup.policy": "compact"}, healthy, nil, Failed, "max.message.bytes is 100"},
		{"as the topic compresses", map[string]string{"compression.type": "lz4"}, healthy, func(o *Options) { o.Codec = protocol.CodecLZ4 }, OK, ""},
		{"the topic takes the compression away", map[string]string{"compression.type": "uncompressed"}, healthy, func(o *Options) { o.Codec = protocol.CodecLZ4 }, Notice, "compress every batch anew"},
	} {
		o := defaults
		if test.change != nil {
			test.change(&o)
		}
		c := judgeSettings(Check{Stage: Settings}, test.settings, test.partitions, &o)
		if c.Verdict != test.verdict || !strings.Contains(c.Text, test.says) {
			t.Errorf("%s: %s, %q; want %s, %q", test.name, c.Verdict, c.Text, test.verdict, test.says)
		}
		if (c.Verdict == OK) != (c.Advice == "") {
			t.Errorf("%s: %s, and the advice is %q", test.name, c.Verdict, c.Advice)
		}
		if strings.HasPrefix(c.Text, "max.message.bytes is 100") && strings.Contains(c.Advice, "min.insync.replicas") {
			t.Errorf("%s: what fails does not come first: %q", test.name, c.Advice)
		}
	}
}

// A far broker is slow, and so is one that takes much longer than the others; one that takes 3 ms beside one that takes 0.1 is not.
func TestJudgeRoundTrips(t *testing.T) {
	ms := func(n float64) Server { return Server{Median: time.Duration(n * float64(time.Millisecond))} }
	for _, test := range []struct {
		brokers []Server
		verdict Verdict
	}{
		{[]Server{ms(0.1), ms(3)}, OK},
		{[]Server{ms(200), ms(220)}, OK},
		{[]Server{ms(600)}, Notice},
		{[]Server{ms(2), ms(3), ms(90)}, Notice},
	} {
		if c := judgeRoundTrips(test.brokers); c.Verdict != test.verdict {
			t.Errorf("%v: %s: %s, want %s", test.brokers, c.Verdict, c.Text, test.verdict)
		}
	}
}

// A broker's clock is told to be wrong only where it cannot have been right at any moment between sending and acknowledgement.
func TestJudgeClock(t *testing.T) {
	sent := time.Date(2026, 5, 1, 12, 0, 0, 500_700_000, time.UTC)
	acknowledged := sent.Add(40 * time.Millisecond)
	for _, test := range []struct {
		at      time.Time
		verdict Verdict
		says    string
	}{
		{sent.Truncate(time.Millisecond), OK, "agrees"},
		{sent.Add(20 * time.Millisecond), OK, "agrees"},
		{sent.Add(-200 * time.Millisecond), OK, "200 ms ahead"},
		{acknowledged.Add(time.Minute), Notice, "1m0s behind"},
		{sent.Add(-time.Minute), Notice, "1m0s ahead"},
	} {
		if c := judgeClock(test.at, sent, acknowledged); c.Verdict != test.verdict || !strings.Contains(c.Text, test.says) {
			t.Errorf("%v: %s: %s, want %s, %s", test.at, c.Verdict, c.Text, test.verdict, test.says)
		}
	}
}

// A slip finds the name that was meant; another name finds none.
func TestNearest(t *testing.T) {
	names := []string{"orders", "invoices", "billing.v1", "a", "prod.orders.v2", strings.Repeat("x", 300)}
	for name, want := range map[string]string{
		"order": "orders", "odrers": "orders", "Orders": "orders", "invocies": "invoices", "billing-v1": "billing.v1", "prod_orders_v2": "prod.orders.v2",
		"b": "", "customers": "", "o": "", "prod.invoices": "", strings.Repeat("x", 300): "",
	} {
		if got := nearest(name, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

// How long a certificate is valid is told in days, and near its end in hours.
func TestValidity(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for left, want := range map[time.Duration]string{
		100 * time.Hour:  "expires in 4 days (2026-05-05)",
		30 * time.Hour:   "expires in 30 hours (2026-05-02T18:00:00Z)",
		-3 * time.Hour:   "expired 3 hours ago (2026-05-01T09:00:00Z)",
		-100 * time.Hour: "expired 4 days ago (2026-04-27)",
	} {
		if got := validity(&x509.Certificate{NotAfter: now.Add(left)}, now); got != want {
			t.Errorf("%v left: %q, want %q", left, got, want)
		}
	}
}

// A broker that is down at an address that bootstrap.servers name is no port that maps elsewhere, and nor is one that there was no time
// left for.
func TestABrokerOfBootstrapServersThatIsDown(t *testing.T) {
	const down = "kafka.example.com:9093"
	l := listener{addr: down, err: dialed(syscall.ECONNREFUSED), answered: []string{"kafka.example.com:9092"}, addresses: []string{"203.0.113.5"}}
	if _, advice := judgeListener(l); !strings.Contains(advice, "maps elsewhere") {
		t.Errorf("a port that nobody named: %q", advice)
	}
	l.bootstrap = []string{"kafka.example.com:9092", down}
	if _, advice := judgeListener(l); advice != "the hint" {
		t.Errorf("a port of bootstrap.servers: %q", advice)
	}
	l.bootstrap, l.err = nil, dialed(fmt.Errorf("%w (3s)", errWithin))
	if _, advice := judgeListener(l); strings.Contains(advice, "maps elsewhere") || !strings.Contains(advice, "more time") {
		t.Errorf("there was no time left: %q", advice)
	}
}
