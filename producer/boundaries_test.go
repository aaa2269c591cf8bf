package producer_test

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// boundaries are the ends of what each setting allows, as the documentation has it.
var boundaries = map[string][]string{
	"acks":                                  {"0", "1", "-1"},
	"retries":                               {"0", "1", "2147483647"},
	"delivery.timeout.ms":                   {"1", "2147483647"},
	"request.timeout.ms":                    {"1", "2147483647"},
	"max.in.flight.requests.per.connection": {"1", "2147483647"},
	"retry.backoff.ms":                      {"0", "1", "1000"}, // above, it is what it says: nothing is tried again
	"retry.backoff.max.ms":                  {"0", "1", "9223372036854775807"},
	"batch.size":                            {"0", "1", "2147483647"},
	"max.batch.bytes":                       {"1", "2147483647"},
	"linger.ms":                             {"0", "1", "2147483647"},
	"buffer.memory":                         {"1048576", "9223372036854775807"},
	"max.block.ms":                          {"0", "1", "9223372036854775807"},
	"max.request.size":                      {"1000", "2147483647"},
	"metadata.max.age.ms":                   {"0", "1", "9223372036854775807"},
	"metadata.max.idle.ms":                  {"5000", "9223372036854775807"},
	"metadata.recovery.rebootstrap.trigger.ms": {"0", "1", "9223372036854775807"},
	"unknown.topic.grace.ms":                   {"0", "1", "9223372036854775807"},
	"connections.max.idle.ms":                  {"-1", "1", "9223372036854775807"},
	"reconnect.backoff.ms":                     {"0", "1"},
	"reconnect.backoff.max.ms":                 {"50", "9223372036854775807"},
	"socket.connection.setup.timeout.ms":       {"1", "9223372036854775807"},
	"socket.connection.setup.timeout.max.ms":   {"10000", "9223372036854775807"},
	"partitioner.availability.timeout.ms":      {"0", "1", "9223372036854775807"},
	"transaction.timeout.ms":                   {"1", "900000"}, // the broker's transaction.max.timeout.ms
}

// Each setting at each end of what it allows leaves a producer that works: a second after it began, a record to a topic that
// is there is delivered, or fails at a bound that the setting is about, within time that is bounded; and so it is with
// transactions. Nothing hangs.
func TestSettingsAtTheirBounds(t *testing.T) {
	for key, values := range boundaries {
		for _, value := range values {
			for _, transactional := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s=%s transactional=%v", key, value, transactional), func(t *testing.T) {
					bubble(t, func(t *testing.T) { atBound(t, key, value, transactional) })
				})
			}
		}
	}
}

func atBound(t *testing.T, key, value string, transactional bool) {
	props := map[string]string{"bootstrap.servers": "192.0.2.1:9092", key: value}
	if transactional {
		props["transactional.id"] = "x"
	}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		switch { // what goes with it
		case key == "delivery.timeout.ms" && n == 1:
			props["linger.ms"], props["request.timeout.ms"] = "0", "1"
		case key == "request.timeout.ms" && n == math.MaxInt32, key == "linger.ms" && n == math.MaxInt32:
			props["delivery.timeout.ms"] = "2147483647"
		case key == "acks" && n != -1, key == "retries" && n == 0, key == "max.in.flight.requests.per.connection" && n > 5:
			props["enable.idempotence"] = "false"
		case key == "max.batch.bytes":
			props["batch.size"] = "1"
		case key == "retry.backoff.max.ms" && n < 100:
			props["retry.backoff.ms"] = value
		}
	}
	if transactional && (props["enable.idempotence"] == "false" || props["max.block.ms"] == "0") {
		return // the latter is TestTransactionsWithoutWaiting
	}
	cfg, _, err := producer.FromMap(props)
	if err != nil {
		t.Fatalf("%s=%s is refused: %v", key, value, err)
	}
	c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2))
	cfg.BootstrapServers, cfg.DialContext = c.Bootstrap(), c.DialContext
	p, err := producer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	delivered := false
	for try := 0; try < 5 && !delivered; try++ {
		if transactional {
			err = p.Transact(t.Context(), func(tx *producer.Tx) error {
				return <-result(func(done producer.Callback) { tx.SendFunc(t.Context(), record("v"), done) }, p)
			})
		} else {
			err = <-result(func(done producer.Callback) { p.SendFunc(t.Context(), record("v"), done) }, p)
		}
		delivered = err == nil
		time.Sleep(time.Second)
	}
	if !delivered {
		t.Errorf("nothing is delivered: %v", err)
	}
	if took := time.Since(began); took > 10*time.Minute {
		t.Errorf("it took %v", took)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// result sends, ends the linger, and returns the outcome.
func result(send func(done producer.Callback), p *producer.Producer) <-chan error {
	outcome := make(chan error, 1)
	send(func(_ producer.RecordMetadata, err error) { outcome <- err })
	go p.Flush(context.Background())
	return outcome
}

// With max.block=0 no call of transactions waits. What it began goes on, and the same call, made again, tells how it ended.
func TestTransactionsWithoutWaiting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Delay(5*time.Millisecond))
		p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID, cfg.MaxBlock = "x", 0 })
		until := func(what string, call func() error) {
			t.Helper()
			err := call()
			for try := 0; try < 20 && err != nil; try++ {
				time.Sleep(100 * time.Millisecond)
				err = call()
			}
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		until("InitTransactions", func() error { return p.InitTransactions(t.Context()) })
		until("Partitions", func() error { _, err := p.Partitions(t.Context(), "t"); return err })
		for range 3 {
			until("BeginTransaction", func() error { return p.BeginTransaction(t.Context()) })
			p.SendFunc(t.Context(), record("v"), nil)
			until("CommitTransaction", func() error { return p.CommitTransaction(t.Context()) })
		}
		time.Sleep(time.Second)
		if n := len(c.Committed("t", 0)); n != 3 {
			t.Errorf("%d records are committed, want 3", n)
		}
	})
}
