package gssapi

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/epistle-kafka/epistle/sasl"
)

// Name is that of the mechanism, in brokers' lists and in properties.
const Name = "GSSAPI"

// A Mechanism is GSSAPI with the tickets of one client. Producers may share it: they then log in once.
type Mechanism struct{ login *login }

var (
	_ sasl.Mechanism = (*Mechanism)(nil)
	_ sasl.Explainer = (*exchange)(nil)
)

// Name returns "GSSAPI".
func (m *Mechanism) Name() string { return Name }

// Begin gets the ticket for the broker, from memory as a rule. A KDC that does not answer is an error that time may mend;
// a wrong key, and a principal that the KDC does not know, are final.
func (m *Mechanism) Begin(ctx context.Context, target sasl.Target) (sasl.Exchange, error) {
	ctx = telling(ctx, target.Trouble)
	host, err := principalHost(ctx, m.login.net.resolve, m.login.cfg.Canonicalize, target.Host)
	if err != nil {
		return nil, err
	}
	who, t, err := m.login.ticketFor(ctx, host)
	if err != nil {
		return nil, err
	}
	return &exchange{login: m.login, who: who, name: m.login.cfg.ServiceName + "/" + host, ticket: t}, nil
}

// String returns the mechanism, the principal and the service; no secret.
func (m Mechanism) String() string {
	who := m.login.cfg.Principal
	if who == "" {
		who = "the principal of " + m.login.cfg.CredentialCache
	}
	return fmt.Sprintf("GSSAPI as %s to %s", who, m.login.cfg.ServiceName)
}

// Format writes String whatever the verb.
func (m Mechanism) Format(f fmt.State, _ rune) { io.WriteString(f, m.String()) }

// LogValue is String, for slog.
func (m Mechanism) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalText is String, for JSON and its like.
func (m Mechanism) MarshalText() ([]byte, error) { return []byte(m.String()), nil }
