package mskiam

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/epistle-kafka/epistle/sasl"
)

// Name is that of the mechanism, in brokers' lists and in properties.
const Name = "AWS_MSK_IAM"

// payloadVersion is the one that there is.
const payloadVersion = "2020_10_22"

// A Mechanism is AWS_MSK_IAM with the credentials of one client. Producers may share it.
type Mechanism struct{ signer *signer }

var (
	_ sasl.Mechanism = (*Mechanism)(nil)
	_ sasl.Explainer = (*exchange)(nil)
)

// New makes the mechanism AWS_MSK_IAM. It reads AWS's configuration files, and asks nobody. Errors name the field.
func New(cfg Config) (*Mechanism, error) {
	s, err := newSigner(cfg)
	if err != nil {
		return nil, err
	}
	return &Mechanism{s}, nil
}

// Name returns "AWS_MSK_IAM".
func (m *Mechanism) Name() string { return Name }

// Begin signs for the broker, with credentials from memory as a rule. AWS not answering is an error that time may mend; AWS
// denying is final.
func (m *Mechanism) Begin(ctx context.Context, target sasl.Target) (sasl.Exchange, error) {
	ctx = telling(ctx, target.Trouble)
	host := strings.TrimSuffix(target.Host, ".")
	region, err := m.signer.regionOf(ctx, host)
	if err != nil {
		return nil, err
	}
	s, err := m.signer.presign(ctx, host, region)
	if err != nil {
		return nil, err
	}
	if target.Trouble != nil {
		target.Trouble(nil)
	}
	return &exchange{signed: s, host: host}, nil
}

// String returns the mechanism and what is not secret of its configuration.
func (m Mechanism) String() string { return Name + " with " + m.signer.cfg.String() }

// Format writes String whatever the verb.
func (m Mechanism) Format(f fmt.State, _ rune) { io.WriteString(f, m.String()) }

// LogValue is String, for slog.
func (m Mechanism) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalText is String, for JSON and its like.
func (m Mechanism) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// An exchange sends one message, and takes one.
type exchange struct {
	signed signed
	host   string
	sent   bool
}

// Format shows nothing of the signature.
func (e *exchange) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "exchange with %s", e.host) }

func (e *exchange) Next(_ context.Context, challenge []byte) ([]byte, bool, error) {
	if !e.sent {
		e.sent = true
		message, err := e.signed.payload(e.host)
		return message, false, err
	}
	var answer struct {
		Version string `json:"version"`
	}
	if len(challenge) == 0 {
		return nil, false, errors.New("the broker answers nothing, which is no success of AWS_MSK_IAM")
	}
	if err := json.Unmarshal(challenge, &answer); err != nil || answer.Version == "" {
		return nil, false, fmt.Errorf("the broker's answer is not that of AWS_MSK_IAM: %s", sasl.Quoted(string(challenge)))
	}
	return nil, true, nil
}

// Explain says what a refusal may be for.
func (e *exchange) Explain(words string) string { return e.signed.explain(words) }

// payload is the signed query as JSON, with names in lower case and values as they are.
func (s signed) payload(host string) ([]byte, error) {
	message := map[string]string{"version": payloadVersion, "host": host, "user-agent": userAgent}
	for name, values := range s.url.Query() {
		message[strings.ToLower(name)] = values[0]
	}
	return json.Marshal(message)
}

// Tokens returns a source of tokens for sasl.OAuthBearer: the other form in which brokers of MSK take a signature, and the
// one that they have beside clients that know no AWS_MSK_IAM. A token is good for all brokers, for 15 minutes.
//
// Tokens are made here: only credentials that have run out have anybody asked.
func Tokens(cfg Config) (sasl.TokenSource, error) {
	s, err := newSigner(cfg)
	if err != nil {
		return nil, err
	}
	return sasl.TokenFunc(s.token), nil
}

// token is the signed URL in base64. The name of the client is added afterwards, and is not signed.
func (s *signer) token(ctx context.Context) (sasl.Token, error) {
	region, err := s.regionOf(ctx, "")
	if err != nil {
		return sasl.Token{}, err
	}
	signed, err := s.presign(ctx, "kafka."+region+".amazonaws.com", region)
	if err != nil {
		return sasl.Token{}, err
	}
	query := signed.url.Query()
	query.Set("User-Agent", userAgent)
	signed.url.RawQuery = query.Encode()
	value := base64.RawURLEncoding.EncodeToString([]byte(signed.url.String()))
	return sasl.Token{Value: sasl.Secret(value), Expires: signed.until, Hint: signed.explain("")}, nil
}
