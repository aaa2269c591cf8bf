package producer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// patience is delivery.timeout, which bounds Close.
const patience = 7 * time.Second

func bounded(cfg *producer.Config) {
	cfg.Linger, cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.MaxBlock = 0, 3*time.Second, patience, 2*time.Second
}

// closeForever closes p with a context that does not end in any time that counts, and demands that it returns within
// delivery.timeout all the same.
func closeForever(t *testing.T, p *producer.Producer) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	at := time.Now()
	err := p.Close(ctx)
	if took := time.Since(at); took > patience+10*time.Millisecond {
		t.Errorf("Close took %v, want delivery.timeout (%v) at most", took, patience)
	}
	return err
}

// outages are the ways in which a cluster can be gone.
var outages = map[string]func(c *brokertest.Cluster){
	"away":   func(c *brokertest.Cluster) { c.StopBroker(1) },
	"frozen": func(c *brokertest.Cluster) { c.Pause(1) },
	"the coordinator is loading for ever": func(c *brokertest.Cluster) {
		for _, api := range []int16{brokertest.EndTxn, brokertest.InitProducerID, brokertest.AddPartitionsToTxn} {
			c.On(api).Always().Do(brokertest.Error(protocol.CoordinatorLoadInProgress))
		}
	},
	"the coordinator is never found": func(c *brokertest.Cluster) {
		c.On(brokertest.EndTxn).Always().Do(brokertest.Error(protocol.NotCoordinator))
		c.On(brokertest.FindCoordinator).Always().Do(brokertest.Error(protocol.CoordinatorNotAvailable))
	},
	"the transaction before is never completed": func(c *brokertest.Cluster) {
		for _, api := range []int16{brokertest.EndTxn, brokertest.InitProducerID, brokertest.AddPartitionsToTxn} {
			c.On(api).Always().Do(brokertest.Error(protocol.ConcurrentTransactions))
		}
	},
}

// Close ends whatever the cluster does, though nobody bounds it: a process that shuts down must come to its end. What it
// could not end it says, and the coordinator ends it.
func TestCloseEndsWithoutTheCluster(t *testing.T) {
	for name, outage := range outages {
		for _, way := range []string{"open", "a commit was given up", "an abort was given up", "a commit is awaited"} {
			t.Run(name+"/"+way, func(t *testing.T) {
				inEachProtocol(t, func(t *testing.T, s speech) {
					c := s.cluster(t)
					p := transactional(t, c, bounded)
					begin(t, p)
					send(t, p, record("a"))
					outage(c)
					var said <-chan error
					switch way {
					case "a commit was given up":
						wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), unknownRetry)
					case "an abort was given up":
						wantTold(t, "AbortTransaction", p.AbortTransaction(t.Context()), abortedRetry)
					case "a commit is awaited":
						said = committing(t, p)
					}
					err := closeForever(t, p)
					want := abortedNew
					if strings.Contains(way, "commit") && told(err) != abortedNew { // it is, if EndTxn was never written
						want = unknownNew
					}
					wantTold(t, "Close", err, want)
					if !errors.Is(err, producer.ErrClosed) || want == abortedNew && !strings.Contains(err.Error(), "transaction.timeout.ms (1m0s)") {
						t.Errorf("Close says %v, want what becomes of the transaction", err)
					}
					if said != nil {
						<-said
					}
					if n := p.Stats().BufferedBytes; n != 0 {
						t.Errorf("%d bytes are reserved, want 0", n)
					}
					wantClosed(t, p)
					c.Resume(1)
					_ = c.StartBroker(1)
					honest(t, c, way != "open" && way != "an abort was given up", err)
				})
			})
		}
	}
}

// The same with a new epoch that BeginTransaction waits for, and with records on their way.
func TestCloseEndsThoughNoEpochComes(t *testing.T) {
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := speeches[1].cluster(t)
				p := transactional(t, c, bounded, func(cfg *producer.Config) { cfg.MetadataMaxAge = time.Second })
				transaction(t, p, "a")
				if err := c.SetFeature("transaction.version", 2); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
				outage(c)
				said := make(chan error, 1)
				go func() { said <- p.BeginTransaction(context.Background()) }()
				synctest.Wait()
				_ = closeForever(t, p)
				<-said
				wantClosed(t, p)
			})
		})
	}
}

// Every other wait is bounded by a setting, too, though its context never ends.
func TestCallsEndWithoutTheCluster(t *testing.T) {
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			inEachProtocol(t, func(t *testing.T, s speech) {
				c := s.cluster(t)
				p := transactional(t, c, bounded)
				begin(t, p)
				send(t, p, record("a"))
				outage(c)
				within := func(what string, d time.Duration, call func(context.Context) error) {
					t.Helper()
					at := time.Now()
					err := call(context.Background())
					if took := time.Since(at); took > d+10*time.Millisecond {
						t.Errorf("%s took %v, want %v at most: %v", what, took, d, err)
					}
				}
				p.Send(t.Context(), record("b"))
				within("Flush", patience, p.Flush)
				within("CommitTransaction", 2*time.Second, p.CommitTransaction)
				within("AbortTransaction", 2*time.Second, p.AbortTransaction)
				within("BeginTransaction", 2*time.Second, p.BeginTransaction)
				within("Transact", 4*time.Second, func(ctx context.Context) error {
					return p.Transact(ctx, func(*producer.Tx) error { return errors.New("no") })
				})
				fresh := uninitialised(t, c, bounded)
				if !strings.HasPrefix(name, "the transaction") {
					within("InitTransactions", 2*time.Second, fresh.InitTransactions)
				}
				_ = closeForever(t, fresh)
				_ = closeForever(t, p)
			})
		})
	}
}
