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
)

// A Ping is no look into what is remembered: it fails while the cluster does not answer, says why, and is well again when
// the cluster is. Partitions goes on telling what it has heard.
func TestPingAsksTheCluster(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 4))
		p := start(t, c)
		if err := p.Ping(t.Context()); err != nil {
			t.Errorf("the first: %v", err)
		}
		warm(t, p, "t")
		asked := c.Count(brokertest.Metadata)
		if err := p.Ping(t.Context()); err != nil || c.Count(brokertest.Metadata) != asked+1 {
			t.Errorf("while all is well: %v, and %d requests, want 1", err, c.Count(brokertest.Metadata)-asked)
		}

		c.StopBroker(1)
		if err := p.Ping(t.Context()); err != nil {
			t.Errorf("with one of two brokers: %v", err)
		}
		c.StopBroker(2)
		began := time.Now()
		err := p.Ping(t.Context())
		want(t, "with none", err, []string{"broker ", "connection refused"}, syscall.ECONNREFUSED)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("with none it took %v, want it to end when all have refused", took)
		}
		if n, err := p.Partitions(t.Context(), "t"); n != 4 || err != nil {
			t.Errorf("Partitions: %d, %v, want 4 as heard before", n, err)
		}
		if err := errors.Join(c.StartBroker(1), c.StartBroker(2)); err != nil {
			t.Fatal(err)
		}
		if err := p.Ping(t.Context()); err != nil {
			t.Errorf("with both again: %v", err)
		}

		silent := c.On(brokertest.Metadata).Always().Do(brokertest.Swallow())
		want(t, "with silent ones", p.Ping(endsIn(t, time.Second)), []string{"Metadata has no answer yet from "}, context.DeadlineExceeded)
		silent.Stop()
		c.CutConnections(1, false)
		c.CutConnections(2, false)
		c.On(brokertest.Metadata).Do(brokertest.Edit(func(_ *brokertest.Request, resp protocol.Response) {
			resp.(*protocol.MetadataResponse).ErrorCode = protocol.ClusterAuthorizationFailed
		}))
		err = p.Ping(endsIn(t, time.Minute))
		want(t, "with one that refuses", err, []string{"Metadata"}, protocol.ClusterAuthorizationFailed)

		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Ping(t.Context()); !errors.Is(err, producer.ErrClosed) {
			t.Errorf("Ping after Close: %v, want ErrClosed", err)
		}
		for _, topic := range []string{"t", "another"} {
			if n, err := p.Partitions(t.Context(), topic); n != 0 || !errors.Is(err, producer.ErrClosed) {
				t.Errorf("Partitions of %s after Close: %d, %v, want ErrClosed", topic, n, err)
			}
		}
	})
}

// Close does not wait for a ping, and the ping ends.
func TestCloseEndsAPing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory())
		c.On(brokertest.Metadata).Always().Do(brokertest.Swallow())
		p := start(t, c)
		ended := make(chan error)
		go func() { ended <- p.Ping(t.Context()) }()
		time.Sleep(time.Second)
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, producer.ErrClosed) {
			t.Errorf("the ping ended with %v, want ErrClosed", err)
		}
	})
}

// A producer that has nothing to send and one that cannot send have the same counters. Stats tells them apart, and Brokers
// says which broker it is, what has failed and since when.
func TestStatsTellTroubleFromIdleness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 1))
		p := start(t, c)
		if err := c.MoveLeader("t", 0, 2); err != nil {
			t.Fatal(err)
		}
		send(t, p, record("a"))
		time.Sleep(time.Second)
		if s := p.Stats(); s.LastError != nil || !s.FailingSince.IsZero() {
			t.Errorf("idle: %v since %v, want no error", s.LastError, s.FailingSince)
		}
		of := func(id int32) producer.BrokerStats {
			for _, b := range p.Brokers() {
				if b.ID == id {
					return b
				}
			}
			t.Fatalf("broker %d is not among %+v", id, p.Brokers())
			panic("unreachable")
		}
		if b := of(2); !b.Connected || b.Failures != 0 || b.Retried != 0 || b.LastError != nil || b.Since.IsZero() || !strings.Contains(b.Addr, ":") {
			t.Errorf("the leader while all is well: %+v", b)
		}

		refuses := c.On(brokertest.Produce).Always().Do(brokertest.Error(protocol.NotEnoughReplicas))
		began := time.Now()
		f := p.Send(t.Context(), record("b"))
		time.Sleep(10 * time.Second)
		s, b := p.Stats(), of(2)
		want(t, "Stats", s.LastError, []string{"broker 2 at ", "Produce"}, protocol.NotEnoughReplicas)
		if since := s.FailingSince.Sub(began); since < 0 || since > time.Second || b.FailingSince != s.FailingSince || b.LastErrorAt.Before(b.FailingSince.Add(time.Second)) {
			t.Errorf("it fails since %v after the record was sent, by Brokers %+v; want the first failure, and a later one as the last", since, b)
		}
		if b.Failures < 3 || b.Retried < 2 || !b.Connected {
			t.Errorf("the leader that refuses: %+v, want several failures, records sent again, and a connection", b)
		}
		if b := of(1); b.Failures != 0 {
			t.Errorf("the other broker: %+v, want no failure", b)
		}
		refuses.Stop()
		if _, err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := p.Stats(); s.LastError != nil || !s.FailingSince.IsZero() {
			t.Errorf("after the trouble: %v since %v, want no error", s.LastError, s.FailingSince)
		}
		if b := of(2); b.LastError == nil || !b.FailingSince.IsZero() {
			t.Errorf("after the trouble: %+v, want the last error still told, and no time since when it fails", b)
		}

		c.StopBroker(2)
		time.Sleep(time.Second)
		b = of(2)
		if b.Connected || b.Since.IsZero() || time.Since(b.Since) > 2*time.Second {
			t.Errorf("the leader after its end: %+v, want no connection since a moment", b)
		}
		if s := p.Stats(); s.LastError != nil {
			t.Errorf("the other broker leads by now, and nobody needs this one, but Stats tells of %v", s.LastError)
		}
		if err := c.StartBroker(2); err != nil {
			t.Fatal(err)
		}
	})
}

// What may be wrong with an address that nobody has ever reached is not what is wrong with a broker that took records for
// an hour: that is not reachable since then.
func TestABrokerThatHasAnsweredIsNotTakenForAMisconfiguredOne(t *testing.T) {
	for name, trouble := range map[string]func(c *brokertest.Cluster){
		"goes down": func(c *brokertest.Cluster) { c.StopBroker(1) },
		"freezes":   func(c *brokertest.Cluster) { c.Pause(1) },
		"hangs up": func(c *brokertest.Cluster) {
			c.On(brokertest.ApiVersions).Always().Do(brokertest.Drop())
			c.CutConnections(1, false)
		},
		"hangs up later": func(c *brokertest.Cluster) {
			c.On(brokertest.Produce).Always().Do(brokertest.Drop())
			c.On(brokertest.Metadata).Always().Do(brokertest.Drop())
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				p := start(t, c, func(cfg *producer.Config) { cfg.DeliveryTimeout, cfg.RequestTimeout = 50*time.Second, 10*time.Second })
				send(t, p, record("a"))
				time.Sleep(time.Hour)
				send(t, p, record("b"))
				since := time.Now()
				trouble(c)
				_, err := p.SendSync(t.Context(), record("c"))
				for _, hint := range []string{"advertised.listeners", "may want", "check that the broker is up", "check the"} {
					if err == nil || strings.Contains(err.Error(), hint) {
						t.Errorf("%v: want no %q for a broker that took records", err, hint)
					}
				}
				var at *producer.BrokerError
				if errors.As(err, &at) && at.Stage != producer.StageRequest {
					if said := "not reachable since " + since.Format("2006-01-02T15:04"); !strings.Contains(err.Error(), said) {
						t.Errorf("%v does not say %q", err, said)
					}
				}
				if name == "freezes" {
					c.Resume(1)
				}
			})
		})
	}
}

// At first contact the hints are there.
func TestAtFirstContactAHintIsGiven(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		c.On(brokertest.ApiVersions).Always().Do(brokertest.Drop())
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 5 * time.Second })
		_, err := p.SendSync(t.Context(), record("a"))
		want(t, "a broker that hangs up at first", err, []string{"may want TLS (security.protocol SSL or SASL_SSL)"})
	})
}
