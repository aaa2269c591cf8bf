package brokertest

import (
	"errors"
	"net"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// session is the state of a connection's authentication. It belongs to the connection's answerLoop.
type session struct {
	versioned bool       // ApiVersions was answered; without authentication it may be asked only once
	server    saslServer // of the exchange under way; nil: there is none
	mechanism string     // asked for by the last handshake
	rawTokens bool       // after a handshake of version 0, SASL tokens follow without Kafka's header

	authenticated bool   // once; it goes on during a re-authentication
	proved        string // the mechanism by which the client has authenticated
	principal     string
	expires       time.Time // zero: never
	again         time.Time // when the last re-authentication began

	failed bool // the connection is to be closed after the answer
	late   bool // the answer is held back
}

// An admission says whether a request is handled at all.
type admission uint8

const (
	admitted  admission = iota
	shutOut             // the connection is closed without a word
	outOfTurn           // it is answered with an error, and the connection is closed
)

// admits says whether a request is handled, as Kafka's SaslServerAuthenticator and its network threads do.
func (k *conn) admits(apiKey int16) admission {
	s := &k.session
	switch {
	case !k.b.c.opts.sasl:
		return admitted
	case s.server != nil:
		if apiKey != SaslAuthenticate {
			return outOfTurn
		}
		return admitted
	case s.authenticated:
		// A handshake that begins a re-authentication is taken even when the session has expired.
		if s.expired() && (apiKey != SaslHandshake || !s.mayBeginAgain()) {
			return shutOut
		}
		return admitted
	case apiKey == ApiVersions && !s.versioned, apiKey == SaslHandshake:
		return admitted
	}
	return shutOut
}

func (s *session) expired() bool { return !s.expires.IsZero() && !time.Now().Before(s.expires) }

// mayBeginAgain reports whether a re-authentication may begin. There is none in a session without an end, and two of them must
// be a second apart.
func (s *session) mayBeginAgain() bool {
	return !s.expires.IsZero() && (s.again.IsZero() || time.Since(s.again) >= time.Second)
}

func (k *conn) saslHandshake(m *protocol.SaslHandshakeRequest, version int16) protocol.Response {
	c, s := k.b.c, &k.session
	if !c.opts.sasl || s.authenticated && !s.mayBeginAgain() {
		return &protocol.SaslHandshakeResponse{ErrorCode: protocol.IllegalSaslState}
	}
	if s.authenticated {
		s.again = time.Now()
	}
	c.mu.Lock()
	enabled, offered := slices.Clone(c.accounts.enabled), c.accounts.offers(m.Mechanism)
	c.mu.Unlock()
	if !offered {
		s.failed = true
		return &protocol.SaslHandshakeResponse{ErrorCode: protocol.UnsupportedSaslMechanism, Mechanisms: enabled}
	}
	s.mechanism, s.rawTokens = m.Mechanism, version == 0
	host, _, _ := net.SplitHostPort(k.at)
	s.server = c.newServer(m.Mechanism, host, s.authenticated)
	return &protocol.SaslHandshakeResponse{Mechanisms: enabled}
}

// saslAuthenticate answers SaslAuthenticate. It reports false if the connection must be closed.
func (k *conn) saslAuthenticate(m *protocol.SaslAuthenticateRequest) (protocol.Response, bool) {
	s := &k.session
	if s.server == nil {
		text := "SaslAuthenticate request received after successful authentication"
		return &protocol.SaslAuthenticateResponse{ErrorCode: protocol.IllegalSaslState, ErrorMessage: &text}, true
	}
	answer, lifetime, err := k.step(m.AuthBytes)
	var refused *saslRefusal
	switch {
	case errors.As(err, &refused):
		return &protocol.SaslAuthenticateResponse{ErrorCode: protocol.SaslAuthenticationFailed, ErrorMessage: &refused.words, AuthBytes: []byte{}}, true
	case err != nil:
		return nil, false
	}
	if answer == nil {
		answer = []byte{}
	}
	return &protocol.SaslAuthenticateResponse{ErrorMessage: new(string), AuthBytes: answer, SessionLifetime: lifetime}, true
}

// rawToken takes a SASL token that came without a header, and returns the frame of the answer. It reports false if the
// connection must be closed: such a client is told nothing else.
func (k *conn) rawToken(token []byte) ([]byte, bool) {
	answer, _, err := k.step(token)
	if err != nil {
		return nil, false
	}
	frame := []byte{byte(len(answer) >> 24), byte(len(answer) >> 16), byte(len(answer) >> 8), byte(len(answer))}
	return append(frame, answer...), true
}

var errOtherMechanism = errors.New("a re-authentication by another mechanism")

// step takes a client's token. With the last one it lets the client in, and returns the lifetime of the session.
func (k *conn) step(token []byte) (answer []byte, lifetime time.Duration, err error) {
	s := &k.session
	done := false
	if s.authenticated && s.mechanism != s.proved {
		err = errOtherMechanism
	} else {
		answer, done, err = s.server.next(token)
	}
	if err == nil && done {
		lifetime, err = k.letIn()
	}
	if err != nil {
		s.failed, s.late, s.server = true, !errors.Is(err, errMalformed), nil
	}
	return answer, lifetime, err
}

func (k *conn) letIn() (lifetime time.Duration, err error) {
	s := &k.session
	principal, expires := s.server.who()
	if s.authenticated && principal != s.principal {
		return 0, &saslRefusal{"Cannot change principals during re-authentication from User." + s.principal + ": User." + principal}
	}
	now := time.Now()
	if most := k.b.c.opts.lifetime; most > 0 && (expires.IsZero() || now.Add(most).Before(expires)) {
		expires = now.Add(most)
	}
	if !expires.IsZero() {
		lifetime = expires.Sub(now)
	}
	s.server, s.rawTokens = nil, false
	s.authenticated, s.proved, s.principal, s.expires = true, s.mechanism, principal, expires
	return lifetime, nil
}
