package sasl

import (
	"crypto/tls"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	handlerKey   = "sasl.login.callback.handler.class"
	handlerClass = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler"
	retrievers   = "org.apache.kafka.common.security.oauthbearer."
)

// oauthFrom has to be built.
func oauthFrom(t *testing.T, pairs ...string) *oauth {
	t.Helper()
	m, err := build(settings("OAUTHBEARER", oauthModule, pairs...))
	if err != nil {
		t.Fatalf("%v: %v", pairs, err)
	}
	return m.(*oauth)
}

// endpointOf is the config that properties have made.
func endpointOf(t *testing.T, pairs ...string) OIDCConfig {
	t.Helper()
	m := oauthFrom(t, pairs...)
	source := m.source
	if e, ok := source.(*extended); ok {
		source = e.source
	}
	o, ok := source.(*oidc)
	if !ok {
		t.Fatalf("%v: %T", pairs, source)
	}
	return *o.config()
}

const endpointURL = "https://idp.example/token"

func TestTokenEndpointFromProperties(t *testing.T) {
	keys := []string{handlerKey, handlerClass, "sasl.oauthbearer.token.endpoint.url", endpointURL}
	with := func(more ...string) []string { return append(keys[:len(keys):len(keys)], more...) }

	c := endpointOf(t, with("sasl.oauthbearer.client.credentials.client.id", " id ", "sasl.oauthbearer.client.credentials.client.secret", " hunter2 ",
		"sasl.oauthbearer.scope", " kafka read ", "clientId", "old", "clientSecret", "old", "scope", "old", "extension_logicalCluster", "lkc-1")...)
	if c.ClientID != "id" || c.ClientSecret != "hunter2" || c.Scope != "kafka read" || c.EncodeHeader || c.JWTBearer || c.RetryBudget != 10*time.Second || c.RetryBackoff != 100*time.Millisecond || c.TLS != nil {
		t.Errorf("%+v", c)
	}
	// Before Kafka 4 the class was in another package, and the client in the options of the login module.
	c = endpointOf(t, handlerKey, "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler",
		"sasl.oauthbearer.token.endpoint.url", endpointURL, "clientId", "a:b", "clientSecret", "hunter2", "scope", "s",
		"sasl.oauthbearer.header.urlencode", "TRUE", "sasl.login.connect.timeout.ms", "1000", "sasl.login.read.timeout.ms", "0",
		"sasl.login.retry.backoff.ms", "200", "sasl.login.retry.backoff.max.ms", "0")
	if c.ClientID != "a:b" || c.ClientSecret != "hunter2" || c.Scope != "s" || !c.EncodeHeader || c.ConnectTimeout != time.Second || c.ReadTimeout != 0 || c.RetryBackoff != 200*time.Millisecond || c.RetryBudget != 1 {
		t.Errorf("%+v", c)
	}
	// Java takes no notice of an endpoint without the class, and fails.
	c = endpointOf(t, "sasl.oauthbearer.token.endpoint.url", endpointURL, "clientId", "id", "clientSecret", "hunter2")
	if c.TokenURL != endpointURL {
		t.Errorf("%+v", c)
	}
	for _, retriever := range []string{"DefaultJwtRetriever", "ClientCredentialsJwtRetriever"} {
		endpointOf(t, with("sasl.oauthbearer.jwt.retriever.class", retrievers+retriever, "clientId", "id", "clientSecret", "hunter2",
			"sasl.oauthbearer.jwt.validator.class", retrievers+"DefaultJwtValidator", "sasl.login.class", retrievers+"internals.OAuthBearerRefreshingLogin",
			"sasl.client.callback.handler.class", retrievers+"internals.OAuthBearerSaslClientCallbackHandler")...)
	}
}

// Of several proofs the first counts, in Java's order: a file, an assertion to be signed, a secret.
func TestProofsFromProperties(t *testing.T) {
	const a = "sasl.oauthbearer.assertion."
	key := writeTemp(t, "key.pem", pkcs8(ecKey()))
	file := writeTemp(t, "assertion", "from.a.file")
	all := []string{handlerKey, handlerClass, "sasl.oauthbearer.token.endpoint.url", endpointURL, "clientId", "id", "clientSecret", "hunter2",
		a + "algorithm", "es256", a + "private.key.file", key, a + "claim.sub", "sub", a + "claim.aud", "aud",
		a + "claim.exp.seconds", "60", a + "claim.nbf.seconds", "0", a + "claim.jti.include", "true"}
	if c := endpointOf(t, all...); c.ClientSecret != "hunter2" || c.Assertion != nil {
		t.Errorf("%+v", c)
	}
	all = append(all, a+"claim.iss", "iss")
	c := endpointOf(t, all...)
	if c.ClientSecret != "" || c.ClientID != "id" {
		t.Errorf("%+v", c)
	}
	_, claims := opened(t, string(made(c.Assertion(t.Context()))), ecKey().Public())
	if claims["iss"] != "iss" || claims["sub"] != "sub" || claims["aud"] != "aud" || claims["jti"] == nil || claims["nbf"] != claims["iat"] || claims["exp"].(float64)-claims["iat"].(float64) != 60 {
		t.Errorf("%v", claims)
	}
	all = append(all, a+"file", file)
	c = endpointOf(t, append(all, "sasl.oauthbearer.jwt.retriever.class", retrievers+"JwtBearerJwtRetriever")...)
	if got := made(c.Assertion(t.Context())); got != "from.a.file" || !c.JWTBearer || c.ClientID != "" {
		t.Errorf("%q, %+v", string(got), c)
	}
	// The key may be encrypted, as OpenSSL does it.
	c = endpointOf(t, handlerKey, handlerClass, "sasl.oauthbearer.token.endpoint.url", endpointURL, a+"claim.iss", "iss", a+"algorithm", "ES256",
		a+"private.key.file", keys+"key-aes256.pem", a+"private.key.passphrase", " changeit ")
	if assertion, err := c.Assertion(t.Context()); err != nil || len(strings.Split(string(assertion), ".")) != 3 {
		t.Errorf("an encrypted key: %v", err)
	}
	// Without keys of their own the times are Java's defaults.
	c = endpointOf(t, handlerKey, handlerClass, "sasl.oauthbearer.token.endpoint.url", endpointURL, a+"claim.iss", "iss", a+"private.key.file", writeTemp(t, "rsa.pem", pkcs8(rsaKey())))
	_, claims = opened(t, string(made(c.Assertion(t.Context()))), rsaKey().Public())
	if claims["exp"].(float64)-claims["iat"].(float64) != 300 || claims["iat"].(float64)-claims["nbf"].(float64) != 60 {
		t.Errorf("%v", claims)
	}
}

func TestTokenFileFromProperties(t *testing.T) {
	path := writeTemp(t, "jwt-token", "from.a.file\n")
	address := "file://" + filepath.ToSlash(path)
	for _, pairs := range [][]string{
		{handlerKey, handlerClass, "sasl.oauthbearer.token.endpoint.url", address},
		{handlerKey, handlerClass, "sasl.oauthbearer.token.endpoint.url", "file:" + filepath.ToSlash(path)},
		{"sasl.oauthbearer.token.endpoint.url", address, "sasl.oauthbearer.jwt.retriever.class", retrievers + "FileJwtRetriever"},
	} {
		m := oauthFrom(t, pairs...)
		if got, _ := next(t, begin(t, m), ""); got != "n,,\x01auth=Bearer from.a.file\x01\x01" || m.cache != nil {
			t.Errorf("sent %q", got)
		}
	}
	if m := oauthFrom(t, "sasl.oauthbearer.token.endpoint.url", "file:///C:/token"); m.source != tokenFile("C:/token") {
		t.Errorf("%v", m.source)
	}
}

func TestUnsecuredTokensFromProperties(t *testing.T) {
	m := oauthFrom(t, "unsecuredLoginStringClaim_user", "alice", "unsecuredLoginPrincipalClaimName", "user", "unsecuredLoginLifetimeSeconds", "60",
		"unsecuredLoginNumberClaim_n", "1.5", "unsecuredLoginListClaim_scope", ",a,b", "unsecuredLoginListClaim_none", "", "unsecuredLoginScopeClaimName", "scope",
		"unsecuredLoginExtension_a", "b", "unsecuredValidatorAllowableClockSkewMs", "3000")
	token, err := m.source.Token(t.Context())
	if err != nil || token.Extensions["a"] != "b" || time.Until(token.Expires) > time.Minute {
		t.Fatalf("%v, %v", token, err)
	}
	_, claims := decodeForTest(t, string(token.Value))
	delete(claims, "iat")
	delete(claims, "exp")
	is(t, claims, map[string]any{"user": "alice", "n": 1.5, "scope": []string{"a", "b"}, "none": []string{}})
	oauthFrom(t, handlerKey, retrievers+"internals.unsecured.OAuthBearerUnsecuredLoginCallbackHandler", "unsecuredLoginStringClaim_sub", "alice",
		"sasl.oauthbearer.token.endpoint.url", endpointURL)
}

func TestRefreshFromProperties(t *testing.T) {
	const p = "sasl.login.refresh."
	base := []string{"sasl.oauthbearer.token.endpoint.url", endpointURL, "clientId", "id", "clientSecret", "hunter2"}
	if m := oauthFrom(t, base...); m.cache.refresh != DefaultRefresh() {
		t.Errorf("%+v", m.cache.refresh)
	}
	m := oauthFrom(t, append(base, p+"window.factor", "0.5", p+"window.jitter", "0", p+"min.period.seconds", "0", p+"buffer.seconds", "3600")...)
	if m.cache.refresh != (Refresh{0.5, 0, 0, time.Hour}) {
		t.Errorf("%+v", m.cache.refresh)
	}
}

// The options ssl.… are read by whoever reads the properties.
func TestEndpointTLSFromProperties(t *testing.T) {
	s := settings("OAUTHBEARER", oauthModule, "sasl.oauthbearer.token.endpoint.url", endpointURL, "clientId", "id", "clientSecret", "hunter2",
		"ssl.truststore.location", "x", "ssl.truststore.password", "hunter2")
	var got map[string]Secret
	config := &tls.Config{ServerName: "told"}
	s.TLS = func(options map[string]Secret) (*tls.Config, error) { got = options; return config, nil }
	m, err := build(s)
	if err != nil || m.(*oauth).source.(*oidc).config().TLS != config || len(got) != 2 || got["ssl.truststore.password"] != "hunter2" {
		t.Errorf("%v, %v", got, err)
	}
	s.TLS = func(map[string]Secret) (*tls.Config, error) { return nil, errors.New("no such file") }
	wrong{s, "sasl.jaas.config", "TLS of the token endpoint: no such file"}.check(t)
	s.TLS = nil
	wrong{s, "sasl.jaas.config ssl.truststore.location", "OIDCConfig.TLS"}.check(t)
}

func TestTokensThatPropertiesLack(t *testing.T) {
	const a, url, id, secret = "sasl.oauthbearer.assertion.", "sasl.oauthbearer.token.endpoint.url", "sasl.oauthbearer.client.credentials.client.id", "sasl.oauthbearer.client.credentials.client.secret"
	of := func(pairs ...string) *Settings { return settings("OAUTHBEARER", oauthModule, pairs...) }
	endpoint := func(pairs ...string) *Settings {
		return of(append([]string{handlerKey, handlerClass, url, endpointURL, id, "id", secret, "hunter2"}, pairs...)...)
	}
	for _, w := range []wrong{
		{settings("OAUTHBEARER", ""), "sasl.jaas.config", "OAUTHBEARER needs " + oauthModule + " required;"},
		{settings("OAUTHBEARER", plainModule, "username", "a"), "sasl.jaas.config", "which is for PLAIN"},
		{of(), url, "unsecuredLoginStringClaim_sub"},
		{of(handlerKey, handlerClass), url, "is not set"},
		{of("clientId", "a"), "sasl.jaas.config clientId", "is no option"},
		{of("LoginStringClaim_sub", "a"), "sasl.jaas.config LoginStringClaim_sub", "unsecuredLoginStringClaim_…"},
		{of("unsecuredLoginNumberClaim_n", "1"), "sasl.jaas.config unsecuredLoginStringClaim_sub", "who logs in"},
		{of("unsecuredLoginNumberClaim_n", "x"), "sasl.jaas.config unsecuredLoginNumberClaim_n", "number"},
		{of("unsecuredLoginStringClaim_exp", "1"), "sasl.jaas.config unsecuredLoginStringClaim_exp", "cannot be set"},
		{of("unsecuredLoginLifetimeSeconds", "0"), "sasl.jaas.config unsecuredLoginLifetimeSeconds", "at least 1"},
		{of("unsecuredLoginStringClaim_sub", "a", url, endpointURL), url, "which is meant"},
		{endpoint(url, "ftp://hunter2"), url, "https://"},
		{endpoint(url, "https://a:hunter2@host"), url, "user in it"},
		{endpoint(url, "file://host/hunter2"), url, "three slashes"},
		{endpoint("sasl.oauthbearer.jwt.retriever.class", retrievers+"FileJwtRetriever"), url, "file:///"},
		{endpoint(url, "file:///x", "sasl.oauthbearer.jwt.retriever.class", retrievers+"ClientCredentialsJwtRetriever"), url, "https://"},
		{endpoint("sasl.oauthbearer.jwt.retriever.class", "com.example.R"), "sasl.oauthbearer.jwt.retriever.class", "sasl.TokenFunc"},
		{endpoint("sasl.oauthbearer.jwt.validator.class", "com.example.V"), "sasl.oauthbearer.jwt.validator.class", "leave it out"},
		{endpoint(id, ""), id, "is not set"},
		{endpoint(id, "<client-id>"), id, "placeholder"},
		{endpoint(id, "a:b"), id, "header.urlencode=true"},
		{endpoint(secret, ""), secret, "is not set"},
		{endpoint(secret, "${env:hunter2}"), secret, "placeholder, ${…}"},
		{endpoint(secret, "", "clientSecret", "<hunter2>"), "sasl.jaas.config clientSecret", "placeholder, <…>"},
		{endpoint("sasl.oauthbearer.header.urlencode", "yes"), "sasl.oauthbearer.header.urlencode", "true or false"},
		{endpoint("sasl.login.read.timeout.ms", "1.5"), "sasl.login.read.timeout.ms", "whole number"},
		{endpoint("sasl.login.connect.timeout.ms", "-1"), "sasl.login.connect.timeout.ms", "from 0"},
		{endpoint("sasl.login.refresh.window.factor", "1.1"), "sasl.login.refresh.window.factor", "from 0.5 to 1"},
		{endpoint("sasl.login.refresh.window.jitter", "NaN"), "sasl.login.refresh.window.jitter", "from 0 to 0.25"},
		{endpoint("sasl.login.refresh.min.period.seconds", "901"), "sasl.login.refresh.min.period.seconds", "from 0 to 900"},
		{endpoint("sasl.login.refresh.buffer.seconds", "x"), "sasl.login.refresh.buffer.seconds", "from 0 to 3600"},
		{endpoint("extension_a1", "x"), "sasl.jaas.config extension_a1", "ASCII letters"},
		{endpoint("extension_auth", "hunter2"), "sasl.jaas.config extension_auth", "token's own"},
		{endpoint("clientid", "x"), "sasl.jaas.config clientid", "did you mean clientId?"},
		{endpoint(a+"claim.iss", "me"), a + "private.key.file", "is not set"},
		{endpoint(a+"claim.iss", "me", a+"private.key.file", "x", a+"algorithm", "HS256"), a + "algorithm", "RS256 or ES256"},
		{endpoint(a+"claim.iss", "me", a+"private.key.file", "x", a+"claim.exp.seconds", "86401"), a + "claim.exp.seconds", "86400"},
		{endpoint(a+"claim.iss", "me", a+"private.key.file", "x", a+"claim.nbf.seconds", "3601"), a + "claim.nbf.seconds", "3600"},
		{endpoint("sasl.oauthbearer.jwt.retriever.class", retrievers+"JwtBearerJwtRetriever"), a + "file", "needs an assertion"},
		{endpoint("sasl.client.callback.handler.class", "com.example.C"), "sasl.client.callback.handler.class", "Java class"},
		{endpoint("sasl.login.class", "com.example.L"), "sasl.login.class", "Java class"},
	} {
		w.check(t)
	}
}

// A class that would have to run on a JVM is named, with the way that there is in Go.
func TestHandlersThatAreJava(t *testing.T) {
	for class, says := range map[string]string{
		"software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler":             `import _ "github.com/epistle-kafka/epistle/sasl/mskiam"`,
		"com.google.cloud.hosted.kafka.auth.GcpLoginCallbackHandler":                  "Google's default credentials",
		"io.confluent.kafka.clients.plugins.auth.token.TokenUserLoginCallbackHandler": handlerClass,
		"io.strimzi.kafka.oauth.client.JaasClientOauthLoginCallbackHandler":           "for oauth.client.secret",
		"com.azure.spring.cloud.service.kafka.KafkaOAuth2AuthenticateCallbackHandler": "Azure",
		"com.example.OauthAuthenticateLoginCallbackHandler":                           "sasl.RegisterTokenSource",
	} {
		s := settings("OAUTHBEARER", oauthModule, handlerKey, class, "LoginStringClaim_sub", "x")
		wrong{s, handlerKey, says}.check(t)
		_, err := build(s)
		if e, ok := errors.AsType[*SettingError](err); !ok || e.Class != class {
			t.Errorf("%v", err)
		}
	}
}
