package sasl

import (
	"cmp"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// mostOfAnswer bounds what is read of an endpoint's answer, in bytes.
const mostOfAnswer = 1 << 20

type oidcAnswer struct {
	source   *oidc
	response *http.Response
	body     []byte
	proof    *proof
	sent     time.Time     // when the request went
	skew     time.Duration // how far this computer's clock is ahead of the endpoint's; 0 if that is not known
}

// An oidcBody has all that is read of a body. Endpoints have more names for errors than RFC 6749 gives them.
type oidcBody struct {
	AccessToken      string          `json:"access_token"`
	IDToken          string          `json:"id_token"`
	ExpiresIn        json.RawMessage `json:"expires_in"`
	Error            string          `json:"error"`
	ErrorDescription string          `json:"error_description"`
	ErrorCode        string          `json:"errorCode"`
	ErrorSummary     string          `json:"errorSummary"`
}

// token judges an answer by its status, as Java does. A failure that may pass is tried again.
func (a *oidcAnswer) token() (Token, *oidcFailure) {
	status := a.response.StatusCode
	var body oidcBody
	wrongJSON := json.Unmarshal(a.body, &body)
	refused := body.Error != "" || body.ErrorCode != ""
	switch {
	case len(a.body) > mostOfAnswer:
		return Token{}, &oidcFailure{err: fmt.Errorf("it has answered %s with more than %d bytes, which is no token", a.status(), mostOfAnswer)}
	case status >= 300 && status <= 399:
		return Token{}, final("it has answered %s with a redirect to %s, which is not followed, since the request has a secret: if that is the right endpoint, set it as the URL", a.status(), a.location())
	case status >= 500 && status != http.StatusNotImplemented && status != http.StatusHTTPVersionNotSupported,
		status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		return Token{}, &oidcFailure{err: fmt.Errorf("it has answered %s%s", a.said(body), a.whyAgain()), again: true, after: a.retryAfter()}
	case status != http.StatusOK && status != http.StatusCreated, refused && body.AccessToken == "":
		return Token{}, final("it has refused: %s%s", a.said(body), a.hint(body))
	case a.isHTML():
		return Token{}, &oidcFailure{err: fmt.Errorf("it has answered %s with a page of HTML instead of a token, which begins with %s: is this the URL of a login page, or a proxy in between?", a.status(), a.beginning())}
	case wrongJSON != nil:
		return Token{}, &oidcFailure{err: fmt.Errorf("it has answered %s, and the body is not the JSON of a token: %v", a.status(), jsonFault(wrongJSON))}
	}
	value := body.AccessToken
	if value == "" {
		value = body.IDToken
	}
	if value == "" {
		return Token{}, &oidcFailure{err: fmt.Errorf("it has answered %s with JSON that has neither access_token nor id_token", a.status())}
	}
	if err := checkValue(value); err != nil {
		return Token{}, &oidcFailure{err: err}
	}
	return Token{Value: Secret(value), Expires: a.expires(value, body), skew: a.skew, endpoint: a.source.shownURL}, nil
}

// expires returns when the token ends, by this computer's clock.
func (a *oidcAnswer) expires(value string, body oidcBody) time.Time {
	jwt, _ := decodeJWT(value)
	if !jwt.expires.IsZero() {
		return jwt.expires.Add(a.skew)
	}
	text := strings.Trim(string(body.ExpiresIn), `"`)
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds > 0) {
		return time.Time{}
	}
	return a.sent.Add(time.Duration(min(seconds, lifeOfDecades) * float64(time.Second)))
}

const lifeOfDecades = 1e9 // seconds; a time.Duration has nine times as many

// skew compares clocks by the answer's Date, which has whole seconds. A second plus the time that the answer took is no
// difference.
func skew(response *http.Response, sent time.Time) time.Duration {
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return 0
	}
	now := time.Now()
	ahead := sent.Add(now.Sub(sent) / 2).Sub(date)
	if ahead.Abs() <= 2*time.Second+now.Sub(sent) {
		return 0
	}
	return ahead.Truncate(time.Second)
}

func (a *oidcAnswer) status() string {
	code := a.response.StatusCode
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

// said returns the status and the endpoint's own words, without any secret that it repeats.
func (a *oidcAnswer) said(body oidcBody) string {
	text := a.status()
	for _, words := range []string{cmp.Or(body.Error, body.ErrorCode), cmp.Or(body.ErrorDescription, body.ErrorSummary)} {
		if words != "" {
			text += ": " + Quoted(a.proof.hide(words))
		}
	}
	switch begins := a.beginning(); {
	case text != a.status() || begins == `""`:
	case a.isHTML():
		text += ", with a page of HTML that begins with " + begins
	default:
		text += ": " + begins
	}
	return text
}

// mostOfBeginning bounds what is shown of a body, in bytes.
const mostOfBeginning = 80

// beginning quotes the beginning of a body, in one line and without any secret that it repeats. It must not be called for a
// body that may be a token.
func (a *oidcAnswer) beginning() string {
	text := strings.Join(strings.Fields(a.proof.hide(string(a.body))), " ")
	if len(text) > mostOfBeginning {
		text = strings.ToValidUTF8(text[:mostOfBeginning], "\uFFFD") + "…" // to leave bytes out could put a secret together
	}
	return strconv.Quote(text)
}

// whyAgain says what may be behind an answer that may be another one next time.
func (a *oidcAnswer) whyAgain() string {
	switch a.response.StatusCode {
	case http.StatusTooManyRequests:
		return " (it is asked too often, by this client or by all of them)"
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return " (it is down or overloaded, or what is in front of it does not reach it)"
	}
	return " (its own log says more)"
}

// hint says what to do about a refusal (RFC 6749, section 5.2).
func (a *oidcAnswer) hint(body oidcBody) string {
	what := ""
	switch c := a.source.config(); body.Error {
	case "invalid_client", "":
		switch {
		case a.response.StatusCode == http.StatusNotFound:
			what = "is the path of the URL right?"
		case c.Assertion != nil:
			what = "the key, iss, sub or aud of the assertion may not be what the endpoint has registered"
		default:
			what = "id or secret of the client is wrong; or the endpoint wants them encoded (sasl.oauthbearer.header.urlencode=true, EncodeHeader) or in the body (SecretInBody)"
		}
	case "invalid_scope":
		what = "the scope asked for is " + Quoted(c.Scope)
	case "unauthorized_client", "unsupported_grant_type":
		what = "the client has to be allowed the grant " + Quoted(a.proof.form.Get("grant_type"))
	case "invalid_grant":
		what = "iss, sub, aud, exp or the key of the assertion may not be what the endpoint expects"
	}
	if a.skew.Abs() > mostSkew {
		what = joined(what, aheadOf(a.skew, a.source.shownURL))
	}
	if what == "" {
		return ""
	}
	return " (" + what + ")"
}

func (a *oidcAnswer) isHTML() bool {
	kind, _, _ := mime.ParseMediaType(a.response.Header.Get("Content-Type"))
	start := strings.ToLower(strings.TrimSpace(string(a.body[:min(len(a.body), 64)])))
	return kind == "text/html" || strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}

// location returns where a redirect leads, without what may be a secret.
func (a *oidcAnswer) location() string {
	to, err := a.response.Location()
	if err != nil {
		return "nowhere"
	}
	return Quoted(a.proof.hide((&url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path}).String()))
}

// retryAfter returns the pause that the endpoint asks for; 0 if it asks for none.
func (a *oidcAnswer) retryAfter() time.Duration {
	seconds, err := strconv.Atoi(a.response.Header.Get("Retry-After"))
	if err != nil || seconds < 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// jsonFault says what is wrong with JSON, and nothing of its content, which may be a token.
func jsonFault(err error) string {
	switch fault := err.(type) {
	case *json.SyntaxError:
		return fmt.Sprintf("wrong syntax at byte %d", fault.Offset)
	case *json.UnmarshalTypeError:
		if fault.Field == "" {
			return "it is no object"
		}
		return fmt.Sprintf("the field %s has the wrong type", Quoted(fault.Field))
	}
	return "it cannot be read"
}
