package sasl

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/epistle-kafka/epistle/internal/backoff"
	"github.com/epistle-kafka/epistle/internal/shown"
)

// An oidcFailure says why an attempt has brought no token.
type oidcFailure struct {
	err   error
	again bool          // another attempt may help
	after time.Duration // the pause that the endpoint asks for
}

func final(format string, args ...any) *oidcFailure {
	return &oidcFailure{err: Final(fmt.Errorf(format, args...))}
}

func (s *oidc) longest() (time.Duration, bool) {
	return s.config().RetryBudget + s.attempt + time.Second, true
}

// mostPause bounds the pauses between tries, which double. Records may be waiting for the token, and should not wait much
// longer than the endpoint is down. After a used up budget, too, the next one begins after this pause.
const mostPause = retryFetch

// Token tries until there is a token, or the failure is one that another try cannot mend, or the budget is used up.
func (s *oidc) Token(ctx context.Context) (Token, error) {
	return s.telling(ctx, func(error) {})
}

func (s *oidc) telling(ctx context.Context, tell func(error)) (Token, error) {
	began := time.Now()
	base := s.config().RetryBackoff
	pauses := backoff.Policy{Base: base, Max: max(base, mostPause), Jitter: 0.2}
	var first error
	for attempts := 1; ; attempts++ {
		token, failure := s.try(ctx)
		if failure == nil {
			return token, nil
		}
		if first == nil {
			first = failure.err
		}
		pause := max(pauses.Delay(attempts-1, rand.Float64()), failure.after)
		err := s.failed(failure.err, first, attempts, time.Since(began))
		if !failure.again || time.Since(began)+pause >= s.config().RetryBudget {
			return Token{}, err
		}
		tell(err)
		if !wait(ctx, pause) {
			return Token{}, err
		}
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *oidc) failed(last, first error, attempts int, took time.Duration) error {
	if attempts == 1 {
		return fmt.Errorf("%s: %w", s.shownURL, last)
	}
	if first.Error() == last.Error() {
		return fmt.Errorf("%s: %d tries in %v: %w", s.shownURL, attempts, took.Round(time.Millisecond), last)
	}
	return fmt.Errorf("%s: %d tries in %v: %w (at first: %v)", s.shownURL, attempts, took.Round(time.Millisecond), last, first)
}

// A proof is the part of a request that proves who the client is. Its secrets must not be shown if the endpoint sends them
// back.
type proof struct {
	form    url.Values
	header  string
	secrets []string
}

// try makes one request.
func (s *oidc) try(ctx context.Context) (Token, *oidcFailure) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.attempt, errNoAnswer)
	defer cancel()
	proof, err := s.prove(ctx)
	if err != nil {
		return Token{}, &oidcFailure{err: err}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config().TokenURL, strings.NewReader(proof.form.Encode()))
	if err != nil {
		return Token{}, final("the request cannot be made")
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Cache-Control", "no-cache")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if proof.header != "" {
		request.Header.Set("Authorization", proof.header)
	}
	sent := time.Now()
	response, err := s.config().HTTP.Do(request)
	if err != nil {
		return Token{}, s.unreachable(ctx, err, proof)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, mostOfAnswer+1))
	if err != nil {
		return Token{}, s.unreachable(ctx, err, proof)
	}
	answer := &oidcAnswer{source: s, response: response, body: body, proof: proof, sent: sent, skew: skew(response, sent)}
	return answer.token()
}

// unreachable returns the failure of a request without an answer.
func (s *oidc) unreachable(ctx context.Context, err error, p *proof) *oidcFailure {
	if detail, ok := errors.AsType[*url.Error](err); ok {
		err = detail.Err // without the URL, whose query may be secret
	}
	if cause := context.Cause(ctx); errors.Is(cause, errNoAnswer) {
		return &oidcFailure{err: fmt.Errorf("no answer in %v (it may be overloaded, or a firewall may be in between)", s.attempt), again: true}
	} else if cause != nil {
		return &oidcFailure{err: cause}
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &oidcFailure{err: fmt.Errorf("its certificate is not trusted: %w (OIDCConfig.TLS has the roots for it; in properties, ssl.truststore.* inside of sasl.jaas.config)", &foreignError{err, err.Error()})}
	}
	return &oidcFailure{err: fmt.Errorf("%w%s", &foreignError{err, p.hide(err.Error())}, whyUnreachable(err)), again: true}
}

const wsaRefused syscall.Errno = 10061 // Windows has numbers of its own for sockets; elsewhere this one stands for nothing

// whyUnreachable says what to look at; "" if the error says it.
func whyUnreachable(err error) string {
	_, isName := errors.AsType[*net.DNSError](err)
	switch {
	case isName:
		return " (check the host in the URL, and the resolver)"
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, wsaRefused):
		return " (nobody listens there: is it up, and is the port in the URL right?)"
	case strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return " (it speaks http there, and the URL has https)"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return " (it, or what is in between, hangs up: is the URL's scheme the one of that port?)"
	}
	return ""
}

// A foreignError may hold words of a stranger, such as a header that is wrong.
type foreignError struct {
	err  error
	text string // of err, without secrets
}

func (e *foreignError) Unwrap() error { return e.err }

func (e *foreignError) Error() string {
	return shown.Text(e.text)
}

// prove makes the form and the header that show who asks.
func (s *oidc) prove(ctx context.Context) (*proof, error) {
	c := s.config()
	p := &proof{form: url.Values{"grant_type": {"client_credentials"}}}
	for key, value := range c.Params {
		p.form.Set(key, value)
	}
	if c.Scope != "" {
		p.form.Set("scope", c.Scope)
	}
	if c.Assertion == nil {
		return p, s.proveBySecret(ctx, p)
	}
	assertion, err := c.Assertion(ctx)
	if err != nil {
		return nil, err
	}
	p.secrets = []string{string(assertion)}
	if c.JWTBearer {
		p.form.Set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
		p.form.Set("assertion", string(assertion))
		return p, nil
	}
	p.form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	p.form.Set("client_assertion", string(assertion))
	if c.ClientID != "" {
		p.form.Set("client_id", c.ClientID)
	}
	return p, nil
}

func (s *oidc) proveBySecret(ctx context.Context, p *proof) error {
	c := s.config()
	id, secret := c.ClientID, string(c.ClientSecret)
	if c.Credentials != nil {
		credentials, err := c.Credentials(ctx)
		if err != nil {
			return fmt.Errorf("no credentials of the client: %w", err)
		}
		id, secret = credentials.User, string(credentials.Password)
		if id == "" || secret == "" {
			return errors.New("the client's id or its secret is empty")
		}
	}
	p.secrets = []string{secret, url.QueryEscape(secret)}
	switch {
	case c.SecretInBody:
		p.form.Set("client_id", id)
		p.form.Set("client_secret", secret)
		return nil
	case !c.idFits(id):
		return Final(errors.New("the client's id " + idHasColon))
	case c.EncodeHeader:
		id, secret = url.QueryEscape(id), url.QueryEscape(secret)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(id + ":" + secret))
	p.header = "Basic " + encoded
	p.secrets = append(p.secrets, encoded)
	return nil
}

// hide takes the secrets out of what an endpoint says.
func (p *proof) hide(text string) string {
	for _, secret := range p.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, hidden)
		}
	}
	return text
}
