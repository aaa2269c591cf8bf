package producer_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// want checks that err says all of texts and matches all of targets.
func want(t *testing.T, what string, err error, texts []string, targets ...error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %q does not say %q", what, err, text)
		}
	}
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("%s: %q does not match %v", what, err, target)
		}
	}
}

func endsIn(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// Whoever waits in vain is told for what: which partition, which broker, and its last failure. So it is with SendSync,
// Wait, Flush, Send for want of memory, and Close, each time for every kind of trouble.
func TestTheEndOfAWaitTellsWhatStoodInItsWay(t *testing.T) {
	for name, trouble := range map[string]struct {
		begins func(c *brokertest.Cluster)
		texts  []string
		target error
		api    string
		stage  producer.Stage
	}{
		"the broker is down": {
			begins: func(c *brokertest.Cluster) { c.StopBroker(1) },
			texts:  []string{"t-0", "broker 1 at "},
			target: syscall.ECONNREFUSED, stage: producer.StageDial,
		},
		"the broker is silent": {
			begins: func(c *brokertest.Cluster) { c.On(brokertest.Produce).Always().Do(brokertest.Swallow()) },
			texts:  []string{"t-0", "no answer yet from broker 1 at "},
		},
		"the broker refuses": {
			begins: func(c *brokertest.Cluster) {
				c.On(brokertest.Produce).Always().Do(brokertest.Error(protocol.NotEnoughReplicas))
			},
			texts:  []string{"t-0", "broker 1 at ", "Produce", "NOT_ENOUGH_REPLICAS"},
			target: protocol.NotEnoughReplicas, stage: producer.StageRequest, api: "Produce",
		},
		"the broker hangs up": {
			begins: func(c *brokertest.Cluster) { c.On(brokertest.Produce).Always().Do(brokertest.Drop()) },
			texts:  []string{"t-0", "broker 1 at ", "Produce"},
			target: wire.ErrClosed, stage: producer.StageRequest, api: "Produce",
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				cfg := producer.DefaultConfig(c.Bootstrap()...)
				cfg.DialContext, cfg.BufferMemory, cfg.BatchSize = c.DialContext, 64<<10, 1000
				p, err := producer.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				warm(t, p, "t")
				trouble.begins(c)
				check := func(what string, err error, targets ...error) {
					t.Helper()
					if trouble.target != nil {
						targets = append(targets, trouble.target)
					}
					want(t, what, err, trouble.texts, targets...)
					var at *producer.BrokerError
					if trouble.stage != 0 && (!errors.As(err, &at) || at.Broker != 1 || at.Stage != trouble.stage || at.API != trouble.api) {
						t.Errorf("%s: %q leads to %+v, want broker 1, stage %v, request %q", what, err, at, trouble.stage, trouble.api)
					}
				}
				_, err = p.SendSync(endsIn(t, 5*time.Second), record("a"))
				check("SendSync", err, producer.ErrOutcomeUnknown, context.DeadlineExceeded)
				if !producer.MayBeWritten(err) {
					t.Errorf("SendSync: %q says that the record is not in the log, which nobody knows", err)
				}
				boom := errors.New("boom")
				ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, boom)
				defer cancel()
				_, err = p.Send(t.Context(), record("b")).Wait(ctx)
				check("Wait", err, producer.ErrOutcomeUnknown, context.DeadlineExceeded, boom)
				check("Flush", p.Flush(endsIn(t, 5*time.Second)), context.DeadlineExceeded)
				for i := 0; ; i++ { // until there is no memory left
					if _, err := p.Send(endsIn(t, 5*time.Second), record(strings.Repeat("c", 1000))).Wait(endsIn(t, time.Nanosecond)); !errors.Is(err, producer.ErrOutcomeUnknown) {
						check("Send without memory", err, producer.ErrBufferFull, context.DeadlineExceeded)
						break
					}
				}
				late := p.Send(endsIn(t, time.Minute), record("d"))
				check("Close", p.Close(endsIn(t, 5*time.Second)), context.DeadlineExceeded)
				if _, err := late.Wait(t.Context()); errors.Is(err, producer.ErrBufferFull) {
					return
				} else {
					check("a record that Close has failed", err, producer.ErrClosed)
				}
			})
		})
	}
}

// The look-up of a topic that brokers cannot answer ends with what they did answer.
func TestTheEndOfALookUpTellsTheLastCode(t *testing.T) {
	all := func(code protocol.ErrorCode) func(*protocol.MetadataResponse) {
		return func(resp *protocol.MetadataResponse) {
			for i := range resp.Topics {
				resp.Topics[i].ErrorCode = code
			}
		}
	}
	for name, test := range map[string]struct {
		edit   func(*protocol.MetadataResponse)
		texts  []string
		target error
	}{
		"all of it refused": {func(resp *protocol.MetadataResponse) { resp.ErrorCode = protocol.UnsupportedVersion }, []string{"Metadata", "UNSUPPORTED_VERSION"}, protocol.UnsupportedVersion},
		"no brokers":        {func(resp *protocol.MetadataResponse) { resp.Brokers = nil }, []string{"Metadata", "no broker"}, nil},
		"the topic refused": {all(protocol.CoordinatorNotAvailable), []string{"broker 1 at ", "COORDINATOR_NOT_AVAILABLE"}, protocol.CoordinatorNotAvailable},
		"the topic missing": {func(resp *protocol.MetadataResponse) { resp.Topics = nil }, []string{"broker 1 at ", "leaves it out"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				c.On(brokertest.Metadata).Always().Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
					test.edit(resp.(*protocol.MetadataResponse))
				}))
				p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 4 * time.Second })
				for range 3 {
					_, err := p.SendSync(t.Context(), record("x"))
					want(t, name, err, test.texts, producer.ErrMaxBlock)
					if test.target != nil {
						want(t, name, err, nil, test.target)
					}
					if errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%q matches context.DeadlineExceeded, and no context has ended", err)
					}
				}
			})
		})
	}
}

// A partition without a leader is not one whose leader has moved.
func TestWithoutALeaderThatIsSaid(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.DeliveryTimeout, cfg.RequestTimeout = 10*time.Second, 5*time.Second })
		warm(t, p, "t")
		if err := c.MoveLeader("t", 0, -1); err != nil {
			t.Fatal(err)
		}
		_, err := p.SendSync(t.Context(), record("a"))
		want(t, "a record for it", err, []string{"has no leader"}, protocol.LeaderNotAvailable, producer.ErrDeliveryTimeout)
	})
}

// Whatever a context ends with, its own error and its cause both match, wherever a call notices.
func TestAContextsErrorAndItsCauseBothMatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.BufferMemory, cfg.BatchSize = 64<<10, 1000 })
		boom := errors.New("boom")
		ended, cancel := context.WithCancelCause(t.Context())
		cancel(boom)
		soon := func() context.Context {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(boom) })
			return ctx
		}
		metadata := c.On(brokertest.Metadata).Always().Do(brokertest.Swallow())
		_, err := p.Partitions(soon(), "t")
		want(t, "Partitions", err, nil, context.Canceled, boom)
		_, err = p.SendSync(soon(), record("a"))
		want(t, "Send of an unknown topic", err, nil, context.Canceled, boom)
		metadata.Stop()
		warm(t, p, "t")
		_, err = p.SendSync(ended, record("a"))
		want(t, "Send with an ended context", err, nil, context.Canceled, boom)
		silent := c.On(brokertest.Produce).Always().Do(brokertest.Swallow())
		_, err = p.Send(t.Context(), record("a")).Wait(soon())
		want(t, "Wait", err, nil, context.Canceled, boom)
		want(t, "Flush", p.Flush(soon()), nil, context.Canceled, boom)
		for err = nil; err == nil; {
			p.SendFunc(soon(), record(strings.Repeat("c", 1000)), func(_ producer.RecordMetadata, e error) { err = e })
		}
		want(t, "Send without memory", err, nil, context.Canceled, boom, producer.ErrBufferFull)
		silent.Stop()
	})
}
