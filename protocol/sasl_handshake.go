package protocol

import "time"

// SaslHandshakeRequest names the SASL mechanism of the exchange to come: raw bytes after v0, SaslAuthenticate after v1.
type SaslHandshakeRequest struct {
	Mechanism string
}

func (*SaslHandshakeRequest) API() API {
	return API{Name: "SaslHandshake", Key: 17, Min: 0, Max: 1, Flexible: NeverFlexible}
}

func (*SaslHandshakeRequest) NewResponse() Response { return new(SaslHandshakeResponse) }

func (m *SaslHandshakeRequest) encode(e *messageEncoder) {
	e.string(m.Mechanism)
	e.tags()
}

func (m *SaslHandshakeRequest) decode(d *decoder) {
	m.Mechanism = d.string()
	d.tags()
}

// SaslHandshakeResponse tells whether the broker takes the mechanism.
type SaslHandshakeResponse struct {
	ErrorCode  ErrorCode
	Mechanisms []string // those that the broker has enabled
}

func (*SaslHandshakeResponse) API() API { return (*SaslHandshakeRequest)(nil).API() }

func (*SaslHandshakeResponse) ThrottleFor() time.Duration { return 0 }

func (m *SaslHandshakeResponse) encode(e *messageEncoder) {
	e.errorCode(m.ErrorCode)
	e.strings(m.Mechanisms)
	e.tags()
}

func (m *SaslHandshakeResponse) decode(d *decoder) {
	m.ErrorCode = d.errorCode()
	m.Mechanisms = d.strings()
	d.tags()
}
