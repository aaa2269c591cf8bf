package txn

import "time"

// Attempts are those at requests, and how long to wait before the next.
type attempts struct {
	failures   int // since the last success
	notBefore  time.Time
	trouble    error     // of the last failed one
	troubledAt time.Time // when that was
}

// anew lets the next be made at once. The trouble stays.
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

// again sets the backoff after a failed attempt.
func (t *Txn) again(now time.Time, err error) {
	t.attempts.failed(now, err, t.cfg.Delay(t.attempts.failures))
}

// soon is again while the transaction before is being completed, which takes milliseconds as a rule.
func (t *Txn) soon(now time.Time, err error) {
	const first = 5 * time.Millisecond
	t.attempts.failed(now, err, min(first<<min(t.attempts.failures, 10), t.cfg.Delay(t.attempts.failures)))
}
