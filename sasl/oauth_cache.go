package sasl

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
	"weak"
)

const (
	retryRefresh = 10 * time.Second // after a failed refresh, while the old token is good
	retryFetch   = time.Second      // after a failed fetch, while there is no token
	fetchLimit   = time.Minute      // for a source that has no limit of its own
)

// A tokenCache keeps the newest token, for all connections. It may be used concurrently.
//
// One fetch is under way at a time, in a goroutine that ends with the source's answer. Connections wait for it only while there
// is no valid token. Between two fetches there is a timer and no goroutine. If nobody has used the token since it came, the
// timer does nothing, and none follows. So nothing has to be closed.
type tokenCache struct {
	source  TokenSource
	refresh Refresh
	random  func() float64

	mu      sync.Mutex
	token   func() Token // a function, so that package fmt cannot print what it holds
	expires time.Time    // of token; zero for no token
	goodTo  time.Time    // a little before expires: what is sent then still arrives in time
	next    time.Time    // when to ask for another
	used    bool         // somebody has used token
	timer   *time.Timer  // for next; nil: none
	timers  int          // number of timers that were set, so that one which was stopped too late can tell
	fetch   *tokenFetch  // the fetch under way; nil: none
	err     error        // error of the last fetch; nil if it succeeded
	failed  time.Time    // when err came
}

// A tokenFetch is one call of the source. Its result is there when done is closed.
type tokenFetch struct {
	began time.Time
	done  chan struct{}
	token Token
	err   error

	hampered chan struct{} // closed when trouble is there
	trouble  error         // why the first try has failed, while others are made
}

func newTokenCache(source TokenSource, refresh Refresh) *tokenCache {
	return &tokenCache{source: source, refresh: refresh, random: rand.Float64}
}

// get returns a token. It waits only while there is no valid one, for as long as ctx. It calls tell with the reason why none
// comes, or why the returned one could not be replaced; and with nil once nothing is in the way any more.
func (c *tokenCache) get(ctx context.Context, tell func(error)) (Token, error) {
	token, err := c.find(ctx, tell)
	if err == nil {
		tell(c.lastFailure())
	}
	return token, err
}

// lastFailure returns why the token could not be replaced, nil if the last fetch succeeded.
func (c *tokenCache) lastFailure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return fmt.Errorf("no new token, and the old one ends at %s: %w", c.expires.UTC().Format(time.RFC3339), c.err)
}

func (c *tokenCache) find(ctx context.Context, tell func(error)) (Token, error) {
	c.mu.Lock()
	now := time.Now()
	if before(now, c.goodTo) {
		c.used = true
		if !now.Before(c.next) && c.timer == nil && c.fetch == nil {
			c.begin() // nobody has used the token when it was time
		}
		token := c.token()
		c.mu.Unlock()
		return token, nil
	}
	if c.fetch == nil && c.err != nil && now.Before(c.failed.Add(retryFetch)) {
		defer c.mu.Unlock()
		return c.orOld(now, c.err)
	}
	if c.fetch == nil {
		c.begin()
	}
	fetch := c.fetch
	c.mu.Unlock()
	return c.await(ctx, fetch, tell)
}

func (c *tokenCache) await(ctx context.Context, fetch *tokenFetch, tell func(error)) (Token, error) {
	err := error(nil)
	select {
	case <-fetch.done:
	case <-ctx.Done():
	case <-fetch.hampered:
		tell(fmt.Errorf("no token: %w", fetch.trouble))
	}
	select {
	case <-fetch.done:
		err = fetch.err
	case <-ctx.Done():
		err = fmt.Errorf("no token after %v: %w", time.Since(fetch.began).Round(time.Millisecond), context.Cause(ctx))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.used = true
		return fetch.token, nil
	}
	return c.orOld(time.Now(), err)
}

// orOld returns a token that is about to expire, if there is one, in place of err. c.mu is held.
func (c *tokenCache) orOld(now time.Time, err error) (Token, error) {
	if before(now, c.expires) {
		return c.token(), nil
	}
	return Token{}, err
}

// begin asks the source. c.mu is held.
func (c *tokenCache) begin() {
	c.stopTimer()
	c.fetch = &tokenFetch{began: time.Now(), done: make(chan struct{}), hampered: make(chan struct{})}
	go c.ask(c.fetch)
}

// ask runs in a goroutine of its own. begin starts it, and the source's answer ends it.
func (c *tokenCache) ask(fetch *tokenFetch) {
	limit, ok := longest(c.source)
	if !ok {
		limit = fetchLimit
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	token, err := tokenOf(ctx, c.source, func(err error) {
		if fetch.trouble == nil {
			fetch.trouble = err
			close(fetch.hampered)
		}
	})
	if err == nil {
		err = token.check()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	fetch.token, fetch.err = token, err
	c.fetch, c.err = nil, err
	if err != nil {
		c.failed = now
	}
	if expires := token.expiry(); err == nil && expires.After(now) {
		c.keep(now, token, expires)
	} else { // the old token is all that can be kept, as long as it is good
		c.next = now.Add(retryRefresh)
		if c.next.Before(c.goodTo) {
			c.setTimer(now)
		}
	}
	close(fetch.done)
}

// keep stores a token that is valid from now on. c.mu is held.
func (c *tokenCache) keep(now time.Time, token Token, expires time.Time) {
	jwt, _ := decodeJWT(string(token.Value))
	issued := jwt.issued
	expires = now.Add(expires.Sub(now)) // so that it has the time of both clocks, as now has
	if !issued.IsZero() {
		issued = issued.Add(token.skew)
	}
	c.token, c.expires, c.used = func() Token { return token }, expires, false
	c.goodTo = expires.Add(-min(5*time.Second, expires.Sub(now)/10))
	c.next = now.Add(c.refresh.next(now, issued, expires, c.random()).Sub(now))
	c.setTimer(now)
}

// setTimer sets the timer so that a mechanism that nobody has any more can be collected. c.mu is held.
func (c *tokenCache) setTimer(now time.Time) {
	c.stopTimer()
	c.timers++
	self, number := weak.Make(c), c.timers
	c.timer = time.AfterFunc(c.next.Sub(now), func() {
		if c := self.Value(); c != nil {
			c.due(number)
		}
	})
}

func (c *tokenCache) stopTimer() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// due refreshes the token, if somebody has used it since it came.
func (c *tokenCache) due(number int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer == nil || number != c.timers {
		return
	}
	c.timer = nil
	if c.used && before(time.Now(), c.goodTo) {
		c.begin()
	}
}

// before reports whether t is still to come by both clocks of a computer: the one that stops while the computer sleeps, and the
// one that can be set.
func before(now, t time.Time) bool { return now.Before(t) && now.Round(0).Before(t.Round(0)) }
