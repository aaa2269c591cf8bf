package properties

import (
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/sasl"
)

// Options say how properties are read. The zero value is Java's way.
type Options struct {
	// Over are properties that win over those that are read, as a command line wins over a file. They have no line. An unknown
	// key among them is a problem: somebody has just typed it.
	Over map[string]string
	// RefuseUnknown makes each key that the producer does not know a problem, where Java only warns.
	RefuseUnknown bool
	// Librdkafka takes librdkafka's names for what they mean.
	Librdkafka bool
	// Environment is asked for the variables that an EnvVarConfigProvider names; nil: os.LookupEnv.
	Environment func(name string) (string, bool)
}

// Set is the result of reading properties: values by Java's keys, with notices and problems.
type Set struct {
	options   Options
	entries   map[string]*entry // by Java's key; the last of several
	unknown   []*entry          // whose keys the producer does not know
	changed   map[string]string // what another setting has made of a key
	broken    map[string]bool
	meant     map[string]*entry // by the key that was probably meant: what was written instead
	login     *login            // what librdkafka's names say of it, if they do
	madeOf    *entry            // the first property that login is made of
	mechanism sasl.Mechanism
	filled    int // bytes that config providers have brought

	doubts     []doubt // about values that may be meant
	notices    []Notice
	untold     int    // how many more notices there were
	lastNotice Notice // the first of these
	problems   []Problem
	wrong      int // how many problems there are, told or not
}

// entry is one property.
type entry struct {
	line    int
	key     string   // Java's, where it is one
	written string   // the key as it stands there, which may be another client's
	value   string   // trimmed, as Java trims all of them; what it refers to is filled in
	over    bool     // of Options.Over
	hidden  bool     // comes from a config provider, or is made of a secret
	brought []string // what config providers have brought of it
	dangles bool     // refers to what is not there: the value is none
	implied bool     // goes with another one, and gives way to what is said itself
	taken   string   // what is told if this is what counts for the key: for what it is taken
}

// Resolve resolves properties: first each by its row of the table, then those that depend on each other, in Java's order.
// problems are those that Parse has found. It reads the files that config providers name.
func Resolve(props []Property, problems []Problem, o Options) *Set {
	if o.Environment == nil {
		o.Environment = os.LookupEnv
	}
	s := &Set{options: o, entries: map[string]*entry{}, changed: map[string]string{}, broken: map[string]bool{}, meant: map[string]*entry{}}
	for _, p := range problems {
		s.complain(p)
	}
	written := s.last(props)
	s.fillIn(written)
	if o.Librdkafka {
		written = s.translate(written)
	}
	for _, e := range written {
		s.take(e)
	}
	for _, e := range written {
		if e.taken != "" && s.entries[e.key] == e {
			s.tell(Notice{Line: e.line, Key: e.written, Text: e.taken})
		}
	}
	s.knowStrangers()
	for _, row := range all {
		if e := s.entries[row.Key]; e != nil {
			s.check(&row, e)
		}
	}
	s.settle()
	return s
}

// last returns the properties that count, in their order. Of several with one key that is the last; Over's win over the file's.
func (s *Set) last(props []Property) []*entry {
	var written []*entry
	byKey := map[string]*entry{}
	add := func(e *entry) {
		earlier := byKey[e.written]
		if earlier != nil && !e.over {
			s.tell(Notice{Line: earlier.line, Key: earlier.written, Text: fmt.Sprintf("overridden by line %d, which sets it again", e.line)})
		}
		byKey[e.written] = e
		written = append(written, e)
	}
	for _, p := range props {
		add(&entry{line: p.Line, key: p.Key, written: p.Key, value: trim(p.Value)})
	}
	for _, key := range slices.Sorted(maps.Keys(s.options.Over)) {
		add(&entry{key: key, written: key, value: trim(s.options.Over[key]), over: true})
	}
	return slices.DeleteFunc(written, func(e *entry) bool { return byKey[e.written] != e })
}

// trim trims a value as Java does: blanks and control characters, but no other white space, which may be part of a password.
func trim(value string) string {
	return strings.TrimFunc(value, func(r rune) bool { return r <= ' ' })
}

// take files a property under its key. If two names mean the same key, the command line wins over the file, and then Java's
// name wins.
func (s *Set) take(e *entry) {
	if rows[e.key] == nil {
		if !providerKey(e.key) {
			s.unknown = append(s.unknown, e)
		}
		return
	}
	if earlier := s.entries[e.key]; earlier != nil && (earlier.implied || e.implied) {
		if e.implied {
			return
		}
	} else if earlier != nil {
		loser := earlier
		if earlier.over && !e.over || earlier.over == e.over && earlier.written == earlier.key {
			loser, e = e, earlier
		}
		s.tell(Notice{Line: loser.line, Key: loser.written, Text: "has no effect: " + e.written + " is set too"})
	}
	s.entries[e.key] = e
}

// check does what the table says for one property.
func (s *Set) check(row *Setting, e *entry) {
	if s.broken[row.Key] {
		return
	}
	if rule := row.checkValue(e.value); rule != "" {
		if name := unfilled(e.value); name != "" && !e.hidden && row.Kind != "PASSWORD" {
			rule = notFilledIn(name)
		} else if old := gone[row.Key+"="+e.value]; old != "" {
			rule = old
		} else if added := addedTo(e.value); added != "" {
			rule += "; " + added
		} else {
			rule += didYouMean(row.meant(e.value))
		}
		s.Problem(row.Key, rule)
		return
	}
	if e.value == row.Default || row.isDefault(e.value) || e.value == "" && row.How != Refused {
		return // it asks for nothing: templates have empty values
	}
	s.mention(row, e)
	why := s.noSecurity(row.Key)
	switch {
	case why != "":
		s.Notice(row.Key, why)
	case row.How == Refused:
		s.Problem(row.Key, row.Why)
	case row.How == WithoutEffect:
		s.Notice(row.Key, "has no effect: "+row.Why)
	}
}

// noSecurity says why a key of TLS or SASL has no effect; "" if it has one.
func (s *Set) noSecurity(key string) string {
	protocol := s.Protocol()
	if s.broken["security.protocol"] {
		return "" // the protocol is the problem, and says so
	}
	switch {
	case protocol == "PLAINTEXT" && s.asksFor("ssl.") && s.asksFor("sasl."):
		if strings.HasPrefix(key, "ssl.") || strings.HasPrefix(key, "sasl.") && rows[key].How != WithoutEffect {
			return "has no effect: security.protocol is PLAINTEXT; SASL_SSL would use it"
		}
	case strings.HasPrefix(key, "ssl.") && !s.TLS():
		return fmt.Sprintf("has no effect: security.protocol is %s; %s would use it", protocol, with(protocol, "SSL"))
	case strings.HasPrefix(key, "sasl.") && !s.SASL() && rows[key].How != WithoutEffect:
		return fmt.Sprintf("has no effect: security.protocol is %s; %s would use it", protocol, with(protocol, "SASL"))
	}
	return ""
}

// asksFor reports whether a key with that prefix has a value that is not Java's default.
func (s *Set) asksFor(prefix string) bool {
	for key, e := range s.entries {
		if strings.HasPrefix(key, prefix) && e.value != "" && !rows[key].isDefault(e.value) {
			return true
		}
	}
	return false
}

// with returns the protocol that also has the given layer.
func with(protocol, layer string) string {
	switch {
	case layer == "SASL" && protocol == "SSL", layer == "SSL" && protocol == "SASL_PLAINTEXT":
		return "SASL_SSL"
	case layer == "SASL":
		return "SASL_SSL, or SASL_PLAINTEXT without TLS,"
	}
	return "SSL"
}

// Protocol returns security.protocol in upper case. If it is none, and what was meant is clear, it returns that: what else is wrong
// is then told in the same go.
func (s *Set) Protocol() string {
	v, ok := s.Value("security.protocol")
	if !ok {
		return "PLAINTEXT"
	}
	if meant := protocolMeant(v); s.broken["security.protocol"] && meant != "" {
		return meant
	}
	return strings.ToUpper(v)
}

// TLS says whether connections are to be encrypted.
func (s *Set) TLS() bool { return s.Protocol() == "SSL" || s.Protocol() == "SASL_SSL" }

// SASL says whether the producer is to log in.
func (s *Set) SASL() bool { return strings.HasPrefix(s.Protocol(), "SASL_") }

// Mechanism returns what logs in, nil if nothing is to, or it could not be made.
func (s *Set) Mechanism() sasl.Mechanism { return s.mechanism }

// Value returns the value of a key as it was set, and whether it was.
func (s *Set) Value(key string) (string, bool) {
	e, ok := s.entries[key]
	if !ok {
		return "", false
	}
	return e.value, true
}

// Dangles reports whether a key with that prefix has a reference that leads nowhere, so that it has no value.
func (s *Set) Dangles(prefix string) bool {
	for key, e := range s.entries {
		if e.dangles && strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// Effective yields each key that was set, or that another setting has changed, with its value. Values that have a problem are
// left out.
func (s *Set) Effective() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, row := range all {
			value, is := s.changed[row.Key]
			if e := s.entries[row.Key]; !is && e != nil && !s.broken[row.Key] {
				value, is = e.value, true
			}
			if is && !yield(row.Key, value) {
				return
			}
		}
	}
}
