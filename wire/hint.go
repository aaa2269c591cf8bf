package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

const (
	hintFirstRequest   = "the broker has hung up on the first request: the listener may want SASL (security.protocol %s, and sasl.mechanism; Config.SASL); or it may not be meant for clients"
	hintNoListener     = "check that the broker is up and that this is its port"
	hintAdvertised     = "the address comes from the cluster: check advertised.listeners of this broker"
	hintPort           = "check bootstrap.servers"
	hintName           = "check the host name in bootstrap.servers, and the resolver"
	hintNoRoute        = "nothing came back: check the address, the network and firewalls"
	hintHungUp         = "the other end hung up on the very first request, as a container's port does while the broker in it is still starting (try again in some seconds); or the listener may want TLS (security.protocol SSL or SASL_SSL); or this is no Kafka broker, or a proxy that reaches none"
	hintHungUpTLS      = "the other end speaks TLS, and hung up on the very first request: this may be no Kafka broker, or a proxy that reaches none"
	hintHalfAnswer     = "the other end hung up in the middle of its answer, as a broker does that stops, or a proxy that loses it"
	hintRefusedVersion = "the other end does not know our version of ApiVersions, and hung up after it had said so; after hang-ups in a row older versions are tried by themselves"
	hintStopped        = "the broker may have stopped; if it hangs up each time, "
	hintSilent         = "the other end took the connection and says nothing: it may want TLS, be no Kafka broker, or be overloaded"
	hintSilentTLS      = "the other end speaks TLS, and says nothing to the first request: it may be no Kafka broker, or be overloaded"
	hintWantsTLS       = "set TLS (security.protocol SSL or SASL_SSL), or use the plaintext port"
	hintNotKafka       = "this is no Kafka broker: check the port"
	hintRebootstrap    = "the broker at this address is another one than the metadata said: look the cluster up again from bootstrap.servers"
	hintSoftware       = "SoftwareName and SoftwareVersion must be letters, digits, '.' and '-'"
	hintRange          = "the broker is asked again; if it stays like that, look at what is between this client and the broker"
	hintShort          = "the connection that DialContext returned has written less than it was given, and no error: put its Write right"
	hintSASL           = "the broker has hung up instead of an answer, as it does when it cannot read what it got, or stops: check mechanism and credentials; its log says more"
	hintHandshake      = "the broker has hung up instead of an answer: this listener may have no SASL, or the broker stops; its log says more"
	hintNoClients      = "the broker has let this client in, and hung up on its first request: the listener may not be meant for clients"
	hintRawTokens      = "the broker, or what is in front of it, is older than Kafka 1.0, or knows no SASL: use a listener that does, or no SASL"
)

// hintOtherVersion is another possible reason when the other end hangs up on a request: a broker, or more often a proxy in
// front of it, does not know this version, and does not say so. Which versions it does know cannot be guessed.
func hintOtherVersion(api string, version int16) string {
	return fmt.Sprintf("something on the way may not know version %d of %s: a lower one is set by max.api.versions=%s=%d (Config.MaxAPIVersions)",
		version, api, api, max(version-1, 0))
}

// Windows has its own numbers for socket errors, and its syscall package does not match them with those of POSIX. On other
// systems these numbers mean nothing.
const (
	wsaAborted  syscall.Errno = 10053
	wsaReset    syscall.Errno = 10054
	wsaTimedOut syscall.Errno = 10060
	wsaRefused  syscall.Errno = 10061
)

// firstContact are the hints that can be right only where nobody has ever answered.
var firstContact = []string{
	hintNoListener, hintAdvertised, hintName, hintNoRoute, hintHungUp, hintHungUpTLS, hintSilent, hintSilentTLS, hintTLSHungUp,
	hintTLSSilent,
}

// hintSince replaces a hint for first contact where somebody at the address has answered before.
func hintSince(hint string, answered time.Time) string {
	if answered.IsZero() || !slices.Contains(firstContact, hint) {
		return hint
	}
	return "not reachable since " + answered.Format(time.RFC3339) + "; it has answered before"
}

// hint says what to do about a failed attempt, "" if the error says all. s is nil over plaintext.
func hint(e *Error, s *secure) string {
	if errors.Is(e.Err, io.ErrShortWrite) {
		return hintShort
	}
	switch e.Stage {
	case StageResolve:
		return e.advertisedOr(hintName)
	case StageDial:
		switch {
		case errors.As(e.Err, new(*addressError)):
			return e.advertisedOr(hintPort)
		case errors.Is(e.Err, syscall.ECONNREFUSED), errors.Is(e.Err, wsaRefused):
			return e.advertisedOr(hintNoListener)
		case timedOut(e.Err):
			return e.advertisedOr(hintNoRoute)
		}
	case StageTLS:
		return hintTLS(e, s)
	case StageApiVersions:
		return hintApiVersions(e.Err, s)
	case StageSASL:
		return hintLogin(e)
	}
	return ""
}

// advertisedOr returns the hint for an address that comes from the cluster, if this one does, else hint.
func (e *Error) advertisedOr(hint string) string {
	if e.NodeID >= 0 {
		return hintAdvertised
	}
	return hint
}

func hintApiVersions(err error, s *secure) string {
	var frame *FrameError
	switch {
	case errors.As(err, &frame):
		if frame.Speaks() == "TLS" && s == nil {
			return hintWantsTLS
		}
		return hintNotKafka
	case errors.As(err, new(*RangeError)):
		return hintRange
	case isAlert(err): // in TLS 1.3 a server refuses the client's certificate after the handshake
		return s.hintAlert()
	case errors.Is(err, protocol.RebootstrapRequired):
		return hintRebootstrap
	case errors.Is(err, protocol.InvalidRequest):
		return hintSoftware
	case hungUp(err) && s != nil:
		if s.asked {
			return s.hintHungUp()
		}
		return hintHungUpTLS
	case hungUp(err):
		return hintHungUp
	case timedOut(err) && s != nil:
		return hintSilentTLS
	case timedOut(err):
		return hintSilent
	}
	return ""
}

func hintLogin(e *Error) string {
	switch {
	case errors.As(e.Err, new(*UnsupportedVersionError)):
		return hintRawTokens
	case hungUp(e.Err) && e.API == "SaslHandshake":
		return hintHandshake
	case hungUp(e.Err) && e.API != "":
		return hintSASL
	}
	return ""
}

// HungUp reports whether the connection ended because the other end has closed or reset it.
func (e *Error) HungUp() bool { return hungUp(e.Err) }

// hungUp reports whether err means that the other end has closed the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, wsaReset) || errors.Is(err, wsaAborted)
}

// TimedOut reports whether an attempt to connect ended because nothing came back within its time.
func TimedOut(err error) bool { return timedOut(err) }

func timedOut(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, syscall.ETIMEDOUT) || errors.Is(err, wsaTimedOut)
}

// isAlert reports whether the other end of TLS has ended it with an alert. Package tls does not export a type for that.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// isUnwelcome reports whether err is an alert by which the other end refuses what we have shown or offered.
func isUnwelcome(err error) bool {
	return isAlert(err) && !strings.Contains(err.Error(), "internal error")
}

// isResolve reports whether a dialer has failed to find the addresses of a name.
func isResolve(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}
