package producer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
)

// notReady demands that err is a *NotReadyError that says so.
func notReady(t *testing.T, what string, err error, says string) producer.Health {
	t.Helper()
	var failed *producer.NotReadyError
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: got %v, want a NotReadyError with %q", what, err, says)
		return producer.Health{}
	}
	return failed.Health
}

// Ready asks for what is not known, and for nothing else. It is no longer true when the brokers are gone, and again when they are back.
func TestReadiness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 2), brokertest.AutoCreate(false))
		p := start(t, c)
		if h := p.Health(); h.State != producer.HealthUnknown || !h.Alive() || len(h.Reasons) != 0 || h.Reachable {
			t.Errorf("before anything was asked: %+v", h)
		}
		if err := p.Ready(t.Context()); err != nil {
			t.Errorf("the first time: %v", err)
		}
		if err := p.Ready(t.Context(), "t"); err != nil {
			t.Errorf("with a topic: %v", err)
		}
		notReady(t, "a topic that is not there", p.Ready(endsIn(t, time.Second), "t", "nowhere"), "nowhere")
		send(t, p, record("a"))
		sent := time.Now()
		time.Sleep(time.Second)
		asked := len(c.Requests())
		if err := p.Ready(t.Context(), "t"); err != nil {
			t.Errorf("while all is well: %v", err)
		}
		if n := len(c.Requests()) - asked; n != 0 {
			t.Errorf("it has asked %d times for what is known", n)
		}
		h := p.Health()
		if h.State != producer.HealthReady || !h.Reachable || !h.Authenticated || !h.LastAcknowledged.Equal(sent) || h.OldestAge != 0 || h.LastError != nil {
			t.Errorf("while all is well: %+v, want it ready, and the last acknowledgement at %v", h, sent)
		}

		c.StopBroker(1)
		c.StopBroker(2)
		time.Sleep(5 * time.Second)
		p.SendFunc(t.Context(), record("b"), nil)
		time.Sleep(5 * time.Second)
		h = p.Health()
		if h.State != producer.HealthFailing || !h.Alive() || h.Reachable || h.LastError == nil || h.OldestAge != 5*time.Second || !strings.Contains(fmt.Sprint(h.Reasons), "no broker can be reached since") {
			t.Errorf("without brokers: %+v, want it to fail since none can be reached", h)
		}
		h = notReady(t, "without brokers", p.Ready(endsIn(t, 2*time.Second), "t"), "no broker")
		if h.State != producer.HealthFailing {
			t.Errorf("the error has %v", h.State)
		}
		time.Sleep(30 * time.Second)
		if h := p.Health(); !strings.Contains(fmt.Sprint(h.Reasons), "a record has waited for") {
			t.Errorf("after a quarter of delivery.timeout: %q, want to be told of the record that waits", h.Reasons)
		}
		if err := errors.Join(c.StartBroker(1), c.StartBroker(2)); err != nil {
			t.Fatal(err)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Ready(t.Context(), "t"); err != nil {
			t.Errorf("when they are back: %v", err)
		}
		time.Sleep(time.Hour) // connections are closed as idle, and the topic is forgotten
		if h := p.Health(); h.State != producer.HealthReady {
			t.Errorf("idle: %+v, want it ready", h)
		}
		if err := p.Ready(t.Context()); err != nil {
			t.Errorf("idle: %v", err)
		}
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		h = notReady(t, "closed", p.Ready(t.Context(), "t"), "closed")
		if h.Alive() || p.Health().State != producer.HealthDead {
			t.Errorf("closed: %+v, want it dead", h)
		}
	})
}

// A producer that Close has ended has no broker, and is not ready since it is closed. What a broker has done before does not
// matter then, nor what the connections have ended with.
func TestAClosedProducerIsNotReadySinceItIsClosed(t *testing.T) {
	for name, trouble := range map[string]func(c *brokertest.Cluster){
		"all was well": func(*brokertest.Cluster) {},
		"no answer":    func(c *brokertest.Cluster) { c.On(brokertest.Produce).Always().Do(brokertest.Swallow()) },
		"no broker":    func(c *brokertest.Cluster) { c.StopBroker(1) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				p := start(t, c)
				send(t, p, record("a"))
				trouble(c)
				p.SendFunc(t.Context(), record("b"), nil)
				time.Sleep(time.Second)
				_ = p.Close(endsIn(t, time.Second)) // what is left does not matter here
				err := p.Ready(t.Context(), "t")
				if !errors.Is(err, producer.ErrClosed) || err.Error() != "the producer is not ready: the producer is closed" {
					t.Errorf("Ready: %v, want ErrClosed, once", err)
				}
				if h := notReady(t, "closed", err, "closed"); h.Reachable || h.Brokers != 0 {
					t.Errorf("after Close: %+v, want no connection", h)
				}
			})
		})
	}
}

// A bootstrap server is one of the brokers, so it is not counted beside them: where the cluster has one broker, one is connected.
func TestHealthCountsEachBrokerOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		brokers := func(when string, want int) {
			t.Helper()
			if h := p.Health(); h.Brokers != want || h.Reachable != (want > 0) {
				t.Errorf("%s: %d brokers, reachable: %v; want %d", when, h.Brokers, h.Reachable, want)
			}
		}
		brokers("before anything was asked", 0)
		if err := p.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		brokers("when the bootstrap server alone was asked", 1)
		send(t, p, record("a"))
		if n := len(p.Brokers()); n != 2 {
			t.Errorf("Brokers has %d, want the bootstrap server and the broker", n)
		}
		brokers("when the broker has taken a record", 1)
		c.StopBroker(1)
		time.Sleep(time.Second)
		brokers("without a broker", 0)
	})
}

// A partition without a leader is a reason, and named; so is a broker that lets nobody in.
func TestReasonsNotToBeReady(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3), brokertest.Topic("u", 1))
		p := start(t, c)
		leaderless := c.On(brokertest.Metadata).Topic("t").Partition(1).Always().Do(brokertest.Error(protocol.LeaderNotAvailable))
		if err := p.Ready(t.Context(), "u"); err != nil {
			t.Errorf("of the other topic: %v", err)
		}
		h := notReady(t, "without a leader", p.Ready(t.Context(), "t", "u"), `1 of the 3 partitions of topic "t" have no leader`)
		if len(h.Leaderless) != 1 || h.Leaderless[0] != (producer.TopicHealth{Topic: "t", Partitions: 3, Leaderless: 1}) || h.State != producer.HealthFailing {
			t.Errorf("%+v, want topic t to lack a leader", h)
		}
		leaderless.Stop()
		time.Sleep(10 * time.Second)
		if err := p.Ready(t.Context(), "t", "u"); err != nil {
			t.Errorf("with all leaders: %v", err)
		}
	})
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.SASL(brokertest.Plain("user", "right")))
		p := start(t, c, func(cfg *producer.Config) { cfg.SASL = sasl.Plain("user", "wrong") })
		h := notReady(t, "refused", p.Ready(t.Context(), "t"), "SASL")
		if h.Authenticated || h.State != producer.HealthFailing || !strings.Contains(fmt.Sprint(h.Reasons), "no broker lets this client in") {
			t.Errorf("%+v, want it refused", h)
		}
		n := p.Metrics().Connections
		if n.AuthenticationsFailed == 0 || n.Authentications != 0 || n.Created != 0 {
			t.Errorf("%+v, want authentications that failed", n)
		}
		c.SetPassword("PLAIN", "user", "wrong")
		time.Sleep(time.Minute)
		if err := p.Ready(t.Context(), "t"); err != nil {
			t.Errorf("with the right password: %v", err)
		}
		if n := p.Metrics().Connections; n.Authentications == 0 || n.Authentications != n.Created {
			t.Errorf("%+v, want each connection to be authenticated", n)
		}
	})
}

// Another producer has the transactional id: this one is dead, and only that is a reason to restart.
func TestAFencedProducerIsDead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p, other := transactional(t, c), uninitialised(t, c)
		if err := p.Ready(t.Context(), "t"); err != nil {
			t.Errorf("at first: %v", err)
		}
		begin(t, p)
		if err := other.InitTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, _ = p.SendSync(t.Context(), record("a"))
		_ = p.CommitTransaction(t.Context())
		_ = p.AbortTransaction(t.Context())
		if h := p.Health(); h.Alive() || h.State != producer.HealthDead || len(h.Reasons) == 0 {
			t.Errorf("the fenced one: %+v, want it dead", h)
		}
		if err := p.Ready(t.Context(), "t"); !errors.Is(err, producer.ErrFenced) || strings.Count(err.Error(), "fenced") != 1 {
			t.Errorf("the fenced one: Ready: %v, want ErrFenced, once", err)
		}
		if h := other.Health(); !h.Alive() || h.State != producer.HealthReady {
			t.Errorf("the other: %+v, want it ready", h)
		}
	})
}
