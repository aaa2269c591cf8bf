// Package sasl is how a producer proves to brokers who it is (SASL, RFC 4422; in Kafka KIP-12, KIP-43, KIP-152 and KIP-368).
//
// A [Mechanism] is set once, in the producer's Config. The producer logs in on each connection when that is made. It logs in
// again before the session that the broker has granted ends. None of that happens in a call that sends a record.
//
//   - [Plain]: user and password, as they are. Clouds use it for API keys.
//   - [ScramSHA256] and [ScramSHA512]: user and password, or a delegation token, without sending the secret.
//   - [OAuthBearer]: a token of an identity provider ([OIDC]), of a file ([TokenFile]), or of your own function ([TokenFunc]).
//
// Credentials may change while the producer runs if a function supplies them, which is asked at each authentication: see
// [PlainFrom], [ScramSHA256From], [ScramSHA512From] and [TokenSource].
//
// Errors never hold a secret, and no type of this package prints one. [Secret] says what that means for fields of your own.
//
// Properties of a Java program reach these mechanisms by sasl.mechanism. Where they name a Java class that makes tokens,
// [RegisterTokenSource] lets a Go function take its place.
//
// Another module can bring a mechanism of its own: it implements [Mechanism], and calls [Register] if properties are to reach
// it.
//
// # Compatibility
//
// This package keeps what package producer's documentation says under that heading. [Mechanism], [Exchange] and [TokenSource]
// get no further methods. What they are told grows by fields of [Target]. What they return grows by fields of [Token] and
// [Credentials]. What they are asked grows by interfaces of their own, such as [Explainer].
package sasl

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
)

// A Mechanism is one way to authenticate, with the credentials for it. Its methods may be called concurrently, since
// connections are made side by side. One Mechanism may serve several producers.
type Mechanism interface {
	// Name is the mechanism's name, as brokers have it in sasl.enabled.mechanisms: "SCRAM-SHA-512", for example.
	Name() string

	// Begin starts the client's part of one authentication. It may fetch what that needs: read a file, ask for a token or a
	// ticket. ctx ends when the connection may take no longer. After an error the producer tries again with the next
	// connection, after a backoff. An error that no repetition mends is marked by [Final].
	Begin(ctx context.Context, target Target) (Exchange, error)
}

// A Target is the broker that a connection leads to. It may get further fields.
type Target struct {
	Host string // the name that was dialled: a bootstrap server's, or what the cluster advertises
	Port int
	TLS  *tls.ConnectionState // nil: plaintext

	// Again says that the connection is authenticated already, and its session is about to end (KIP-368). Mechanism and user
	// must be the same as before.
	Again bool

	// Trouble may be nil. Begin calls it with an error to tell why credentials do not come, while it goes on trying to get
	// them: an endpoint answers 503, or a server does not answer. So people hear of it before the connection's time is over.
	// Begin calls it with nil once that has passed. It need not do so if it returns old credentials that it could not replace.
	// Trouble does not block, and may be called concurrently. The error must hold no secret.
	Trouble func(error)
}

// Addr returns host:port, with brackets around an IPv6 address.
func (t Target) Addr() string { return addr(t.Host, t.Port) }

// tell calls Trouble if it is set.
func (t Target) tell(err error) {
	if t.Trouble != nil {
		t.Trouble(err)
	}
}

// An Exchange is the client's part of one authentication. It is used once, by one goroutine.
type Exchange interface {
	// Next takes the broker's answer to the last response, at first nil, and returns the next response. The broker answers each
	// response. done says that the broker has proved all that it has to, and that nothing is left to be sent; response does not
	// count then. An error ends the connection. One that no repetition mends is marked by [Final].
	//
	// Next must not keep challenge, and the producer does not keep response.
	Next(ctx context.Context, challenge []byte) (response []byte, done bool, err error)
}

// An Explainer is an [Exchange] that knows more than the broker says. When the broker has refused the client, Explain is called
// with the broker's words. It returns what may be wrong and what to do, or "" for nothing. The text must hold no secret.
type Explainer interface {
	Explain(words string) string
}

// Final marks an error of a mechanism as one that no repetition mends: a user name that no broker takes, a token endpoint that
// says the client's secret is wrong. Final(nil) is nil.
func Final(err error) error {
	if err == nil {
		return nil
	}
	return &finalError{err}
}

type finalError struct{ err error }

func (e *finalError) Error() string { return e.err.Error() }
func (e *finalError) Unwrap() error { return e.err }

// IsFinal reports whether Final has marked err, or err is a broker's refusal.
func IsFinal(err error) bool {
	if _, ok := errors.AsType[*finalError](err); ok {
		return true
	}
	_, ok := errors.AsType[*RefusedError](err)
	return ok
}

// A RefusedError says that a broker does not let the client in. No repetition with the same credentials mends it.
type RefusedError struct {
	Mechanism string   // the mechanism that the client asked for
	Words     string   // the broker's words as they came, so show them by Quoted; "" if it said nothing
	Offered   []string // the mechanisms that the listener has, if the broker has listed them
	Hint      string   // what may be wrong and what to do; "" for nothing
	Err       error    // the broker's error code, which errors.Is finds
}

// Error returns one line with all of it. The broker's words are quoted, and cut.
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
