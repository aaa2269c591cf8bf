package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/internal/backoff"
	"github.com/epistle-kafka/epistle/sasl"
)

// A reception is how brokers have received this client of late: R5.
type reception struct {
	refused  int       // refusals since a broker last let it in, while there was no connection
	notUntil time.Time // no broker is dialled before
	why      error     // the last refusal since a broker last let it in; nil: there was none
}

// comeBack is the wait after a refusal, of one broker and of all. An account may be locked after too many failures.
var comeBack = backoff.Policy{Base: time.Second, Max: 30 * time.Second, Jitter: 0.2}

// loginPatience is how long an attempt that presents credentials may be silent before another begins beside it. It has shown
// that the other end is there, and brokers hold a refusal back on purpose.
const loginPatience = 3 * time.Second

// presenting: an attempt presents credentials now.
type presenting struct{ dial *dial }

func (e presenting) apply(c *core) { e.dial.login = c.now }

// turnedAway deals with n's word that it does not let this client in, or with an error of the client's own that no further
// attempt mends. If no broker ever let this client in, all that waits fails at once: it would get nothing else.
func (c *core) turnedAway(n *node, err error) {
	if everLetIn := c.nodes.refused(n, err, c.now, c.out.random); everLetIn {
		return // records are kept: what was right once may be again
	}
	c.published.refused.Store(&err)
	c.endLookups(err)
	c.questions.endPings(err)
	c.txn.turnedAway(err)
}

// refused sets the wait after a refusal by n, which said err. It reports whether this client was ever let in anywhere.
func (ns *nodes) refused(n *node, err error, now time.Time, random func() float64) (everLetIn bool) {
	n.refusals++
	n.barred = now.Add(comeBack.Delay(n.refusals-1, random()))
	s := &ns.reception
	s.why = err
	if ns.noneConnected() {
		s.refused++
	}
	s.notUntil = now.Add(comeBack.Delay(max(s.refused-1, 0), random()))
	return ns.met
}

// letIn takes note that a broker has let this client in.
func (ns *nodes) letIn(n *node) {
	n.refusals, n.barred, ns.reception = 0, time.Time{}, reception{}
	if !ns.met {
		ns.published.refused.Store(nil)
	}
}

// refusal returns the last refusal since a broker last let this client in; nil: there was none.
func (ns *nodes) refusal() error { return ns.reception.why }

// shut returns until when n must not be dialled because of the last refusal, or of an attempt under way; the zero time if it
// may be.
func (ns *nodes) shut(n *node) (until time.Time) {
	until = latter(n.barred, ns.reception.notUntil)
	if n.refusals == 0 && ns.reception.refused == 0 {
		return until
	}
	for _, o := range ns.order {
		for i := range o.links {
			for _, d := range o.links[i].dials { // one at a time may be refused
				until = latter(until, d.quietUntil())
			}
		}
	}
	return until
}

// quietUntil returns until when an attempt may present credentials, or wait for the answer, without another beside it.
func (d *dial) quietUntil() time.Time {
	if d.login.IsZero() {
		return d.began.Add(mostPatience)
	}
	return d.login.Add(loginPatience)
}

// loggingIn returns until when no attempt begins beside one of the link that presents credentials; the zero time if there is
// none.
func (l *link) loggingIn() (until time.Time) {
	for _, d := range l.dials {
		if !d.login.IsZero() {
			until = latter(until, d.quietUntil())
		}
	}
	return until
}

// Refusal returns why no broker has ever let this client in, if the last attempt ended so; otherwise nil.
func (s *Sender) Refusal() error {
	if err := s.published.refused.Load(); err != nil {
		return *err
	}
	return nil
}

// isRefusal reports whether err is one that turnedAway is for.
func isRefusal(err error) bool { return err != nil && sasl.IsFinal(err) }
