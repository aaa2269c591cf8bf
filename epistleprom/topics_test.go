package epistleprom

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// scraped returns what a scrape has of topics, by name and labels.
func scraped(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels, ofTopic := []string{}, false
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
				ofTopic = ofTopic || l.GetName() == "topic"
			}
			if ofTopic {
				all[strings.TrimPrefix(family.GetName(), "kafka_producer_")+" "+strings.Join(labels, " ")] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return all
}

// Records fail, and later the producer forgets their topic. Nothing has happened then, so no count grows, also none under "_other":
// an alert on failures would come a second time. When the topic is back, its counts go on.
func TestATopicThatIsForgottenFailsNoRecordAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kafka := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Topic("u", 1))
		cfg := producer.DefaultConfig(kafka.Bootstrap()...)
		cfg.DialContext, cfg.EnableMetricsPush = kafka.DialContext, false
		p, err := producer.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close(context.Background())
		registry := prometheus.NewRegistry()
		registry.MustRegister(New(p, Options{}))
		send := func(topic string) {
			p.SendFunc(t.Context(), producer.Record{Topic: topic, Value: []byte("v")}, nil)
			if err := p.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		round := func() {
			kafka.On(brokertest.Produce).Topic("t").Do(brokertest.Error(protocol.NotEnoughReplicas))
			send("t")
			kafka.On(brokertest.Produce).Topic("t").Do(brokertest.Error(protocol.InvalidRecord))
			send("t")
		}
		round()
		before := scraped(t, registry)
		if before["records_failed_total reason=INVALID_RECORD topic=t written=no"] != 1 || before["records_retried_total reason=NOT_ENOUGH_REPLICAS topic=t"] != 1 {
			t.Fatalf("before: %v, want a record that has failed and one that was sent again", before)
		}
		for range 3 {
			time.Sleep(cfg.MetadataMaxIdle)
			send("u")
		}
		if n := len(p.Metrics().Topics); n != 1 {
			t.Fatalf("the producer knows %d topics, want that it has forgotten one", n)
		}
		forgotten := scraped(t, registry)
		for name, n := range forgotten {
			if !strings.Contains(name, "topic=u") && n != before[name] {
				t.Errorf("%s is %v, and was %v", name, n, before[name])
			}
		}
		if _, there := forgotten["oldest_record_age_seconds topic=t"]; there {
			t.Error("the oldest record of a topic that is forgotten has an age")
		}
		round()
		for name, n := range scraped(t, registry) {
			if strings.Contains(name, "_total") && strings.Contains(name, "topic=t") && n != 2*before[name] {
				t.Errorf("%s is %v when the same has happened again, want %v", name, n, 2*before[name])
			}
		}
	})
}

// Of two scrapes at once the older reading may be dealt with later. That is no topic that was forgotten.
func TestAnOlderReadingCountsNothingAgain(t *testing.T) {
	at := func(second, n int64) producer.Metrics {
		r := producer.RecordMetrics{Acknowledged: n}
		return producer.Metrics{At: time.Unix(second, 0), Records: r, Topics: []producer.TopicMetrics{{Topic: "t", RecordMetrics: r}}}
	}
	r := &reading{at(2, 7)}
	registry := prometheus.NewRegistry()
	registry.MustRegister(New(r, Options{}))
	want := scraped(t, registry)
	r.m = at(1, 5)
	if got := scraped(t, registry); !maps.Equal(got, want) {
		t.Errorf("after the older reading: %v, want %v", got, want)
	}
	r.m = at(3, 9)
	if got := scraped(t, registry)["records_sent_total topic=t"]; got != 9 {
		t.Errorf("%v records, want 9", got)
	}
}

// A ticking is a producer whose every reading has more.
type ticking struct {
	mu sync.Mutex
	n  int64
}

func (s *ticking) Metrics() producer.Metrics {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	m := producer.Metrics{At: time.Unix(s.n, 0)}
	for i := range 10 {
		n := s.n * int64(i)
		m.Topics = append(m.Topics, producer.TopicMetrics{Topic: fmt.Sprint("t", i), RecordMetrics: producer.RecordMetrics{Acknowledged: n}})
		m.Records.Acknowledged += n
	}
	return m
}

// Scrapes at once have no count but those of some reading.
func TestScrapesAtOnce(t *testing.T) {
	source := &ticking{}
	registry := prometheus.NewRegistry()
	registry.MustRegister(New(source, Options{MaxTopics: 5}))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				if _, err := registry.Gather(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got := scraped(t, registry)
	for i := range 5 {
		if n, want := got[fmt.Sprint("records_sent_total topic=t", i)], float64(source.n*int64(i)); n != want {
			t.Errorf("topic %d: %v records after all, want %v", i, n, want)
		}
	}
	if n, want := got["records_sent_total topic=_other"], float64(source.n*(5+6+7+8+9)); n != want {
		t.Errorf("the others: %v records, want %v", n, want)
	}
}
