package sasl

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Token is what OAUTHBEARER logs in with: an access token of an identity provider, or whatever brokers are set to take. It
// may get further fields.
type Token struct {
	// Value is most often a JWT; a broker may take others. It consists of letters, digits and -._~+/, and may have = at its end
	// (RFC 6750).
	Value Secret

	// Expires is when brokers no longer take the token. If it is zero and Value is a JWT, its claim exp counts. If there is
	// none either, the token is used once, and the source is asked again for the next authentication.
	Expires time.Time

	// Extensions go to the broker with the token (KIP-342), such as logicalCluster. A key has only letters. A value has at
	// least one character, and only printable ASCII, spaces and line ends. The key "auth" is reserved.
	Extensions map[string]string

	// Hint says what may be wrong if a broker refuses the token, and what to do. Errors show it. It is for a Value whose claims
	// cannot be read here, and must hold no secret. "": none.
	Hint string

	skew     time.Duration // how far this computer's clock is ahead of the endpoint's, if that was told
	endpoint string        // the endpoint that the token is from, to be shown; "" if no endpoint was asked
}

// A TokenSource gets tokens. [OAuthBearer] asks it for one at a time, from a goroutine of its own. The ctx that it passes
// carries no values. It ends after a minute, or for [OIDC] after what the settings allow. An error that no repetition mends is
// marked by [Final].
type TokenSource interface {
	Token(ctx context.Context) (Token, error)
}

// A TokenFunc makes a [TokenSource] of a function.
type TokenFunc func(ctx context.Context) (Token, error)

// Token calls f.
func (f TokenFunc) Token(ctx context.Context) (Token, error) { return f(ctx) }

// WithExtensions returns a source that adds extensions to the tokens of another source. They replace extensions with the same
// key.
func WithExtensions(source TokenSource, extensions map[string]string) TokenSource {
	return &extended{source, maps.Clone(extensions)}
}

type extended struct {
	source     TokenSource
	extensions map[string]string
}

func (s *extended) Token(ctx context.Context) (Token, error) {
	return s.telling(ctx, func(error) {})
}

func (s *extended) telling(ctx context.Context, tell func(error)) (Token, error) {
	token, err := tokenOf(ctx, s.source, tell)
	if err != nil {
		return Token{}, err
	}
	all := maps.Clone(token.Extensions)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, s.extensions)
	token.Extensions = all
	return token, nil
}

func (s *extended) atHand() bool                   { return atHand(s.source) }
func (s *extended) longest() (time.Duration, bool) { return longest(s.source) }

// atHand reports whether a source has its tokens at hand. Such a token is not kept: that would save nothing, and would delay
// the use of its successor.
func atHand(source TokenSource) bool {
	s, ok := source.(interface{ atHand() bool })
	return ok && s.atHand()
}

// tokenOf asks a source for a token. If a try has failed and another follows, tokenOf calls tell, on the goroutine of its
// caller.
func tokenOf(ctx context.Context, source TokenSource, tell func(error)) (Token, error) {
	if s, ok := source.(interface {
		telling(context.Context, func(error)) (Token, error)
	}); ok {
		return s.telling(ctx, tell)
	}
	return source.Token(ctx)
}

// longest returns how long a source may take by its own settings.
func longest(source TokenSource) (time.Duration, bool) {
	if s, ok := source.(interface{ longest() (time.Duration, bool) }); ok {
		return s.longest()
	}
	return 0, false
}

// TokenFile reads the token from a file at each authentication, so it may be replaced at any time. Spaces and line ends around
// the token do not count. The file has to be replaced before its token expires.
//
// In properties: sasl.oauthbearer.token.endpoint.url=file:///….
func TokenFile(path string) TokenSource { return tokenFile(path) }

type tokenFile string

func (path tokenFile) Token(context.Context) (Token, error) {
	file := file{"token file", string(path)}
	text, err := file.read()
	if err != nil {
		return Token{}, err
	}
	value := strings.TrimSpace(string(text))
	if value == "" {
		return Token{}, fmt.Errorf("%v holds no token", file)
	}
	if err := checkValue(value); err != nil {
		return Token{}, fmt.Errorf("%v: %w", file, err)
	}
	return Token{Value: Secret(value)}, nil
}

func (tokenFile) atHand() bool { return true }

// mostOfToken bounds a token and its extensions, in bytes: sasl.server.max.receive.size of brokers, and a frame around it.
const mostOfToken = 524288 - 64

// check refuses here what a broker would answer by hanging up without a word.
func (t Token) check() error {
	if err := checkValue(string(t.Value)); err != nil {
		return err
	}
	size := len(t.Value)
	for _, key := range slices.Sorted(maps.Keys(t.Extensions)) {
		value := t.Extensions[key]
		if err := checkExtension(key, value); err != nil {
			return err
		}
		size += len(key) + len(value) + 2
	}
	if size > mostOfToken {
		return fmt.Errorf("the token and its extensions have %d bytes, and brokers take %d at most", size, mostOfToken)
	}
	return nil
}

func checkValue(value string) error {
	if value == "" {
		return errors.New("the token is empty")
	}
	body := strings.TrimRight(value, "=")
	for i := range len(body) {
		if c := body[i]; !letter(c) && (c < '0' || c > '9') && !strings.ContainsRune("-._~+/", rune(c)) {
			return fmt.Errorf("the token has a character at position %d that no token has: letters, digits, -._~+/ and = at the end are allowed", i+1)
		}
	}
	if body == "" {
		return errors.New("the token has nothing but =")
	}
	return nil
}

func checkExtension(key, value string) error {
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r > 0x7f || !letter(byte(r)) }) {
		return fmt.Errorf("the extension %s: a key has ASCII letters alone", Quoted(key))
	}
	if key == "auth" {
		return errors.New(`the extension "auth": that key is the token's own`)
	}
	if value == "" {
		return fmt.Errorf("the extension %s has no value, and brokers hang up on that", Quoted(key))
	}
	for i := range len(value) {
		if c := value[i]; (c < ' ' || c > '~') && c != '\t' && c != '\r' && c != '\n' {
			return fmt.Errorf("the extension %s has a character at position %d of its value that is not printable ASCII", Quoted(key), i+1)
		}
	}
	return nil
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// expiry returns when the token ends by this computer's clock, as far as that is known; zero if it is not.
func (t Token) expiry() time.Time {
	if !t.Expires.IsZero() {
		return t.Expires
	}
	jwt, _ := decodeJWT(string(t.Value))
	return jwt.expires
}
