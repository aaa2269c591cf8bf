package protocol

import (
	"fmt"
	"time"
)

// SaslAuthenticateRequest carries one step of a SASL exchange.
type SaslAuthenticateRequest struct {
	AuthBytes []byte // decoding gives a slice of the frame
}

// Format prints only the length of AuthBytes, whatever the verb: with some mechanisms they are the password.
func (m SaslAuthenticateRequest) Format(f fmt.State, _ rune) { fmt.Fprint(f, m.text()) }

// MarshalText is the same for JSON and its like.
func (m SaslAuthenticateRequest) MarshalText() ([]byte, error) { return []byte(m.text()), nil }

func (m SaslAuthenticateRequest) text() string {
	return fmt.Sprintf("SaslAuthenticateRequest{AuthBytes: [hidden], %d bytes}", len(m.AuthBytes))
}

func (*SaslAuthenticateRequest) API() API {
	return API{Name: "SaslAuthenticate", Key: 36, Min: 0, Max: 2, Flexible: 2}
}

func (*SaslAuthenticateRequest) NewResponse() Response { return new(SaslAuthenticateResponse) }

func (m *SaslAuthenticateRequest) encode(e *messageEncoder) {
	e.bytes(m.AuthBytes)
	e.tags()
}

func (m *SaslAuthenticateRequest) decode(d *decoder) {
	m.AuthBytes = d.bytes()
	d.tags()
}

// SaslAuthenticateResponse is the broker's step.
type SaslAuthenticateResponse struct {
	ErrorCode       ErrorCode
	ErrorMessage    *string
	AuthBytes       []byte        // decoding gives a slice of the frame
	SessionLifetime time.Duration // from v1: after which the client must authenticate anew (KIP-368), 0 = never
}

func (*SaslAuthenticateResponse) API() API { return (*SaslAuthenticateRequest)(nil).API() }

func (*SaslAuthenticateResponse) ThrottleFor() time.Duration { return 0 }

func (m *SaslAuthenticateResponse) encode(e *messageEncoder) {
	e.errorCode(m.ErrorCode)
	e.nullableString(m.ErrorMessage)
	e.bytes(m.AuthBytes)
	if e.version >= 1 {
		e.millis64(m.SessionLifetime)
	}
	e.tags()
}

func (m *SaslAuthenticateResponse) decode(d *decoder) {
	*m = SaslAuthenticateResponse{}
	m.ErrorCode = d.errorCode()
	m.ErrorMessage = d.nullableString()
	m.AuthBytes = d.bytes()
	if d.version >= 1 {
		m.SessionLifetime = d.millis64()
	}
	d.tags()
}
