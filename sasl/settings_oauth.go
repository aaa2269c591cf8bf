package sasl

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/internal/shown"
)

const (
	oauthPrefix   = "sasl.oauthbearer."
	tokenURLKey   = oauthPrefix + "token.endpoint.url"
	retrieverKey  = oauthPrefix + "jwt.retriever.class"
	validatorKey  = oauthPrefix + "jwt.validator.class"
	clientIDKey   = oauthPrefix + "client.credentials.client.id"
	secretKey     = oauthPrefix + "client.credentials.client.secret"
	assertionKeys = oauthPrefix + "assertion."

	builtInHandler   = "OAuthBearerLoginCallbackHandler"
	unsecuredHandler = "OAuthBearerUnsecuredLoginCallbackHandler"
	builtInClass     = "org.apache.kafka.common.security.oauthbearer." + builtInHandler
)

// buildOAuth finds out as Java does where tokens come from: by the class in sasl.login.callback.handler.class. A token endpoint
// that is set without that class is used all the same. Java ignores it and fails.
func buildOAuth(s *Settings) (Mechanism, error) {
	r := s.read("OAuthBearerLoginModule")
	r.noLoginClass()
	refresh := r.refresh()
	handler := r.text(loginHandlerKey)
	r.clientHandler(handler)
	var source TokenSource
	registered := lookupTokenSource(handler)
	switch {
	case !isClass(s.Login.Module, r.module): // its options are for something else
	case registered != nil:
		source = r.registered(registered)
	case handler == "" && r.text(tokenURLKey) == "" || simpleName(handler) == unsecuredHandler:
		source = r.unsecured()
	case handler == "" || simpleName(handler) == builtInHandler:
		source = r.builtIn()
	default:
		r.class(loginHandlerKey, handler, "%s is a Java class, and cannot run here: %s", Quoted(handler), insteadOf(handler))
	}
	extensions := r.extensions()
	if r.settingErrors != nil {
		return nil, r.err()
	}
	if len(extensions) > 0 {
		source = WithExtensions(source, extensions)
	}
	return newOAuth(source, refresh), nil
}

func (r *settingsReader) refresh() Refresh {
	const prefix = "sasl.login.refresh."
	d := DefaultRefresh()
	return Refresh{
		WindowFactor: r.fraction(prefix+"window.factor", 0.5, 1, d.WindowFactor),
		WindowJitter: r.fraction(prefix+"window.jitter", 0, 0.25, d.WindowJitter),
		MinPeriod:    r.whole(prefix+"min.period.seconds", 0, 900, time.Second, d.MinPeriod),
		Buffer:       r.whole(prefix+"buffer.seconds", 0, 3600, time.Second, d.Buffer),
	}
}

// clientHandler lets classes pass that only hand the token over in Java. That is done here without a class.
func (r *settingsReader) clientHandler(loginHandler string) {
	class := r.text(clientHandler)
	if class == "" || class == loginHandler || simpleName(class) == "OAuthBearerSaslClientCallbackHandler" {
		return
	}
	r.class(clientHandler, class, "%s is a Java class, and cannot run here: leave it out, and give sasl.OAuthBearer a Go function that returns tokens", Quoted(class))
}

func (r *settingsReader) registered(build TokenSourceBuilder) TokenSource {
	source, err := build(r.Settings)
	if err != nil {
		r.settingErrors = append(r.settingErrors, err)
	} else if source == nil {
		r.key(loginHandlerKey, "the token source that is registered for it has returned none")
	}
	return source
}

// insteadOf names what to use in Go in place of the handlers that people have.
func insteadOf(class string) string {
	const function = "give sasl.OAuthBearer a Go function that returns tokens (sasl.TokenFunc), or register one for the class with sasl.RegisterTokenSource"
	switch simpleName(class) {
	case "IAMOAuthBearerLoginCallbackHandler", "IAMClientCallbackHandler":
		return `it makes tokens of AWS's credentials. It comes with a module of its own: import _ "github.com/epistle-kafka/epistle/sasl/mskiam"`
	case "GcpLoginCallbackHandler":
		return "it wraps an access token of Google's; " + function + ", which does that with Google's default credentials"
	case "TokenUserLoginCallbackHandler":
		return "it asks a token endpoint; in Kafka's own terms that is " + builtInClass + ", with " + tokenURLKey + " and " + clientIDKey + " and the like"
	case "JaasClientOauthLoginCallbackHandler":
		return "it asks a token endpoint; in Kafka's own terms that is " + builtInClass + ", with " + tokenURLKey + " for oauth.token.endpoint.uri, " +
			clientIDKey + " for oauth.client.id, " + secretKey + " for oauth.client.secret and " + oauthPrefix + "scope for oauth.scope"
	case "KafkaOAuth2AuthenticateCallbackHandler":
		return "it gets tokens with an Azure identity; " + function + ", which does that with Azure's SDK and the scope https://NAMESPACE.servicebus.windows.net/.default"
	}
	return function
}

// extensions are those that go with every token.
func (r *settingsReader) extensions() map[string]string {
	extensions := map[string]string{}
	for option, value := range r.Login.Options {
		key, found := strings.CutPrefix(option, "extension_")
		if !found {
			key, found = strings.CutPrefix(option, "unsecuredLoginExtension_")
		}
		if !found {
			continue
		}
		if err := checkExtension(key, string(value)); err != nil {
			r.option(option, "%v", err)
		}
		extensions[key] = string(value)
	}
	return extensions
}

// builtIn is OAuthBearerLoginCallbackHandler with one of Kafka's retrievers.
func (r *settingsReader) builtIn() TokenSource {
	r.options([]string{"clientId", "clientSecret", "scope"}, []string{"extension_", "ssl."}, "unsecured")
	for option := range r.Login.Options {
		if strings.HasPrefix(option, "unsecuredLogin") && r.text(loginHandlerKey) == "" {
			r.key(tokenURLKey, "is set, and the option %s too, which is for tokens that are made here: which is meant? %s=%s is for the endpoint", shown.Name(option), loginHandlerKey, builtInClass)
			return nil
		}
	}
	switch class := r.text(validatorKey); simpleName(class) {
	case "", "DefaultJwtValidator", "ClientJwtValidator", "BrokerJwtValidator":
	default:
		r.class(validatorKey, class, "%s is a Java class, and cannot run here: leave it out, since brokers judge tokens", Quoted(class))
	}
	address := r.text(tokenURLKey)
	u, err := url.Parse(address)
	isFile := err == nil && strings.EqualFold(u.Scheme, "file")
	retriever := r.text(retrieverKey)
	switch simpleName(retriever) {
	case "", "DefaultJwtRetriever":
	case "FileJwtRetriever":
		if !isFile {
			r.key(tokenURLKey, "has to be a URL such as file:///path/of/token, for FileJwtRetriever")
			return nil
		}
	case "ClientCredentialsJwtRetriever", "JwtBearerJwtRetriever":
		isFile = false
	default:
		r.class(retrieverKey, retriever, "%s is a Java class, and cannot run here: give sasl.OAuthBearer a Go function that returns tokens (sasl.TokenFunc)", Quoted(retriever))
		return nil
	}
	if isFile {
		return r.tokenFile(u)
	}
	return r.oidc(simpleName(retriever) == "JwtBearerJwtRetriever")
}

func (r *settingsReader) tokenFile(u *url.URL) TokenSource {
	path := u.Path
	if len(path) > 2 && path[0] == '/' && path[2] == ':' { // file:///C:/token
		path = path[1:]
	}
	if path == "" || u.Host != "" && u.Host != "localhost" {
		r.key(tokenURLKey, "names no file here: write file:///path/of/token, with three slashes")
		return nil
	}
	return TokenFile(path)
}

// unsecuredNames are the options that do not each stand for one claim.
var unsecuredNames = []string{"unsecuredLoginPrincipalClaimName", "unsecuredLoginLifetimeSeconds", "unsecuredLoginScopeClaimName"}

// unsecured is what Java does without a handler class: the token is made here, for brokers that check nothing.
func (r *settingsReader) unsecured() TokenSource {
	r.options(unsecuredNames, []string{"unsecuredLoginStringClaim_", "unsecuredLoginNumberClaim_", "unsecuredLoginListClaim_",
		"unsecuredLoginExtension_", "extension_"}, "unsecuredValidator")
	isLogin := func(option string) bool { return strings.HasPrefix(option, "unsecuredLogin") }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(r.Login.Options)), isLogin) {
		if r.settingErrors == nil {
			r.key(tokenURLKey, "is not set, so there is nowhere to get tokens from: set it, and %s=%s. For development, %s can have unsecuredLoginStringClaim_sub=\"name\"",
				loginHandlerKey, builtInClass, jaasKey)
		}
		return nil
	}
	principal, life, claims := "sub", time.Hour, map[string]any{}
	for _, option := range slices.Sorted(maps.Keys(r.Login.Options)) {
		value := string(r.Login.Options[option])
		switch option {
		case "unsecuredLoginPrincipalClaimName":
			principal = value
		case "unsecuredLoginLifetimeSeconds":
			life = r.life(option, value)
		default:
			r.claim(claims, option, value)
		}
	}
	if text, ok := claims[principal].(string); !ok || text == "" {
		r.option("unsecuredLoginStringClaim_"+principal, "is not set, and says who logs in")
	}
	source, err := UnsecuredJWS(claims, life)
	if err != nil && r.settingErrors == nil {
		r.key(jaasKey, "%v", err)
	}
	return source
}
