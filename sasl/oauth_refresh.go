package sasl

import (
	"fmt"
	"strings"
	"time"
)

// Refresh says when [OAuthBearer] gets the next token: while the current one is still valid, so that no connection has to wait
// (KIP-255). Start from [DefaultRefresh], which has Java's defaults: zero is no default.
type Refresh struct {
	// WindowFactor is the part of the token's life after which the next token is asked for. Range 0.5 to 1, default 0.8
	// (sasl.login.refresh.window.factor).
	WindowFactor float64

	// WindowJitter, times a random number from 0 to 1, is added to WindowFactor, so that many producers do not ask at once.
	// Range 0 to 0.25, default 0.05 (sasl.login.refresh.window.jitter).
	WindowJitter float64

	// MinPeriod is the least time between two tokens. Range 0 to 15 minutes, default 1 minute
	// (sasl.login.refresh.min.period.seconds).
	MinPeriod time.Duration

	// Buffer is how long before the end of the token the next one is asked for at the latest. Range 0 to 1 hour, default 5
	// minutes (sasl.login.refresh.buffer.seconds). If a token lives for less than MinPeriod and Buffer together, only
	// WindowFactor and WindowJitter count.
	Buffer time.Duration
}

// DefaultRefresh returns Java's defaults.
func DefaultRefresh() Refresh {
	return Refresh{WindowFactor: 0.8, WindowJitter: 0.05, MinPeriod: time.Minute, Buffer: 5 * time.Minute}
}

// check names all that is out of range.
func (r Refresh) check() error {
	var wrong []string
	if !(r.WindowFactor >= 0.5 && r.WindowFactor <= 1) { // so written, NaN is out of range too
		wrong = append(wrong, fmt.Sprintf("WindowFactor = %v has to be from 0.5 to 1", r.WindowFactor))
	}
	if !(r.WindowJitter >= 0 && r.WindowJitter <= 0.25) {
		wrong = append(wrong, fmt.Sprintf("WindowJitter = %v has to be from 0 to 0.25", r.WindowJitter))
	}
	if r.MinPeriod < 0 || r.MinPeriod > 15*time.Minute {
		wrong = append(wrong, fmt.Sprintf("MinPeriod = %v has to be from 0 to 15m", r.MinPeriod))
	}
	if r.Buffer < 0 || r.Buffer > time.Hour {
		wrong = append(wrong, fmt.Sprintf("Buffer = %v has to be from 0 to 1h", r.Buffer))
	}
	if wrong == nil {
		return nil
	}
	return fmt.Errorf("token refresh: %s; begin with DefaultRefresh()", strings.Join(wrong, ", "))
}

// next returns when to ask for the token after one that was got now. issued may be zero. random is from 0 to 1.
func (r Refresh) next(now, issued, expires time.Time, random float64) time.Time {
	part := r.WindowFactor + r.WindowJitter*random
	of := func(start time.Time) time.Time {
		return start.Add(time.Duration(float64(expires.Sub(start)) * part))
	}
	if now.Add(r.MinPeriod + r.Buffer).After(expires) {
		return of(now)
	}
	if issued.IsZero() || issued.After(now) {
		issued = now
	}
	at := of(issued)
	if latest := expires.Add(-r.Buffer); at.After(latest) {
		at = latest
	}
	if soonest := now.Add(r.MinPeriod); at.Before(soonest) {
		at = soonest
	}
	return at
}
