package cli

import (
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// Watch notices when records are under way and none of them is delivered. One goroutine uses it, a few times a second.
type Watch struct {
	env      *Env
	verb     string // what becomes of records that get somewhere
	patience time.Duration
	timeout  time.Duration // delivery.timeout.ms

	acknowledged, failed int64     // records, at the last look
	since                time.Time // of the last look with records acknowledged, or with none under way
	moved                time.Time // of the last look with records at their end, whichever, or with none under way
	told                 bool      // that nothing is acknowledged; it stays until something is
	fails                bool      // that records fail, since told
}

// Written and Acknowledged are what is said of records that are delivered.
const (
	Acknowledged = "acknowledged"
	Written      = "written" // with acks=0, where nobody acknowledges
)

// Verb is what is said of records that are delivered.
func Verb(cfg *producer.Config) string {
	if cfg.Acks == producer.AcksNone {
		return Written
	}
	return Acknowledged
}

// NewWatch returns a watch for a producer with these settings.
func NewWatch(env *Env, cfg *producer.Config) *Watch {
	const patience = 2 * time.Second
	return &Watch{env: env, verb: Verb(cfg), patience: patience + cfg.Linger, timeout: cfg.DeliveryTimeout}
}

// Look compares the counters with those of the last call. It says once that nothing is acknowledged, once that records fail then,
// and once that something is acknowledged again. The result is for the line of progress: ", NOTHING acknowledged for 7s", or "".
func (w *Watch) Look(now time.Time, s producer.Stats) string {
	idle := s.InFlight == 0 && s.BufferedBytes == 0
	delivered, failed := s.Acknowledged != w.acknowledged, s.Failed != w.failed
	w.acknowledged, w.failed = s.Acknowledged, s.Failed
	switch {
	case delivered:
		if w.told {
			w.env.Say("it goes on: after %s records are %s again", w.stood(now), w.verb)
		}
		w.since, w.moved, w.told, w.fails = now, now, false, false
		return ""
	case w.told && failed && !w.fails:
		w.fails = true
		w.env.Say("records have begun to fail, and none was %s for %s", w.verb, w.stood(now))
	case !w.told && (w.since.IsZero() || idle):
		w.since, w.moved = now, now
	case failed:
		w.moved = now
	}
	if idle || !w.told && now.Sub(w.moved) < w.patience {
		return ""
	}
	if !w.told {
		w.told = true
		w.env.Say("no record was %s for %s; trying on, each record for delivery.timeout.ms (%v)%s", w.verb, w.stood(now), w.timeout, again(s))
	}
	return fmt.Sprintf(", NOTHING %s for %s", w.verb, w.stood(now))
}

func (w *Watch) stood(now time.Time) string {
	return now.Sub(w.since).Round(time.Second).String()
}

func again(s producer.Stats) string {
	if s.Retried == 0 {
		return ""
	}
	return fmt.Sprintf("; %s sent again so far", ui.Number(s.Retried, "record"))
}
