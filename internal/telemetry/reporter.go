package telemetry

import (
	"math"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// state is where a Reporter stands.
type state uint8

const (
	idle       state = iota // nobody who takes metrics was ever met
	asks                    // a subscription is to be asked for, at next
	asking                  // it was
	waits                   // a push is due at next
	collecting              // a push is being made
	pushing                 // it was sent
	over                    // the last push was made, or there is none
	off                     // a broker has refused metrics for good
)

// A Duty is what a Reporter wants done.
type Duty uint8

const (
	Nothing   Duty = iota
	Subscribe      // send SubscribeRequest, and call Subscribing
	Collect        // call Collect
)

const (
	// firstWait is how long after the first connection a subscription is asked for, times 0.5 to 1.5. Who has gone by then is no
	// concern of it, and what a program does first is not held up.
	firstWait = time.Second
	// lostWait is the first wait after a request that got no answer, where no interval is known.
	lostWait = 10 * time.Second
	// longestWait bounds the waits after requests that got none.
	longestWait = time.Hour
	// How far the first push of a subscription is from it, in intervals. Clients that start together do not push together.
	soonest, latest = 0.5, 1.5
)

// A Reporter decides when to ask for a subscription and when to push. It is for one goroutine at a time.
type Reporter struct {
	random func() float64 // in [0, 1)
	since  time.Time      // when counters began

	state state
	next  time.Time
	ends  bool // the push that is due, or the one after that under way, is the last

	instance protocol.UUID // zero: none was given yet
	sub      *subscription // the last one that was given; nil: none was
	ledger   ledger        // of what was pushed as differences
	unable   []int8        // codecs that are of no use
	lost     int           // requests in a row that got no answer
	refused  error         // why it is off
}

// NewReporter returns one for counters that count since then.
func NewReporter(since time.Time, random func() float64) *Reporter {
	return &Reporter{since: since, random: random}
}

// Start says that there is somebody who takes metrics. Only the first call has an effect.
func (r *Reporter) Start(now time.Time) {
	if r.state == idle {
		r.state, r.next = asks, now.Add(r.spread(firstWait))
	}
}

// Hurry has the first subscription be asked for now, since somebody waits for the instance id.
func (r *Reporter) Hurry(now time.Time) {
	if r.state == idle || r.state == asks && r.lost == 0 && r.instance == (protocol.UUID{}) {
		r.state, r.next = asks, now
	}
}

// End says that the client ends. It reports whether there is a push to be made before, which Due asks for then.
func (r *Reporter) End(now time.Time) bool {
	switch r.state {
	case waits:
		r.next, r.ends = now, true
	case collecting, pushing:
		r.ends = true
	case idle, asks, asking:
		r.state = over
	}
	return r.state == waits || r.state == collecting || r.state == pushing
}

// Due returns what is to be done now, and if that is nothing, when to ask again; the zero time if only an event changes that.
func (r *Reporter) Due(now time.Time) (Duty, time.Time) {
	if r.state != asks && r.state != waits {
		return Nothing, time.Time{}
	}
	if r.next.After(now) {
		return Nothing, r.next
	}
	if r.state == asks {
		return Subscribe, time.Time{}
	}
	return Collect, time.Time{}
}

// SubscribeRequest is what is to be sent when Subscribe is due.
func (r *Reporter) SubscribeRequest() *protocol.GetTelemetrySubscriptionsRequest {
	return &protocol.GetTelemetrySubscriptionsRequest{ClientInstanceID: r.instance}
}

// Subscribing says that it was sent.
func (r *Reporter) Subscribing() { r.state = asking }

// Subscribed takes the answer.
func (r *Reporter) Subscribed(now time.Time, resp *protocol.GetTelemetrySubscriptionsResponse) {
	if r.state != asking {
		return // End was called
	}
	r.lost = 0
	if resp.ErrorCode != protocol.NoError {
		r.refuse(now, resp.ErrorCode, false)
		return
	}
	if r.instance == (protocol.UUID{}) {
		r.instance = resp.ClientInstanceID // for life, whichever broker is asked next
	}
	before := r.sub
	r.sub = subscriptionOf(resp)
	if before != nil && before.delta != r.sub.delta {
		r.ledger = nil
	}
	switch {
	case r.instance == (protocol.UUID{}): // nobody takes what comes from nobody
		r.state, r.next = asks, now.Add(r.sub.every)
	case r.sub.nothing():
		r.state, r.next = asks, now.Add(r.sub.every)
	default:
		r.state, r.next = waits, now.Add(r.spread(r.sub.every))
	}
}

// Collect begins the push that is due.
func (r *Reporter) Collect(now time.Time) *Push {
	r.state = collecting
	return &Push{
		instance: r.instance, sub: r.sub, last: r.ends, since: r.since, at: now, before: r.ledger, unable: r.unable,
	}
}

// Pushing says that the request of p, which is encoded, was sent.
func (r *Reporter) Pushing(p *Push) {
	r.state = pushing
	r.unable = append(r.unable, p.failed...)
}

// Pushed takes the answer to p.
func (r *Reporter) Pushed(now time.Time, p *Push, code protocol.ErrorCode) {
	r.lost = 0
	if code == protocol.NoError {
		r.ledger = p.after
	} else if code == protocol.UnsupportedCompressionType && p.codec != protocol.CodecNone {
		r.unable = append(r.unable, int8(p.codec))
	}
	switch {
	case p.last, r.ends && code != protocol.NoError:
		r.state = over
	case code != protocol.NoError:
		r.refuse(now, code, true)
	default:
		r.state, r.next = waits, now.Add(r.sub.every)
		if r.ends {
			r.next = now
		}
	}
}

// Failed says that a request got no answer, or that there is nobody to whom it can be sent. p is the push that it was, nil if
// it was none; written, that it may have arrived.
func (r *Reporter) Failed(now time.Time, p *Push, written bool) {
	if p != nil && written {
		r.ledger = p.after // rather too little than twice
	}
	if r.ends || r.state == over {
		r.state = over
		return
	}
	wait := lostWait
	if r.sub != nil {
		wait = r.sub.every
	}
	most := max(wait, longestWait)
	wait = time.Duration(math.Min(float64(wait)*math.Exp2(float64(r.lost)), float64(most)))
	r.lost++
	r.state, r.next = asks, now.Add(wait)
}

// refuse takes a broker's no, by the table of KIP-714. again says that a new subscription may be asked for at once.
func (r *Reporter) refuse(now time.Time, code protocol.ErrorCode, again bool) {
	r.state, r.next = asks, now
	wait := usualInterval
	if r.sub != nil {
		wait = r.sub.every
	}
	switch code {
	case protocol.UnknownSubscriptionID, protocol.UnsupportedCompressionType:
		if !again {
			r.next = now.Add(wait)
		}
	case protocol.TelemetryTooLarge, protocol.ThrottlingQuotaExceeded:
		r.next = now.Add(wait)
	default:
		r.state, r.refused = off, &refusal{code}
	}
}

// A refusal is a broker's answer after which nothing is pushed any more. The code's own text is about records.
type refusal struct{ code protocol.ErrorCode }

func (e *refusal) Error() string {
	return "the broker has refused the client's metrics for good: " + e.code.Name()
}
func (e *refusal) Unwrap() error { return e.code }

// spread is d times soonest to latest.
func (r *Reporter) spread(d time.Duration) time.Duration {
	return time.Duration((soonest + (latest-soonest)*r.random()) * float64(d))
}

// Over reports whether nothing is to be done any more.
func (r *Reporter) Over() bool { return r.state == over || r.state == off }

// InstanceID is the one that the cluster has given the client; zero before the first answer.
func (r *Reporter) InstanceID() protocol.UUID { return r.instance }

// Status is what there is to be told of a Reporter. It can be compared.
type Status struct {
	Instance protocol.UUID
	Every    time.Duration // 0: nothing is pushed
	Wanted   int           // how many beginnings of names; 0 with Every: all
	Refused  error         // why nothing will ever be pushed again
}

// Status returns how things are.
func (r *Reporter) Status() Status {
	s := Status{Instance: r.instance, Refused: r.refused}
	if r.refused == nil && r.instance != (protocol.UUID{}) && !r.sub.nothing() {
		s.Every = r.sub.every
		if !r.sub.all {
			s.Wanted = len(r.sub.wanted)
		}
	}
	return s
}
