// Package backoff says how long to wait before trying again.
//
// It holds no state and no clock: the caller counts the failures, draws the random number and does the waiting. The same rule
// serves retries (KIP-580), reconnects (KIP-144) and the connect timeout (KIP-601).
package backoff

import (
	"math"
	"time"
)

// Policy is an exponential backoff: Base, doubled with each further failure, never more than Max. It is a value, and safe for
// concurrent use.
type Policy struct {
	Base time.Duration // the first delay; 0 or less means no delay at all
	Max  time.Duration // bounds every delay; if it is not above Base, every delay is Max exactly

	// Jitter spreads a delay evenly over [1-Jitter, 1+Jitter) of its value, so that clients which failed together do not come
	// back together. Kafka's value is 0.2. Range 0 to 1.
	Jitter float64
}

// Delay returns the wait after the given number of earlier failures in a row: 0 gives Base, 1 gives twice Base, and so on. The
// jitter comes from r, which is in [0, 1). As in Java, Max cuts the delay off after the jitter was applied: once the doubling
// has reached Max, delays lie in [(1-Jitter)*Max, Max].
func (p Policy) Delay(failures int, r float64) time.Duration {
	if p.Base <= 0 || p.Max <= 0 {
		return 0
	}
	if p.Max <= p.Base {
		return p.Max
	}
	// The exponent stops where Base reaches Max: 2^failures would overflow.
	top := math.Log2(float64(p.Max) / float64(p.Base))
	exponent := min(float64(max(failures, 0)), top)
	factor := 1 - p.Jitter + 2*p.Jitter*r
	delay := float64(p.Base) * math.Exp2(exponent) * factor
	if delay >= float64(p.Max) { // compared as floats: a Max near the largest duration would overflow below
		return p.Max
	}
	return time.Duration(delay)
}
