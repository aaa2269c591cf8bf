package doctor

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
	"github.com/epistle-kafka/epistle/wire"
)

// stageOf is the stage at which an attempt to connect has failed.
func stageOf(err error) Stage {
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return Dial
	}
	switch e.Stage {
	case wire.StageResolve:
		return Resolve
	case wire.StageTLS:
		return TLS
	case wire.StageApiVersions:
		if refusedByAlert(err) {
			return TLS // in version 1.3 a server refuses the client's certificate after the handshake
		}
		return Versions
	case wire.StageSASL:
		return SASL
	}
	return Dial
}

// refusedByAlert reports whether the other end has ended TLS with an alert. Package tls keeps the type of that to itself.
func refusedByAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

// textOf is what has failed, in the library's words, without where, which Check.Of says, and without what is to be done.
func textOf(err error) string {
	text := wholeTextOf(err)
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return text
	}
	where := fmt.Sprintf("bootstrap server %s: ", protocol.Shown(e.Addr))
	if e.NodeID >= 0 {
		where = brokerAt(e.NodeID, e.Addr) + ": "
	}
	return strings.TrimPrefix(text, where)
}

// brokerAt names a broker.
func brokerAt(node int32, addr string) string {
	return fmt.Sprintf("broker %d at %s", node, protocol.Shown(addr))
}

// wholeTextOf has where it failed, too.
func wholeTextOf(err error) string {
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return protocol.ShownText(err.Error())
	}
	bare := *e
	bare.Hint = ""
	text := bare.Error()
	if refused, ok := errors.AsType[*sasl.RefusedError](err); ok && refused.Hint != "" {
		text = strings.Replace(text, " ("+refused.Hint+")", "", 1)
	}
	return text
}

// adviceOf is what is to be done, in the library's words if it has any.
func adviceOf(err error) string {
	e, ok := errors.AsType[*wire.Error](err)
	refused, _ := errors.AsType[*sasl.RefusedError](err)
	switch {
	case !ok:
		return "look at what the error names"
	case refused != nil && refused.Hint != "":
		return protocol.ShownText(refused.Hint)
	case refused != nil && len(refused.Offered) > 0:
		return "set sasl.mechanism to one that the listener offers, or use another listener"
	case e.Hint != "":
		return e.Hint
	case errors.As(err, new(*wire.UnsupportedVersionError)):
		return "use a newer broker, or do without what needs this request"
	}
	switch e.Stage {
	case wire.StageResolve:
		return "check the host name, and the resolver of this machine"
	case wire.StageDial:
		return "check the address, the network between, and whether a broker listens there"
	case wire.StageTLS:
		return "check the certificates of both sides, and the versions and ciphers allowed"
	case wire.StageApiVersions:
		return "check that a Kafka broker listens there, and for what; its log may say more"
	case wire.StageSASL:
		return "check mechanism and credentials; the broker's log may say more"
	}
	return "the broker has taken the connection, and not answered as it should: look at its load and its log"
}

// codeCheck makes a check of an error code that a broker has answered with.
func codeCheck(c Check, what string, code protocol.ErrorCode) Check {
	c.Verdict, c.Err = Failed, fmt.Errorf("%s: %w", what, code)
	c.Text = c.Err.Error()
	return c
}
