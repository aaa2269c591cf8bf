// Package faults_test sends records to a real Kafka while its brokers are killed, frozen, restarted
// and relieved of their leaders, and then has an independent client read what is in the log. Each
// test has a cluster of its own; none runs beside another.
package faults_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// site is a cluster, a topic of it that nobody else uses, and the independent client.
type site struct {
	t       *testing.T
	cluster *kafka.Cluster
	admin   *reader.Admin
	topic   string
}

// newSite makes a topic on a cluster. settings are the topic's, or nil.
func newSite(t *testing.T, c *kafka.Cluster, partitions int32, replicas int16, settings map[string]string) *site {
	t.Helper()
	admin, err := reader.NewAdmin(c.Bootstrap())
	do(t, err)
	t.Cleanup(admin.Close)
	s := &site{t: t, cluster: c, admin: admin, topic: fmt.Sprintf("faults-%d", time.Now().UnixNano())}
	do(t, admin.CreateTopic(t.Context(), s.topic, partitions, replicas, settings))
	return s
}

// config is the default one, for the site's cluster.
func (s *site) config() producer.Config { return producer.DefaultConfig(servers(s.cluster)...) }

func servers(c *kafka.Cluster) []string { return strings.Split(c.Bootstrap(), ",") }

// manyBatches has a few records to a batch, so that each partition has as many batches under way at
// once as idempotence allows, and a fault leaves a long row of them.
func manyBatches(cfg producer.Config) producer.Config {
	cfg.Linger, cfg.BatchSize, cfg.MaxBatchBytes = 0, 128, 256
	return cfg
}

// load is a running load on the site's topic, past its first records.
func (s *site) load(cfg producer.Config) *load {
	s.t.Helper()
	l := newLoad(s.t, s.topic, "key", cfg)
	l.run()
	l.progress(warm)
	return l
}

// warm is how many records a load has behind it before the first fault, and after the last.
const warm = 200

// read is what the topic holds.
func (s *site) read() map[int32][]*reader.Record {
	s.t.Helper()
	log, err := reader.Topic(s.t.Context(), s.cluster.Bootstrap(), s.topic, reader.Options{})
	do(s.t, err)
	return log
}

// exactlyOnce ends the load and demands what idempotence promises whatever happened: every record was
// acknowledged within the time, is in the log once, where it was said to be, in the order of its key.
// Something must have been sent again, or the fault was none.
func (s *site) exactlyOnce(l *load, deliveryTimeout time.Duration) {
	s.t.Helper()
	l.progress(warm)
	records := l.finish()
	noErrors(s.t, records)
	inTime(s.t, records, deliveryTimeout)
	s.clean(records)
	stats := l.producer.Stats()
	s.t.Logf("%d records, %d sent again, %s for the slowest", len(records), stats.Retried, slowest(records).Round(time.Millisecond))
	if stats.Retried == 0 {
		s.t.Errorf("nothing was sent again: the fault was not felt")
	}
}

// clean demands that the log holds what was said of the records.
func (s *site) clean(records []*sent) {
	s.t.Helper()
	compare(records, s.read()).demandClean(s.t)
}

// written is how many records the topic holds.
func (s *site) written() int64 {
	s.t.Helper()
	ends, err := s.admin.Ends(s.t.Context(), s.topic)
	do(s.t, err)
	var n int64
	ends.Each(func(end kadm.ListedOffset) { n += end.Offset })
	return n
}

// restart starts broker i again and waits until it serves clients.
func (s *site) restart(i int) {
	s.t.Helper()
	do(s.t, s.cluster.Start(s.t.Context(), i))
}

// busiest is the broker, of those not in skip, that leads most of the topic's partitions.
func (s *site) busiest(skip map[int]bool) int {
	s.t.Helper()
	leaders, err := s.admin.Leaders(s.t.Context(), s.topic)
	do(s.t, err)
	leads := make([]int, s.cluster.Brokers())
	for _, node := range leaders {
		if node >= 0 {
			leads[s.cluster.Index(node)]++
		}
	}
	best := -1
	for i, n := range leads {
		if !skip[i] && (best < 0 || n > leads[best]) {
			best = i
		}
	}
	s.t.Logf("broker %d leads %d of %d partitions", best, leads[best], len(leaders))
	return best
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
