package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// The tests with a real Kafka start this program once more, to read back.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == followCommand {
		main()
		return
	}
	os.Exit(m.Run())
}

// memory is a world in memory: brokers where sessions last, and brokers where they end. Each topic is made at both.
type memory struct {
	t               *testing.T
	lasting, ending *brokertest.Cluster
	showAll         bool // what is read back has the records of aborted transactions, too
}

const testLifetime = 4 * time.Second

func newMemory(t *testing.T) *memory {
	open := func(options ...brokertest.Option) *brokertest.Cluster {
		return brokertest.New(t, append(options, brokertest.InMemory(), brokertest.Delay(2*time.Millisecond), brokertest.AutoCreate(false),
			brokertest.SASL(brokertest.SCRAM256(user, firstPassword)))...)
	}
	return &memory{t: t, lasting: open(), ending: open(brokertest.SessionLifetime(testLifetime))}
}

func (m *memory) soak() *soak {
	return &soak{world: m, partitions: 3, size: leastSize, rate: 300, lifetime: testLifetime, every: 20 * time.Millisecond, progress: m.t.Output()}
}

func (m *memory) create(_ context.Context, topic string, partitions int) error {
	for _, c := range m.clusters() {
		if err := c.CreateTopic(topic, partitions); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) clusters() []*brokertest.Cluster { return []*brokertest.Cluster{m.lasting, m.ending} }

func (m *memory) remove(string) {}

func (m *memory) follow(topic string, partitions int, committed bool) (readBack, error) {
	return &inMemory{m: m, topic: topic, partitions: partitions, committed: committed && !m.showAll}, nil
}

// inMemory is a readBack that reads all at the end.
type inMemory struct {
	m          *memory
	topic      string
	partitions int
	committed  bool
}

func (r *inMemory) now() findings { return findings{} }
func (r *inMemory) stop()         {}

func (r *inMemory) finish(_ context.Context, sent []int64) (findings, error) {
	check := newChecker(r.partitions)
	for i := range int32(r.partitions) {
		for _, c := range r.m.clusters() {
			records := c.Records(r.topic, i)
			if r.committed {
				records = c.Committed(r.topic, i)
			}
			for _, rec := range records {
				check.record(i, rec.Offset, rec.Value)
			}
		}
	}
	check.finish(sent)
	return check.findings, nil
}

// to logs in at brokers by a mechanism.
func to(c *brokertest.Cluster, m sasl.Mechanism) producer.Config {
	cfg := producer.DefaultConfig(c.Bootstrap()...)
	cfg.SASL, cfg.DialContext = m, c.DialContext
	return cfg
}

func byPassword(c *brokertest.Cluster) producer.Config {
	return to(c, sasl.ScramSHA256(user, firstPassword))
}

// bubble runs f in fake time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// holds demands that no promise was broken.
func holds(t *testing.T, broken []string) {
	t.Helper()
	for _, text := range broken {
		t.Error(text)
	}
}

// isBroken demands that some promise was broken in these words.
func isBroken(t *testing.T, broken []string, words string) {
	t.Helper()
	if !strings.Contains(strings.Join(broken, "\n"), words) {
		t.Errorf("broken is %q, want something with %q", broken, words)
	}
}
