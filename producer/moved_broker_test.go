package producer_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A broker gets a new address, and somebody who leads nothing goes on at the old
// one, and keeps all connections open. The next look-up brings the producer to
// the new address.
func TestABrokerIsFollowedToItsNewAddress(t *testing.T) {
	for _, brokers := range []int{1, 3} {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(brokers), brokertest.Topic("t", 1))
			p := start(t, c)
			for i := range 3 {
				send(t, p, record(fmt.Sprint("at home ", i)))
				leader, _ := c.Leader("t", 0)
				if err := c.MoveBroker(leader); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				send(t, p, record(fmt.Sprint("moved ", i)))
				if took := time.Since(began); took > time.Second {
					t.Errorf("%d brokers: a record to the broker that has moved took %v", brokers, took)
				}
			}
			if err := c.Verify(nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is in flight at the old address is awaited there, and nothing of its
// partition goes to the new one before it is answered, or timed out (I2).
func TestWhatIsInFlightAtTheOldAddressIsAwaited(t *testing.T) {
	for _, answered := range []bool{true, false} {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 2))
			for part := range int32(2) {
				if err := c.MoveLeader("t", part, part+1); err != nil {
					t.Fatal(err)
				}
			}
			p := start(t, c, func(cfg *producer.Config) { cfg.Linger = 0 })
			other := func(value string) producer.Record {
				return producer.Record{Topic: "t", Partition: producer.OnPartition(1), Value: []byte(value)}
			}
			send(t, p, record("first"))
			send(t, p, other("first"))
			slow := c.On(brokertest.Produce).Topic("t").Partition(0).Times(1)
			if answered {
				slow.Do(brokertest.Pass().Delayed(5 * time.Second))
			} else {
				slow.Do(brokertest.HandleThenSwallow())
			}
			a := p.Send(t.Context(), record("slow"))
			time.Sleep(10 * time.Millisecond)
			if err := c.MoveBroker(1); err != nil {
				t.Fatal(err)
			}
			c.On(brokertest.Produce).Partition(1).Times(1).Do(brokertest.Error(protocol.NotLeaderOrFollower))
			began := time.Now()
			send(t, p, other("not held up")) // and it has us look
			time.Sleep(500 * time.Millisecond)
			b := p.Send(t.Context(), record("behind"))
			for _, f := range []producer.Future{a, b} {
				if _, err := f.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(began); !answered && took < 25*time.Second || took > 40*time.Second {
				t.Errorf("answered=%v: it took %v", answered, took)
			}
			if took := time.Since(began); answered && took < 4*time.Second {
				t.Errorf("the answer came from the old address after 5 s, and was not awaited: all was done after %v", took)
			}
			if got := logged(c); !slices.Equal(got, []string{"first", "slow", "behind"}) {
				t.Errorf("answered=%v: the log holds %v", answered, got)
			}
		})
	}
}

// Nothing is in flight at the old address: its connections are closed, those of
// the control lane, too.
func TestConnectionsToTheOldAddressAreClosed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		send(t, p, record("a"))
		for range 4 {
			if err := c.MoveBroker(1); err != nil {
				t.Fatal(err)
			}
			send(t, p, record("b"))
			time.Sleep(5 * time.Second)
		}
		synctest.Wait()
		if n := c.Connections(1); n > 3 { // data, control, and the bootstrap server's
			t.Errorf("%d connections are open, want 3 at most", n)
		}
	})
}

// The coordinator of a transaction moves in the middle of it.
func TestACoordinatorIsFollowedToItsNewAddress(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 1))
		p := transactional(t, c)
		for i := range 4 {
			began := time.Now()
			err := p.Transact(t.Context(), func(tx *producer.Tx) error {
				tx.Send(t.Context(), record(fmt.Sprint(i)))
				return c.MoveBroker(c.Coordinator("tx"))
			})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("transaction %d took %v", i, took)
			}
		}
	})
}

// Brokers disagree for ever about the address of one of them, and both are
// somebody's: the producer does not connect anew with each answer.
func TestBrokersThatDisagreeAboutAnAddressCauseNoStorm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 3))
		old := c.Bootstrap()[2]
		if err := c.MoveBroker(3); err != nil {
			t.Fatal(err)
		}
		host, _, _ := net.SplitHostPort(old)
		answers := 0
		c.On(brokertest.Metadata).When(func(*brokertest.Request) bool { answers++; return answers%2 == 0 }).Always().Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
			for i := range resp.(*protocol.MetadataResponse).Brokers {
				if b := &resp.(*protocol.MetadataResponse).Brokers[i]; b.NodeID == 3 {
					b.Host, b.Port = host, 9092
				}
			}
		}))
		var dials atomic.Int64
		p := start(t, c, func(cfg *producer.Config) {
			cfg.MetadataMaxAge = time.Second
			cfg.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				dials.Add(1)
				return c.DialContext(ctx, network, addr)
			}
		})
		warm(t, p, "t")
		var got outcomes
		for i := range 3000 {
			p.SendFunc(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(int32(i % 3)), Value: []byte("v")}, got.of("v"))
			time.Sleep(20 * time.Millisecond)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, o := range got.all() {
			if o.err != nil {
				t.Fatal(o.err)
			}
		}
		if n := dials.Load(); n > 60 {
			t.Errorf("%d dials in a minute", n)
		}
		t.Logf("%d dials", dials.Load())
	})
}
