package producer_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A waitingCall is a call that waits for an answer to a request.
type waitingCall struct {
	name string
	api  int16
	code protocol.ErrorCode // which the request may be refused with, again and again
	// prepare does what has to come before; it returns the call.
	prepare func(t *testing.T, c *brokertest.Cluster) func(context.Context) error
}

func plain(t *testing.T, c *brokertest.Cluster) *producer.Producer {
	t.Helper()
	return start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Hour })
}

func inTx(t *testing.T, c *brokertest.Cluster) *producer.Producer {
	t.Helper()
	p := transactional(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Hour })
	begin(t, p)
	send(t, p, record("a"))
	return p
}

// connected is a producer that has been told where topic t is, and has no producer id yet.
func connected(t *testing.T, c *brokertest.Cluster) *producer.Producer {
	t.Helper()
	held := c.On(brokertest.InitProducerID).Always().Do(brokertest.Error(protocol.CoordinatorLoadInProgress))
	p := plain(t, c)
	if _, err := p.Partitions(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(held.Stop)
	held.Stop()
	return p
}

var waitingCalls = []waitingCall{
	{"Send of a topic that is not known", brokertest.Metadata, protocol.LeaderNotAvailable, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := plain(t, c)
		warm(t, p, "u")
		return func(ctx context.Context) error { _, err := p.SendSync(ctx, record("a")); return err }
	}},
	{"Partitions", brokertest.Metadata, protocol.LeaderNotAvailable, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := plain(t, c)
		warm(t, p, "u")
		return func(ctx context.Context) error { _, err := p.Partitions(ctx, "t"); return err }
	}},
	{"LoadTopics", brokertest.Metadata, protocol.LeaderNotAvailable, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := plain(t, c)
		warm(t, p, "u")
		return func(ctx context.Context) error { return p.LoadTopics(ctx, "t") }
	}},
	{"Ping", brokertest.Metadata, protocol.NoError, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := plain(t, c)
		warm(t, p, "u")
		return p.Ping
	}},
	{"SendSync", brokertest.Produce, protocol.NotEnoughReplicas, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := plain(t, c)
		warm(t, p, "t")
		return func(ctx context.Context) error { _, err := p.SendSync(ctx, record("a")); return err }
	}},
	{"Flush", brokertest.Produce, protocol.NotEnoughReplicas, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := plain(t, c)
		warm(t, p, "t")
		return func(ctx context.Context) error { p.Send(ctx, record("a")); return p.Flush(ctx) }
	}},
	{"Close", brokertest.Produce, protocol.NotEnoughReplicas, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := plain(t, c)
		warm(t, p, "t")
		return func(ctx context.Context) error { p.Send(ctx, record("a")); return p.Close(ctx) }
	}},
	{"SendSync without a producer id", brokertest.InitProducerID, protocol.CoordinatorLoadInProgress, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := connected(t, c)
		return func(ctx context.Context) error { _, err := p.SendSync(ctx, record("a")); return err }
	}},
	{"Flush without a producer id", brokertest.InitProducerID, protocol.CoordinatorNotAvailable, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := connected(t, c)
		return func(ctx context.Context) error { p.Send(ctx, record("a")); return p.Flush(ctx) }
	}},
	{"Close without a producer id", brokertest.InitProducerID, protocol.CoordinatorNotAvailable, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := connected(t, c)
		return func(ctx context.Context) error { p.Send(ctx, record("a")); return p.Close(ctx) }
	}},
	{"InitTransactions", brokertest.InitProducerID, protocol.CoordinatorLoadInProgress, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		return uninitialised(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Hour }).InitTransactions
	}},
	{"InitTransactions, without a coordinator", brokertest.FindCoordinator, protocol.CoordinatorNotAvailable, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		return uninitialised(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Hour }).InitTransactions
	}},
	{"Transact", brokertest.InitProducerID, protocol.CoordinatorLoadInProgress, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := uninitialised(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Hour })
		return func(ctx context.Context) error { return p.Transact(ctx, func(*producer.Tx) error { return nil }) }
	}},
	{"BeginTransaction", brokertest.InitProducerID, protocol.CoordinatorLoadInProgress, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		if err := c.SetFeature("transaction.version", 1); err != nil {
			t.Fatal(err)
		}
		p := transactional(t, c, func(cfg *producer.Config) { cfg.MaxBlock, cfg.MetadataMaxAge = time.Hour, time.Second })
		transaction(t, p, "a")
		if err := c.SetFeature("transaction.version", 2); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		return p.BeginTransaction
	}},
	{"SendOffsetsToTransaction", brokertest.TxnOffsetCommit, protocol.CoordinatorLoadInProgress, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := inTx(t, c)
		return func(ctx context.Context) error { return p.SendOffsetsToTransaction(ctx, offsets(1), groupG) }
	}},
	{"CommitTransaction", brokertest.EndTxn, protocol.CoordinatorLoadInProgress, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		return inTx(t, c).CommitTransaction
	}},
	{"AbortTransaction", brokertest.EndTxn, protocol.CoordinatorLoadInProgress, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		return inTx(t, c).AbortTransaction
	}},
	{"CommitTransaction that waits for a record", brokertest.Produce, protocol.NotEnoughReplicas, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := inTx(t, c)
		return func(ctx context.Context) error {
			p.Send(ctx, record("b"))
			return p.CommitTransaction(ctx)
		}
	}},
	{"AbortTransaction that waits for an answer", brokertest.Produce, protocol.NoError, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := inTx(t, c)
		return func(ctx context.Context) error {
			p.Send(ctx, record("b"))
			time.Sleep(time.Second)
			return p.AbortTransaction(ctx)
		}
	}},
	{"Transact that waits for a record", brokertest.Produce, protocol.NotEnoughReplicas, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		p := transactional(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Hour })
		warm(t, p, "t")
		return func(ctx context.Context) error {
			return p.Transact(ctx, func(tx *producer.Tx) error { tx.Send(ctx, record("b")); return nil })
		}
	}},
	{"CommitTransaction that waits for a partition", brokertest.AddPartitionsToTxn, protocol.CoordinatorLoadInProgress, func(t *testing.T, c *brokertest.Cluster) func(context.Context) error {
		if err := c.SetFeature("transaction.version", 1); err != nil {
			t.Fatal(err)
		}
		p := transactional(t, c, func(cfg *producer.Config) { cfg.MaxBlock = time.Hour })
		warm(t, p, "t")
		begin(t, p)
		return func(ctx context.Context) error {
			p.Send(ctx, record("b"))
			return p.CommitTransaction(ctx)
		}
	}},
}

// Whichever call waits in vain, and whatever it waits for: its error has the end of its context, with the cause, and what stood
// in the way, with the broker, and the request and its code if there are any.
func TestEveryCallThatWaitsInVainSaysForWhat(t *testing.T) {
	const addr = "192.0.2.1:9092"
	for name, trouble := range map[string]struct {
		begins func(c *brokertest.Cluster, call *waitingCall)
		wants  func(call *waitingCall) (texts []string, targets []error)
	}{
		"frozen": {
			func(c *brokertest.Cluster, _ *waitingCall) { c.Pause(1) },
			func(call *waitingCall) ([]string, []error) { return nil, nil },
		},
		"silent": {
			func(c *brokertest.Cluster, call *waitingCall) { c.On(call.api).Always().Do(brokertest.Swallow()) },
			func(call *waitingCall) ([]string, []error) { return []string{"no answer yet"}, nil },
		},
		"hangs up": {
			func(c *brokertest.Cluster, call *waitingCall) { c.On(call.api).Always().Do(brokertest.Drop()) },
			func(call *waitingCall) ([]string, []error) { return []string{apiNames[call.api]}, []error{io.EOF} },
		},
		"hangs up at once": {
			func(c *brokertest.Cluster, call *waitingCall) {
				c.On(brokertest.ApiVersions).Always().Do(brokertest.Drop())
				c.CutConnections(1, false)
			},
			func(call *waitingCall) ([]string, []error) { return []string{"ApiVersions"}, []error{io.EOF} },
		},
		"refuses": {
			func(c *brokertest.Cluster, call *waitingCall) {
				c.On(call.api).Always().Do(brokertest.Error(call.code))
			},
			func(call *waitingCall) ([]string, []error) { return []string{call.code.Name()}, []error{call.code} },
		},
		"away": {
			func(c *brokertest.Cluster, call *waitingCall) { c.StopBroker(1) },
			func(call *waitingCall) ([]string, []error) { return []string{"dial"}, []error{syscall.ECONNREFUSED} },
		},
	} {
		for i := range waitingCalls {
			call := &waitingCalls[i]
			if name == "refuses" && call.code == protocol.NoError || name != "frozen" && name != "silent" && strings.HasSuffix(call.name, "an answer") {
				continue
			}
			if name == "silent" && call.name == "BeginTransaction" {
				continue // it shares its connection with Metadata, which is answered: that is no silence
			}
			t.Run(name+"/"+call.name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := speeches[0].cluster(t, brokertest.Topic("u", 1))
					do := call.prepare(t, c)
					trouble.begins(c, call)
					ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, errShift)
					defer cancel()
					err := do(ctx)
					texts, targets := trouble.wants(call)
					if !strings.HasPrefix(call.name, "Ping") || name == "frozen" || name == "silent" {
						targets = append(targets, context.DeadlineExceeded, errShift)
					}
					want(t, call.name, err, append(texts, addr), targets...)
					if err != nil && (strings.Count(err.Error(), "broker 1 at "+addr) > 1 || strings.Count(err.Error(), "server "+addr) > 1) {
						t.Errorf("%s: %q names the broker again and again", call.name, err)
					}
					if strings.HasPrefix(call.name, "Transact") {
						if failure := (*producer.TransactionError)(nil); !errors.As(err, &failure) {
							t.Errorf("%s: %q is no TransactionError", call.name, err)
						}
					}
					c.ClearFaults()
					c.Resume(1)
					_ = c.StartBroker(1)
				})
			})
		}
	}
}

var apiNames = map[int16]string{
	brokertest.Metadata: "Metadata", brokertest.Produce: "Produce", brokertest.InitProducerID: "InitProducerId",
	brokertest.FindCoordinator: "FindCoordinator", brokertest.TxnOffsetCommit: "TxnOffsetCommit", brokertest.EndTxn: "EndTxn",
	brokertest.AddPartitionsToTxn: "AddPartitionsToTxn",
}
