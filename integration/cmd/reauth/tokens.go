package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/integration/identity"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// A tokenEndpoint is where an identity provider issues tokens. It has a name, at which nobody or one server is reached, and that
// may be another one later.
type tokenEndpoint struct {
	provider *identity.Provider
	life     time.Duration // of its tokens, which is the sessions'
	listen   func() (net.Listener, error)
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)

	transport *http.Transport // of the client

	mu       sync.Mutex   // guards the following
	server   *http.Server // nil: nobody answers
	at       string       // where the name leads
	busy     bool         // it answers 503
	issued   []int        // tokens, by servers
	failures []int        // requests that brought no token, by turns
	last     time.Time    // when a token was issued
}

const endpointHost = "login.example.test"

// open has a new server answer, where the name leads from then on.
func (e *tokenEndpoint) open() error {
	l, err := e.listen()
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	mine := len(e.issued)
	e.issued = append(e.issued, 0)
	e.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.answer(mine, w, r) })}
	e.at = l.Addr().String()
	go e.server.Serve(l)
	return nil
}

// close ends the server that answers, and its connections.
func (e *tokenEndpoint) close() {
	e.mu.Lock()
	server := e.server
	e.server = nil
	e.mu.Unlock()
	if server != nil {
		server.Close()
	}
}

// end is close for good, and of the client's connections.
func (e *tokenEndpoint) end() {
	e.close()
	if e.transport != nil {
		e.transport.CloseIdleConnections()
	}
}

func (e *tokenEndpoint) answer(server int, w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	busy := e.busy
	if !busy {
		e.issued[server]++
		e.last = time.Now()
	}
	e.mu.Unlock()
	if busy {
		http.Error(w, "the database is being moved", http.StatusServiceUnavailable)
		return
	}
	e.provider.ServeHTTP(w, r)
}

// mechanism asks the endpoint for tokens, with a client that knows its name.
func (e *tokenEndpoint) mechanism() (sasl.Mechanism, error) {
	e.transport = &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		e.mu.Lock()
		at := e.at
		e.mu.Unlock()
		return e.dial(ctx, network, at)
	}}
	source, err := sasl.OIDC(sasl.OIDCConfig{
		TokenURL: fmt.Sprintf("http://%s/token?life=%v", endpointHost, e.life),
		ClientID: identity.ClientID, ClientSecret: identity.ClientSecret, Scope: "kafka",
		HTTP: &http.Client{Transport: watched{e, e.transport}},
	})
	if err != nil {
		return nil, err
	}
	return sasl.OAuthBearer(source), nil
}

// watched notes which requests bring no token.
type watched struct {
	e    *tokenEndpoint
	next http.RoundTripper
}

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := w.next.RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		w.e.mu.Lock()
		if turns := len(w.e.failures); turns > 0 {
			w.e.failures[turns-1]++
		}
		w.e.mu.Unlock()
	}
	return answer, err
}

// gone is how long nobody answers, where one server ends before the next begins.
const gone = 3 * time.Second

// moves has the endpoint move to another address in each turn: in odd ones nobody answers in between, in even ones the other is
// there before.
func (e *tokenEndpoint) moves(config producer.Config) *rotation {
	rest := 2 * e.life
	return &rotation{name: "tokens: the endpoint moves", config: config, takes: gone + rest, shown: e.moved,
		turn: func(ctx context.Context, n int) error {
			if n%2 == 1 {
				e.close()
				pause(ctx, gone)
				if err := e.open(); err != nil {
					return err
				}
			} else {
				e.mu.Lock()
				old := e.server
				e.mu.Unlock()
				if err := e.open(); err != nil {
					return err
				}
				old.Close()
			}
			pause(ctx, rest)
			return nil
		}}
}

func (e *tokenEndpoint) moved(turns int) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, n := range e.issued[:turns+1] {
		if n == 0 {
			return "", fmt.Errorf("address %d of the endpoint has issued no token", i+1)
		}
	}
	return fmt.Sprintf("each of %d addresses has issued tokens", turns+1), nil
}

// outages has the endpoint fail when the token at hand is about to be refreshed: for a moment in odd turns, and in even ones until
// the token, and with it the session, has ended. It answers 503, or nobody listens: each with either in four turns.
func (e *tokenEndpoint) outages(config producer.Config) *rotation {
	// Parts of the token's life. It is refreshed when 80 to 85 % have passed, but lives up to a second less than it should.
	const before, after = 0.6, 0.9
	beyond := 3 * time.Second
	rest := 2 * e.life
	return &rotation{name: "tokens: the endpoint is down", config: config, takes: 2*e.life + beyond + rest, shown: e.outlasted,
		turn: func(ctx context.Context, n int) error {
			long := n%2 == 0
			silent := long != ((n-1)/2%2 == 1)
			since := e.young(ctx, time.Duration(before*float64(e.life)))
			pause(ctx, time.Until(since.Add(time.Duration(before*float64(e.life)))))
			e.fail(silent)
			until := since.Add(time.Duration(after * float64(e.life)))
			if long {
				until = since.Add(e.life + beyond)
			}
			pause(ctx, time.Until(until))
			err := e.mend(silent)
			pause(ctx, rest)
			return err
		}}
}

// young waits until the newest token is younger than that, and returns when it was issued.
func (e *tokenEndpoint) young(ctx context.Context, than time.Duration) time.Time {
	for {
		e.mu.Lock()
		since := e.last
		e.mu.Unlock()
		if time.Since(since) < than || ctx.Err() != nil {
			return since
		}
		pause(ctx, 50*time.Millisecond)
	}
}

// fail begins an outage.
func (e *tokenEndpoint) fail(silent bool) {
	e.mu.Lock()
	e.failures = append(e.failures, 0)
	e.busy = !silent
	e.mu.Unlock()
	if silent {
		e.close()
	}
}

func (e *tokenEndpoint) mend(silent bool) error {
	if silent {
		return e.open()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.busy = false
	return nil
}

func (e *tokenEndpoint) outlasted(turns int) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	requests := 0
	for i, n := range e.failures[:turns] {
		if n == 0 {
			return "", fmt.Errorf("nobody asked for a token in outage %d", i+1)
		}
		requests += n
	}
	return fmt.Sprintf("%d requests for tokens were in vain", requests), nil
}
