package txn

import "time"

// attempts counts the attempts at requests that have failed in a row, and says when the next may be made.
type attempts struct {
	failures   int // since the last success
	notBefore  time.Time
	trouble    error     // of the last failed attempt
	troubledAt time.Time // when that was
}

// anew lets the next attempt be made at once. The trouble stays.
func (a *attempts) anew() { a.failures, a.notBefore = 0, time.Time{} }

// succeeded forgets all that has failed.
func (a *attempts) succeeded() {
	a.anew()
	a.trouble = nil
}

// troubled notes what has gone wrong.
func (a *attempts) troubled(now time.Time, err error) { a.trouble, a.troubledAt = err, now }

// failed notes a failed attempt, after which to wait.
func (a *attempts) failed(now time.Time, err error, wait time.Duration) {
	a.troubled(now, err)
	a.notBefore = now.Add(wait)
	a.failures++
}

// backoff notes a failed attempt, and waits for the usual backoff.
func (t *Txn) backoff(now time.Time, err error) {
	t.attempts.failed(now, err, t.cfg.Delay(t.attempts.failures))
}

// backoffBriefly is backoff while the last transaction is being completed, which usually takes milliseconds.
func (t *Txn) backoffBriefly(now time.Time, err error) {
	const first = 5 * time.Millisecond
	t.attempts.failed(now, err, min(first<<min(t.attempts.failures, 10), t.cfg.Delay(t.attempts.failures)))
}
