package producer_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// throttledBy starts a producer whose next answer to an API asks for quiet.
func throttledBy(t *testing.T, c *brokertest.Cluster, apiKey int16, times int, d time.Duration, change ...func(*producer.Config)) *producer.Producer {
	edit := func(key, version int16, frame []byte) []byte {
		if key != apiKey || times == 0 {
			return frame
		}
		times--
		return reworded(key, version, frame, func(resp protocol.Response) {
			switch m := resp.(type) {
			case *protocol.ProduceResponse:
				m.ThrottleTime = d
			case *protocol.MetadataResponse:
				m.ThrottleTime = d
			case *protocol.ApiVersionsResponse:
				m.ThrottleTime = d
			case *protocol.InitProducerIDResponse:
				m.ThrottleTime = d
			case *protocol.EndTxnResponse:
				m.ThrottleTime = d
			}
		})
	}
	return start(t, c, append([]func(*producer.Config){func(cfg *producer.Config) {
		cfg.DialContext = tamper(c, edit)
		cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.Linger = 5*time.Second, 40*time.Second, 0
	}}, change...)...)
}

// An answer that wants to be left alone for an hour is granted delivery.timeout, and then the broker is tried. What could
// not be sent in that time says so, and so do the log and Stats.
func TestAThrottlingOfAnHour(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var log bytes.Buffer
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2))
		p := throttledBy(t, c, brokertest.Produce, 1, time.Hour, func(cfg *producer.Config) {
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		warm(t, p, "t")
		begin := time.Now()
		release := make(chan struct{})
		c.On(brokertest.Produce).Do(brokertest.Pass().Held(release))
		first := p.Send(t.Context(), record("first"))
		synctest.Wait() // it is on its way
		waiting := p.Send(t.Context(), record("waits behind the first"))
		time.Sleep(time.Second)
		close(release)
		if _, err := first.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		time.Sleep(2 * time.Second) // a batch of its own
		later := p.Send(t.Context(), record("later"))

		_, err := waiting.Wait(t.Context())
		var throttled *producer.ThrottleError
		if !errors.Is(err, producer.ErrDeliveryTimeout) || !errors.As(err, &throttled) {
			t.Fatalf("got %v, want a delivery timeout because of a throttling", err)
		}
		if throttled.Broker != 1 || throttled.Asked != time.Hour || throttled.Granted != 40*time.Second || producer.MayBeWritten(err) {
			t.Errorf("got %+v (%v), want an hour of broker 1, 40 s granted, and certainly not written", throttled, err)
		}
		if !strings.Contains(err.Error(), "throttled: broker 1 at ") || !strings.Contains(err.Error(), "1h0m0s") {
			t.Errorf("the error does not tell who throttles, and for how long: %v", err)
		}
		if _, err := later.Wait(t.Context()); err != nil {
			t.Errorf("the broker was not tried after delivery.timeout: %v", err)
		}
		if took := time.Since(begin); took > 42*time.Second {
			t.Errorf("the broker was tried after %v, want 40 s", took)
		}
		send(t, p, record("and all is well"))
		if s := p.Stats(); s.Throttles != 1 || s.ThrottleTime != 40*time.Second {
			t.Errorf("Stats has %d throttles of %v, want 1 of 40 s", s.Throttles, s.ThrottleTime)
		}
		synctest.Wait() // the log has all
		if n := strings.Count(log.String(), `msg="broker throttles this client"`); n != 2 || !strings.Contains(log.String(), "asked=1h0m0s granted=40s") {
			t.Errorf("the log has it %d times, want it when it begins and after 30 s:\n%s", n, log.String())
		}
	})
}

// Whatever request it is whose answer throttles, and however often: records get through again.
func TestThrottlingsOfAnyRequest(t *testing.T) {
	for name, apiKey := range map[string]int16{
		"Produce": brokertest.Produce, "Metadata": brokertest.Metadata, "ApiVersions": brokertest.ApiVersions,
		"InitProducerId": brokertest.InitProducerID, "EndTxn": brokertest.EndTxn,
	} {
		for _, d := range []time.Duration{-time.Hour, time.Hour, 24 * 24 * time.Hour} {
			for _, times := range []int{1, 4} {
				t.Run(name+" "+d.String(), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
						p := throttledBy(t, c, apiKey, times, d, func(cfg *producer.Config) {
							cfg.MaxBlock = 10 * time.Minute
							if apiKey == brokertest.EndTxn {
								cfg.TransactionalID, cfg.TransactionTimeout = "id", 10*time.Minute
							}
						})
						begin := time.Now()
						one := func() error {
							if apiKey != brokertest.EndTxn {
								_, err := p.SendSync(t.Context(), record("x"))
								return err
							}
							return p.Transact(t.Context(), func(tx *producer.Tx) error {
								tx.Send(t.Context(), record("x"))
								return nil
							})
						}
						if apiKey == brokertest.EndTxn {
							if err := p.InitTransactions(t.Context()); err != nil {
								t.Fatal(err)
							}
						}
						for range times + 2 {
							if err := one(); err != nil && !errors.Is(err, producer.ErrDeliveryTimeout) {
								t.Errorf("after %v: %v", time.Since(begin), err)
							}
						}
						if err := one(); err != nil {
							t.Errorf("at last: %v", err)
						}
						if took := time.Since(begin); took > time.Duration(2*times+1)*40*time.Second || d < 0 && took > time.Second {
							t.Errorf("it took %v", took)
						}
					})
				})
			}
		}
	}
}

// One who waits for memory, or for a topic, is told that a broker throttles.
func TestAThrottlingIsToldToWhoWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := throttledBy(t, c, brokertest.Produce, 1, time.Minute, func(cfg *producer.Config) {
			cfg.MaxBlock, cfg.BufferMemory = 3*time.Second, 32<<10
		})
		send(t, p, record("first"))
		for p.TrySend(record(string(make([]byte, 1000))), nil) == nil {
		}
		_, err := p.Send(t.Context(), record(string(make([]byte, 3000)))).Wait(t.Context())
		var throttled *producer.ThrottleError
		if !errors.Is(err, producer.ErrBufferFull) || !errors.As(err, &throttled) || throttled.Asked != time.Minute {
			t.Errorf("got %v, want that memory is used up because a broker throttles", err)
		}
	})
}

// An answer to the first request of a connection can ask for quiet, too. Whoever waits for that is told, and so does Stats.
func TestAThrottledHandshakeIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		c.On(brokertest.ApiVersions).Do(asksForQuiet(time.Hour))
		throttled := wantThrottled(t, "Ping", p.Ping(within(t, 20*time.Second)))
		if throttled.Asked != time.Hour || throttled.Granted != 2*time.Minute {
			t.Errorf("got %+v, want an hour, and delivery.timeout of it granted", throttled)
		}
		_, err := p.SendSync(t.Context(), record("x"))
		wantThrottled(t, "SendSync", err)
		if s := p.Stats(); s.Throttles != 1 || s.ThrottleTime != 2*time.Minute {
			t.Errorf("Stats has %d throttles of %v, want one that lasts for delivery.timeout", s.Throttles, s.ThrottleTime)
		}
	})
}

// A throttling ends with its connection: who waits after that is told what stands in the way now.
func TestAThrottlingIsNoReasonAfterItsConnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Topic("v", 1), brokertest.Topic("u", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 10 * time.Second })
		c.On(brokertest.Metadata).Always().Do(asksForQuiet(time.Minute))
		for _, topic := range []string{"t", "v"} { // by the bootstrap server, and by the broker
			if _, err := p.Partitions(t.Context(), topic); err != nil {
				t.Fatal(err)
			}
		}
		_, err := p.Partitions(t.Context(), "u")
		wantThrottled(t, "Partitions", err)
		c.StopBroker(1)
		for what, err := range map[string]error{
			"Partitions": func() error { _, err := p.Partitions(t.Context(), "u"); return err }(),
			"Ping":       p.Ping(t.Context()),
			"SendSync":   func() error { _, err := p.SendSync(within(t, 5*time.Second), record("a")); return err }(),
		} {
			want(t, what, err, nil, syscall.ECONNREFUSED)
			if throttled := (*producer.ThrottleError)(nil); errors.As(err, &throttled) {
				t.Errorf("%s: %v, and the connection that was throttled is gone", what, err)
			}
		}
		_ = c.StartBroker(1)
	})
}

// asksForQuiet handles a request, and asks for so much quiet in the answer.
func asksForQuiet(d time.Duration) *brokertest.Action {
	return brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
		switch m := resp.(type) {
		case *protocol.ProduceResponse:
			m.ThrottleTime = d
		case *protocol.ApiVersionsResponse:
			m.ThrottleTime = d
		case *protocol.FindCoordinatorResponse:
			m.ThrottleTime = d
		case *protocol.InitProducerIDResponse:
			m.ThrottleTime = d
		case *protocol.TxnOffsetCommitResponse:
			m.ThrottleTime = d
		case *protocol.MetadataResponse:
			m.ThrottleTime = d
		case *protocol.AddPartitionsToTxnResponse:
			m.ThrottleTime = d
		case *protocol.EndTxnResponse:
			m.ThrottleTime = d
		}
	})
}

func wantThrottled(t *testing.T, what string, err error) *producer.ThrottleError {
	t.Helper()
	var throttled *producer.ThrottleError
	if !errors.As(err, &throttled) {
		t.Errorf("%s: got %v, want to be told of the throttling", what, err)
		return &producer.ThrottleError{}
	}
	return throttled
}

// Where everybody who could give a producer id wants quiet, the records that wait for it say so.
func TestAThrottlingIsToldToRecordsWithoutAProducerID(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		c.On(brokertest.InitProducerID).Times(2).Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
			r := resp.(*protocol.InitProducerIDResponse)
			r.ErrorCode, r.ProducerID, r.ThrottleTime = protocol.CoordinatorLoadInProgress, -1, 30*time.Second
		}))
		_, err := p.SendSync(within(t, 20*time.Second), record("x"))
		wantThrottled(t, "SendSync", err)
	})
}

// Whatever request of a transaction asks for a day of quiet, the calls that wait for that say so.
func TestAThrottlingIsToldInATransaction(t *testing.T) {
	day := 24 * time.Hour
	for name, apiKey := range map[string]int16{"FindCoordinator": brokertest.FindCoordinator, "ApiVersions": brokertest.ApiVersions} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				p := uninitialised(t, c)
				c.On(apiKey).Do(asksForQuiet(day))
				wantThrottled(t, "InitTransactions", p.InitTransactions(t.Context()))
			})
		})
	}
	t.Run("InitProducerId", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
			p := uninitialised(t, c)
			c.On(brokertest.InitProducerID).Do(asksForQuiet(day))
			if err := p.InitTransactions(t.Context()); err != nil {
				t.Fatal(err)
			}
			begin(t, p)
			wantThrottled(t, "SendOffsetsToTransaction", p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG))
		})
	})
	t.Run("TxnOffsetCommit", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
			cfg := producer.DefaultConfig(c.Bootstrap()...)
			cfg.DialContext, cfg.TransactionalID = c.DialContext, "tx"
			p, err := producer.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			c.On(brokertest.TxnOffsetCommit).Do(asksForQuiet(day))
			if err := p.InitTransactions(t.Context()); err != nil {
				t.Fatal(err)
			}
			begin(t, p)
			send(t, p, record("a"))
			if err := p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG); err != nil {
				t.Fatal(err)
			}
			wantThrottled(t, "CommitTransaction", p.CommitTransaction(within(t, 20*time.Second)))
			wantThrottled(t, "Close", p.Close(within(t, 20*time.Second)))
		})
	})
	t.Run("Produce", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
			p := transactional(t, c)
			begin(t, p)
			c.On(brokertest.Produce).Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
				resp.(*protocol.ProduceResponse).ThrottleTime = 30 * time.Second
			}))
			send(t, p, record("a"))
			p.Send(t.Context(), record("b"))
			wantThrottled(t, "CommitTransaction", p.CommitTransaction(within(t, 20*time.Second)))
		})
	})
}
