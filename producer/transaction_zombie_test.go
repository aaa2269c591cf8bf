package producer_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// deliverLate sends a request of a producer's once more, over a connection of its own, as a network does that has kept it.
func deliverLate(t *testing.T, c *brokertest.Cluster, r *brokertest.Request) {
	t.Helper()
	closed := make(chan struct{})
	conn, err := wire.Dial(t.Context(), &wire.Config{SoftwareName: "late", SoftwareVersion: "1", DialContext: c.DialContext, MaxInFlight: 1, RequestTimeout: time.Minute},
		wire.Peer{Addr: c.Bootstrap()[r.Broker-1], NodeID: r.Broker}, func(*wire.Conn, error) { close(closed) })
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	conn.Send(&wire.Call{
		Request: r.Message, Response: r.Message.(interface{ NewResponse() protocol.Response }).NewResponse(), MaxVersion: r.Version,
		Done: func(*wire.Call) { close(done) },
	})
	<-done
	conn.Close(nil)
	<-closed
}

// The network keeps a request, its producer asks again over another connection, and the first comes only in the middle of a
// later transaction. In the old protocol an epoch has many transactions, and EndTxn would end that one in its middle
// (KAFKA-17754). So after a request without an answer the next transaction has another epoch.
func TestARequestComesInALaterTransaction(t *testing.T) {
	for name, api := range map[string]int16{"EndTxn": brokertest.EndTxn, "AddPartitionsToTxn": brokertest.AddPartitionsToTxn} {
		for _, how := range []string{"commit", "abort"} {
			t.Run(name+"/"+how, func(t *testing.T) {
				inEachProtocol(t, func(t *testing.T, s speech) {
					if s.lacks(api) {
						return
					}
					c := s.cluster(t)
					p := transactional(t, c, func(cfg *producer.Config) { cfg.RequestTimeout, cfg.MaxBlock = 5*time.Second, time.Hour })
					var late atomic.Pointer[brokertest.Request]
					c.Control(func(r *brokertest.Request) *brokertest.Action {
						if r.APIKey == api && late.CompareAndSwap(nil, r) {
							return brokertest.Swallow()
						}
						return nil
					})
					begin(t, p)
					send(t, p, record("a"))
					want := ""
					if how == "commit" {
						commit(t, p)
						want = "a "
					} else {
						abort(t, p)
					}
					begin(t, p)
					send(t, p, record("b"))
					deliverLate(t, c, late.Load())
					if got := visible(c); got+" " != want && got != want {
						t.Errorf("in the middle of the transaction %q is to be seen, want %q", got, want)
					}
					send(t, p, record("c"))
					commit(t, p)
					wantVisible(t, c, want+"b c")
					soundLog(t, c)
				})
			})
		}
	}
}
