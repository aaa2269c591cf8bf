package sender

import (
	"log/slog"
	"time"
)

const (
	// firstPace is the time between the first two lines about a state that lasts. It doubles with each line, up to slowPace.
	firstPace = 30 * time.Second
	slowPace  = 10 * time.Minute
	// burst is how many lines about one subject are written at once. Further ones keep a pace, which grows to pulsePace, until
	// none has come for calm.
	burst     = 5
	pulsePace = time.Minute
	calm      = 5 * time.Minute
)

// A pace says when the log is told again of a state that lasts.
type pace struct {
	next  time.Time
	every time.Duration
}

func (p *pace) begin(now time.Time) { p.next, p.every = now.Add(firstPace), firstPace }

// due reports whether it is time, and sets the next.
func (p *pace) due(now time.Time) bool { return p.dueUpTo(now, slowPace) }

func (p *pace) dueUpTo(now time.Time, slowest time.Duration) bool {
	if p.next.After(now) {
		return false
	}
	p.every = min(2*p.every, slowest)
	p.next = now.Add(p.every)
	return true
}

// A pulse counts the lines about one subject that come too fast, and holds the last of them.
type pulse struct {
	pace
	logged int       // since it was calm
	last   time.Time // when one came
	held   line
	more   int64 // lines that were not told, the held one included
}

// beat takes in that a line comes, and reports whether it is told now.
func (p *pulse) beat(now time.Time) bool {
	if p.more == 0 && now.Sub(p.last) >= calm {
		*p = pulse{}
	}
	p.last = now
	if p.logged < burst {
		if p.logged++; p.logged == burst {
			p.begin(now)
		}
		return true
	}
	return p.dueUpTo(now, pulsePace)
}

// release returns l with the number of those that were not told, and forgets them.
func (p *pulse) release(l line) line {
	if p.more > 0 {
		l.AddAttrs(slog.Int64("repeated", p.more))
	}
	p.held, p.more = line{}, 0
	return l
}
