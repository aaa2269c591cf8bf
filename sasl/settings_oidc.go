package sasl

import (
	"cmp"
	"crypto/tls"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// life returns the life of a token that is made here.
func (r *settingsReader) life(option, value string) time.Duration {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 1 {
		r.option(option, "has to be a whole number of seconds, at least 1")
		return 0
	}
	return time.Duration(n) * time.Second
}

// claim adds the claim of an option unsecuredLogin…Claim_NAME, as Java does: the first character of a list divides it.
func (r *settingsReader) claim(claims map[string]any, option, value string) {
	kind, name, found := strings.Cut(strings.TrimPrefix(option, "unsecuredLogin"), "Claim_")
	if !found || !strings.HasPrefix(option, "unsecuredLogin") {
		return
	}
	if name == "exp" || name == "iat" {
		r.option(option, "cannot be set: it is made from the time, see unsecuredLoginLifetimeSeconds")
		return
	}
	switch kind {
	case "String":
		claims[name] = value
	case "Number":
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			r.option(option, "has to be a number")
			return
		}
		claims[name] = number
	case "List":
		list := []string{}
		if value != "" {
			_, n := utf8.DecodeRuneInString(value)
			list = strings.Split(value, value[:n])[1:]
		}
		claims[name] = list
	}
}

// oidc is ClientCredentialsJwtRetriever, or JwtBearerJwtRetriever.
func (r *settingsReader) oidc(jwtBearer bool) TokenSource {
	c := OIDCConfig{
		TokenURL:       r.text(tokenURLKey),
		Scope:          cmp.Or(r.text(oauthPrefix+"scope"), r.optionText("scope")),
		EncodeHeader:   r.truth(oauthPrefix + "header.urlencode"),
		JWTBearer:      jwtBearer,
		ConnectTimeout: r.millis("sasl.login.connect.timeout.ms"), // 0 is no bound in Java, and the default here
		ReadTimeout:    r.millis("sasl.login.read.timeout.ms"),
		RetryBackoff:   r.millis("sasl.login.retry.backoff.ms"),
		RetryBudget:    r.millis("sasl.login.retry.backoff.max.ms"),
		TLS:            r.endpointTLS(),
	}
	if r.text("sasl.login.retry.backoff.max.ms") != "" {
		c.RetryBudget = max(c.RetryBudget, 1) // 0 is for one try, and the default in OIDCConfig
	}
	if rule := checkURL(c.TokenURL); rule != "" {
		r.key(tokenURLKey, "%s", rule)
	}
	id := cmp.Or(r.text(clientIDKey), r.optionText("clientId"))
	switch file, issuer := r.text(assertionKeys+"file"), r.text(assertionKeys+"claim.iss"); {
	case file != "":
		c.Assertion = AssertionFile(file)
	case issuer != "":
		c.Assertion = r.signedAssertion()
	case jwtBearer:
		r.key(assertionKeys+"file", "is not set, nor is %sclaim.iss, and JwtBearerJwtRetriever needs an assertion", assertionKeys)
	default:
		r.clientSecret(&c, id)
	}
	if c.Assertion != nil && !jwtBearer {
		c.ClientID = id
	}
	if r.settingErrors != nil {
		return nil
	}
	source, err := OIDC(c)
	if err != nil {
		r.key(tokenURLKey, "%v", err)
	}
	return source
}

// optionText returns an option's value without spaces around it.
func (r *settingsReader) optionText(option string) string {
	return strings.TrimSpace(string(r.Login.Options[option]))
}

// clientSecret prefers the keys to the options, which Java calls deprecated.
func (r *settingsReader) clientSecret(c *OIDCConfig, id string) {
	if id == "" {
		r.key(clientIDKey, "is not set, and the token endpoint wants to know who asks")
	} else if isPlaceholder(id) {
		r.key(clientIDKey, "still is a placeholder, %s: fill it in", shapeOf(id))
	} else if !c.idFits(id) {
		r.key(clientIDKey, "%s", idHasColon)
	}
	secret := r.secret(secretKey)
	if secret == "" {
		secret = Secret(r.optionText("clientSecret"))
		if isPlaceholder(string(secret)) {
			r.option("clientSecret", "still is a placeholder, %s: fill it in", shapeOf(string(secret)))
		}
	}
	if secret == "" {
		r.key(secretKey, "is not set, nor is %sfile or %sclaim.iss, and one of them has to prove who asks", assertionKeys, assertionKeys)
	}
	c.ClientID, c.ClientSecret = id, secret
}

func (r *settingsReader) signedAssertion() AssertionFunc {
	c := AssertionConfig{
		KeyFile:      r.text(assertionKeys + "private.key.file"),
		Passphrase:   r.secret(assertionKeys + "private.key.passphrase"),
		Algorithm:    strings.ToUpper(cmp.Or(r.text(assertionKeys+"algorithm"), "RS256")),
		Issuer:       r.text(assertionKeys + "claim.iss"),
		Subject:      r.text(assertionKeys + "claim.sub"),
		Audience:     r.text(assertionKeys + "claim.aud"),
		Lifetime:     max(1, r.whole(assertionKeys+"claim.exp.seconds", 0, 86400, time.Second, 0)),
		NotBefore:    r.whole(assertionKeys+"claim.nbf.seconds", 0, 3600, time.Second, 0),
		WithID:       r.truth(assertionKeys + "claim.jti.include"),
		TemplateFile: r.text(assertionKeys + "template.file"),
	}
	if r.text(assertionKeys+"claim.exp.seconds") == "" {
		c.Lifetime = 0
	}
	if r.text(assertionKeys+"claim.nbf.seconds") != "" && c.NotBefore == 0 {
		c.NotBefore = -1
	}
	if c.KeyFile == "" {
		r.key(assertionKeys+"private.key.file", "is not set, and an assertion of %sclaim.iss has to be signed", assertionKeys)
	}
	if !slices.Contains(algorithms, c.Algorithm) {
		r.key(assertionKeys+"algorithm", "has to be RS256 or ES256")
	}
	if r.settingErrors != nil {
		return nil
	}
	assertion, err := SignedAssertion(c)
	if err != nil {
		r.key(assertionKeys+"claim.iss", "%v", err)
	}
	return assertion
}

// endpointTLS is made of the options ssl.… of the login module. The keys ssl.… outside of it are for brokers alone, as in Java.
func (r *settingsReader) endpointTLS() *tls.Config {
	options := maps.Clone(r.Login.Options)
	maps.DeleteFunc(options, func(option string, _ Secret) bool { return !strings.HasPrefix(option, "ssl.") })
	if len(options) == 0 {
		return nil
	}
	if r.TLS == nil {
		r.option(slices.Sorted(maps.Keys(options))[0], "cannot be read here: set OIDCConfig.TLS in code")
		return nil
	}
	config, err := r.TLS(options)
	if err != nil {
		r.key(jaasKey, "TLS of the token endpoint: %v", err)
	}
	return config
}
