package wire

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/epistle-kafka/epistle/protocol"
)

// What a connection's end or a call's end can match by errors.Is.
var (
	// ErrTimeout is the error of a call that got no answer in time. It also ends the connection, so that a late answer is not
	// taken for that of a younger call.
	ErrTimeout = errors.New("request timed out")

	// ErrClosed is the error of a call that ends with its connection. The reason why the connection ended matches, too, unless
	// that was another call's timeout.
	ErrClosed = errors.New("connection closed")

	// ErrIdle is the end of a connection that nobody used for Config.ConnectionsMaxIdle. No call is concerned.
	ErrIdle = errors.New("connection was idle")
)

// Stage says how far a connection has got.
type Stage uint8

const (
	StageResolve     Stage = iota + 1 // host name to addresses
	StageDial                         // TCP
	StageTLS                          // TLS handshake
	StageApiVersions                  // negotiation of versions
	StageSASL                         // Config.SASL
	StageRequest                      // established
)

// String returns the stage as error texts name it.
func (s Stage) String() string {
	switch s {
	case StageResolve:
		return "resolve"
	case StageDial:
		return "dial"
	case StageTLS:
		return "TLS"
	case StageApiVersions:
		return "ApiVersions"
	case StageSASL:
		return "SASL"
	case StageRequest:
		return "request"
	}
	return fmt.Sprintf("Stage(%d)", uint8(s))
}

// Error says where a connection or a call failed, why, and what can be done.
type Error struct {
	Stage  Stage
	Addr   string // host:port
	NodeID int32  // -1 = a bootstrap server
	API    string // Kafka's name of the request concerned, "" if none is
	Round  int    // of SaslAuthenticate, from 1; 0 elsewhere, and for a refusal: its round would tell whether there is such a user
	Err    error  // the cause
	Hint   string // what to look at or to do, "" if the cause says all

	// Unheard says that the other end has hung up on ApiVersions, the first request, without a byte of an answer, or with no
	// more than the refusal of a version. So may a broker that is older than the request, and one that restarts. See
	// Peer.HungUp.
	Unheard bool
}

// Error returns one line with all fields. What comes from the network is quoted or escaped, and cut.
func (e *Error) Error() string {
	var b strings.Builder
	if e.NodeID < 0 {
		fmt.Fprintf(&b, "bootstrap server %s: ", protocol.Shown(e.Addr))
	} else {
		fmt.Fprintf(&b, "broker %d at %s: ", e.NodeID, protocol.Shown(e.Addr))
	}
	b.WriteString(e.Stage.String())
	if e.API != "" && e.API != e.Stage.String() {
		b.WriteString(" " + e.API)
	}
	if e.Round > 0 {
		fmt.Fprintf(&b, " round %d", e.Round)
	}
	b.WriteString(": " + protocol.ShownText(e.reason()))
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// reason is the text of the cause, without the stage and the addresses, which package net names once more.
func (e *Error) reason() string {
	text := fmt.Sprint(e.Err)
	var op *net.OpError
	if !errors.As(e.Err, &op) {
		return text
	}
	short := op.Err.Error()
	switch {
	case op.Op != "dial":
		short = op.Op + ": " + strings.TrimPrefix(short, op.Op+": ") // which the system call may be named as
	case op.Addr != nil && op.Addr.String() != e.Addr: // which a name has led to
		short = op.Addr.String() + ": " + short
	}
	return strings.Replace(text, op.Error(), short, 1)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// UnsupportedVersionError says that a broker and this library have no version of an API in common, or none below the call's
// cap. The connection is not affected.
type UnsupportedVersionError struct {
	API                  string
	Known                bool  // whether the broker knows the API at all; if not, BrokerMin and BrokerMax are 0
	BrokerMin, BrokerMax int16 // what the broker speaks
	Min, Max             int16 // what we speak, with the cap of the call
}

// Error returns both ranges.
func (e *UnsupportedVersionError) Error() string {
	if !e.Known {
		return fmt.Sprintf("the broker does not know %s (want version %d to %d)", e.API, e.Min, e.Max)
	}
	return fmt.Sprintf("no version of %s in common: the broker has %d to %d, want %d to %d",
		e.API, e.BrokerMin, e.BrokerMax, e.Min, e.Max)
}
