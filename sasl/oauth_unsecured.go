package sasl

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// UnsecuredJWS makes tokens that are not signed (alg none), with these claims and this life; 0 stands for an hour. Brokers take
// them only with the validator that Kafka has by default. That one is for development: whoever can connect can be anybody. The
// claim sub is the user. UnsecuredJWS adds the claims exp and iat.
//
// In properties: the options unsecuredLogin… of OAuthBearerLoginModule.
func UnsecuredJWS(claims map[string]any, life time.Duration) (TokenSource, error) {
	for _, name := range []string{"exp", "iat"} {
		if _, taken := claims[name]; taken {
			return nil, fmt.Errorf("UnsecuredJWS: the claim %s is made from the time", name)
		}
	}
	if _, err := json.Marshal(claims); err != nil {
		return nil, fmt.Errorf("UnsecuredJWS: the claims cannot be made JSON")
	}
	if life < 0 {
		return nil, fmt.Errorf("UnsecuredJWS: a life of %v", life)
	}
	if life == 0 {
		life = time.Hour
	}
	return &unsecured{maps.Clone(claims), life}, nil
}

type unsecured struct {
	claims map[string]any
	life   time.Duration
}

func (s *unsecured) Token(context.Context) (Token, error) {
	claims := maps.Clone(s.claims)
	if claims == nil {
		claims = map[string]any{}
	}
	now := time.Now()
	claims["iat"] = seconds(now)
	claims["exp"] = seconds(now.Add(s.life))
	text, err := unsignedJWT(map[string]any{"alg": "none"}, claims)
	if err != nil {
		return Token{}, Final(err)
	}
	return Token{Value: Secret(text + "."), Expires: now.Add(s.life)}, nil
}

func (*unsecured) atHand() bool { return true }

// seconds since 1970, with the milliseconds that Java has there too.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
