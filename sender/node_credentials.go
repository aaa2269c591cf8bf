package sender

import (
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/wire"
)

// hampered: the credentials of an attempt to connect, or of a connection that authenticates itself again, do not come, and err
// says why; nil: they have come.
type hampered struct {
	node  *node
	which lane
	dial  *dial
	err   error
}

func (e hampered) apply(c *core) {
	first := e.dial.lacks == nil
	e.dial.lacks = e.err
	if e.err == nil {
		c.news.credentials()
		return
	}
	if l := &e.node.links[e.which]; slices.Contains(l.dials, e.dial) { // else a connection works on for now
		l.lastErr = e.err
		e.node.hampered(c.now, e.err)
		c.nodes.troubled(c.now, e.err)
	}
	c.news.noCredentials(e.err, first)
}

// hasNoCredentials reports whether an attempt has failed for want of credentials: nothing of SASL was sent to the broker, which
// has no part in it.
func hasNoCredentials(err error) bool {
	var failed *wire.Error
	return errors.As(err, &failed) && failed.Stage == wire.StageSASL && failed.API == ""
}

// waitsForCredentials reports whether an attempt of the link waits for credentials, while none come. That it takes long is not
// the broker's fault then.
func (n *news) waitsForCredentials(l *link) bool {
	return !n.login.since.IsZero() && slices.ContainsFunc(l.dials, func(d *dial) bool { return !d.login.IsZero() })
}

// A credentialTrouble is a time in which credentials do not come. Where they come from is the same for all brokers, so there is
// one such trouble at most.
type credentialTrouble struct {
	since    time.Time // zero: there is none
	attempts int64     // to connect, or to authenticate again, that have found none
	pace     pace
}

// noCredentials tells that credentials do not come: the first time at once, then how often. counts is false where the same
// attempt was counted before.
func (n *news) noCredentials(err error, counts bool) {
	if n == nil || n.c.aborted {
		return
	}
	d := &n.login
	if counts {
		d.attempts++
	}
	attrs := func() []slog.Attr {
		return []slog.Attr{slog.Any("err", err), slog.Int64("attempts", d.attempts), slog.Time("since", d.since)}
	}
	switch {
	case d.since.IsZero():
		d.since = n.c.now
		d.pace.begin(n.c.now)
		n.settle(lineCredentials, subject{})
		n.say(lineNoCredentials, subject{}, attrs()...)
	case d.pace.due(n.c.now):
		n.goesOn(lineNoCredentials, subject{}, attrs()...)
	}
}

// credentials tells that they come again.
func (n *news) credentials() {
	if n == nil || n.login.since.IsZero() {
		return
	}
	d := n.login
	n.login = credentialTrouble{}
	n.settle(lineNoCredentials, subject{})
	n.say(lineCredentials, subject{}, slog.Int64("attempts", d.attempts), slog.Duration("lasted", n.c.now.Sub(d.since)))
}
