package producer_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
)

// attempts returns when brokers were presented with a token.
func attempts(c *brokertest.Cluster) []time.Time { return requestedAt(c, brokertest.SaslAuthenticate) }

// requestedAt returns when brokers got requests of that API.
func requestedAt(c *brokertest.Cluster, api int16) (at []time.Time) {
	for _, r := range c.Requests() {
		if r.APIKey == api {
			at = append(at, r.At)
		}
	}
	return at
}

func wantRefusal(t *testing.T, what string, err error) {
	t.Helper()
	var refused *sasl.RefusedError
	if !errors.As(err, &refused) || !errors.Is(err, protocol.SaslAuthenticationFailed) || !strings.Contains(err.Error(), "Invalid username or password") {
		t.Errorf("%s: got %v, want the broker's refusal", what, err)
	}
	if err != nil && strings.Contains(err.Error(), "guess") {
		t.Errorf("%s: the error has the password: %v", what, err)
	}
}

// Whoever has never been let in is told so at once, by every call that waits for a broker, and each call makes one attempt.
// When what was wrong is put right the next call succeeds, without a new producer.
func TestRefusedAtFirstContact(t *testing.T) {
	for _, servers := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(servers), brokertest.Topic("t", 1),
				brokertest.SASL(brokertest.Plain("alice", "secret")), brokertest.FailedAuthenticationDelay(300*time.Millisecond))
			l := loginAs("alice", "guess")
			p := start(t, c, as(l))
			calls := []struct {
				name string
				call func() error
			}{
				{"Send", func() error { _, err := p.SendSync(t.Context(), record("x")); return err }},
				{"LoadTopics", func() error { return p.LoadTopics(t.Context(), "t", "u") }},
				{"Partitions", func() error { _, err := p.Partitions(t.Context(), "t"); return err }},
				{"Ping", func() error { return p.Ping(t.Context()) }},
			}
			for i, call := range calls {
				begin := time.Now()
				wantRefusal(t, call.name, call.call())
				most := 400 * time.Millisecond // that is: held back by the broker for 300 ms
				if i > 0 {
					most += time.Duration(1.2*float64(time.Second)) << (i - 1)
				}
				if took := time.Since(begin); took > most {
					t.Errorf("%s took %v, want %v at most", call.name, took, most)
				}
				if n := len(attempts(c)); n != i+1 {
					t.Fatalf("%s: %d tokens were sent in all, want one for each call: %d", call.name, n, i+1)
				}
			}
			if err := p.Flush(t.Context()); err != nil {
				t.Errorf("Flush: %v, though there is nothing", err)
			}
			wantRefusal(t, "Stats.LastError", p.Stats().LastError)
			time.Sleep(time.Hour)
			if n := len(attempts(c)); n != len(calls) {
				t.Errorf("%d tokens were sent while nobody called", n-len(calls))
			}
			l.setPassword("secret")
			begin := time.Now()
			send(t, p, record("y"))
			if took := time.Since(begin); took > 100*time.Millisecond {
				t.Errorf("it took %v", took)
			}
			if err := p.Stats().LastError; err != nil {
				t.Errorf("LastError is still %v", err)
			}
		})
	}
}

// What is put right is seen by the very next call, which waits for the backoff of a second or so.
func TestPutRightAfterARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.SASL(brokertest.Plain("alice", "secret")))
		p := start(t, c, as(loginAs("alice", "guess")))
		_, err := p.SendSync(t.Context(), record("x"))
		wantRefusal(t, "Send", err)
		c.SetPassword("PLAIN", "alice", "guess")
		begin := time.Now()
		send(t, p, record("y"))
		if took := time.Since(begin); took > 1300*time.Millisecond {
			t.Errorf("it took %v, want 1.2 s at most", took)
		}
	})
}

// Who calls again and again does not make a storm of it: attempts come further and further apart, up to 30 s.
func TestRefusedCallsMakeNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 1), brokertest.SASL(brokertest.Plain("alice", "secret")))
		p := start(t, c, as(loginAs("alice", "guess")))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		for range 20 {
			go func() {
				for ctx.Err() == nil {
					p.SendSync(ctx, record("x"))
				}
			}()
		}
		<-ctx.Done()
		synctest.Wait()
		at := attempts(c)
		if len(at) < 20 || len(at) > 32 {
			t.Errorf("%d attempts in ten minutes, want 6 in the first minute and then two a minute", len(at))
		}
		for i := 1; i < len(at); i++ {
			if d := at[i].Sub(at[i-1]); d < 800*time.Millisecond {
				t.Errorf("%v between two attempts", d)
			}
		}
	})
}

// A call that does not wait is told of the refusal, when one is known.
func TestTrySendTellsOfTheRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.SASL(brokertest.Plain("alice", "secret")))
		l := loginAs("alice", "guess")
		p := start(t, c, as(l))
		try := func() error { return p.TrySend(record("x"), nil) }
		if err := try(); !errors.Is(err, producer.ErrTopicNotLoaded) {
			t.Errorf("at first: %v", err)
		}
		time.Sleep(time.Second)
		err := try()
		wantRefusal(t, "TrySend", err)
		if !errors.Is(err, producer.ErrTopicNotLoaded) {
			t.Errorf("%v", err)
		}
		l.setPassword("secret")
		time.Sleep(3 * time.Second)
		try()
		time.Sleep(3 * time.Second)
		if err := try(); err != nil {
			t.Errorf("after it was put right: %v", err)
		}
	})
}

// InitTransactions is told at once, too, and can be called again.
func TestRefusedInitTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.SASL(brokertest.Plain("alice", "secret")))
		l := loginAs("alice", "guess")
		p := start(t, c, as(l), func(cfg *producer.Config) { cfg.TransactionalID = "tx" })
		begin := time.Now()
		wantRefusal(t, "InitTransactions", p.InitTransactions(t.Context()))
		if took := time.Since(begin); took > 200*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		l.setPassword("secret")
		if err := p.InitTransactions(t.Context()); err != nil {
			t.Errorf("after it was put right: %v", err)
		}
	})
}

// A user who was let in before, and is not any more, may be again: records are kept, attempts are few, and what is put right
// within delivery.timeout loses nothing. The id of the producer survives.
func TestRefusedLater(t *testing.T) {
	for _, away := range []time.Duration{time.Minute, 3 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 3), brokertest.SASL(brokertest.Plain("alice", "secret")))
			p := start(t, c, as(loginAs("alice", "secret")))
			for i := range int32(3) {
				send(t, p, producer.Record{Topic: "t", Partition: producer.OnPartition(i), Value: []byte("x")})
			}
			c.RemoveUser("PLAIN", "alice")
			for id := range int32(3) {
				c.CutConnections(id+1, false)
			}
			c.ForgetRequests()
			begin := time.Now()
			var futures []producer.Future
			for i := range int32(3) {
				futures = append(futures, p.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(i), Value: []byte("y")}))
			}
			time.Sleep(away)
			if n := len(attempts(c)); n < 5 || n > 25 {
				t.Errorf("%d attempts in %v, want few", n, away)
			}
			wantRefusal(t, "Stats.LastError", p.Stats().LastError)
			c.SetPassword("PLAIN", "alice", "secret")
			for _, f := range futures {
				_, err := f.Wait(t.Context())
				if away < 2*time.Minute && err != nil {
					t.Errorf("the records were lost: %v", err)
				}
				if away > 2*time.Minute {
					wantRefusal(t, "a record", err)
					if !errors.Is(err, producer.ErrDeliveryTimeout) || producer.MayBeWritten(err) {
						t.Errorf("a record ended with %v", err)
					}
				}
			}
			if took := time.Since(begin); away < 2*time.Minute && took > away+37*time.Second {
				t.Errorf("it took %v after it was put right, want 36 s at most", took-away)
			}
			time.Sleep(time.Minute)
			send(t, p, record("z"))
		})
	}
}

// A broker alone that refuses this client is asked more and more rarely, and holds up nobody else for long.
func TestOneBrokerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 3), brokertest.SASL(brokertest.Plain("alice", "secret")))
		p := start(t, c, as(loginAs("alice", "secret")), func(cfg *producer.Config) {
			cfg.DeliveryTimeout, cfg.ConnectionsMaxIdle = 24*time.Hour, -1
		})
		warm(t, p, "t")
		c.On(brokertest.SaslAuthenticate).Broker(1).Always().Do(brokertest.Error(protocol.SaslAuthenticationFailed))
		c.CutConnections(1, false)
		c.ForgetRequests()
		for begin := time.Now(); time.Since(begin) < 10*time.Minute; time.Sleep(10 * time.Second) {
			for id := int32(2); id <= 3; id++ {
				c.CutConnections(id, false)
			}
			for i := range int32(3) {
				leader, _ := c.Leader("t", i)
				sent := time.Now()
				p.SendFunc(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(i), Value: []byte("x")}, func(_ producer.RecordMetadata, err error) {
					if took := time.Since(sent); leader != 1 && (err != nil || took > 3*time.Second) {
						t.Errorf("a record for broker %d took %v, and ended with %v", leader, took, err)
					}
				})
			}
		}
		// Nor after a calm time in which nobody but that broker was asked.
		for range 10 {
			time.Sleep(10 * time.Minute)
			c.CutConnections(2, false)
			for i := range int32(3) {
				leader, _ := c.Leader("t", i)
				sent := time.Now()
				p.SendFunc(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(i), Value: []byte("x")}, func(_ producer.RecordMetadata, err error) {
					if took := time.Since(sent); leader == 2 && (err != nil || took > 3*time.Second) {
						t.Errorf("a record for broker 2 took %v, and ended with %v", took, err)
					}
				})
			}
		}
		refused := slices.DeleteFunc(c.Requests(), func(r brokertest.Request) bool { return r.APIKey != brokertest.SaslAuthenticate || r.Broker != 1 })
		if len(refused) > 270 {
			t.Errorf("broker 1 was asked %d times in 110 minutes", len(refused))
		}
		c.ClearFaults()
		time.Sleep(time.Minute)
	})
}

// Credentials that cannot be had for now are asked for at the pace of connecting, and who waits is told what it was.
func TestNoCredentialsForNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.SASL(brokertest.Plain("alice", "secret")))
		l := loginAs("alice", "secret")
		down := errors.New("the token endpoint is down")
		l.fail(down)
		p := start(t, c, as(l))
		begin := time.Now()
		_, err := p.SendSync(t.Context(), record("x"))
		if !errors.Is(err, down) || time.Since(begin) != time.Minute {
			t.Errorf("got %v after %v, want the reason after max.block", err, time.Since(begin))
		}
		if n := l.begun.Load(); n < 50 || n > 80 {
			t.Errorf("%d attempts in a minute", n)
		}
		time.AfterFunc(10*time.Second, func() { l.fail(nil) })
		begin = time.Now()
		send(t, p, record("x"))
		if took := time.Since(begin); took > 12*time.Second {
			t.Errorf("it took %v", took)
		}
		l.fail(sasl.Final(errors.New("the client's secret is wrong")))
		c.CutConnections(1, false)
		before := l.begun.Load()
		time.Sleep(time.Minute)
		if n := l.begun.Load() - before; n > 15 {
			t.Errorf("%d attempts in a minute, though no repetition mends it", n)
		}
		l.fail(nil)
	})
}

// A refusal that is held back for longer than a connection usually takes is no reason to be refused twice.
func TestOneAttemptAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 3),
			brokertest.SASL(brokertest.Plain("alice", "secret")), brokertest.FailedAuthenticationDelay(2*time.Second))
		l := loginAs("alice", "guess")
		p := start(t, c, as(l))
		_, err := p.SendSync(t.Context(), record("x"))
		wantRefusal(t, "Send", err)
		if n := len(attempts(c)); n != 1 {
			t.Errorf("%d tokens were sent for one call", n)
		}
		l.setPassword("secret")
		warm(t, p, "t")
		c.ForgetRequests()
		c.RemoveUser("PLAIN", "alice")
		for id := range int32(3) {
			c.CutConnections(id+1, false)
		}
		for i := range int32(3) {
			p.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(i), Value: []byte("x")})
		}
		time.Sleep(time.Minute)
		at := attempts(c)
		for i := 1; i < len(at); i++ {
			if i >= 6 && at[i].Sub(at[i-1]) < 2*time.Second { // each of the lost connections may have its attempt
				t.Errorf("%v between two attempts", at[i].Sub(at[i-1]))
			}
		}
		if len(at) < 2 || len(at) > 14 {
			t.Errorf("%d attempts in a minute", len(at))
		}
		c.SetPassword("PLAIN", "alice", "secret")
		time.Sleep(time.Minute)
	})
}

// What is set up wrongly on one side is told by what the other does.
func TestOneSideHasNoSASL(t *testing.T) {
	for name, c := range map[string]struct {
		broker []brokertest.Option
		client *login
		atOnce bool
		says   string
	}{
		"the client": {[]brokertest.Option{brokertest.SASL(brokertest.Plain("alice", "secret"))}, nil, false, "the listener may want SASL"},
		"the broker": {nil, loginAs("alice", "secret"), true, "is not a SASL listener: use the port of one"},
		"the mechanism": {[]brokertest.Option{brokertest.SASL(brokertest.SCRAM512("alice", "secret"))}, loginAs("alice", "secret"), true,
			`refused PLAIN: UNSUPPORTED_SASL_MECHANISM (33)`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kafka := brokertest.New(t, append(c.broker, brokertest.InMemory(), brokertest.Topic("t", 1))...)
				p := start(t, kafka, func(cfg *producer.Config) {
					if c.client != nil {
						cfg.SASL = c.client
					}
				})
				begin := time.Now()
				_, err := p.SendSync(t.Context(), record("x"))
				if err == nil || !strings.Contains(err.Error(), c.says) || (time.Since(begin) < time.Second) != c.atOnce {
					t.Errorf("got %v after %v, want %q", err, time.Since(begin), c.says)
				}
				if name == "the mechanism" && !strings.Contains(err.Error(), `offered: "SCRAM-SHA-512"`) {
					t.Errorf("%v does not say what is offered", err)
				}
			})
		})
	}
}
