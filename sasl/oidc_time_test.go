package sasl

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A handler answers requests within the process, so that fake time holds for them. One that takes longer than its client
// waits is left alone.
type handler func(w http.ResponseWriter, r *http.Request)

func (h handler) RoundTrip(r *http.Request) (*http.Response, error) {
	answered := make(chan *http.Response, 1)
	go func() {
		w := httptest.NewRecorder()
		h(w, r)
		answered <- w.Result()
	}()
	select {
	case response := <-answered:
		return response, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// within is a client of an endpoint in the process.
func within(h handler) OIDCConfig {
	c := client("https://idp.example/token")
	c.HTTP = &http.Client{Transport: h}
	return c
}

// sleep is a slow endpoint, which notices that nobody waits any more.
func sleep(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}

const goodToken = `{"access_token":"opaque","expires_in":300}`

// What may pass is tried again, after pauses that double, and not for longer than the budget.
func TestOIDCTriesAgain(t *testing.T) {
	for _, c := range []struct {
		status int
		again  bool
	}{
		{500, true}, {502, true}, {503, true}, {504, true}, {599, true}, {408, true}, {429, true},
		{400, false}, {401, false}, {404, false}, {407, false}, {409, false}, {415, false}, {501, false}, {505, false}, {204, false}, {302, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			s := source(t, within(func(w http.ResponseWriter, _ *http.Request) {
				if calls++; calls < 4 {
					w.WriteHeader(c.status)
					return
				}
				io.WriteString(w, goodToken)
			}))
			began := time.Now()
			_, err := s.Token(t.Context())
			if took := time.Since(began); c.again && (err != nil || calls != 4 || took < 560*time.Millisecond || took > 840*time.Millisecond) {
				t.Errorf("%d: %d calls in %v, %v", c.status, calls, took, err)
			}
			if !c.again && (err == nil || calls != 1) {
				t.Errorf("%d: %d calls, %v", c.status, calls, err)
			}
		})
	}
}

func TestOIDCGivesUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		config := within(func(w http.ResponseWriter, r *http.Request) {
			if calls++; calls == 1 {
				w.WriteHeader(500)
				return
			}
			answer(503, "application/json", `{"error":"overloaded"}`)(w, r)
		})
		began := time.Now()
		_, err := source(t, config).Token(t.Context())
		took := time.Since(began)
		if err == nil || IsFinal(err) || took > 10*time.Second || took < 8*time.Second || calls < 11 || calls > 15 {
			t.Fatalf("%d calls in %v: %v", calls, took, err)
		}
		has(t, err.Error(), "https://idp.example/token: ", " tries in ", `503 Service Unavailable: "overloaded"`, "at first: it has answered 500 Internal Server Error")

		config.RetryBackoff, config.RetryBudget = time.Second, 1500*time.Millisecond
		calls, began = 0, time.Now()
		_, err = source(t, config).Token(t.Context())
		if took := time.Since(began); err == nil || calls != 2 || took > 1500*time.Millisecond {
			t.Errorf("settings are not followed: %d calls in %v: %v", calls, took, err)
		}

		config.RetryBackoff, config.RetryBudget = 4*time.Second, 10*time.Second // longer pauses stay as long as they are
		calls = 0
		if _, err = source(t, config).Token(t.Context()); err == nil || calls != 3 {
			t.Errorf("settings are not followed: %d calls, %v", calls, err)
		}
	})
}

// However long an endpoint was down, a second after it is back there is a token: the pauses do not double for ever.
func TestOIDCEndpointIsBack(t *testing.T) {
	for down := 100 * time.Millisecond; down < 9*time.Second; down += 700 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			_, err := source(t, within(func(w http.ResponseWriter, _ *http.Request) {
				if time.Since(began) < down {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				io.WriteString(w, goodToken)
			})).Token(t.Context())
			if late := time.Since(began) - down; err != nil || late > time.Second {
				t.Errorf("down for %v: a token %v later, %v", down, late, err)
			}
		})
	}
}

// An endpoint that is overloaded may say for how long it wants to be left alone.
func TestOIDCRetryAfter(t *testing.T) {
	for after, want := range map[string]time.Duration{"7": 7 * time.Second, "60": 0, "-7": 0, "soon": 0} {
		synctest.Test(t, func(t *testing.T) {
			calls, began := 0, time.Now()
			_, err := source(t, within(func(w http.ResponseWriter, _ *http.Request) {
				if calls++; calls == 1 {
					w.Header().Set("Retry-After", after)
					w.WriteHeader(429)
					return
				}
				io.WriteString(w, goodToken)
			})).Token(t.Context())
			took := time.Since(began)
			if gaveUp := after == "60"; gaveUp != (err != nil) || took < want || took > want+time.Second {
				t.Errorf("Retry-After %s: %d calls in %v, %v", after, calls, took, err)
			}
		})
	}
}

// Nothing waits for ever: not for an answer, and not for its end. Java has no bound by default.
func TestOIDCIsNotHeldUp(t *testing.T) {
	for _, c := range []struct {
		connect, read, want time.Duration
	}{
		{0, 0, 10 * time.Second},
		{2 * time.Second, 3 * time.Second, 5 * time.Second},
		{0, 30 * time.Second, 40 * time.Second},
		{time.Second, 0, 11 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			config := within(func(_ http.ResponseWriter, r *http.Request) { sleep(r, time.Hour) })
			config.ConnectTimeout, config.ReadTimeout, config.RetryBudget = c.connect, c.read, 1
			began := time.Now()
			_, err := source(t, config).Token(t.Context())
			if took := time.Since(began); err == nil || IsFinal(err) || took != c.want {
				t.Errorf("%v: %v", took, err)
			}
			has(t, err.Error(), "no answer in "+c.want.String())
		})
	}
	synctest.Test(t, func(t *testing.T) { // an endpoint that was slow once
		var calls atomic.Int64
		config := within(func(w http.ResponseWriter, r *http.Request) {
			if calls.Add(1) == 1 {
				sleep(r, time.Hour)
			}
			io.WriteString(w, goodToken)
		})
		config.ConnectTimeout, config.ReadTimeout = time.Second, time.Second
		if token, err := source(t, config).Token(t.Context()); err != nil || calls.Load() != 2 || time.Until(token.Expires) != 5*time.Minute {
			t.Errorf("%d calls, %v", calls.Load(), err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // whoever asks may leave, in a request and between two
		for _, h := range []handler{
			func(_ http.ResponseWriter, r *http.Request) { sleep(r, time.Hour) },
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			began := time.Now()
			_, err := source(t, within(h)).Token(ctx)
			if took := time.Since(began); err == nil || took != 500*time.Millisecond {
				t.Errorf("%v: %v", took, err)
			}
			cancel()
		}
	})
}

// A body that does not end is bounded as well.
func TestOIDCBodyThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := client("https://idp.example/token")
		config.RetryBudget = 1
		config.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: endless{r.Context()}, Request: r}, nil
		})}
		began := time.Now()
		_, err := source(t, config).Token(t.Context())
		if took := time.Since(began); err == nil || took != 10*time.Second {
			t.Errorf("%v: %v", took, err)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// endless gives nothing, until its ctx ends, as the body of a silent peer does.
type endless struct{ ctx context.Context }

func (e endless) Read([]byte) (int, error) { <-e.ctx.Done(); return 0, e.ctx.Err() }
func (endless) Close() error               { return nil }

// The endpoint's clock tells of ours: a refusal names the difference, and a token's end is by our clock.
func TestOIDCClocks(t *testing.T) {
	for _, c := range []struct{ ahead, want time.Duration }{{10 * time.Minute, 10 * time.Minute}, {-10 * time.Minute, -10 * time.Minute}, {time.Second, 0}, {0, 0}} {
		synctest.Test(t, func(t *testing.T) {
			refuse := true
			theirs := func() time.Time { return time.Now().Add(-c.ahead) }
			config := within(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", theirs().UTC().Format(http.TimeFormat))
				if refuse {
					w.WriteHeader(401)
					return
				}
				io.WriteString(w, `{"access_token":"`+jwt(t, "RS256", map[string]any{"exp": theirs().Add(time.Hour).Unix()})+`"}`)
			})
			s := source(t, config)
			_, err := s.Token(t.Context())
			if told := strings.Contains(err.Error(), "this computer's clock is 10m0s"); told != (c.want != 0) {
				t.Error(err)
			}
			refuse = false
			token, err := s.Token(t.Context())
			if err != nil || token.skew != c.want {
				t.Fatalf("skew %v, %v", token.skew, err)
			}
			if off := time.Until(token.Expires) - time.Hour + c.ahead - c.want; off.Abs() > time.Second {
				t.Errorf("expires in %v", time.Until(token.Expires))
			}
		})
	}
}

// From the endpoint to the wire: one fetch, in the background from then on.
func TestOAuthWithAnEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		var fails atomic.Bool
		m := middle(source(t, within(func(w http.ResponseWriter, r *http.Request) {
			if calls.Add(1); fails.Load() {
				w.WriteHeader(503)
				return
			}
			io.WriteString(w, `{"access_token":"token`+strings.Repeat("I", int(calls.Load()))+`","expires_in":3600}`)
		})))
		sends(t, m, "tokenI")
		time.Sleep(50 * time.Minute)
		synctest.Wait()
		sends(t, m, "tokenII")
		fails.Store(true)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		_, err := m.Begin(t.Context(), Target{})
		if err == nil || IsFinal(err) || errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v", err)
		}
		has(t, err.Error(), "no token: https://idp.example/token", "503")
	})
}
