package producer_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/internal/testcert"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// patient is a cluster in memory, and the Config of who wants to write to its topic t.
type patient struct {
	t     *testing.T
	kafka *brokertest.Cluster
	cfg   producer.Config
	topic string                                             // that is asked about, t where it is empty
	at    map[string]func(context.Context) (net.Conn, error) // what else can be dialled
}

func newPatient(t *testing.T, options ...brokertest.Option) *patient {
	options = append([]brokertest.Option{brokertest.InMemory(), brokertest.Topic("t", 2), brokertest.AutoCreate(false)}, options...)
	p := &patient{t: t, kafka: brokertest.New(t, options...), at: map[string]func(context.Context) (net.Conn, error){}}
	p.cfg = producer.DefaultConfig(p.kafka.Bootstrap()[0])
	p.cfg.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if dial := p.at[addr]; dial != nil {
			return dial(ctx)
		}
		return p.kafka.DialContext(ctx, network, addr)
	}
	return p
}

// behind makes the first broker be reached, as a bootstrap server, under another address than it advertises.
func (p *patient) behind(addr string) {
	first := p.kafka.Bootstrap()[0]
	p.at[addr] = func(ctx context.Context) (net.Conn, error) { return p.kafka.DialContext(ctx, "tcp", first) }
	p.cfg.BootstrapServers = []string{addr}
}

// advertise makes Metadata tell another address of a broker.
func (p *patient) advertise(node int32, host string, port int32) {
	p.kafka.On(brokertest.Metadata).Always().Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
		brokers := resp.(*protocol.MetadataResponse).Brokers
		for i := range brokers {
			if brokers[i].NodeID == node {
				brokers[i].Host, brokers[i].Port = host, port
			}
		}
	}))
}

func (p *patient) diagnose(options ...producer.DiagnoseOption) *producer.Diagnosis {
	p.t.Helper()
	d, err := producer.Diagnose(p.t.Context(), p.cfg, append([]producer.DiagnoseOption{producer.DiagnoseTopics(cmp.Or(p.topic, "t"))}, options...)...)
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

// The ways in which nobody is reached.

func noSuchHost(name string) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}}
	}
}

func closedPort(context.Context) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 99), Port: 1}, Err: syscall.ECONNREFUSED}
}

func noAnswer(ctx context.Context) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// web is a server that speaks HTTP.
func web(context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		far.Read(make([]byte, 4096))
		far.Write([]byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))
	}()
	return near, nil
}

// patientWeb is one that says nothing before it has a line, over TLS if config is not nil.
func patientWeb(config *tls.Config) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		if config != nil {
			far = tls.Server(far, config)
		}
		go func() {
			defer far.Close()
			asked := make([]byte, 0, 4096)
			for !bytes.Contains(asked, []byte("\r\n\r\n")) {
				n, err := far.Read(asked[len(asked):cap(asked)])
				if asked = asked[:len(asked)+n]; err != nil {
					return
				}
			}
			far.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		}()
		return near, nil
	}
}

// authority issues certificates for the first broker of a cluster in memory.
type authority struct{ ca testcert.Issued }

func newAuthority() authority { return authority{testcert.Authority("the authority")} }

func (a authority) broker(change func(*x509.Certificate)) *tls.Config {
	cert := testcert.Issue(&a.ca, "a broker", func(c *x509.Certificate) {
		c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1), net.IPv4(192, 0, 2, 2), net.IPv4(192, 0, 2, 3)}
		if change != nil {
			change(c)
		}
	})
	return &tls.Config{Certificates: []tls.Certificate{cert.Pair()}}
}

func (a authority) trusted() *tls.Config { return &tls.Config{RootCAs: a.ca.Pool()} }

// wrong lists the checks that are not as they should be, each in a line.
func wrong(d *producer.Diagnosis) string {
	var b strings.Builder
	for _, c := range d.Checks {
		if c.Verdict == producer.VerdictFailed || c.Verdict == producer.VerdictNotice {
			fmt.Fprintln(&b, c)
		}
	}
	return b.String()
}

// all is every check in a line.
func all(d *producer.Diagnosis) string {
	var b strings.Builder
	for _, c := range d.Checks {
		fmt.Fprintf(&b, "%s [%v]\n", c, c.Took.Round(time.Millisecond))
	}
	return b.String()
}
