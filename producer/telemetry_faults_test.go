package producer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Whatever becomes of requests about metrics, records do not wait, and none fails. The log is told little.
func TestRecordsDoNotFeelWhatGoesWrongWithMetrics(t *testing.T) {
	for name, action := range map[string]*brokertest.Action{
		"no answer":              brokertest.HandleThenSwallow(),
		"hung up on":             brokertest.Drop(),
		"reset":                  brokertest.Reset(),
		"late":                   brokertest.Pass().Delayed(20 * time.Second),
		"throttled for a minute": brokertest.Throttled(time.Minute),
		"garbage":                brokertest.Garbage([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")),
		"invalid":                brokertest.Error(protocol.InvalidRequest),
		"too large":              brokertest.Error(protocol.TelemetryTooLarge),
		"unknown":                brokertest.Error(protocol.UnknownSubscriptionID),
		"quota":                  brokertest.Error(protocol.ThrottlingQuotaExceeded),
	} {
		for _, api := range []int16{brokertest.GetTelemetrySubscriptions, brokertest.PushTelemetry} {
			for _, brokers := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s to %d at %d", name, api, brokers), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						c := wants(t, 10*time.Second, brokertest.Brokers(brokers), brokertest.Topic("u", 6))
						c.On(api).Always().Do(action)
						j := newJournal()
						p := start(t, c, j.logs)
						began := time.Now()
						for i := 0; time.Since(began) < 10*time.Minute; i++ {
							sent := time.Now()
							send(t, p, record("x"))
							send(t, p, producer.Record{Topic: "u", Key: fmt.Append(nil, i), Value: []byte("x")})
							if took := time.Since(sent); took > 0 {
								t.Fatalf("records took %v after %v", took, time.Since(began))
							}
							time.Sleep(time.Second)
						}
						if n := askedAboutMetrics(c); n == 0 || n > 130 { // two an interval
							t.Errorf("%d requests about metrics in 10 minutes", n)
						}
						if s := p.Stats(); s.Failed > 0 || s.Retried > 0 {
							t.Errorf("%d records failed, and %d were sent again", s.Failed, s.Retried)
						}
						j.few(t, 80)
					})
				})
			}
		}
	}
}

// A broker that refuses metrics for good is not asked again, and the log says so once.
func TestMetricsRefusedForGood(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := wants(t, time.Second)
		c.On(brokertest.PushTelemetry).Do(brokertest.Error(protocol.InvalidRecord))
		j := newJournal()
		p := start(t, c, j.logs)
		for range 60 {
			send(t, p, record("x"))
			time.Sleep(time.Minute)
		}
		if err := closeWithin(p, time.Minute); err != nil {
			t.Error(err)
		}
		if gets, pushes := c.Count(brokertest.GetTelemetrySubscriptions), c.Count(brokertest.PushTelemetry); gets != 1 || pushes != 1 {
			t.Errorf("%d subscriptions and %d pushes, want one of each", gets, pushes)
		}
		if l := j.one(t, slog.LevelWarn, "metrics cannot be pushed"); !strings.Contains(l.word("err"), "INVALID_RECORD") {
			t.Errorf("the log does not say why: %v", l)
		}
	})
}

// A last push that has no answer is given up after a second, or when ctx ends: Close has no error for it.
func TestCloseDoesNotWaitLongForTheLastPush(t *testing.T) {
	for name, test := range map[string]struct {
		within time.Duration
		want   time.Duration
	}{"a minute": {time.Minute, time.Second}, "half a second": {500 * time.Millisecond, 500 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := wants(t, 10*time.Second)
				p := start(t, c)
				send(t, p, record("x"))
				time.Sleep(20 * time.Second)
				c.On(brokertest.PushTelemetry).Always().Do(brokertest.Swallow())
				began := time.Now()
				if err := closeWithin(p, test.within); err != nil {
					t.Errorf("Close: %v", err)
				}
				if took := time.Since(began); took != test.want {
					t.Errorf("Close took %v, want %v", took, test.want)
				}
			})
		})
	}
}

// A last push is not waited for where there is none to be made: without a subscription, and when ctx has ended.
func TestCloseWithoutALastPush(t *testing.T) {
	for name, test := range map[string]struct {
		wanted string
		ctx    func() context.Context
	}{
		"nothing is wanted": {"", context.Background},
		"ctx has ended": {"*", func() context.Context {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return ctx
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := wants(t, 10*time.Second)
				if test.wanted == "" {
					c.SubscribeMetrics(brokertest.MetricsSubscription{})
				}
				p := start(t, c)
				send(t, p, record("x"))
				time.Sleep(30 * time.Second)
				pushes, began := c.Count(brokertest.PushTelemetry), time.Now()
				_ = p.Close(test.ctx())
				if took := time.Since(began); took > 0 {
					t.Errorf("Close took %v", took)
				}
				if n := c.Count(brokertest.PushTelemetry); n != pushes {
					t.Errorf("%d pushes came with Close", n-pushes)
				}
			})
		})
	}
}

// ClientInstanceID connects if nobody is connected, does not wait for the pause before the first subscription, and is the same
// for ever.
func TestTheInstanceID(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := wants(t, 10*time.Second, brokertest.Brokers(2))
		p := start(t, c)
		began := time.Now()
		id, err := p.ClientInstanceID(t.Context())
		if err != nil || id == (protocol.UUID{}) {
			t.Fatalf("got %v, %v", id, err)
		}
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		for _, stopped := range []int32{1, 2} {
			c.StopBroker(stopped)
			time.Sleep(10 * time.Minute)
			if err := c.StartBroker(stopped); err != nil {
				t.Fatal(err)
			}
			send(t, p, record("x"))
			time.Sleep(time.Minute)
			if again, err := p.ClientInstanceID(t.Context()); err != nil || again != id {
				t.Errorf("after broker %d was gone: %v, %v, want %v", stopped, again, err, id)
			}
		}
		for _, push := range c.MetricsPushes() {
			if push.ClientInstanceID != id {
				t.Errorf("a push is by %v, want %v", push.ClientInstanceID, id)
			}
		}
	})
}

// Where there is none to be had, ClientInstanceID says why, as soon as it is known.
func TestNoInstanceID(t *testing.T) {
	ask := func(t *testing.T, p *producer.Producer, want error, atOnce bool) error {
		t.Helper()
		began := time.Now()
		id, err := p.ClientInstanceID(endsIn(t, 30*time.Second))
		if id != (protocol.UUID{}) || !errors.Is(err, want) {
			t.Errorf("got %v, %v, want %v", id, err, want)
		}
		if took := time.Since(began); atOnce && took > time.Second {
			t.Errorf("it took %v to say so", took)
		}
		return err
	}
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory())
		ask(t, start(t, c), producer.ErrNoTelemetry, true)
		ask(t, start(t, c, func(cfg *producer.Config) { cfg.EnableMetricsPush = false }), producer.ErrTelemetryOff, true)

		c = wants(t, time.Second)
		c.On(brokertest.GetTelemetrySubscriptions).Do(brokertest.Error(protocol.InvalidRequest))
		ask(t, start(t, c), protocol.InvalidRequest, true)

		p := start(t, c)
		c.On(brokertest.GetTelemetrySubscriptions).Always().Do(brokertest.Swallow())
		go closeWithin(p, time.Minute) // while the next call waits, or before
		ask(t, p, producer.ErrClosed, true)
		ask(t, p, producer.ErrClosed, true)

		c.StopBroker(1)
		err := ask(t, start(t, c), context.DeadlineExceeded, false)
		if !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("the error does not say what was in the way: %v", err)
		}
		ask(t, start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Second }), producer.ErrMaxBlock, false)
	})
}

// Commits do not wait behind a push whose answer is late, where there is a connection to anybody but the coordinator.
func TestTransactionsDoNotWaitBehindPushes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := wants(t, 10*time.Second, brokertest.Brokers(3))
		p := start(t, c, func(cfg *producer.Config) { cfg.TransactionalID = "id" })
		if err := p.InitTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c.On(brokertest.PushTelemetry).Always().Do(brokertest.Pass().Delayed(20 * time.Second))
		began := time.Now()
		for time.Since(began) < 5*time.Minute {
			at := time.Now()
			if err := p.Transact(t.Context(), func(tx *producer.Tx) error {
				tx.Send(t.Context(), record("x"))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(at); took > 0 {
				t.Fatalf("a transaction took %v after %v", took, time.Since(began))
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := c.Count(brokertest.PushTelemetry); n < 5 {
			t.Errorf("%d pushes, want some", n)
		}
	})
}
