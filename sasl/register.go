package sasl

import (
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Settings are what a properties file says of SASL, for a builder of mechanisms. Values are resolved: escapes, providers and
// the syntax of JAAS are dealt with. It may get further fields.
type Settings struct {
	Mechanism string            // sasl.mechanism
	Login     Login             // sasl.jaas.config
	Keys      map[string]string // all keys that are set and begin with "sasl.", with their values as written

	// TLS makes a configuration of the options "ssl.…" of a login module, which are for the token endpoint alone. It is nil if
	// whoever reads the properties cannot do that.
	TLS func(options map[string]Secret) (*tls.Config, error)

	// Ignore tells the user that an option of the login module has no effect, as Java ignores an option that its module does not
	// know. It reports false, and tells nothing, if the option may be a slip of one of known, which are all that the module has:
	// then a [Builder] refuses it. Nil, for whoever reads no properties: every option that is unknown is refused.
	Ignore func(option string, known []string) bool
}

func (s Settings) String() string { return "settings of SASL, mechanism " + Quoted(s.Mechanism) }

// Format writes String whatever the verb: Keys has secrets.
func (s Settings) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue is String, for slog.
func (s Settings) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, for JSON and its like.
func (s Settings) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Login is the one entry of a JAAS configuration.
type Login struct {
	Module  string // the Java class; "" if nothing was configured
	Options map[string]Secret
}

// A Builder makes a mechanism of what properties say. The error is a [*SettingError], or several that errors.Join has joined.
// It must hold no secret.
type Builder func(*Settings) (Mechanism, error)

var (
	buildersMu sync.RWMutex
	builders   = map[string]Builder{}
	sources    = map[string]TokenSourceBuilder{}
)

// Register makes a mechanism reachable from properties, by its name in sasl.mechanism. A module that brings a mechanism calls
// it in an init function, so that a program only needs the import. It panics if the name is taken.
func Register(mechanism string, build Builder) {
	buildersMu.Lock()
	defer buildersMu.Unlock()
	if _, taken := builders[mechanism]; taken || build == nil {
		panic(fmt.Sprintf("sasl: Register(%q): the name is taken, or there is no builder", mechanism))
	}
	builders[mechanism] = build
}

// Lookup returns what [Register] was given for a mechanism; nil if nobody has registered it.
func Lookup(mechanism string) Builder {
	buildersMu.RLock()
	defer buildersMu.RUnlock()
	return builders[mechanism]
}

// Registered lists the mechanisms that properties can reach, sorted.
func Registered() []string {
	buildersMu.RLock()
	defer buildersMu.RUnlock()
	return slices.Sorted(maps.Keys(builders))
}

// A TokenSourceBuilder makes a source of tokens of what properties say, as a [Builder] does a mechanism.
type TokenSourceBuilder func(*Settings) (TokenSource, error)

// RegisterTokenSource lets a Go source of tokens take the place of a Java class that properties name in
// sasl.login.callback.handler.class, with sasl.mechanism=OAUTHBEARER. class is the class's whole name. A name that ends in it,
// after a dot, stands for the same class, since some builds of Java put packages below others. It panics if class is taken.
func RegisterTokenSource(class string, build TokenSourceBuilder) {
	buildersMu.Lock()
	defer buildersMu.Unlock()
	if _, taken := sources[class]; taken || build == nil || class == "" {
		panic(fmt.Sprintf("sasl: RegisterTokenSource(%q): the class is taken or has no name, or there is no builder", class))
	}
	sources[class] = build
}

// lookupTokenSource returns nil if nobody has registered the class.
func lookupTokenSource(class string) TokenSourceBuilder {
	buildersMu.RLock()
	defer buildersMu.RUnlock()
	for name, build := range sources {
		if isClass(class, name) {
			return build
		}
	}
	return nil
}

// isClass reports whether a Java class has this name, or a name that ends in it after a dot.
func isClass(class, name string) bool { return class == name || strings.HasSuffix(class, "."+name) }
