package producer_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// A meter is a cluster's DialContext that counts what goes over its connections.
type meter struct{ dials, written, read atomic.Int64 }

func (m *meter) of(c *brokertest.Cluster) func(cfg *producer.Config) {
	return func(cfg *producer.Config) {
		cfg.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := c.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			m.dials.Add(1)
			return &metered{conn, m}, nil
		}
	}
}

type metered struct {
	net.Conn
	m *meter
}

func (c *metered) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.m.read.Add(int64(n))
	return n, err
}

func (c *metered) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.m.written.Add(int64(n))
	return n, err
}

// topicOf returns what m has of a topic.
func topicOf(t *testing.T, m producer.Metrics, name string) producer.TopicMetrics {
	t.Helper()
	for _, of := range m.Topics {
		if of.Topic == name {
			return of
		}
	}
	t.Fatalf("there is no topic %s in %+v", name, m.Topics)
	panic("unreachable")
}

// sentOf returns what m has of an API.
func sentOf(m producer.Metrics, api string) producer.RequestMetrics {
	for _, r := range m.Requests {
		if r.API == api {
			return r
		}
	}
	return producer.RequestMetrics{}
}

// batchesOf counts what brokers got in Produce requests.
func batchesOf(c *brokertest.Cluster, topic string) (records, batches, bytes int64) {
	for _, r := range c.Requests() {
		for _, b := range r.Batches {
			if b.Topic == topic || topic == "" {
				records, batches, bytes = records+int64(b.Header.Count), batches+1, bytes+int64(b.Size)
			}
		}
	}
	return records, batches, bytes
}

// javas returns Java's metrics by group, tags and name.
func javas(m producer.Metrics) map[string]float64 {
	all := map[string]float64{}
	for _, j := range m.Java() {
		name := j.Name
		for _, tag := range []string{"topic", "node-id"} {
			if v, ok := j.Tags[tag]; ok {
				name = v + " " + name
			}
		}
		all[j.Group+" "+name] = j.Value
	}
	return all
}

// noise is bytes that no codec makes shorter.
func noise(seed, n int) []byte {
	b := make([]byte, n)
	x := uint64(seed)*2862933555777941757 + 3037000493
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x >> 32)
	}
	return b
}
