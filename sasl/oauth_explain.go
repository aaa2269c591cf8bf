package sasl

import (
	"fmt"
	"strings"
	"time"
)

// mostSkew is a difference of clocks that does not matter. Brokers grant 30 seconds by default
// (sasl.oauthbearer.clock.skew.seconds).
const mostSkew = 30 * time.Second

// Explain reads our own token, since brokers tell nobody why they refuse one. It shows when, by whom, for whom and for which
// subject the token was made, and never the token.
func (e *oauthExchange) Explain(words string) string {
	token := e.token()
	jwt, isJWT := decodeJWT(string(token.Value))
	if hint := explainUser(jwt.subject, words); hint != "" {
		return hint
	}
	if !isJWT {
		if token.Hint != "" {
			return joined(token.Hint, skewed(token), e.wanted(jwt))
		}
		return joined("the token is no JWT, so only the broker's log can tell more", skewed(token), e.wanted(jwt))
	}
	return joined(likely(token, jwt, time.Now()), token.Hint, skewed(token), e.wanted(jwt), described(jwt),
		"the broker's log has the reason")
}

func joined(parts ...string) string {
	said := parts[:0]
	for _, part := range parts {
		if part != "" {
			said = append(said, part)
		}
	}
	return strings.Join(said, "; ")
}

// likely names what is wrong with the token, if that can be seen.
func likely(token Token, jwt jwtClaims, now time.Time) string {
	now = now.Add(-token.skew)
	switch {
	case strings.EqualFold(jwt.algorithm, "none"):
		return "the token is not signed (alg none), which brokers take only with their validator for development"
	case jwt.expires.IsZero():
		return "the token has no claim exp, and brokers want one"
	case !now.Before(jwt.expires):
		return fmt.Sprintf("the token expired %v ago by this computer's clock: its source returns old tokens, or this clock is ahead", short(now.Sub(jwt.expires)))
	case jwt.validSince.Sub(now) > mostSkew:
		return fmt.Sprintf("by this computer's clock the token becomes valid in %v (nbf): this clock, or that of the token's issuer, is wrong", short(jwt.validSince.Sub(now)))
	case jwt.issued.Sub(now) > mostSkew:
		return fmt.Sprintf("by this computer's clock the token will be issued in %v (iat): this clock, or that of the token's issuer, is wrong", short(jwt.issued.Sub(now)))
	case jwt.subject == "":
		return "the token has no claim sub, which brokers want unless sasl.oauthbearer.sub.claim.name is another"
	}
	return "by this computer's clock the token is valid, so the broker may expect another issuer, audience, scope or signing key (sasl.oauthbearer.expected.issuer, .expected.audience, .jwks.endpoint.url there)"
}

// skewed compares clocks, if an endpoint has told its time.
func skewed(token Token) string {
	if token.skew.Abs() <= mostSkew {
		return ""
	}
	return aheadOf(token.skew, token.endpoint)
}

func aheadOf(skew time.Duration, endpoint string) string {
	word := "ahead of"
	if skew < 0 {
		word = "behind"
	}
	return fmt.Sprintf("this computer's clock is %v %s that of %s", short(skew.Abs()), word, endpoint)
}

// wanted returns what else the broker's refusal says.
func (e *oauthExchange) wanted(jwt jwtClaims) string {
	wants := ""
	if e.refusal.Scope != "" {
		wants = fmt.Sprintf("the broker wants the scope %s, and the token has %s", Quoted(e.refusal.Scope), Quoted(jwt.scope))
	}
	if e.refusal.Configuration != "" {
		return joined(wants, "it names "+Quoted(e.refusal.Configuration)+" for where tokens come from")
	}
	return wants
}

// described shows the claims that are compared at the broker.
func described(jwt jwtClaims) string {
	said := []string{"token: iss " + Quoted(jwt.issuer), "aud " + Quoted(strings.Join(jwt.audience, " ")), "sub " + Quoted(jwt.subject)}
	if jwt.scope != "" {
		said = append(said, "scope "+Quoted(jwt.scope))
	}
	if !jwt.expires.IsZero() {
		said = append(said, "exp "+jwt.expires.UTC().Format(time.RFC3339))
	}
	return strings.Join(said, ", ")
}

// short rounds a time to what a person wants to know.
func short(d time.Duration) time.Duration {
	if d < time.Minute {
		return d.Round(time.Second)
	}
	return d.Round(time.Minute)
}
