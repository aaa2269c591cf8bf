package brokertest

import (
	"bytes"

	"github.com/epistle-kafka/epistle/protocol"
)

// session is how far a connection has authenticated itself. Owned by its answerLoop.
type session struct {
	handshaken    bool
	authenticated bool
	failed        bool // the connection is to be closed once that was answered
	rawTokens     bool // after a handshake of version 0, SASL tokens follow without Kafka's header
}

const plain = "PLAIN"

// admits reports whether a request is allowed now; else Kafka closes the connection.
func (s *session) admits(o *options, apiKey int16) bool {
	if !o.sasl || s.authenticated {
		return true
	}
	return apiKey == ApiVersions || apiKey == SaslHandshake && !s.handshaken || apiKey == SaslAuthenticate && s.handshaken
}

func (s *session) handshake(o *options, m *protocol.SaslHandshakeRequest, version int16) (protocol.Response, bool) {
	switch {
	case !o.sasl || s.authenticated:
		return &protocol.SaslHandshakeResponse{ErrorCode: protocol.IllegalSaslState}, true
	case m.Mechanism != plain:
		s.failed = true
		return &protocol.SaslHandshakeResponse{ErrorCode: protocol.UnsupportedSaslMechanism, Mechanisms: []string{plain}}, true
	}
	s.handshaken, s.rawTokens = true, version == 0
	return &protocol.SaslHandshakeResponse{Mechanisms: []string{plain}}, true
}

func (s *session) authenticate(o *options, m *protocol.SaslAuthenticateRequest) (protocol.Response, bool) {
	if !o.sasl || s.authenticated {
		text := "SaslAuthenticate request received after successful authentication"
		return &protocol.SaslAuthenticateResponse{ErrorCode: protocol.IllegalSaslState, ErrorMessage: &text}, true
	}
	if !o.knows(m.AuthBytes) {
		s.failed = true
		text := "Authentication failed: Invalid username or password"
		return &protocol.SaslAuthenticateResponse{ErrorCode: protocol.SaslAuthenticationFailed, ErrorMessage: &text}, true
	}
	s.authenticated = true
	return &protocol.SaslAuthenticateResponse{AuthBytes: []byte{}}, true
}

// rawToken takes a SASL token that came without a header, and returns the frame of the answer: an empty token. It
// reports false if the connection must be closed, which is all that such a client is told.
func (s *session) rawToken(o *options, token []byte) ([]byte, bool) {
	s.rawTokens = false
	if !o.knows(token) {
		return nil, false
	}
	s.authenticated = true
	return []byte{0, 0, 0, 0}, true
}

// knows reports whether a PLAIN token (RFC 4616) has the user and the password.
func (o *options) knows(token []byte) bool {
	parts := bytes.Split(token, []byte{0})
	return len(parts) == 3 && string(parts[1]) == o.user && string(parts[2]) == o.pass &&
		(len(parts[0]) == 0 || string(parts[0]) == o.user)
}
