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

// OIDCConfig is the token endpoint of an identity provider, and how the client proves to it who it is. Exactly one proof is
// needed: a secret (ClientID and ClientSecret, or Credentials), or an Assertion. Zero values of durations stand for the
// defaults. OIDCConfig may get further fields.
type OIDCConfig struct {
	TokenURL string // http or https (sasl.oauthbearer.token.endpoint.url)
	Scope    string // several are separated by spaces; "": none (sasl.oauthbearer.scope)

	ClientID     string // sasl.oauthbearer.client.credentials.client.id
	ClientSecret Secret // sasl.oauthbearer.client.credentials.client.secret

	// Credentials is asked before each request, in place of ClientID and ClientSecret, so they may change. See
	// [CredentialsFile].
	Credentials CredentialFunc `json:"-"`

	// EncodeHeader form-encodes id and secret before they go into the Authorization header, as RFC 6749 demands and many
	// endpoints do not expect (sasl.oauthbearer.header.urlencode). Default false, as in Java. It matters only if they have
	// other characters than letters, digits, dots, underscores and hyphens.
	EncodeHeader bool

	// SecretInBody sends id and secret in the form, for endpoints that do not read the Authorization header.
	SecretInBody bool

	// Assertion proves who the client is by a JWT that the client has signed, in place of a secret (RFC 7523). See
	// [SignedAssertion] and [AssertionFile]. ClientID is sent along, if it is set.
	Assertion AssertionFunc `json:"-"`

	// JWTBearer exchanges the assertion itself for a token: the grant is urn:ietf:params:oauth:grant-type:jwt-bearer, and not
	// client_credentials (JwtBearerJwtRetriever, KIP-1139).
	JWTBearer bool

	Params map[string]string // more fields of the form, such as "audience" or "resource"

	// HTTP is a client of your own. Its timeout holds besides those here, and it follows no redirects. If it is nil,
	// connections are made with TLS, by the proxy that HTTPS_PROXY and NO_PROXY name, and closed after each token.
	HTTP *http.Client `json:"-"`
	TLS  *tls.Config  `json:"-"` // for connections without HTTP; nil: the system's roots

	// ConnectTimeout bounds the making of a connection, TLS included. ReadTimeout bounds what follows. If one of them is 0, it
	// counts as 10 seconds. If both are 0, they are 10 seconds together (sasl.login.connect.timeout.ms,
	// sasl.login.read.timeout.ms; Java has no bound by default).
	ConnectTimeout, ReadTimeout time.Duration

	// RetryBackoff is the first pause after a failure that may pass: no connection, no answer, or one of the statuses 408, 429
	// and 5xx except 501 and 505. The pause doubles with each try, up to 1 s; a longer RetryBackoff stays as it is. An endpoint
	// that asks for a longer pause (Retry-After) gets it. Default 100 ms (sasl.login.retry.backoff.ms; Java has it double up to
	// the whole budget).
	RetryBackoff time.Duration

	// RetryBudget is the time after which no further try begins. Default 10 s (sasl.login.retry.backoff.max.ms).
	RetryBudget time.Duration
}

// OIDC gets tokens from the token endpoint of an identity provider (KIP-768, KIP-1139, KIP-1258). The error names everything
// that is missing or contradictory in c.
//
// The token is access_token of the answer, or else id_token. If it is a JWT, its claim exp says when it ends, corrected by the
// endpoint's clock. Otherwise expires_in says it.
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

// ownFields are the fields that the form can have by itself.
var ownFields = []string{"grant_type", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type", "assertion"}

const idHasColon = "has a colon, which ends it in the Authorization header: set EncodeHeader (sasl.oauthbearer.header.urlencode=true)"

func (c *OIDCConfig) idFits(id string) bool {
	return c.EncodeHeader || c.SecretInBody || !strings.Contains(id, ":")
}

// checkURL returns what is wrong with a token endpoint's URL; "" if nothing is. It does not show the URL, since that may hold a
// secret.
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

// client follows no redirect: a request holds a secret, which is for the endpoint alone.
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
