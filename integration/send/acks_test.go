package send_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/producer"
)

var everyAcks = []producer.Acks{producer.AcksNone, producer.AcksLeader, producer.AcksAll}

// TestAcks sends in every legal mix of acks, idempotence, keys and requests in flight.
func TestAcks(t *testing.T) {
	c := kafka.Shared(t)
	for _, acks := range everyAcks {
		for _, idempotent := range []bool{false, true} {
			for _, inFlight := range []int{1, 5} {
				for _, keyed := range []bool{false, true} {
					if idempotent && acks != producer.AcksAll {
						continue // New refuses it: see below
					}
					name := fmt.Sprintf("acks=%v,idempotent=%v,inflight=%d,keyed=%v", acks, idempotent, inFlight, keyed)
					t.Run(name, func(t *testing.T) {
						testAcks(t, c, keyed, func(cfg *producer.Config) {
							cfg.Acks, cfg.EnableIdempotence = acks, idempotent
							cfg.MaxInFlightRequestsPerConnection = inFlight
							cfg.BatchSize = 2000 // many requests
						})
					})
				}
			}
		}
	}
}

func testAcks(t *testing.T, c *kafka.Cluster, keyed bool, change func(*producer.Config)) {
	topic := newTopic(t, c, 3)
	awaitCount(t, c, topic, 0)
	p := start(t, c, change)
	cfg := settings(c, change)
	s := newSending(t, p)
	for n := range 2000 {
		rec := producer.Record{Topic: topic, Value: fmt.Append(nil, "value ", n)}
		if keyed {
			rec.Key = fmt.Append(nil, n%20)
		}
		s.send(rec)
	}
	s.flush()
	if cfg.Acks == producer.AcksNone {
		awaitCount(t, c, topic, int64(len(s.all)))
	}
	s.arrives(c, topic)

	for n, d := range s.all {
		if known := d.md.Offset >= 0; known != (cfg.Acks != producer.AcksNone) {
			t.Fatalf("record %d has offset %d with acks=%v", n, d.md.Offset, cfg.Acks)
		}
	}
	for partition, records := range read(t, c, topic) {
		for _, r := range records {
			if numbered := r.ProducerID >= 0; numbered != cfg.EnableIdempotence {
				t.Fatalf("%s-%d at %d was written under producer id %d", topic, partition, r.Offset, r.ProducerID)
			}
		}
	}
	if stats, n := p.Stats(), int64(len(s.all)); stats.Sent != n || stats.Acknowledged != n || stats.Failed != 0 || stats.InFlight != 0 || stats.BufferedBytes != 0 {
		t.Errorf("the counters are %+v, want %d sent and acknowledged, and nothing left", stats, n)
	}
}

// TestWhatIdempotenceRulesOut shows that settings which contradict idempotence are refused, every one of
// them by name, and never made to fit.
func TestWhatIdempotenceRulesOut(t *testing.T) {
	c := kafka.Shared(t)
	tests := []struct {
		name   string
		change func(*producer.Config)
		want   []string // fields
	}{
		{"acks=0", func(cfg *producer.Config) { cfg.Acks = producer.AcksNone }, []string{"Acks"}},
		{"acks=1", func(cfg *producer.Config) { cfg.Acks = producer.AcksLeader }, []string{"Acks"}},
		{"retries=0", func(cfg *producer.Config) { cfg.Retries = 0 }, []string{"Retries"}},
		{"6 in flight", func(cfg *producer.Config) { cfg.MaxInFlightRequestsPerConnection = 6 }, []string{"MaxInFlightRequestsPerConnection"}},
		{"all of them", func(cfg *producer.Config) {
			cfg.Acks, cfg.Retries, cfg.MaxInFlightRequestsPerConnection = producer.AcksLeader, 0, 6
		}, []string{"Acks", "Retries", "MaxInFlightRequestsPerConnection"}},
		{"acks=2", func(cfg *producer.Config) { cfg.Acks = 2 }, []string{"Acks"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := producer.New(settings(c, test.change))
			if err == nil {
				p.Close(t.Context())
				t.Fatal("New took it")
			}
			var got []string
			for _, v := range as[*producer.ConfigError](t, err).Violations {
				got = append(got, v.Field)
			}
			if strings.Join(got, " ") != strings.Join(test.want, " ") {
				t.Errorf("refused for %v, want %v", got, test.want)
			}
		})
	}
}
