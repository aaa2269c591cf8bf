package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/internal/backoff"
	"github.com/epistle-kafka/epistle/sasl"
)

// A reception is how brokers have received this client of late: R5.
type reception struct {
	refused  int       // refusals since a broker last let it in, while there was no connection
	notUntil time.Time // nobody is dialled before
}

// comeBack is the wait after a refusal, of one broker and of all. A server of accounts may lock one that fails too often.
var comeBack = backoff.Policy{Base: time.Second, Max: 30 * time.Second, Jitter: 0.2}

// loginPatience is how long an attempt that has got as far as to present credentials may be silent before another begins beside
// it. That the other end is there it has shown, and a refusal is held back on purpose.
const loginPatience = 3 * time.Second

// presenting: an attempt has got as far as to present credentials.
type presenting struct{ dial *dial }

func (e presenting) apply(c *core) { e.dial.login = c.now }

// turnedAway takes note of a broker's word that it does not let this client in, and of what no repetition mends of the client's
// own. Who has never been let in anywhere waits for nothing: nobody who waits would get anything but this.
func (c *core) turnedAway(n *node, err error) {
	if everLetIn := c.nodes.refused(n, c.now, c.out.random); everLetIn {
		return // records are kept: what was right once may be again
	}
	c.published.refused.Store(&err)
	c.endLookups(err)
	c.questions.endPings(err)
	c.txn.turnedAway(err)
}

// refused sets how long is waited after a refusal by n. It reports whether this client was ever let in anywhere.
func (ns *nodes) refused(n *node, now time.Time, random func() float64) (everLetIn bool) {
	n.refusals++
	n.barred = now.Add(comeBack.Delay(n.refusals-1, random()))
	s := &ns.reception
	if ns.cutOff() {
		s.refused++
	}
	s.notUntil = now.Add(comeBack.Delay(max(s.refused-1, 0), random()))
	return ns.met
}

// letIn takes note that a broker has let this client in.
func (ns *nodes) letIn(n *node) {
	if n.refusals > 0 || ns.reception != (reception{}) {
		n.refusals, n.barred, ns.reception = 0, time.Time{}, reception{}
	}
	if !ns.met {
		ns.published.refused.Store(nil)
	}
}

// shut returns until when n must not be dialled for the sake of the last refusal, or of an attempt that is being made: the zero
// time if it may be.
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

// quietUntil returns until when an attempt may present credentials, or wait for what comes of it, without another beside it.
func (d *dial) quietUntil() time.Time {
	if d.login.IsZero() {
		return d.began.Add(mostPatience)
	}
	return d.login.Add(loginPatience)
}

// loggingIn returns until when an attempt of the link is left alone that presents credentials; the zero time if there is none.
func (l *link) loggingIn() (until time.Time) {
	for _, d := range l.dials {
		if !d.login.IsZero() {
			until = latter(until, d.quietUntil())
		}
	}
	return until
}

// Refusal returns why no broker has ever let this client in, if the last attempt ended so; nil else.
func (s *Sender) Refusal() error {
	if err := s.published.refused.Load(); err != nil {
		return *err
	}
	return nil
}

// isRefusal reports whether err is one that turnedAway is for.
func isRefusal(err error) bool { return err != nil && sasl.IsFinal(err) }
