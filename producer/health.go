package producer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/sender"
)

// Health says whether a producer can deliver now, by what it has heard last, and why not.
//
// A liveness probe asks Alive, which is false only if a new producer is needed. It stays true while the cluster is down: to
// restart the program would lose its records, and help nobody. A readiness probe calls Producer.Ready, or looks at State if
// nothing may wait.
type Health struct {
	At      time.Time // when the Health was made
	State   HealthState
	Reasons []string // why State is HealthFailing or HealthDead, for people; the most important first

	Reachable     bool // there is a connection to a broker; false from Close on
	Authenticated bool // a broker has let this client in, and none has refused it since then while there was no connection
	Brokers       int  // brokers with a connection; while none has one, the bootstrap servers with one

	LastAcknowledged time.Time     // when a record was acknowledged last; zero: none was yet
	OldestAge        time.Duration // age of the oldest record that has no outcome; 0: every record has its outcome
	Leaderless       []TopicHealth // topics with partitions that have no leader

	// LastError is the last failure of any broker that is needed, and FailingSince the first one, as in Stats. All three are
	// zero while all is well.
	LastError    error
	LastErrorAt  time.Time
	FailingSince time.Time
}

// TopicHealth says whether the partitions of a topic have leaders.
type TopicHealth struct {
	Topic      string
	Partitions int // number of partitions; 0: the topic is not known
	Leaderless int // number of those that have no leader, so that their records wait
}

// HealthState is the verdict of a Health.
type HealthState uint8

// The verdicts.
const (
	// HealthUnknown: the producer has not asked the cluster for anything yet. The first record does, and so do LoadTopics, Ping
	// and Ready.
	HealthUnknown HealthState = iota
	// HealthReady: records can be delivered, as far as is known.
	HealthReady
	// HealthFailing: records cannot be delivered now, or some cannot. That may pass by itself.
	HealthFailing
	// HealthDead: the producer is closed, or can never deliver again. Only a new one helps.
	HealthDead
)

var healthNames = [...]string{"unknown", "ready", "failing", "dead"}

// String returns the verdict in a word: unknown, ready, failing or dead.
func (s HealthState) String() string { return enumName(healthNames[:], int(s)) }

// Alive reports whether the producer can still be of use. It is for liveness probes.
func (h Health) Alive() bool { return h.State != HealthDead }

// A NotReadyError says why Ready has found the producer not to be ready.
type NotReadyError struct {
	Health Health // what Producer.Health returned then
	Err    error  // the cause, such as ErrClosed or ErrFenced; nil: Health.Reasons say all
}

func (e *NotReadyError) Error() string {
	reasons := e.Health.Reasons
	if e.Err != nil && !slices.Contains(reasons, e.Err.Error()) {
		reasons = append([]string{e.Err.Error()}, reasons...)
	}
	if len(reasons) == 0 {
		return "the producer is not ready"
	}
	return "the producer is not ready: " + strings.Join(reasons[:min(len(reasons), maxListed)], "; ")
}

// Unwrap returns the cause.
func (e *NotReadyError) Unwrap() error { return e.Err }

// Health returns how the producer is. It asks no broker, and waits as long as Metrics does, so it must not be called in a hook
// that runs on the producer's own goroutine. A record that has waited for a quarter of delivery.timeout makes the state
// HealthFailing.
func (p *Producer) Health() Health {
	h, _, _ := p.examine()
	return h
}

// Ready returns nil if records can be delivered now, as far as can be known: a broker is connected and lets this client in, the
// named topics are known, and each of their partitions has a leader. Otherwise it returns a *NotReadyError. It is what a
// readiness probe calls.
//
// Ready looks up topics that are not known, and asks a broker if none is connected. For that it waits within ctx and max.block.
// While the producer is at work Ready asks nobody. It may be called concurrently.
func (p *Producer) Ready(ctx context.Context, topics ...string) error {
	h, of, dead := p.examine(topics...)
	if dead != nil {
		return &NotReadyError{Health: h, Err: dead}
	}
	var missing []string
	for _, t := range of {
		if t.Partitions == 0 {
			missing = append(missing, t.Topic)
		}
	}
	var err error
	switch {
	case len(missing) > 0:
		err = p.LoadTopics(ctx, missing...)
	case !h.Reachable:
		err = p.Ping(ctx)
	}
	h, of, dead = p.examine(topics...)
	if dead != nil {
		return &NotReadyError{Health: h, Err: dead}
	}
	if err == nil && (h.State == HealthReady || h.State == HealthUnknown) {
		err = withoutLeader(of)
		if err == nil {
			return nil
		}
	}
	if err == nil {
		err = h.LastError
	}
	return &NotReadyError{Health: h, Err: err}
}

// withoutLeader returns an error for topics that are not known or lack a leader somewhere, or nil.
func withoutLeader(topics []TopicHealth) error {
	var errs []error
	for _, t := range topics {
		if t.Partitions == 0 || t.Leaderless > 0 {
			errs = append(errs, errors.New(t.String()))
		}
	}
	return joined(errs)
}

// String returns the same in words.
func (t TopicHealth) String() string {
	switch {
	case t.Partitions == 0:
		return fmt.Sprintf("topic %q is not known", t.Topic)
	case t.Leaderless == 0:
		return fmt.Sprintf("each of the %d partitions of topic %q has a leader", t.Partitions, t.Topic)
	}
	return fmt.Sprintf("%d of the %d partitions of topic %q have no leader", t.Leaderless, t.Partitions, t.Topic)
}

// examine is Health, and also returns how some topics are, and why the producer is dead, if it is.
func (p *Producer) examine(topics ...string) (_ Health, _ []TopicHealth, dead error) {
	late := p.cfg.DeliveryTimeout / 4
	s := p.sender.Health(late, topics...)
	h := Health{
		At: s.At, Reachable: s.Connected > 0, Authenticated: s.Met && s.Refused == 0, Brokers: s.Connected,
		LastAcknowledged: s.LastAcknowledged, OldestAge: s.Oldest, Leaderless: topicHealth(s.Leaderless),
	}
	h.LastErrorAt, h.FailingSince, h.LastError = p.failing()
	report := func(state HealthState, format string, args ...any) {
		h.State = max(h.State, state)
		h.Reasons = append(h.Reasons, fmt.Sprintf(format, args...))
	}
	if s.Tried {
		h.State = HealthReady
	}
	switch {
	case s.Closed:
		report(HealthDead, "%v", ErrClosed)
		h.Reachable, h.Brokers = false, 0 // what is still connected is about to be closed
		return h, topicHealth(s.Asked), ErrClosed
	case s.Dead != nil:
		dead = outward(s.Dead)
		report(HealthDead, "%v", dead)
	}
	switch {
	case s.Connected > 0:
	case s.Refused > 0:
		report(HealthFailing, "no broker lets this client in: %v", h.LastError)
	case !h.FailingSince.IsZero():
		report(HealthFailing, "no broker can be reached since %v: %v", h.FailingSince.Format(time.RFC3339), h.LastError)
	case s.Tried && !s.Met:
		report(HealthFailing, "no broker has been reached yet")
	}
	if s.Identity != nil {
		report(HealthFailing, "%v", outward(&sender.IdentityError{Err: s.Identity}))
	}
	if s.Waits != nil && s.Oldest >= late {
		report(HealthFailing, "a record has waited for %v: %v", s.Oldest.Round(time.Millisecond), outward(s.Waits))
	}
	for _, t := range h.Leaderless[:min(len(h.Leaderless), maxListed)] {
		report(HealthFailing, "%v", t)
	}
	return h, topicHealth(s.Asked), dead
}

func topicHealth(leaders []sender.TopicLeaders) []TopicHealth {
	var topics []TopicHealth
	for _, l := range leaders {
		topics = append(topics, TopicHealth(l))
	}
	return topics
}

// failing returns the last failure of the brokers that are needed and have given no good answer since theirs, when it came, and
// since when such a broker fails.
func (p *Producer) failing() (at, since time.Time, last error) {
	known := p.sender.Snapshot()
	for _, b := range p.sender.Brokers() {
		if b.FailingSince.IsZero() {
			continue
		}
		if known != nil && len(known.Brokers) > 0 { // nobody needs the others now
			if _, ok := known.Brokers[b.ID]; !ok {
				continue
			}
		}
		if since.IsZero() || b.FailingSince.Before(since) {
			since = b.FailingSince
		}
		if !b.LastErrorAt.Before(at) {
			at, last = b.LastErrorAt, b.LastError
		}
	}
	return at, since, outward(last)
}
