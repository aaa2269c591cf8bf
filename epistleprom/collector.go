package epistleprom

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/epistle-kafka/epistle/producer"
)

// Source is what a collector asks. *producer.Producer is one.
type Source interface {
	Metrics() producer.Metrics
}

// Options say how metrics are shown. The zero value is for one producer in a process.
type Options struct {
	// Namespace begins each name; "" is kafka_producer.
	Namespace string
	// ConstLabels are added to each metric. Several producers of one registry need labels that tell them apart, such as client_id.
	ConstLabels prometheus.Labels
	// MaxTopics is how many topics have a label of their own; 0 is 200, below 0 none has. The first that are met have one for
	// good: their counts go on from where they were when the producer has forgotten the topic. All others are together under the
	// topic "_other".
	MaxTopics int
	// Transactional is shown by the info metric.
	Transactional bool
}

// Other is the label of topics that have none of their own.
const Other = "_other"

const defaultMaxTopics = 200

// Collector is a prometheus.Collector for one producer. Its methods are safe for concurrent use.
type Collector struct {
	source Source
	max    int
	descs  descs
	info   prometheus.Metric

	mu       sync.Mutex          // guards what follows; never held while the producer is asked
	topics   map[string]bool     // whether a topic has a label of its own
	own      int                 // of topics, those that have
	counters map[series]*counter // of these
	newest   producer.Metrics    // the reading that they are of
}

// New returns a collector of what source measures. It is to be registered once.
func New(source Source, o Options) *Collector {
	if o.Namespace == "" {
		o.Namespace = "kafka_producer"
	}
	c := &Collector{source: source, max: o.MaxTopics, topics: map[string]bool{}, counters: map[series]*counter{}}
	if c.max == 0 {
		c.max = defaultMaxTopics
	}
	c.descs = newDescs(o.Namespace, o.ConstLabels)
	transactional := "false"
	if o.Transactional {
		transactional = "true"
	}
	c.info = prometheus.MustNewConstMetric(c.descs.of("info"), prometheus.GaugeValue, 1, producer.Version, transactional)
	return c
}

// Describe is prometheus.Collector's.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		to <- d
	}
}

// Collect is prometheus.Collector's. It asks the producer once.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	m, counts := c.count(c.source.Metrics())
	s := &sink{c: c, to: to}
	to <- c.info
	s.topics(&m, counts)
	s.brokers(&m)
	s.rest(&m)
}

// A sink takes the metrics of one scrape.
type sink struct {
	c  *Collector
	to chan<- prometheus.Metric
}

func (s *sink) count(name string, v float64, labels ...string) {
	s.to <- prometheus.MustNewConstMetric(s.c.descs.of(name), prometheus.CounterValue, v, labels...)
}

func (s *sink) gauge(name string, v float64, labels ...string) {
	s.to <- prometheus.MustNewConstMetric(s.c.descs.of(name), prometheus.GaugeValue, v, labels...)
}

func (s *sink) histogram(name string, h producer.Histogram, labels ...string) {
	s.to <- newHistogram(s.c.descs.of(name), h, labels)
}
