package sender

import (
	"fmt"
	"runtime/debug"
	"time"
)

// staleness bounds how old the coarse clock may be while a batch is open.
const staleness = 10 * time.Millisecond

// trimEvery is how long memory that nobody needs any more is kept at least.
const trimEvery = 10 * time.Second

// step takes up what has come in and does all that can be done now. It returns
// when the next step is due at the latest, whatever comes; the zero time for
// never. It is for the one who has the turn, and waits for nothing.
func (s *Sender) step(now time.Time) time.Time {
	s.cfg.Clock.Publish(now)
	s.events = s.inbox.take(s.events)
	for i, e := range s.events {
		s.core.handle(now, e)
		s.events[i] = nil
	}
	s.completions.send()
	if s.core.aborted {
		s.cancel()
	}
	at := s.core.step(now)
	s.completions.send()
	if s.core.alarms.waiting > 0 {
		at = sooner(at, now.Add(staleness))
	}
	if s.acc.Memory.Spare() {
		if now.Sub(s.trimmed) >= trimEvery {
			s.trimmed = now
			s.acc.Memory.Trim()
		}
		at = sooner(at, s.trimmed.Add(trimEvery))
	}
	return at
}

// lend has the caller do a step, if it is nobody's turn: the caller has a record
// that may go at once, and to wake the loop's goroutine on another processor
// takes longer than all that there is to do. Else, the loop does.
func (s *Sender) lend() {
	select {
	case s.turn <- struct{}{}:
	default:
		s.inbox.nudge() // whose turn it is may have looked already
		return
	}
	defer crash()
	done := s.core.done()
	if !done {
		at := s.step(time.Now())
		done = s.core.done() || !at.IsZero() && at.Before(s.rings)
	}
	<-s.turn
	if done {
		s.inbox.nudge() // to end, or to set its timer
	}
}

// crash ends the program if a step panics: an invariant of the sender is broken,
// and a caller that recovers, as servers do from what a request does, must not
// go on with it.
func crash() {
	if cause := recover(); cause != nil {
		stack := debug.Stack()
		go func() { panic(fmt.Sprintf("%v\n\n%s", cause, stack)) }()
		select {}
	}
}
