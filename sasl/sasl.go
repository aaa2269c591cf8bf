// Package sasl is how a producer proves to brokers who it is (SASL, RFC 4422; in Kafka KIP-12, KIP-43, KIP-152 and KIP-368).
//
// A [Mechanism] is set once, in the producer's Config. The producer then authenticates each connection that it makes, before
// any other request, and authenticates it again before the session that the broker has granted ends. None of that happens
// in a call that sends a record.
//
//   - [Plain]: user and password, as they are. The usual one with API keys of clouds.
//   - [ScramSHA256] and [ScramSHA512]: user and password, or a delegation token, without sending the secret.
//   - [OAuthBearer]: a token of an identity provider ([OIDC]), of a file ([TokenFile]), or of a function of yours ([TokenFunc]).
//
// Each takes its credentials also from a function that is asked at each authentication, so that they may change while the
// producer runs: [PlainFrom], [ScramSHA256From], [ScramSHA512From], [TokenSource].
//
// Secrets are never in errors, and no type here prints one. [Secret] says what that means for fields of your own.
//
// Properties of a Java program reach these mechanisms by sasl.mechanism. Where they name a Java class that makes tokens,
// [RegisterTokenSource] lets a Go function take its place.
//
// Another module can bring a mechanism of its own: it implements [Mechanism], and calls [Register] if properties shall
// reach it.
//
// # Compatibility
//
// This package keeps what package producer's documentation says under that heading. [Mechanism], [Exchange] and [TokenSource]
// get no further methods. What they are told grows by fields of [Target], and what they return by fields of [Token] and
// [Credentials]; what they are asked grows by interfaces of their own, as [Explainer] is one.
package sasl

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
)

// A Mechanism is one way to authenticate, with the credentials for it. Its methods may be called concurrently: connections
// are made side by side.
type Mechanism interface {
	// Name is what brokers list in sasl.enabled.mechanisms, such as "SCRAM-SHA-512".
	Name() string

	// Begin starts the client's part of one authentication. It may fetch what that needs: read a file, ask for a token or
	// a ticket. ctx ends when the connection may take no longer. What it could not have is tried again with the next
	// connection, after a backoff; an error that no repetition mends is marked by [Final].
	Begin(ctx context.Context, target Target) (Exchange, error)
}

// A Target is the broker that a connection leads to. It may get further fields.
type Target struct {
	Host string // as it was dialled: a bootstrap server's name, or what the cluster advertises
	Port int
	TLS  *tls.ConnectionState // nil over plaintext

	// Again says that the connection is open and authenticated, and its session is about to end (KIP-368). Mechanism
	// and user must be the same as before.
	Again bool

	// Trouble, unless it is nil, is told why credentials do not come, while Begin goes on trying to get them: an endpoint
	// that answers 503, a server that does not answer. So people hear of it before the connection's time is over. nil says
	// that it has passed. Credentials that Begin returns all the same, such as a token that cannot be replaced for now, leave
	// what was told in force. It does not block, and may be called concurrently. What it gets names no secret.
	Trouble func(error)
}

// Addr returns host:port, with brackets around an IPv6 address.
func (t Target) Addr() string { return addr(t.Host, t.Port) }

// tell is Trouble for those who need not know whether it is set.
func (t Target) tell(err error) {
	if t.Trouble != nil {
		t.Trouble(err)
	}
}

// An Exchange is the client's part of one authentication. One goroutine uses it, once.
type Exchange interface {
	// Next takes what the broker has answered, nil at first, and returns what to send. Each response is answered. done
	// says that the broker has proved all that it has to, and that nothing is left to be sent: then response is not
	// looked at. An error ends the connection; one that no repetition mends is marked by [Final].
	//
	// The challenge is Next's only until it returns, and the response the caller's.
	Next(ctx context.Context, challenge []byte) (response []byte, done bool, err error)
}

// An Explainer is an [Exchange] that knows more than the broker says. Explain is called when the broker has refused it,
// with the broker's words, and returns what may be wrong and what to do; "" for nothing. It names no secret.
type Explainer interface {
	Explain(words string) string
}

// Final marks an error of a mechanism as one that no repetition mends: a user name that no broker takes, a token endpoint
// that says the client's secret is wrong. It returns nil for nil.
func Final(err error) error {
	if err == nil {
		return nil
	}
	return &finalError{err}
}

type finalError struct{ err error }

func (e *finalError) Error() string { return e.err.Error() }
func (e *finalError) Unwrap() error { return e.err }

// IsFinal reports whether err was marked by [Final], or is a broker's refusal.
func IsFinal(err error) bool {
	if _, ok := errors.AsType[*finalError](err); ok {
		return true
	}
	_, ok := errors.AsType[*RefusedError](err)
	return ok
}

// A RefusedError is a broker's word that it does not let the client in. No repetition with the same credentials mends it.
type RefusedError struct {
	Mechanism string   // that was asked for
	Words     string   // the broker's, as they came: show them quoted; "" if it said nothing
	Offered   []string // the mechanisms that the listener has, if the broker has listed them
	Hint      string   // what may be wrong and what to do; "" for nothing
	Err       error    // the broker's error code, which errors.Is finds
}

// Error returns one line with all of it. What the broker said is quoted, and cut.
func (e *RefusedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "refused %s", e.Mechanism)
	if e.Words != "" {
		fmt.Fprintf(&b, ": %s", Quoted(e.Words))
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Offered != nil {
		fmt.Fprintf(&b, "; offered: %s", Quoted(strings.Join(e.Offered, ", ")))
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

// Unwrap returns the broker's error code.
func (e *RefusedError) Unwrap() error { return e.Err }
