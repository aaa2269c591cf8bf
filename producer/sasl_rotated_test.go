package producer_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// logins returns when brokers were asked to begin an authentication.
func logins(c *brokertest.Cluster) []time.Time { return requestedAt(c, brokertest.SaslHandshake) }

// mostPerMinute is the greatest number of them within any minute.
func mostPerMinute(at []time.Time) (most int) {
	for i := range at {
		n := 0
		for _, other := range at[i:] {
			if other.Sub(at[i]) < time.Minute {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// A password that was changed, and is not in its file yet: each attempt reads the file again, attempts are so few that nobody's
// account is locked, and when the right one comes no record is lost, doubled or out of order.
func TestAPasswordThatComesLater(t *testing.T) {
	for name, lifetime := range map[string]time.Duration{"connections are lost": 0, "sessions end": 20 * time.Second} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const user, mechanism = "alice", "SCRAM-SHA-512"
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 3),
					brokertest.SASL(brokertest.SCRAM512(user, "old")), brokertest.SessionLifetime(lifetime))
				path := filepath.Join(t.TempDir(), "password")
				putFile(t, path, "old\n")
				p := start(t, c, func(cfg *producer.Config) {
					cfg.SASL = sasl.ScramSHA512From(sasl.PasswordFile(user, path))
					cfg.DeliveryTimeout = 5 * time.Minute
				})
				for i := range int32(3) {
					send(t, p, producer.Record{Topic: "t", Partition: producer.OnPartition(i), Value: []byte("first")})
				}
				c.SetPassword(mechanism, user, "new")
				if lifetime == 0 {
					for id := range int32(3) {
						c.CutConnections(id+1, false)
					}
				}
				c.ForgetRequests()
				var futures []producer.Future
				for n := range 120 {
					futures = append(futures, p.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(int32(n % 3)), Value: fmt.Append(nil, n)}))
					time.Sleep(time.Second)
				}
				at := logins(c)
				if most := mostPerMinute(at); len(at) < 6 || most > 25 {
					t.Errorf("%d logins in two minutes, %d within one; want few, and some", len(at), most)
				}
				if most := mostPerMinute(at[len(at)/2:]); most > 12 {
					t.Errorf("%d logins within a minute later on, want fewer and fewer", most)
				}
				putFile(t, path, "new\n")
				began := time.Now()
				for n, f := range futures {
					if _, err := f.Wait(t.Context()); err != nil {
						t.Fatalf("record %d is lost: %v", n, err)
					}
				}
				if took := time.Since(began); took > 37*time.Second {
					t.Errorf("it took %v after the password came", took)
				}
				for i := range int32(3) {
					if n := len(c.Records("t", i)); n != 41 {
						t.Errorf("partition %d has %d records, want 41", i, n)
					}
				}
				if err := c.Verify(nil); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A function is asked for each attempt, and for no more; how often callers call does not matter. At first contact it is the
// same, but that records are not kept.
func TestAFunctionThatReturnsAWrongPassword(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 1), brokertest.SASL(brokertest.Plain("alice", "secret")))
		var asked atomic.Int64
		var right atomic.Bool
		p := start(t, c, func(cfg *producer.Config) {
			cfg.SASL = sasl.PlainFrom(func(context.Context) (sasl.Credentials, error) {
				asked.Add(1)
				password := sasl.Secret("guess")
				if right.Load() {
					password = "secret"
				}
				return sasl.Credentials{User: "alice", Password: password}, nil
			})
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
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
		at := logins(c)
		if n := asked.Load(); int(n) != len(at) {
			t.Errorf("asked for the password %d times, for %d logins", n, len(at))
		}
		if most := mostPerMinute(at); len(at) < 10 || most > 8 {
			t.Errorf("%d logins in five minutes, %d within one; want 6 in the first", len(at), most)
		}
		right.Store(true)
		began := time.Now()
		send(t, p, record("y"))
		if took := time.Since(began); took > 37*time.Second {
			t.Errorf("it took %v after the password came", took)
		}
	})
}

// Whoever guesses names learns nothing from what is said: of a user that there is, and of one that there is not, an error says
// the same.
func TestARefusalDoesNotTellWhoIsThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.SASL(brokertest.SCRAM256("alice", "secret"), brokertest.SCRAM512("alice", "secret")))
		for _, of := range []func(user, password string) sasl.Mechanism{sasl.ScramSHA256, sasl.ScramSHA512} {
			var told []string
			for _, user := range []string{"alice", "mafia"} {
				p := start(t, c, func(cfg *producer.Config) { cfg.SASL = of(user, "guess") })
				_, err := p.SendSync(t.Context(), record("x"))
				if !sasl.IsFinal(err) {
					t.Fatalf("%s: %v", user, err)
				}
				told = append(told, withoutName(err.Error(), user))
			}
			if told[0] != told[1] {
				t.Errorf("the errors differ:\n%s\n%s", told[0], told[1])
			}
		}
	})
}

func withoutName(text, user string) string { return strings.ReplaceAll(text, user, "USER") }
