package producer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// An endpoint gives tokens, or does what a test wants instead. It is in the process, so that fake time holds for it.
type endpoint struct {
	instead atomic.Pointer[func() (*http.Response, error)] // nil: tokens
	life    string                                         // of a token, in seconds
}

func (e *endpoint) RoundTrip(*http.Request) (*http.Response, error) {
	if f := e.instead.Load(); f != nil {
		return (*f)()
	}
	return answered(200, "application/json", `{"access_token":"opaque","expires_in":`+e.life+`}`), nil
}

func (e *endpoint) breaks(f func() (*http.Response, error)) { e.instead.Store(&f) }

func answered(status int, kind, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}
}

// mechanism asks the endpoint for tokens.
func (e *endpoint) mechanism(t *testing.T, change func(*sasl.OIDCConfig)) sasl.Mechanism {
	t.Helper()
	config := sasl.OIDCConfig{TokenURL: "https://idp.example/token?key=hunter2", ClientID: "orders", ClientSecret: "hunter2", HTTP: &http.Client{Transport: e}}
	if change != nil {
		change(&config)
	}
	source, err := sasl.OIDC(config)
	if err != nil {
		t.Fatal(err)
	}
	return sasl.OAuthBearer(source)
}

// takesAll is a broker that takes any token, and alice's password.
func takesAll() brokertest.Option {
	return brokertest.SASL(brokertest.OAuthBearer(nil), brokertest.Plain("alice", "secret"))
}

// obstacles are what keeps credentials from coming. make returns the mechanism, and what puts it right.
var obstacles = map[string]struct {
	make func(t *testing.T) (m sasl.Mechanism, putRight func())
	says []string
	by   time.Duration // until then it has been told
}{
	"an endpoint that answers 503": {brokenEndpoint(func() (*http.Response, error) { return answered(503, "text/plain", "no healthy upstream"), nil }),
		[]string{"https://idp.example/token: ", `503 Service Unavailable: "no healthy upstream"`, "down or overloaded"}, 0},
	"an endpoint that answers HTML": {brokenEndpoint(func() (*http.Response, error) {
		return answered(200, "text/html", "<!doctype html><title>Log in</title>"), nil
	}),
		[]string{"https://idp.example/token: ", `200 OK with a page of HTML`, `"<!doctype html><title>Log in</title>"`, "the URL of a login page"}, 0},
	"a closed port": {brokenEndpoint(func() (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}), []string{"https://idp.example/token: ", "connection refused", "is the port in the URL right?"}, 0},
	"an assertion that is not there": {func(t *testing.T) (sasl.Mechanism, func()) {
		path := filepath.Join(t.TempDir(), "assertion")
		e := &endpoint{life: "3600"}
		m := e.mechanism(t, func(c *sasl.OIDCConfig) {
			c.ClientID, c.ClientSecret, c.Assertion = "", "", sasl.AssertionFile(path)
		})
		return m, func() { putFile(t, path, "he.ad.er") }
	}, []string{"the assertion file ", "cannot be read", "it is looked for again"}, 0},
	"a token file that is not there": {func(t *testing.T) (sasl.Mechanism, func()) {
		path := filepath.Join(t.TempDir(), "token")
		return sasl.OAuthBearer(sasl.TokenFile(path)), func() { putFile(t, path, "opaque") }
	}, []string{"the token file ", "cannot be read", "it is looked for again"}, 0},
	"a password file that is empty": {func(t *testing.T) (sasl.Mechanism, func()) {
		path := filepath.Join(t.TempDir(), "password")
		putFile(t, path, "\n")
		return sasl.PlainFrom(sasl.PasswordFile("alice", path)), func() { putFile(t, path, "secret\n") }
	}, []string{"the password file ", "holds no password"}, 0},
	"a function that returns an error": {func(t *testing.T) (sasl.Mechanism, func()) {
		var right atomic.Bool
		return sasl.OAuthBearer(sasl.TokenFunc(func(context.Context) (sasl.Token, error) {
			if !right.Load() {
				return sasl.Token{}, errors.New("the vault is sealed")
			}
			return sasl.Token{Value: "opaque"}, nil
		})), func() { right.Store(true) }
	}, []string{"no token: the vault is sealed"}, 0},
	"a function that takes too long": {func(t *testing.T) (sasl.Mechanism, func()) {
		right := make(chan struct{})
		return sasl.PlainFrom(func(ctx context.Context) (sasl.Credentials, error) {
			select {
			case <-right:
			case <-ctx.Done():
			}
			return sasl.Credentials{User: "alice", Password: "secret"}, ctx.Err()
		}), func() { close(right) }
	}, []string{"getting credentials for PLAIN: nothing has come from their source for 3s"}, 3 * time.Second},
}

func brokenEndpoint(broken func() (*http.Response, error)) func(t *testing.T) (sasl.Mechanism, func()) {
	return func(t *testing.T) (sasl.Mechanism, func()) {
		e := &endpoint{life: "3600"}
		e.breaks(broken)
		return e.mechanism(t, nil), func() { e.instead.Store(nil) }
	}
}

func putFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Error(err)
	}
}

// Credentials that do not come are told of at once, in the log by one line and in Stats, though whoever sends waits up to
// max.block. What the call ends with has the same words. Once they come all goes on, and one line says so.
func TestCredentialsThatDoNotCome(t *testing.T) {
	for name, c := range obstacles {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				kafka := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), takesAll())
				j := newJournal()
				mechanism, putRight := c.make(t)
				p := start(t, kafka, j.logs, func(cfg *producer.Config) { cfg.SASL, cfg.MaxBlock = mechanism, 25*time.Second })
				ended := make(chan error, 1)
				go func() {
					_, err := p.SendSync(t.Context(), record("x"))
					ended <- err
				}()
				time.Sleep(c.by + time.Millisecond)
				want(t, "Stats", p.Stats().LastError, c.says)
				err := <-ended
				want(t, "Send", err, append(c.says, "max.block"))
				line := j.one(t, slog.LevelWarn, "no credentials")
				want(t, "the log", errors.New(line.word("err")), c.says)
				if line.at != c.by {
					t.Errorf("told at %v, want %v", line.at, c.by)
				}
				j.none(t, "cannot connect")
				putRight()
				time.Sleep(15 * time.Second) // for what waits to try again, and for the function that takes too long
				send(t, p, record("y"))
				if over := j.one(t, slog.LevelInfo, "there are credentials again"); over.num("attempts") < 1 || over.lasted() < 20*time.Second {
					t.Errorf("the end does not tell of what it ends: %v", over)
				}
				if strings.Contains(j.String()+err.Error(), "hunter2") {
					t.Error("a secret is told")
				}
			})
		})
	}
}

// What ends a record when delivery.timeout has passed says it, too.
func TestATokenEndpointThatBreaksLater(t *testing.T) {
	bubble(t, func(t *testing.T) {
		kafka := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), takesAll())
		e := &endpoint{life: "20"}
		p := start(t, kafka, func(cfg *producer.Config) {
			cfg.SASL, cfg.DeliveryTimeout, cfg.RequestTimeout = e.mechanism(t, nil), 40*time.Second, 20*time.Second
		})
		send(t, p, record("x"))
		e.breaks(func() (*http.Response, error) { return answered(503, "text/plain", "no healthy upstream"), nil })
		time.Sleep(25 * time.Second) // the token has ended
		kafka.CutConnections(1, false)
		time.Sleep(time.Second)
		_, err := p.SendSync(t.Context(), record("y"))
		want(t, "Send", err, []string{`503 Service Unavailable: "no healthy upstream"`, "getting credentials for OAUTHBEARER"}, producer.ErrDeliveryTimeout)
		if producer.MayBeWritten(err) {
			t.Errorf("nothing was sent, and it may be written: %v", err)
		}
		e.instead.Store(nil)
		send(t, p, record("z"))
	})
}

func init() {
	logStories["a token endpoint is out of order for a while"] = func(t *testing.T, j *journal) {
		kafka := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3), takesAll())
		e := &endpoint{life: "20"}
		p := start(t, kafka, j.logs, patiently, func(cfg *producer.Config) { cfg.SASL = e.mechanism(t, nil) })
		underLoad(t, p, time.Second)
		e.breaks(func() (*http.Response, error) { return answered(503, "text/plain", "no healthy upstream"), nil })
		time.Sleep(25 * time.Second) // the token has ended
		kafka.CutConnections(1, false)
		underLoad(t, p, 5*time.Minute)
		told := j.of("no credentials")
		if len(told) < 3 || len(told) > 5 || told[0].at > 27*time.Second || told[len(told)-1].num("attempts") < 10 {
			t.Errorf("the log has %d lines, want the first at once and some with their number: %v", len(told), told)
		}
		e.instead.Store(nil)
		underLoad(t, p, time.Minute)
		j.one(t, slog.LevelInfo, "there are credentials again")
		j.none(t, "cannot connect")
	}
}

// While no broker lets this client in, only some are dialled. A record for another one is told of the refusal, too: the end of
// its own broker's connection, long ago, is not what keeps it.
func TestARefusalElsewhereIsToldToRecords(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 3), brokertest.SASL(brokertest.Plain("alice", "secret")))
		p := start(t, c, as(loginAs("alice", "secret")))
		for i := range int32(3) {
			send(t, p, producer.Record{Topic: "t", Partition: producer.OnPartition(i), Value: []byte("x")})
		}
		c.SetPassword("PLAIN", "alice", "another")
		for id := range int32(3) {
			c.CutConnections(id+1, false)
		}
		for i := range int32(600) { // ten minutes
			p.SendFunc(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(i % 3), Value: []byte("y")}, func(md producer.RecordMetadata, err error) {
				wantRefusal(t, fmt.Sprintf("a record for partition %d", md.Partition), err)
			})
			time.Sleep(time.Second)
		}
		time.Sleep(2 * time.Minute)
		c.SetPassword("PLAIN", "alice", "secret")
	})
}
