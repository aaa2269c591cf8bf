package brokertest

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// bearerFirst matches a client's first message (RFC 7628), as Kafka's parser does.
var bearerFirst = regexp.MustCompile(`^n,(?:a=([^\x01,]+))?,\x01(?:[A-Za-z]+=[\x21-\x7E \t\r\n]+\x01)*\x01$`)

var bearerToken = regexp.MustCompile(`\x01auth=(?i:bearer) +([-_~+/.A-Za-z0-9]+=*)\x01`)

// bearerServer is the broker's side of OAUTHBEARER (RFC 7628, KIP-255).
type bearerServer struct {
	check     func(token string) error
	refused   bool
	principal string
	expires   time.Time
}

// invalidToken is all that a client is told when its token is refused.
const invalidToken = `{"status":"invalid_token"}`

func (s *bearerServer) next(message []byte) ([]byte, bool, error) {
	if s.refused { // the client has confirmed that it has read why
		return nil, false, &saslRefusal{invalidToken}
	}
	first := bearerFirst.FindSubmatch(message)
	token := bearerToken.FindSubmatch(message)
	if first == nil || token == nil {
		return nil, false, errMalformed
	}
	s.principal, s.expires = claims(string(token[1]))
	authzid := string(first[1])
	expired := !s.expires.IsZero() && !time.Now().Before(s.expires)
	if expired || authzid != "" && authzid != s.principal || s.check != nil && s.check(string(token[1])) != nil {
		s.refused = true
		return []byte(invalidToken), false, nil
	}
	return nil, true, nil
}

func (s *bearerServer) who() (string, time.Time) { return s.principal, s.expires }

// claims returns sub and exp of a JWT, if the token is one.
func claims(token string) (subject string, expires time.Time) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", time.Time{}
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	var c struct {
		Subject string  `json:"sub"`
		Expires float64 `json:"exp"` // seconds, which may have a fraction
	}
	if err != nil || json.Unmarshal(text, &c) != nil {
		return "", time.Time{}
	}
	if c.Expires > 0 {
		expires = time.UnixMilli(int64(c.Expires * 1000))
	}
	return c.Subject, expires
}
