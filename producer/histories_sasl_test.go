package producer_test

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
)

// secure makes every third history one with SASL and short sessions, so that connections authenticate themselves again in the
// midst of everything. Its dice are its own.
func (h *history) secure(seed uint64) []brokertest.Option {
	if seed%3 != 0 {
		return nil
	}
	r := rand.New(rand.NewPCG(seed, 3))
	h.login, h.doors = loginAs("alice", "secret"), r
	return []brokertest.Option{
		brokertest.SASL(brokertest.Plain("alice", "secret")),
		brokertest.SessionLifetime(time.Duration(300+r.IntN(5000)) * time.Millisecond),
		brokertest.FailedAuthenticationDelay(time.Duration(r.IntN(400)) * time.Millisecond),
	}
}

// shut makes something go wrong with authentication, now and then.
func (h *history) shut() {
	if h.login == nil || h.doors.IntN(2) == 0 {
		return
	}
	r := h.doors
	on := h.c.On([]int16{brokertest.SaslHandshake, brokertest.SaslAuthenticate}[r.IntN(2)]).Skip(r.IntN(3)).Times(1 + r.IntN(3))
	short := time.Duration(r.IntN(4000)) * time.Millisecond
	switch r.IntN(9) {
	case 0:
		on.Do(brokertest.Error(protocol.SaslAuthenticationFailed))
	case 1:
		on.Do(brokertest.Error(protocol.IllegalSaslState))
	case 2:
		on.Do(brokertest.Drop())
	case 3:
		on.Do(brokertest.HandleThenDrop())
	case 4:
		on.Do(brokertest.HandleThenSwallow())
	case 5:
		on.Do(brokertest.Pass().Delayed(short))
	case 6:
		on.Do([]*brokertest.Action{brokertest.HalfFrame(), brokertest.Truncated(1 + r.IntN(8)), brokertest.WrongCorrelationID()}[r.IntN(3)])
	case 7:
		h.login.fail(errors.New("the token endpoint is down"))
		time.Sleep(short)
		h.login.fail(nil)
	case 8:
		h.c.RemoveUser("PLAIN", "alice")
		time.Sleep(short)
		h.c.SetPassword("PLAIN", "alice", "secret")
	}
}

// turnedAway reports whether a record may end so that was never taken: at first contact a refusal ends what waits.
func (h *history) turnedAway(err error) bool {
	var refused *sasl.RefusedError
	return h.login != nil && errors.As(err, &refused) && !producer.MayBeWritten(err)
}
