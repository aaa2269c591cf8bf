package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/internal/overdue"
)

// A pause is a time in which the process stood still: it was stopped, or its machine was. What was answered meanwhile lies in
// the sockets when it goes on, and the loop may look at the clock before the connections have brought it. So for a moment after
// a pause no deadline that came in it is judged.
type pause struct {
	since time.Time // the last time by which deadlines have been judged
	until time.Time // when they are again; zero, or past: there was no pause
	again int       // how many pauses in a row have come within the moment after the last
}

const (
	// punctual is how late the loop may be. If it is later, it has stood still.
	punctual = overdue.Punctual
	// afterPause is how long connections are given to bring what they have: as long as a connection gives itself before it
	// calls a request timed out.
	afterPause = overdue.Moment
	// mostAgain bounds how often a further pause prolongs that moment.
	mostAgain = 3
)

// stoodStill says that the loop goes on now, and should have done so right after since.
func (p *pause) stoodStill(since, now time.Time) {
	again := 0
	if p.until.After(since) && p.again < mostAgain {
		since, again = p.since, p.again+1 // what came in the one before was not judged yet
	}
	*p = pause{since, now.Add(afterPause), again}
}

// judged returns the time by which deadlines are judged: now, unless there was a pause just before.
func (p *pause) judged(now time.Time) time.Time {
	if p.until.After(now) {
		return p.since
	}
	return now
}

// judgedAt returns when a deadline, or the zero time, will be judged.
func (p *pause) judgedAt(now, deadline time.Time) time.Time {
	if !deadline.IsZero() && !deadline.After(now) && p.until.After(now) {
		return p.until
	}
	return deadline
}
