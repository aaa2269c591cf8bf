package sasl

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	jaasKey         = "sasl.jaas.config"
	loginHandlerKey = "sasl.login.callback.handler.class"
	clientHandler   = "sasl.client.callback.handler.class"
	loginClassKey   = "sasl.login.class"
)

// A settingsReader reads the settings for one mechanism, and collects what is wrong.
type settingsReader struct {
	*Settings
	settingErrors
	module string   // the mechanism's login module, without its package
	musts  []string // the options that have to be there
}

// modules are the login modules that people have, and what they are for. The example shows how to write one.
var modules = []struct{ class, mechanism, example string }{
	{"org.apache.kafka.common.security.plain.PlainLoginModule", plainName, ` required username="…" password="…";`},
	{"org.apache.kafka.common.security.scram.ScramLoginModule", "SCRAM-SHA-256 and SCRAM-SHA-512", ` required username="…" password="…";`},
	{"org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule", oauthName, ` required;`},
	{"com.sun.security.auth.module.Krb5LoginModule", "GSSAPI", ` required …;`},
	{"software.amazon.msk.auth.iam.IAMLoginModule", "AWS_MSK_IAM", ` required;`},
}

// simpleName is a Java class without its package.
func simpleName(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }

// read checks that the login module is the mechanism's: its class ends in module. Builds of Java that put Kafka's packages
// below others are known by that end.
func (s *Settings) read(module string, musts ...string) *settingsReader {
	r := &settingsReader{Settings: s, module: module, musts: musts}
	needs := ""
	for _, m := range modules {
		if isClass(m.class, module) {
			needs = m.class + m.example
		}
	}
	if isClass(s.Login.Module, module) {
		return r
	}
	if s.Login.Module == "" {
		r.key(jaasKey, "is not set: %s needs %s", s.Mechanism, needs)
		return r
	}
	for _, m := range modules {
		if simpleName(m.class) == simpleName(s.Login.Module) {
			r.key(jaasKey, "has %s, which is for %s: sasl.mechanism=%s needs %s", simpleName(m.class), m.mechanism, s.Mechanism, needs)
			return r
		}
	}
	r.key(jaasKey, "has the login module %s, which is not known here: sasl.mechanism=%s needs %s", Quoted(s.Login.Module), s.Mechanism, needs)
	return r
}

// options demands that each option of the login module is one of known, or begins with one of prefixes, or has no effect and can
// be mistaken for none of these. Options that begin with one of ignored are known to have none: only brokers read them, or
// another kind of login.
func (r *settingsReader) options(known, prefixes []string, ignored ...string) {
	mayIgnore := r.Ignore != nil && !slices.ContainsFunc(r.musts, r.lacks) // else it may be a slip of one that is missing
	all := slices.Clone(known)
	for _, p := range prefixes {
		all = append(all, p+"…")
	}
	for _, option := range slices.Sorted(maps.Keys(r.Login.Options)) {
		hasPrefix := func(p string) bool { return strings.HasPrefix(option, p) }
		if slices.Contains(known, option) || slices.ContainsFunc(prefixes, hasPrefix) || slices.ContainsFunc(ignored, hasPrefix) {
			continue
		}
		meant := ""
		for _, name := range known {
			if strings.EqualFold(name, option) || strings.EqualFold(name, strings.Replace(option, "user", "username", 1)) {
				meant = "; did you mean " + name + "?"
			}
		}
		if mayIgnore && meant == "" && r.Ignore(option, all) {
			continue
		}
		r.option(option, "is no option of %s, which has %s%s", r.module, strings.Join(all, ", "), meant)
	}
}

// needed returns an option that must be there and filled in.
func (r *settingsReader) needed(option string) string {
	value, isSet := r.Login.Options[option]
	switch {
	case !isSet:
		r.option(option, "is not set, and %s needs it", r.Mechanism)
	case value == "":
		r.option(option, "is empty, and %s needs it", r.Mechanism)
	case isPlaceholder(string(value)):
		r.option(option, "still is a placeholder, %s: fill it in (if that is the real one, set it in code)", shapeOf(string(value)))
	}
	return string(value)
}

// missing names the options that have to be there and are not, beside an option that is unknown: its name may be a misspelt one.
func (r *settingsReader) missing() {
	if !isClass(r.Login.Module, r.module) || r.text(loginHandlerKey) != "" || r.text(clientHandler) != "" {
		return
	}
	for _, option := range r.musts {
		if r.lacks(option) {
			r.needed(option)
		}
	}
}

func (r *settingsReader) lacks(option string) bool {
	_, isSet := r.Login.Options[option]
	return !isSet
}

// placeholders are what templates and unresolved references leave.
var placeholders = regexp.MustCompile(`^(<[^<>]+>|\$\{[^{}]*\}|\{\{[^{}]*\}\})$`)

func isPlaceholder(value string) bool { return placeholders.MatchString(strings.TrimSpace(value)) }

// shapeOf shows what a placeholder looks like, and nothing of its content: somebody may have filled it in and left the
// brackets.
func shapeOf(value string) string {
	switch value = strings.TrimSpace(value); value[0] {
	case '<':
		return "<…>"
	case '{':
		return "{{…}}"
	}
	return "${…}"
}

// text returns "" for a key that is not set. Spaces around a value are never meant.
func (s *Settings) text(key string) string { return strings.TrimSpace(s.Keys[key]) }

// secret is text for a key that has to be filled in if it is set.
func (r *settingsReader) secret(key string) Secret {
	value := r.text(key)
	if isPlaceholder(value) {
		r.key(key, "still is a placeholder, %s: fill it in (if that is the real one, set it in code)", shapeOf(value))
	}
	return Secret(value)
}

// whole returns a number of units, or def if the key is not set.
func (r *settingsReader) whole(key string, least, most int64, unit, def time.Duration) time.Duration {
	value := r.text(key)
	if value == "" {
		return def
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < least || n > most {
		r.key(key, "has to be a whole number from %d to %d", least, most)
		return def
	}
	return time.Duration(n) * unit
}

const mostMillis = 1<<31 - 1

func (r *settingsReader) millis(key string) time.Duration {
	return r.whole(key, 0, mostMillis, time.Millisecond, 0)
}

func (r *settingsReader) fraction(key string, least, most, def float64) float64 {
	value := r.text(key)
	if value == "" {
		return def
	}
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || !(f >= least && f <= most) {
		r.key(key, "has to be a number from %v to %v", least, most)
		return def
	}
	return f
}

func (r *settingsReader) truth(key string) bool {
	switch value := strings.ToLower(r.text(key)); value {
	case "true":
		return true
	case "", "false":
	default:
		r.key(key, "has to be true or false")
	}
	return false
}

// noHandlers refuses Java classes that would supply the credentials. Those that Java takes without a setting pass.
func (r *settingsReader) noHandlers(constructor string) {
	for _, key := range []string{loginHandlerKey, clientHandler} {
		switch class := r.text(key); simpleName(class) {
		case "", "SaslClientCallbackHandler", "AbstractLogin$DefaultLoginCallbackHandler":
		default:
			r.class(key, class, "%s is a Java class, and cannot run here: give %s a Go function that returns the credentials", Quoted(class), constructor)
		}
	}
	r.noLoginClass()
}

// noLoginClass lets Java's own classes pass. Their work is done here without them.
func (r *settingsReader) noLoginClass() {
	switch class := r.text(loginClassKey); simpleName(class) {
	case "", "DefaultLogin", "OAuthBearerRefreshingLogin":
	default:
		r.class(loginClassKey, class, "%s is a Java class, and cannot run here: leave it out, and set a mechanism in code if what it does is needed", Quoted(class))
	}
}

func init() {
	Register(plainName, buildPlain)
	Register(scramSHA256, buildScram)
	Register(scramSHA512, buildScram)
	Register(oauthName, buildOAuth)
}

func buildPlain(s *Settings) (Mechanism, error) {
	r := s.read("PlainLoginModule", "username", "password")
	r.noHandlers("sasl.PlainFrom")
	if isClass(s.Login.Module, r.module) {
		r.options([]string{"username", "password"}, nil, "user_") // user_NAME is how brokers have their users
	}
	if r.settingErrors != nil {
		r.missing()
		return nil, r.err()
	}
	user, password := r.needed("username"), r.needed("password")
	return r.checked(Credentials{User: user, Password: Secret(password)}, Plain(user, password))
}

func buildScram(s *Settings) (Mechanism, error) {
	r := s.read("ScramLoginModule", "username", "password")
	constructor, from := "sasl.ScramSHA256From", ScramSHA256From
	if s.Mechanism == scramSHA512 {
		constructor, from = "sasl.ScramSHA512From", ScramSHA512From
	}
	r.noHandlers(constructor)
	if isClass(s.Login.Module, r.module) {
		r.options([]string{"username", "password", "tokenauth"}, nil)
	}
	if r.settingErrors != nil {
		r.missing()
		return nil, r.err()
	}
	c := Credentials{User: r.needed("username"), Password: Secret(r.needed("password"))}
	c.DelegationToken = strings.EqualFold(string(r.Login.Options["tokenauth"]), "true") // all other values are false, as in Java
	return r.checked(c, from(fixed(c)))
}

// checked refuses at once what no broker will ever take.
func (r *settingsReader) checked(c Credentials, m Mechanism) (Mechanism, error) {
	if r.settingErrors == nil {
		if err := c.check(r.Mechanism); err != nil {
			r.key(jaasKey, "%v", err)
		}
	}
	if r.settingErrors != nil {
		return nil, r.err()
	}
	return m, nil
}
