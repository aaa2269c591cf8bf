package properties

import (
	"fmt"
	"strings"

	"github.com/epistle-kafka/epistle/sasl"
)

// credentials makes the login module of Java's sasl.jaas.config out of the names that librdkafka has for its options.
func (t *translator) credentials() {
	mechanism := t.value("sasl.mechanism")
	t.set.login = nil
	switch {
	case t.value(jaasKey) != "":
	case mechanism == "OAUTHBEARER":
		t.tokens()
	case mechanism == "GSSAPI" || mechanism == "" && t.held["sasl.kerberos.principal"] != nil:
		t.kerberos()
	default:
		t.password(mechanism)
	}
	for _, name := range together {
		e := t.held[name]
		if e == nil || !strings.HasPrefix(name, "sasl.") && !strings.HasPrefix(name, "https.") {
			continue
		}
		switch {
		case t.set.login != nil && t.set.login.uses[name]:
			t.note(e, "is librdkafka's name, and is taken for an option of sasl.jaas.config")
		case t.value(jaasKey) != "":
			t.note(e, "has no effect: sasl.jaas.config is set")
		case t.set.login != nil:
			t.note(e, "has no effect with "+mechanism)
		}
	}
}

// made begins a login module, out of held properties that exist.
func (t *translator) made(module string, from ...string) *login {
	l := &login{Login: sasl.Login{Module: module, Options: map[string]sasl.Secret{}}, uses: map[string]bool{}}
	for _, name := range from {
		if e := t.held[name]; e != nil {
			if len(l.uses) == 0 {
				t.set.madeOf = e
			}
			l.uses[name] = true
		}
	}
	return l
}

func (t *translator) password(mechanism string) {
	user, password := t.held["sasl.username"], t.held["sasl.password"]
	switch {
	case user == nil && password == nil:
		return
	case password == nil:
		t.refuse(user, "needs sasl.password with it")
		t.set.broken[jaasKey] = true
		return
	case user == nil:
		t.refuse(password, "needs sasl.username with it")
		t.set.broken[jaasKey] = true
		return
	}
	module := "org.apache.kafka.common.security.plain.PlainLoginModule"
	if strings.HasPrefix(mechanism, "SCRAM-") {
		module = "org.apache.kafka.common.security.scram.ScramLoginModule"
	}
	l := t.made(module, "sasl.username", "sasl.password")
	l.Options["username"], l.Options["password"] = sasl.Secret(user.value), sasl.Secret(password.value)
	t.set.login = l
}

func (t *translator) kerberos() {
	l := t.made("com.sun.security.auth.module.Krb5LoginModule", "sasl.kerberos.principal", "sasl.kerberos.keytab")
	if e := t.held["sasl.kerberos.principal"]; e != nil {
		l.Options["principal"] = sasl.Secret(e.value)
	}
	if e := t.held["sasl.kerberos.keytab"]; e != nil {
		l.Options["useKeyTab"], l.Options["storeKey"], l.Options["keyTab"] = "true", "true", sasl.Secret(e.value)
	} else {
		l.Options["useTicketCache"] = "true"
	}
	if len(l.uses) == 0 {
		return
	}
	if t.value("sasl.kerberos.service.name") == "" {
		t.imply(t.set.madeOf, "sasl.kerberos.service.name", "kafka")
		t.note(t.set.madeOf, "has sasl.kerberos.service.name=kafka with it, which is librdkafka's default")
	}
	t.set.login = l
}

func (t *translator) tokens() {
	names := []string{"sasl.oauthbearer.method", "sasl.oauthbearer.config", "sasl.oauthbearer.extensions", "https.ca.location", "https.ca.pem"}
	l := t.made("org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule", names...)
	if len(l.uses) == 0 {
		return
	}
	if e := t.held["sasl.oauthbearer.method"]; e != nil {
		switch e.value {
		case "oidc":
			t.imply(e, "sasl.login.callback.handler.class", "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler")
		case "default":
		default:
			t.refuse(e, "must be oidc or default"+didYouMean(nameMeant(e.value, []string{"oidc", "default"})))
		}
	}
	if e := t.held["https.ca.location"]; e != nil {
		l.Options["ssl.truststore.location"], l.Options["ssl.truststore.type"] = sasl.Secret(e.value), "PEM"
	}
	if e := t.held["https.ca.pem"]; e != nil {
		l.Options["ssl.truststore.certificates"], l.Options["ssl.truststore.type"] = sasl.Secret(e.value), "PEM"
	}
	if e := t.held["sasl.oauthbearer.extensions"]; e != nil {
		t.pairs(e, ",", func(name, value string) bool {
			l.Options["extension_"+name] = sasl.Secret(value)
			return true
		})
	}
	if e := t.held["sasl.oauthbearer.config"]; e != nil {
		t.pairs(e, " ", func(name, value string) bool { return unsecured(l.Options, name, value) })
	}
	t.set.login = l
}

// pairs splits pairs of name=value. One that cannot be split is a problem, which shows no value.
func (t *translator) pairs(e *entry, separator string, take func(name, value string) bool) {
	n := 0
	for pair := range strings.SplitSeq(e.value, separator) {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		n++
		if name, value, ok := strings.Cut(pair, "="); !ok || name == "" || !take(strings.TrimSpace(name), strings.TrimSpace(value)) {
			t.refuse(e, fmt.Sprintf("must be name=value, several of them separated by %q; the %d. is not, or has a name that is not known", separator, n))
		}
	}
}

// unsecured takes one setting of the tokens that librdkafka makes itself, without a signature.
func unsecured(options map[string]sasl.Secret, name, value string) bool {
	switch name {
	case "principal":
		options["unsecuredLoginStringClaim_sub"] = sasl.Secret(value)
	case "principalClaimName":
		options["unsecuredLoginPrincipalClaimName"] = sasl.Secret(value)
	case "scope":
		options["unsecuredLoginListClaim_scope"] = sasl.Secret("," + value)
	case "scopeClaimName":
		options["unsecuredLoginScopeClaimName"] = sasl.Secret(value)
	case "lifeSeconds":
		options["unsecuredLoginLifetimeSeconds"] = sasl.Secret(value)
	default:
		extension, ok := strings.CutPrefix(name, "extension_")
		if !ok {
			return false
		}
		options["unsecuredLoginExtension_"+extension] = sasl.Secret(value)
	}
	return true
}
