package sender

import (
	"errors"
	"fmt"

	"github.com/epistle-kafka/epistle/wire"
)

// errOffer ends a connection whose broker has offered no version of a request that we need.
var errOffer = errors.New("the broker is asked again which versions it speaks")

// offersAsked is how many connections in a row must say that a broker lacks a request.
const offersAsked = 3

// unsupported deals with a call for which n has offered no version. A broker says what it offers once, when the connection is
// made, and one byte of that may have changed on the way. So the connection is closed, and the next one asks again: see doc.go.
// The call ends like one whose connection was lost, so that it is made again. Once offersAsked connections have said the same,
// the error is the broker's word, and stays as it is. l is nil where the call was on a connection that has gone.
func (c *core) unsupported(n *node, l *link, call *wire.Call) {
	if call.Err == nil {
		return
	}
	lacking := (*wire.UnsupportedVersionError)(nil)
	if !errors.As(call.Err, &lacking) || call.MaxVersion > 0 && lacking.BrokerMin > call.MaxVersion {
		return // our own bound is the reason, as it would be on any connection
	}
	key, final := call.Request.API().Key, false
	if l != nil && l.conn != nil {
		final = c.askOffer(l, key)
	}
	if !final {
		call.Err = n.refused(lacking.API, &offerError{lacking})
	}
}

// askOffer closes a connection that offers no usable version of a request, so that the next one is asked. It reports whether
// offersAsked connections have said the same.
func (c *core) askOffer(l *link, key int16) (final bool) {
	first, known := l.lacks[key]
	if final = known && l.made >= first+offersAsked-1; !known {
		if l.lacks == nil {
			l.lacks = map[int16]int{}
		}
		l.lacks[key] = l.made
	}
	l.conn.Close(errOffer)
	l.conn, l.busy = nil, 0
	l.notUntil = c.now.Add(c.cfg.Reconnect.Delay(l.failures, c.out.random()))
	return final
}

// An offerError stands for an UnsupportedVersionError that too few connections have confirmed. It does not match that error, so
// that whoever gets it tries again.
type offerError struct{ lacking *wire.UnsupportedVersionError }

func (e *offerError) Error() string { return fmt.Sprintf("%v; %v", e.lacking, errOffer) }
