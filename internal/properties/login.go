package properties

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/internal/shown"
	"github.com/epistle-kafka/epistle/sasl"
)

// login is what to log in with.
type login struct {
	sasl.Login
	uses map[string]bool // the names of librdkafka's that it is made of
}

const jaasKey = "sasl.jaas.config"

// knownMechanism is what is known of a mechanism without the code for it. A program that lacks the code is told how to get it.
type knownMechanism struct {
	name    string
	modules []string // simple names of the login modules that Java uses for it
	brings  string   // the module that registers it, if it is not package sasl itself
	example string   // a sasl.jaas.config
}

const repository = "github.com/epistle-kafka/epistle/"

var knownMechanisms = []knownMechanism{
	{"PLAIN", []string{"PlainLoginModule", "ScramLoginModule"}, "", jaasExample},
	{"SCRAM-SHA-256", []string{"ScramLoginModule", "PlainLoginModule"}, "", scramExample},
	{"SCRAM-SHA-512", []string{"ScramLoginModule", "PlainLoginModule"}, "", scramExample},
	{"OAUTHBEARER", []string{"OAuthBearerLoginModule"}, "", `org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;`},
	{"GSSAPI", []string{"Krb5LoginModule"}, repository + "sasl/gssapi", `com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab="/path/to/client.keytab" principal="client@REALM";`},
	{"AWS_MSK_IAM", []string{"IAMLoginModule"}, repository + "sasl/mskiam", `software.amazon.msk.auth.iam.IAMLoginModule required;`},
}

// A Mechanism is one that is known here, whether or not the program has the code for it.
type Mechanism struct {
	Name    string
	Module  string // the module that registers it; "" for package sasl
	Example string // a sasl.jaas.config
}

// Mechanisms lists them. The command that has all modules compares the list with what these register.
func Mechanisms() []Mechanism {
	all := make([]Mechanism, len(knownMechanisms))
	for i, k := range knownMechanisms {
		all[i] = Mechanism{k.name, k.brings, k.example}
	}
	return all
}

const scramExample = `org.apache.kafka.common.security.scram.ScramLoginModule required username="…" password="…";`

func known(mechanism string) *knownMechanism {
	for i := range knownMechanisms {
		if knownMechanisms[i].name == mechanism {
			return &knownMechanisms[i]
		}
	}
	return nil
}

// resolveLogin makes the mechanism that security.protocol asks for, or reports all that it lacks.
func (s *Set) resolveLogin() {
	if !s.SASL() {
		return
	}
	mechanism, _ := s.Value("sasl.mechanism")
	if mechanism == "" {
		mechanism = "GSSAPI"
	}
	before := s.wrong
	login := s.findLogin(mechanism)
	if k := known(mechanism); k != nil {
		s.checkHandlers(k)
		s.checkModule(k, login)
	}
	build := s.builder(mechanism)
	if build == nil || s.wrong > before || s.anyBroken("sasl.") {
		return
	}
	s.warnOfPlaintext(mechanism)
	settings := &sasl.Settings{Mechanism: mechanism, Login: login.Login, Keys: map[string]string{}, TLS: s.endpointTLS}
	settings.Ignore = func(option string, known []string) bool { return s.ignoreOption(login.Login.Module, option, known) }
	for key, e := range s.entries {
		if strings.HasPrefix(key, "sasl.") {
			settings.Keys[key] = e.value
		}
	}
	made, err := build(settings)
	if err != nil {
		s.blame(err, login.Options)
		return
	}
	s.mechanism = made
}

// withoutOptions removes from a text the values of the login module's options, if a config provider has brought them.
func (s *Set) withoutOptions(options map[string]sasl.Secret, text string) string {
	if e := s.entries[jaasKey]; e == nil || !e.hidden {
		return text
	}
	for _, value := range options {
		text = strings.NewReplacer(shown.Quoted(string(value)), Hidden, `"`+string(value)+`"`, Hidden).Replace(text)
	}
	return text
}

// blame reports what a mechanism says about its settings, each under the key that it concerns. A key that is not set is
// reported where the login is.
func (s *Set) blame(err error, options map[string]sasl.Secret) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			s.blame(one, options)
		}
		return
	}
	wrong, ok := errors.AsType[*sasl.SettingError](err)
	if !ok {
		s.Problem(s.culprit(err.Error()), strings.TrimPrefix(err.Error(), "sasl: "))
		return
	}
	rule := s.withoutOptions(options, wrong.Rule)
	if wrong.Option != "" {
		rule = "option " + shown.Name(wrong.Option) + " " + rule
	}
	if wrong.Key == jaasKey || s.isSet(wrong.Key) {
		s.Problem(wrong.Key, rule)
		return
	}
	line, _ := s.place(jaasKey)
	s.complain(Problem{Line: line, Key: wrong.Key, Value: Hidden, Rule: rule + s.Instead(wrong.Key)})
}

func (s *Set) anyBroken(prefix string) bool {
	for key := range s.broken {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// findLogin returns what sasl.jaas.config holds, or other clients' names for it.
func (s *Set) findLogin(mechanism string) login {
	text, isSet := s.Value(jaasKey)
	switch {
	case s.broken[jaasKey]:
	case !isSet && s.login != nil:
		return *s.login
	case !isSet:
		s.missingLogin(mechanism)
	default:
		found, err := parseJAAS(text)
		if err != nil {
			rule := err.Error()
			if inQuotes(text) {
				rule += "; the quotes around all of it are a part of it: leave them out"
			}
			s.Problem(jaasKey, rule)
			break
		}
		s.mentionOptions(found)
		return login{Login: found}
	}
	return login{}
}

// MissingLogin is in the rule about a login that is missing. Behind it is the example of its mechanism, if that is known.
const MissingLogin = "is not set, and SASL needs it"

// NoMechanism is said first where no mechanism is set, and nothing says that Kerberos is meant. Advice on Kerberos alone would
// mislead.
const NoMechanism = "is not set, and Java's default is GSSAPI: set it, such as PLAIN or SCRAM-SHA-512"

// missingLogin reports a login that is missing. It does so at security.protocol, since the login's own key is not there.
func (s *Set) missingLogin(mechanism string) {
	key, first := jaasKey, ""
	if !s.isSet("sasl.mechanism") && !s.isSet("sasl.kerberos.service.name") {
		key, first = "sasl.mechanism", NoMechanism+s.Instead("sasl.mechanism")+". "+jaasKey+" "
	}
	rule := first + MissingLogin + s.Instead(jaasKey) +
		". A file that -Djava.security.auth.login.config names is not read here: what its section KafkaClient holds goes into sasl.jaas.config"
	if k := known(mechanism); k != nil {
		rule += fmt.Sprintf(". For %s it looks like this: sasl.jaas.config=%s", mechanism, k.example)
	}
	line, _ := s.place("security.protocol")
	s.complain(Problem{Line: line, Key: key, Value: Hidden, Rule: rule})
	s.broken[jaasKey], s.broken[key] = true, true // that Java's default is not in the program is nothing to tell beside it
}

// ignoreOption tells of an option that a login module does not have, unless it may be a slip of one that it has. Java takes no
// notice of such options, and files have them: serviceName, which is for Kerberos, or debug.
func (s *Set) ignoreOption(module, option string, known []string) bool {
	if nameMeant(option, known) != "" {
		return false
	}
	s.Notice(jaasKey, "option "+shown.Name(option)+" has no effect, as in Java: "+simpleName(module)+" has "+strings.Join(known, ", "))
	return true
}

// checkModule refuses the login module of another mechanism: most often sasl.mechanism is what was forgotten.
func (s *Set) checkModule(k *knownMechanism, l login) {
	module := simpleName(l.Module)
	if module == "" || slices.Contains(k.modules, module) {
		return
	}
	var fitting []string
	for _, other := range knownMechanisms {
		if other.modules[0] == module {
			fitting = append(fitting, "sasl.mechanism="+other.name)
		}
	}
	if fitting == nil {
		return // some other class; the mechanism itself decides
	}
	rule := fmt.Sprintf("does not go with %s, the login module in sasl.jaas.config: set %s", module, strings.Join(fitting, " or "))
	if _, isSet := s.Value("sasl.mechanism"); isSet {
		s.Problem("sasl.mechanism", rule)
		return
	}
	line, written := s.place(jaasKey)
	s.complain(Problem{Line: line, Key: written, Value: Hidden,
		Rule: fmt.Sprintf("has %s, which does not go with GSSAPI, Java's default of sasl.mechanism: set %s%s", module, strings.Join(fitting, " or "), s.Instead("sasl.mechanism"))})
}

// handlers are the classes of Java and Amazon in whose place the mechanisms of other modules stand, by their simple names.
var handlers = map[string][]string{
	"sasl.client.callback.handler.class": {"SaslClientCallbackHandler", "IAMClientCallbackHandler"},
	"sasl.login.callback.handler.class":  {"AbstractLogin$DefaultLoginCallbackHandler"},
	"sasl.login.class":                   {"DefaultLogin", "KerberosLogin"},
}

// checkHandlers refuses Java classes that have no counterpart here. Package sasl does so for its own mechanisms: it knows what
// a program has registered for a class.
func (s *Set) checkHandlers(k *knownMechanism) {
	if k.brings == "" {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(handlers)) {
		class, isSet := s.Value(key)
		if isSet && class != "" && !s.broken[key] && !slices.Contains(handlers[key], simpleName(class)) {
			s.Problem(key, "is a Java class, which cannot run here: leave it out, and set Config.SASL to a mechanism of package sasl that asks a function of yours for tokens or credentials")
		}
	}
}

// builder returns the builder of a mechanism. If there is none, it reports which import is missing and returns nil.
func (s *Set) builder(mechanism string) sasl.Builder {
	const key = "sasl.mechanism"
	build := sasl.Lookup(mechanism)
	if build != nil || s.broken[key] {
		return build
	}
	_, isSet := s.Value(key)
	rule := "is not in this program"
	if !isSet {
		rule = "is what Java takes if sasl.mechanism is not set" + s.Instead(key) + ", and is not in this program"
	}
	if registered := sasl.Registered(); len(registered) > 0 {
		rule += ", whose mechanisms are " + strings.Join(registered, ", ")
	}
	if k := known(mechanism); k != nil && k.brings != "" {
		rule += fmt.Sprintf(`. It comes with a module of its own: import _ %q`, k.brings)
	} else if better := notAMechanism(mechanism); k == nil && better != "" {
		rule = better
	}
	if !isSet {
		line, _ := s.place("security.protocol")
		s.complain(Problem{Line: line, Key: key, Value: rows[key].Default, Rule: rule})
		return nil
	}
	s.Problem(key, rule)
	return nil
}

// notAMechanism says what is wrong with a name that is none; "" if it may be one.
func notAMechanism(name string) string {
	if variable := unfilled(name); variable != "" {
		return notFilledIn(variable)
	}
	if added := addedTo(name); added != "" {
		return "is not the name of a mechanism: " + added
	}
	if several := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(",; \t", r) }); len(several) > 1 && mechanismMeant(several[0]) != "" {
		return "must be one mechanism, since a client logs in by one: the one that sasl.jaas.config is for"
	}
	if meant := mechanismMeant(name); meant != "" {
		return "is not the name of a mechanism" + didYouMean(meant)
	}
	return ""
}

// culprit returns the key that a mechanism's complaint names, or else sasl.jaas.config.
func (s *Set) culprit(complaint string) string {
	best := ""
	for key := range s.entries {
		if strings.HasPrefix(key, "sasl.") && strings.Contains(complaint, key) && len(key) > len(best) {
			best = key
		}
	}
	if best == "" {
		best = jaasKey
	}
	return best
}

// warnOfPlaintext says what an eavesdropper learns.
func (s *Set) warnOfPlaintext(mechanism string) {
	if s.TLS() {
		return
	}
	switch mechanism {
	case "PLAIN":
		s.Notice("security.protocol", "sends the password readable: SASL_SSL encrypts it")
	case "OAUTHBEARER":
		s.Notice("security.protocol", "sends the token readable: SASL_SSL encrypts it")
	}
}
