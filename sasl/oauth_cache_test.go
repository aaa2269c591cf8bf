package sasl

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"
)

// A dispenser is a source whose tokens are numbered, and live for some time. It may be slow, or fail.
type dispenser struct {
	life  time.Duration
	takes time.Duration
	fails atomic.Pointer[error]
	calls atomic.Int64
}

func (d *dispenser) Token(ctx context.Context) (Token, error) {
	n := d.calls.Add(1)
	fails := d.fails.Load()
	select {
	case <-time.After(d.takes):
	case <-ctx.Done():
		return Token{}, ctx.Err()
	}
	if fails != nil {
		return Token{}, *fails
	}
	token := Token{Value: Secret(fmt.Sprint("token", n))}
	if d.life > 0 {
		token.Expires = time.Now().Add(d.life)
	}
	return token, nil
}

func (d *dispenser) fail(err error) { d.fails.Store(&err) }

// middle is a mechanism whose jitter is always the middle of its range: 0.825 of a token's life.
func middle(source TokenSource) *oauth {
	m := newOAuth(source, DefaultRefresh())
	m.cache.random = func() float64 { return 0.5 }
	return m
}

// sends demands that the next connection sends this token.
func sends(t *testing.T, m Mechanism, want string) {
	t.Helper()
	began := time.Now()
	got, _ := next(t, begin(t, m), "")
	if !strings.Contains(got, "Bearer "+want+"\x01") {
		t.Errorf("%v: sent %q, want %s", time.Since(began), got, want)
	}
}

// A token of an hour is replaced after 49.5 minutes, behind the back of the connections, which always have one at hand.
func TestTokenIsRefreshedInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dispenser{life: time.Hour, takes: time.Second}
		m := middle(d)
		began := time.Now()
		sends(t, m, "token1") // the first has to be waited for
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("waited %v", waited)
		}
		for round := range 3 {
			time.Sleep(49*time.Minute + 29*time.Second)
			began = time.Now()
			sends(t, m, fmt.Sprint("token", round+1))
			time.Sleep(time.Second + time.Millisecond)
			sends(t, m, fmt.Sprint("token", round+1)) // the next one is being fetched
			if waited := time.Since(began); waited != time.Second+time.Millisecond {
				t.Errorf("a connection has waited for a token while there was one: %v", waited)
			}
			time.Sleep(time.Second)
			sends(t, m, fmt.Sprint("token", round+2))
		}
	})
}

// Java's rules, in the order in which they are applied.
func TestWhenTheNextTokenIsDue(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	for _, c := range []struct {
		name    string
		issued  time.Duration // before now; -1 for none
		life    time.Duration // from now
		random  float64
		refresh Refresh
		want    time.Duration
	}{
		{"0.8 of a life", -1, time.Hour, 0, DefaultRefresh(), 48 * time.Minute},
		{"and at most 0.85", -1, time.Hour, 1, DefaultRefresh(), 51 * time.Minute},
		{"counted from when it was issued", 30 * time.Minute, 30 * time.Minute, 0, DefaultRefresh(), 18 * time.Minute},
		{"not sooner than the least period", 9 * time.Hour, 10 * time.Minute, 0, DefaultRefresh(), time.Minute},
		{"before the buffer", -1, 10 * time.Minute, 0.5, Refresh{1, 0, time.Minute, 5 * time.Minute}, 5 * time.Minute},
		{"a short life has neither", -1, 5 * time.Minute, 0, DefaultRefresh(), 4 * time.Minute},
		{"issued in the future", -10 * time.Minute, time.Hour, 0, DefaultRefresh(), 48 * time.Minute},
	} {
		issued := time.Time{}
		if c.issued != -1 {
			issued = now.Add(-c.issued)
		}
		if got := c.refresh.next(now, issued, now.Add(c.life), c.random).Sub(now).Round(time.Microsecond); got != c.want {
			t.Errorf("%s: after %v, want %v", c.name, got, c.want)
		}
	}
}

// Nobody has to close a mechanism. One that is not used asks for one token more at most, and then has neither timer nor
// goroutine.
func TestTokenThatNobodyUsesIsNotRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dispenser{life: time.Hour}
		m := middle(d)
		sends(t, m, "token1")
		time.Sleep(30 * 24 * time.Hour)
		synctest.Wait()
		if n := d.calls.Load(); n != 2 || m.cache.timer != nil {
			t.Errorf("%d tokens in a month, timer %v", n, m.cache.timer)
		}
		sends(t, m, "token3") // and the first to come back gets a good one
		time.Sleep(50 * time.Minute)
		if n := d.calls.Load(); n != 4 {
			t.Errorf("%d tokens", n)
		}
		time.Sleep(50 * time.Minute) // token4 was not used when it was time
		sends(t, m, "token4")
		synctest.Wait()
		sends(t, m, "token5")
	})
}

// Connections that are made side by side share one fetch, and whoever leaves takes nothing from the others.
func TestOneFetchForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dispenser{life: time.Hour, takes: 10 * time.Second}
		m := middle(d)
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		results := make(chan error)
		go func() { // the one that begins the fetch is the one that leaves
			_, err := m.Begin(impatient, Target{})
			results <- err
		}()
		synctest.Wait()
		for range 20 {
			go func() {
				_, err := m.Begin(t.Context(), Target{})
				results <- err
			}()
		}
		err := <-results
		if !errors.Is(err, context.DeadlineExceeded) || IsFinal(err) {
			t.Errorf("the impatient one: %v", err)
		}
		for range 20 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if d.calls.Load() != 1 {
			t.Errorf("%d fetches", d.calls.Load())
		}
	})
}

// An outage of the identity provider harms nobody while the token is good: it goes on to be used, and another is tried for
// every 10 seconds.
func TestOldTokenServesWhileRefreshFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dispenser{life: time.Hour}
		m := middle(d)
		sends(t, m, "token1")
		d.fail(Final(errors.New("invalid_client")))
		time.Sleep(59*time.Minute + time.Second)
		sends(t, m, "token1")
		if n := d.calls.Load(); n != 1+58 { // 49.5 to 59 minutes: 9.5 minutes, every 10 s
			t.Errorf("%d calls", n)
		}
		time.Sleep(2 * time.Minute)
		calls := d.calls.Load()
		for range 5 { // now it matters, and the error is told as it came; it is asked for once a second, and not by each
			_, err := m.Begin(t.Context(), Target{})
			if !IsFinal(err) {
				t.Errorf("Begin: %v", err)
			}
		}
		if n := d.calls.Load(); n != calls+1 {
			t.Errorf("%d calls for 5 connections", n-calls)
		}
		time.Sleep(time.Hour)
		if n := d.calls.Load(); n != calls+1 {
			t.Errorf("%d calls though nobody wants a token", n-calls-1)
		}
		d.fails.Store(nil)
		sends(t, m, fmt.Sprint("token", calls+2))
	})
}

// A token that ends in a moment is not sent if there is another, and is if there is none.
func TestTokenThatIsAboutToExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dispenser{life: time.Hour}
		m := middle(d)
		sends(t, m, "token1")
		d.fail(errors.New("down"))
		time.Sleep(time.Hour - 4*time.Second)
		sends(t, m, "token1")
		d.fails.Store(nil)
		sends(t, m, "token1") // no sooner than a second later it is tried again
		time.Sleep(retryFetch - 1)
		sends(t, m, "token1")
		time.Sleep(time.Nanosecond)
		sends(t, m, fmt.Sprint("token", d.calls.Load()+1))
	})
}

// A token of which nobody knows the end is for one use.
func TestTokenWithoutAnEndIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dispenser{}
		m := middle(d)
		for i := range 3 {
			sends(t, m, fmt.Sprint("token", i+1))
		}
		m = middle(always(Token{Value: Secret(jwt(t, "RS256", map[string]any{"exp": time.Now().Add(time.Hour).Unix()}))}))
		begin(t, m)
		if time.Until(m.cache.expires) != time.Hour {
			t.Errorf("the claim exp is not read: %v", m.cache.expires)
		}
	})
}

// A token that is expired when it comes, by a clock that is wrong, is sent: the broker's clock decides. Java's producer is
// dead from then on.
func TestTokenThatComesExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dispenser{}
		source := TokenFunc(func(ctx context.Context) (Token, error) {
			token, err := d.Token(ctx)
			token.Expires = time.Now().Add(-time.Minute)
			return token, err
		})
		m := middle(source)
		sends(t, m, "token1")
		sends(t, m, "token2")
		time.Sleep(24 * time.Hour)
		if n := d.calls.Load(); n != 2 {
			t.Errorf("%d calls", n)
		}
	})
}

// A source that never answers is given up after a minute, by whoever still waits, and asked again.
func TestSourceThatNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dispenser{takes: 24 * time.Hour}
		m := middle(d)
		began := time.Now()
		_, err := m.Begin(t.Context(), Target{})
		if waited := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || waited != time.Minute {
			t.Errorf("after %v: %v", waited, err)
		}
		d.takes, d.life = 0, time.Hour
		time.Sleep(retryFetch)
		sends(t, m, "token2")
	})
}

// The timer does not keep a mechanism that nobody has any more.
func TestTimerHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := func() weak.Pointer[tokenCache] {
			m := middle(&dispenser{life: time.Hour})
			begin(t, m)
			synctest.Wait() // the goroutine that has fetched the token has ended
			if m.cache.timer == nil {
				t.Error("there is no timer")
			}
			return weak.Make(m.cache)
		}()
		for range 10 {
			runtime.GC()
		}
		if held.Value() != nil {
			t.Error("the cache of tokens is still reachable")
		}
	})
}

func TestRefreshOutOfRange(t *testing.T) {
	if _, err := OAuthBearerWith(always(Token{Value: "a"}), DefaultRefresh()); err != nil {
		t.Error(err)
	}
	_, err := OAuthBearerWith(always(Token{Value: "a"}), Refresh{WindowJitter: 0.3, MinPeriod: time.Hour, Buffer: -1})
	if err == nil {
		t.Fatal("is taken")
	}
	has(t, err.Error(), "WindowFactor = 0", "WindowJitter = 0.3", "MinPeriod = 1h0m0s", "Buffer = -1ns", "DefaultRefresh()")
}
