package producer_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// A closed producer has no connections, and Brokers says so.
func TestNoBrokerIsConnectedAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		send(t, p, record("x"))
		time.Sleep(time.Second)
		closed := time.Now()
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		brokers := p.Brokers()
		if len(brokers) == 0 {
			t.Fatal("no broker was seen")
		}
		for _, b := range brokers {
			if b.Connected || !b.Since.Equal(closed) {
				t.Errorf("after Close at %v: %+v", closed, b)
			}
		}
	})
}

// A DialContext that returns neither a connection nor an error is a failure to connect, and says what is wrong.
func TestADialContextThatReturnsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		var nothing atomic.Bool
		nothing.Store(true)
		p := start(t, c, func(cfg *producer.Config) {
			cfg.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if nothing.Load() {
					return nil, nil
				}
				return c.DialContext(ctx, network, addr)
			}
		})
		_, err := p.SendSync(within(t, 5*time.Second), record("x"))
		if err == nil || !strings.Contains(err.Error(), "DialContext has returned neither a connection nor an error") {
			t.Errorf("got %v, want to be told what DialContext did", err)
		}
		nothing.Store(false)
		send(t, p, record("x"))
	})
}

// short writes less than it was given, and no error.
type short struct {
	net.Conn
	most int
}

func (s short) Write(b []byte) (int, error) { return s.Conn.Write(b[:min(len(b), s.most)]) }

// A connection that writes short without an error is told as that, over TLS too, and not as a broker that is silent. So is
// one that only the large requests are too much for.
func TestAConnectionThatWritesShort(t *testing.T) {
	for name, test := range map[string]struct {
		most int
		tls  *tls.Config
	}{
		"handshake": {most: 7}, "nothing": {}, "TLS": {most: 7, tls: &tls.Config{ServerName: "kafka"}}, "large requests": {most: 2000},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				cfg := producer.DefaultConfig(c.Bootstrap()...)
				cfg.TLS, cfg.DeliveryTimeout, cfg.RequestTimeout = test.tls, 20*time.Second, 5*time.Second
				cfg.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := c.DialContext(ctx, network, addr)
					return short{conn, test.most}, err
				}
				p, err := producer.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				_, err = p.SendSync(within(t, 30*time.Second), record(strings.Repeat("x", 3000)))
				if !errors.Is(err, io.ErrShortWrite) || strings.Contains(err.Error(), "may want TLS") {
					t.Errorf("got %v, want to be told of the short write", err)
				}
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				_ = p.Close(ended) // it has no broker to be asked
			})
		})
	}
}
