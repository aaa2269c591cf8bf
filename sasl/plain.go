package sasl

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

const plainName = "PLAIN"

// Plain logs in with a user name and a password (PLAIN, RFC 4616). The broker gets both as they are. So without TLS anybody on
// the way can read them.
//
// In properties: sasl.mechanism=PLAIN, and username and password of PlainLoginModule in sasl.jaas.config.
func Plain(user, password string) Mechanism {
	return PlainFrom(fixed(Credentials{User: user, Password: Secret(password)}))
}

// PlainFrom is [Plain] with credentials that may change: source is asked at each authentication. See [CredentialsFile] and
// [PasswordFile].
func PlainFrom(source CredentialFunc) Mechanism { return &plain{source} }

type plain struct{ source CredentialFunc }

func (*plain) Name() string { return plainName }

func (m *plain) Begin(ctx context.Context, target Target) (Exchange, error) {
	c, err := m.source.ask(ctx, plainName)
	if err != nil {
		return nil, err
	}
	return &plainExchange{c.User, seal(string(c.Password)), target.Host, false}, nil
}

// ask returns credentials that are checked.
func (source CredentialFunc) ask(ctx context.Context, mechanism string) (Credentials, error) {
	if source == nil {
		return Credentials{}, Final(errors.New("there is no source of credentials"))
	}
	c, err := source(ctx)
	if err != nil {
		return Credentials{}, err
	}
	return c, c.check(mechanism)
}

type plainExchange struct {
	user     string
	password sealed
	host     string
	sent     bool
}

func (e *plainExchange) Next(_ context.Context, challenge []byte) ([]byte, bool, error) {
	switch {
	case !e.sent:
		e.sent = true
		return []byte("\x00" + e.user + "\x00" + e.password()), false, nil
	case len(challenge) > 0:
		return nil, false, errors.New("PLAIN: the broker's answer has to be empty, and is not: it does not speak PLAIN as Kafka does")
	}
	return nil, true, nil
}

// Explain knows Kafka's words for an unknown user and a wrong password, which are the same.
func (e *plainExchange) Explain(words string) string {
	if hint := explainUser(e.user, words); hint != "" {
		return hint
	}
	switch {
	case e.user == "$ConnectionString":
		return "the password has to be the whole connection string, from Endpoint=sb:// on, of this namespace: " +
			"the key in it may be wrong or regenerated, or may lack the right to send"
	case strings.HasSuffix(e.host, ".confluent.cloud"):
		return fmt.Sprintf("%s has to be an API key of this very cluster, with its secret; a new key takes some minutes to be known", Quoted(e.user))
	case strings.Contains(words, "Invalid username or password"):
		return fmt.Sprintf("the password of %s is wrong, or the broker has no such user for PLAIN; users of SCRAM are not users of PLAIN", Quoted(e.user))
	}
	return fmt.Sprintf("user and password that were sent are those of %s", Quoted(e.user))
}

// explainUser knows what brokers of all mechanisms say when a session changes its user (KIP-368).
func explainUser(user, words string) string {
	if !strings.Contains(words, "Cannot change principals") {
		return ""
	}
	return fmt.Sprintf("a session cannot change its user, and %s is another than before; the next connection can begin as that user", Quoted(user))
}
