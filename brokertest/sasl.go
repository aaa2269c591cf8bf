package brokertest

import (
	"fmt"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A SASLMechanism is a mechanism that brokers offer, with one of its users or with a check of tokens. Plain, SCRAM256,
// SCRAM512, DelegationToken, OAuthBearer and MSKIAM make one for SASL.
type SASLMechanism struct {
	name       string
	user       string
	credential credential
	check      func(token string) error // for OAUTHBEARER
}

// credential is what a broker knows of a user of one mechanism.
type credential struct {
	password string
	token    bool      // it is a delegation token: password is its HMAC
	owner    string    // of the token
	expires  time.Time // of the token; zero: never
	region   string    // of AWS_MSK_IAM, whose users are keys, and whose passwords are their secrets
	keys     *scramKeys
}

const (
	plain       = "PLAIN"
	scram256    = "SCRAM-SHA-256"
	scram512    = "SCRAM-SHA-512"
	oauthBearer = "OAUTHBEARER"
)

// Plain offers PLAIN, with this user. For several users give SASL several of them.
func Plain(user, password string) SASLMechanism {
	return SASLMechanism{name: plain, user: user, credential: credential{password: password}}
}

// SCRAM256 offers SCRAM-SHA-256, with this user. For several users give SASL several of them.
func SCRAM256(user, password string) SASLMechanism {
	return SASLMechanism{name: scram256, user: user, credential: credential{password: password}}
}

// SCRAM512 offers SCRAM-SHA-512, with this user. For several users give SASL several of them.
func SCRAM512(user, password string) SASLMechanism {
	return SASLMechanism{name: scram512, user: user, credential: credential{password: password}}
}

// DelegationToken lets both SCRAM mechanisms take a delegation token of the owner (KIP-48). Clients present it with
// tokenauth=true. It offers neither mechanism by itself. A session with it ends when the token expires; the zero time is never.
func DelegationToken(id, hmac, owner string, expires time.Time) SASLMechanism {
	return SASLMechanism{user: id, credential: credential{password: hmac, token: true, owner: owner, expires: expires}}
}

// OAuthBearer offers OAUTHBEARER, and takes the tokens for which check returns nil. A token that is a JWT says whose it is and
// when it expires (sub, exp): the session ends then, and a re-authentication must be by the same user. All other tokens belong
// to one user, and never expire. A client is never told why check has refused its token.
func OAuthBearer(check func(token string) error) SASLMechanism {
	return SASLMechanism{name: oauthBearer, check: check}
}

// Format prints mechanism and user alone, whatever the verb.
func (m SASLMechanism) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s of %q", m.name, m.user) }

// SASL makes brokers demand one of these mechanisms.
//
//	brokertest.SASL(brokertest.Plain("alice", "secret"), brokertest.SCRAM256("bob", "pencil"))
func SASL(mechanisms ...SASLMechanism) Option {
	return func(o *options) {
		o.sasl = true
		o.mechanisms = append(o.mechanisms, mechanisms...)
	}
}

// SessionLifetime sets connections.max.reauth.ms: a client must authenticate again within that time (KIP-368), or is cut off
// with its next request. The default is 0: a session ends when its token expires, or never.
func SessionLifetime(d time.Duration) Option { return func(o *options) { o.lifetime = d } }

// FailedAuthenticationDelay sets connection.failed.authentication.delay.ms: how late a refusal is told. The default is 100 ms.
func FailedAuthenticationDelay(d time.Duration) Option { return func(o *options) { o.failedDelay = d } }

// accounts are the users that may come in. Guarded by Cluster.mu.
type accounts struct {
	enabled []string                         // mechanisms, in the order of SASL
	users   map[string]map[string]credential // by mechanism and name
	check   func(token string) error
}

func (c *Cluster) openAccounts() {
	c.accounts.users = map[string]map[string]credential{}
	for _, m := range c.opts.mechanisms {
		if m.credential.token {
			c.enroll(scram256, m.user, m.credential)
			c.enroll(scram512, m.user, m.credential)
			continue
		}
		if !c.accounts.offers(m.name) {
			c.accounts.enabled = append(c.accounts.enabled, m.name)
		}
		if m.name == oauthBearer {
			c.accounts.check = m.check
			continue
		}
		c.enroll(m.name, m.user, m.credential)
	}
}

func (a *accounts) offers(mechanism string) bool {
	return slices.Contains(a.enabled, mechanism)
}

// enroll adds a user to a mechanism, or replaces one. The caller holds c.mu, or is Start.
func (c *Cluster) enroll(mechanism, user string, cr credential) {
	if mechanism == scram256 || mechanism == scram512 {
		salt := make([]byte, 0, 16)
		for len(salt) < 16 {
			salt = append(salt, byte(c.random.Uint32()))
		}
		cr.keys = newScramKeys(mechanism, cr.password, salt)
	}
	if c.accounts.users[mechanism] == nil {
		c.accounts.users[mechanism] = map[string]credential{}
	}
	c.accounts.users[mechanism][user] = cr
}

// SetPassword gives a user of PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 another password, or adds the user to that mechanism. As in
// Kafka, open connections go on.
func (c *Cluster) SetPassword(mechanism, user, password string) {
	if mechanism != plain && mechanism != scram256 && mechanism != scram512 {
		panic("brokertest: " + mechanism + " has no passwords")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enroll(mechanism, user, credential{password: password})
}

// RemoveUser removes a user from a mechanism. As in Kafka, open connections go on.
func (c *Cluster) RemoveUser(mechanism, user string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.accounts.users[mechanism], user)
}

// credentialOf returns what is known of a user, and whether anything is.
func (c *Cluster) credentialOf(mechanism, user string) (credential, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cr, ok := c.accounts.users[mechanism][user]
	return cr, ok
}

// A saslServer is the broker's side of one exchange.
type saslServer interface {
	// next takes a client's token. done says that the client has proved who it is. A *saslRefusal is told to the client; any
	// other error closes the connection without a word.
	next(token []byte) (answer []byte, done bool, err error)
	// who returns the principal, and when its credentials expire (zero: never). It is called after next has returned done.
	who() (principal string, expires time.Time)
}

// A saslRefusal is SASL_AUTHENTICATION_FAILED with these words.
type saslRefusal struct{ words string }

func (r *saslRefusal) Error() string { return r.words }

// newServer begins an exchange with the broker of that host. again says that it is a re-authentication.
func (c *Cluster) newServer(mechanism, host string, again bool) saslServer {
	switch mechanism {
	case plain:
		return &plainServer{c: c}
	case scram256, scram512:
		return &scramServer{c: c, mechanism: mechanism, again: again}
	case oauthBearer:
		c.mu.Lock()
		defer c.mu.Unlock()
		return &bearerServer{check: c.accounts.check}
	case awsMSKIAM:
		return &iamServer{c: c, host: host}
	}
	panic("brokertest: no mechanism " + mechanism)
}

// invalidCredentials is Kafka's refusal for a mechanism that has no words of its own.
func invalidCredentials(mechanism string, again bool) error {
	when := "authentication"
	if again {
		when = "re-authentication"
	}
	return &saslRefusal{fmt.Sprintf("Authentication failed during %s due to invalid credentials with SASL mechanism %s", when, mechanism)}
}

// refusedSASL notes a scripted answer to a request of SASL. As in Kafka, the connection is closed after it, except after
// ILLEGAL_SASL_STATE.
func (s *session) refusedSASL(r *Request, code protocol.ErrorCode) {
	if (r.APIKey == SaslHandshake || r.APIKey == SaslAuthenticate) && code != protocol.IllegalSaslState {
		s.failed = true
	}
}
