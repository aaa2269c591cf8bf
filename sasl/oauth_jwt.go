package sasl

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"time"
)

// A jwtClaims is what a JWT says. Nothing of it is verified: it is our own token, and the broker judges it.
type jwtClaims struct {
	algorithm                   string
	issuer, subject, scope      string
	audience                    []string
	expires, issued, validSince time.Time // zero if the token does not say
}

// decodeJWT returns false for a token that is not a JWT, such as an opaque one. Claims of a wrong type count as missing.
func decodeJWT(token string) (jwtClaims, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return jwtClaims{}, false
	}
	header, ok := decodePart(parts[0])
	if !ok {
		return jwtClaims{}, false
	}
	payload, ok := decodePart(parts[1])
	if !ok {
		return jwtClaims{}, false
	}
	c := jwtClaims{algorithm: claimText(header["alg"]), issuer: claimText(payload["iss"]), subject: claimText(payload["sub"])}
	c.audience = claimTexts(payload["aud"])
	for _, name := range []string{"scope", "scp"} {
		if c.scope == "" {
			c.scope = strings.Join(claimTexts(payload[name]), " ")
		}
	}
	c.expires, c.issued, c.validSince = claimTime(payload["exp"]), claimTime(payload["iat"]), claimTime(payload["nbf"])
	return c, true
}

func decodePart(part string) (map[string]json.RawMessage, bool) {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	if err != nil {
		return nil, false
	}
	var fields map[string]json.RawMessage
	return fields, json.Unmarshal(text, &fields) == nil && fields != nil
}

func claimText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}

// claimTexts reads one text, or a list of texts.
func claimTexts(raw json.RawMessage) []string {
	if text := claimText(raw); text != "" {
		return []string{text}
	}
	var texts []string
	if json.Unmarshal(raw, &texts) != nil {
		return nil
	}
	return texts
}

const lastSecond = 253402300799 // of the year 9999

// claimTime reads seconds since 1970, also fractions of them.
func claimTime(raw json.RawMessage) time.Time {
	var seconds *float64
	if json.Unmarshal(raw, &seconds) != nil || seconds == nil || *seconds <= 0 {
		return time.Time{}
	}
	whole, fraction := math.Modf(min(*seconds, lastSecond))
	return time.Unix(int64(whole), int64(fraction*1e9))
}
