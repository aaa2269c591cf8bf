package sasl

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/internal/shown"
)

// OIDCConfig is the token endpoint of an identity provider, and how a client proves to it who it is. Exactly one proof is
// needed: a secret (ClientID and ClientSecret, or Credentials), or an Assertion.
type OIDCConfig struct {
	TokenURL string // http or https (sasl.oauthbearer.token.endpoint.url)
	Scope    string // several are separated by spaces; "" for none (sasl.oauthbearer.scope)

	ClientID     string // sasl.oauthbearer.client.credentials.client.id
	ClientSecret Secret // sasl.oauthbearer.client.credentials.client.secret

	// Credentials is asked before each request, in place of ClientID and ClientSecret, so they may change. See
	// [CredentialsFile].
	Credentials CredentialFunc `json:"-"`

	// EncodeHeader has id and secret form-encoded before they go into the Authorization header, as RFC 6749 demands and many
	// endpoints do not expect (sasl.oauthbearer.header.urlencode). Default false, as in Java. It matters if they have other
	// characters than letters, digits, dots, underscores and hyphens.
	EncodeHeader bool

	// SecretInBody sends id and secret in the form, for endpoints that do not read the Authorization header.
	SecretInBody bool

	// Assertion proves who the client is by a JWT that it has signed, in place of a secret (RFC 7523). See
	// [SignedAssertion] and [AssertionFile]. ClientID is sent along, if it is set.
	Assertion AssertionFunc `json:"-"`

	// JWTBearer exchanges the assertion itself for a token: the grant is urn:ietf:params:oauth:grant-type:jwt-bearer, and
	// not client_credentials (JwtBearerJwtRetriever, KIP-1139).
	JWTBearer bool

	Params map[string]string // more fields of the form, such as "audience" or "resource"

	// HTTP is a client of yours. Its timeout holds besides the ones here, and redirects are not followed. If it is nil,
	// connections are made with TLS, by the proxy that HTTPS_PROXY and NO_PROXY name, and closed after each token.
	HTTP *http.Client `json:"-"`
	TLS  *tls.Config  `json:"-"` // nil: the roots of the system

	// ConnectTimeout bounds the making of a connection, TLS included, and ReadTimeout what follows. One of them that is 0
	// counts as 10 seconds; if both are 0, they are 10 seconds together (sasl.login.connect.timeout.ms,
	// sasl.login.read.timeout.ms; Java has no bound by default).
	ConnectTimeout, ReadTimeout time.Duration

	// RetryBackoff is the first pause after what may pass: no connection, no answer, and the answers 408, 429 and
	// 5xx but 501 and 505. It doubles with each try, up to 1 s; more than that stays as it is. An endpoint that asks for a
	// longer pause (Retry-After) gets it. Default 100 ms (sasl.login.retry.backoff.ms; Java has it double up to the whole
	// budget).
	RetryBackoff time.Duration

	// RetryBudget is the time after which no further try begins. Default 10 s (sasl.login.retry.backoff.max.ms).
	RetryBudget time.Duration
}

// OIDC gets tokens from the token endpoint of an identity provider (KIP-768, KIP-1139, KIP-1258). Its error names all that
// is missing or contradictory in c.
//
// The token is access_token of the answer, or else id_token. If it is a JWT, its claim exp says when it ends, corrected by
// what the endpoint's clock says; or else expires_in does.
func OIDC(c OIDCConfig) (TokenSource, error) {
	if wrong := c.check(); wrong != nil {
		return nil, fmt.Errorf("OIDCConfig: %s", strings.Join(wrong, "; "))
	}
	c.Params = maps.Clone(c.Params)
	attempt := c.ConnectTimeout + c.ReadTimeout
	switch {
	case attempt == 0:
		attempt = defaultTimeout
	case c.ConnectTimeout == 0 || c.ReadTimeout == 0:
		attempt += defaultTimeout
	}
	if c.RetryBackoff == 0 {
		c.RetryBackoff = 100 * time.Millisecond
	}
	if c.RetryBudget == 0 {
		c.RetryBudget = 10 * time.Second
	}
	c.HTTP = c.client()
	return &oidc{config: func() *OIDCConfig { return &c }, shownURL: shown.URL(c.TokenURL), attempt: attempt}, nil
}

const defaultTimeout = 10 * time.Second

type oidc struct {
	config   func() *OIDCConfig // a function, so that package fmt cannot print what it holds; nobody writes into it
	shownURL string
	attempt  time.Duration // bounds one request and its answer
}

func (c *OIDCConfig) check() (wrong []string) {
	say := func(is bool, what string) {
		if is {
			wrong = append(wrong, what)
		}
	}
	if rule := checkURL(c.TokenURL); rule != "" {
		wrong = append(wrong, "TokenURL "+rule)
	}
	secret := c.ClientSecret != "" || c.Credentials != nil
	say(secret && c.Assertion != nil, "a secret and an Assertion are set, and one alone can prove who the client is")
	say(!secret && c.Assertion == nil, "neither ClientSecret nor Credentials nor Assertion is set, and nothing else proves who the client is")
	say(c.ClientSecret != "" && c.Credentials != nil, "ClientSecret and Credentials are set: which is meant?")
	say(c.ClientSecret != "" && c.ClientID == "", "ClientSecret is set, and ClientID is not")
	say(c.ClientSecret != "" && !c.idFits(c.ClientID), "ClientID "+idHasColon)
	say(c.JWTBearer && c.Assertion == nil, "JWTBearer needs an Assertion")
	say(c.HTTP != nil && c.TLS != nil, "HTTP and TLS are set: TLS belongs into the transport of your client")
	say(c.ConnectTimeout < 0 || c.ReadTimeout < 0 || c.RetryBackoff < 0 || c.RetryBudget < 0, "a time is negative")
	for _, key := range slices.Sorted(maps.Keys(c.Params)) {
		say(slices.Contains(ownFields, key), "Params has "+Quoted(key)+", which the request has already")
	}
	return wrong
}

// ownFields are what the form has in one of its shapes.
var ownFields = []string{"grant_type", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type", "assertion"}

const idHasColon = "has a colon, which ends it in the Authorization header: set EncodeHeader (sasl.oauthbearer.header.urlencode=true)"

func (c *OIDCConfig) idFits(id string) bool {
	return c.EncodeHeader || c.SecretInBody || !strings.Contains(id, ":")
}

// checkURL returns "" for a URL that a token can be got from. It does not show what was set: there may be a secret in it.
func checkURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return "is not set"
	case err != nil:
		return "is not a URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return "has to begin with https:// (or http://)"
	case u.Host == "":
		return "names no host"
	case u.User != nil:
		return "has a user in it: that belongs into ClientID and ClientSecret"
	}
	return ""
}

// client follows no redirect: what is sent is a secret, and it is for the endpoint alone.
func (c *OIDCConfig) client() *http.Client {
	client := &http.Client{}
	if c.HTTP != nil {
		*client = *c.HTTP
	} else {
		connect := c.ConnectTimeout
		if connect == 0 {
			connect = defaultTimeout
		}
		client.Transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: connect}).DialContext,
			TLSClientConfig:        c.TLS.Clone(),
			TLSHandshakeTimeout:    connect,
			DisableKeepAlives:      true, // the next token is minutes away, and an idle connection has goroutines
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

var errNoAnswer = errors.New("no answer in time")
