package producer

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/internal/properties"
)

// Notice says what a property does that its writer may not expect: it has no effect, or it changes another setting. It does the
// same in Java, where only the log says so. The texts have a bounded length and one line, and show no secret.
type Notice struct {
	Line int    // in the file, from 1; 0 if it came from a map or from no line
	Key  string // as written; quoted if it is odd, in part if it is long, "[hidden]" if it may be a piece of a secret
	Text string // what happened and why
}

func (n Notice) String() string {
	if n.Line == 0 {
		return n.Key + ": " + n.Text
	}
	return fmt.Sprintf("line %d: %s: %s", n.Line, n.Key, n.Text)
}

// PropertiesError lists everything that is wrong with a set of properties, up to a thousand problems. Its text has the first
// twenty.
type PropertiesError struct {
	Problems []PropertyError // by line; never empty
}

// PropertyError says what is wrong with a property. The texts have a bounded length and one line, and show no secret.
type PropertyError struct {
	Line       int    // in the file, from 1; 0 if it came from a map or from no line
	Key        string // as written; quoted if it is odd, in part if it is long, "[hidden]" if it may be a piece of a secret
	Value      string // as text, in part if it is long; "[hidden]" for secrets and for keys that are not known
	Rule       string // what is wrong and what to do
	Suggestion string // the key that was probably meant, if Key is not known; else ""
	Unknown    bool   // Kafka's producer has no such key: see RefuseUnknown
}

func (p PropertyError) Error() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	b.WriteString(p.Key)
	switch p.Value {
	case properties.Hidden:
	case "":
		b.WriteString(" = (empty)")
	default:
		fmt.Fprintf(&b, " = %s", p.Value)
	}
	b.WriteString(": ")
	b.WriteString(p.Rule)
	return b.String()
}

func (e *PropertiesError) Error() string { return listed("invalid properties", "problems", e.Unwrap()) }

// Unwrap returns the problems, so that errors.As finds each.
func (e *PropertiesError) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}

// A PropertiesOption changes how [FromProperties] and [FromMap] read.
type PropertiesOption struct{ apply func(*properties.Options) }

// Override gives properties that win over those that are read, as a command line does over a file. They have no line in errors
// and notices. A key among them that Kafka's producer does not know is a problem, not a notice, since somebody has just typed
// it.
func Override(m map[string]string) PropertiesOption {
	return PropertiesOption{func(o *properties.Options) { o.Over = m }}
}

// RefuseUnknown makes each key that Kafka's producer does not know a problem. Without it such a key is a notice, since Java's
// producer only warns of it, and files often hold keys for others.
func RefuseUnknown() PropertiesOption {
	return PropertiesOption{func(o *properties.Options) { o.RefuseUnknown = true }}
}

// LibrdkafkaNames takes the names that librdkafka and its bindings have for settings, such as sasl.username, ssl.ca.location
// and queue.buffering.max.ms, for what they mean there. A notice for each says which of Java's keys it stands for. Without this
// option such keys are unknown. If a setting has both names, Java's wins.
func LibrdkafkaNames() PropertiesOption {
	return PropertiesOption{func(o *properties.Options) { o.Librdkafka = true }}
}

// FromProperties reads a Java producer.properties, unchanged, in the syntax of java.util.Properties. Bytes are UTF-8, or
// ISO-8859-1 if they are not valid UTF-8. Settings that are missing have Java's defaults. docs/settings.md says of each key
// whether it is honoured, mapped, without effect or refused.
//
// FromProperties resolves settings as Java's producer does. What Java would only log, it returns as notices: for example that a
// key is not one of the producer's, whose it is, and which key was probably meant. It reads the files that properties name,
// such as ssl.truststore.location, and what config.providers refer to.
//
// The Config that it returns is valid. The error is a *PropertiesError with all problems, each with its line, or an error of
// reading r. No error and no notice shows a secret.
func FromProperties(r io.Reader, options ...PropertiesOption) (Config, []Notice, error) {
	data, err := io.ReadAll(io.LimitReader(r, properties.MaxSize+1))
	if err != nil {
		return Config{}, nil, fmt.Errorf("reading properties: %w", err)
	}
	if len(data) > properties.MaxSize {
		return Config{}, nil, fmt.Errorf("reading properties: more than %d bytes", properties.MaxSize)
	}
	props, problems := properties.Parse(data)
	return fromProperties(props, problems, options)
}

// FromMap is FromProperties for keys and values that are at hand: nothing is unescaped, and no line is named.
func FromMap(m map[string]string, options ...PropertiesOption) (Config, []Notice, error) {
	props := make([]properties.Property, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		props = append(props, properties.Property{Key: key, Value: m[key]})
	}
	return fromProperties(props, nil, options)
}

func fromProperties(props []properties.Property, problems []properties.Problem, options []PropertiesOption) (Config, []Notice, error) {
	var o properties.Options
	for _, option := range options {
		option.apply(&o)
	}
	return configOf(properties.Resolve(props, problems, o), setTLS)
}

// configOf makes a Config of the values of properties. makeTLS reads the ssl.* keys.
func configOf(set *properties.Set, makeTLS func(tlsSource, *Config)) (Config, []Notice, error) {
	cfg := DefaultConfig()
	for key, value := range set.Effective() {
		if apply := fieldOfKey[key]; apply != nil {
			apply(&cfg, value)
		}
	}
	cfg.SASL = set.Mechanism()
	if set.TLS() && !set.Dangles("ssl.") {
		makeTLS(set, &cfg)
	}
	addViolations(set, cfg)
	var notices []Notice
	for _, n := range set.Notices() {
		notices = append(notices, Notice(n))
	}
	if found := set.Problems(); len(found) > 0 {
		invalid := &PropertiesError{}
		for _, p := range found {
			invalid.Problems = append(invalid.Problems, PropertyError(p))
		}
		return Config{}, notices, invalid
	}
	return cfg, notices, nil
}

// addViolations adds what Config.Validate finds, under Java's names. A property that could not be read left the default behind,
// of which nothing is worth saying.
func addViolations(set *properties.Set, cfg Config) {
	var invalid *ConfigError
	if !errors.As(cfg.Validate(), &invalid) {
		return
	}
	reported := map[string]bool{}
	for _, v := range invalid.Violations {
		if v.Key == "" || set.Broken(v.Key) && !reported[v.Key] {
			continue
		}
		reported[v.Key] = true
		rule := v.Rule
		if _, isSet := set.Value(v.Key); !isSet {
			rule += set.Instead(v.Key)
		}
		set.Refuse(v.Key, v.Value, rule)
	}
}
