package producer

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Notice is a consequence of a property that its writer may not expect: it was accepted without effect, or it changed
// another setting, as it does in Java, where only the log says so.
type Notice struct {
	Line int    // in the file, from 1; 0 if it came from a map or from no line
	Key  string // Java's
	Text string // what happened and why
}

func (n Notice) String() string {
	if n.Line == 0 {
		return n.Key + ": " + n.Text
	}
	return fmt.Sprintf("line %d: %s: %s", n.Line, n.Key, n.Text)
}

// PropertiesError lists everything that is wrong with a set of properties.
type PropertiesError struct {
	Problems []PropertyProblem // by line; never empty
}

// PropertyProblem is one property that cannot be taken.
type PropertyProblem struct {
	Line       int    // in the file, from 1; 0 if it came from a map or from no line
	Key        string // as written
	Value      string // as written; "[hidden]" for secrets and for keys that are not known
	Rule       string // what is wrong and what to do
	Suggestion string // the key that was probably meant, for one that is not known; else ""
}

func (p PropertyProblem) Error() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	b.WriteString(p.Key)
	if p.Value != hidden {
		fmt.Fprintf(&b, " = %s", p.Value)
	}
	b.WriteString(": ")
	b.WriteString(p.Rule)
	return b.String()
}

func (e *PropertiesError) Error() string {
	if len(e.Problems) == 1 {
		return "producer: invalid properties: " + e.Problems[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "producer: invalid properties, %d problems:", len(e.Problems))
	for _, p := range e.Problems {
		b.WriteString("\n  ")
		b.WriteString(p.Error())
	}
	return b.String()
}

// Unwrap gives errors.As each PropertyProblem.
func (e *PropertiesError) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}

// FromProperties reads a Java producer.properties, unchanged, in the syntax of java.util.Properties. Bytes are UTF-8, or
// ISO-8859-1 if they are not valid UTF-8. It resolves settings as Java's producer does, and returns as notices what
// Java would only log. The README's table says of each key whether it is honoured, mapped, without effect or refused.
//
// The Config that it returns is valid. The error is a *PropertiesError with all problems at once, each with its line, or
// one of reading r. Files that properties name, such as ssl.truststore.location, are read here.
func FromProperties(r io.Reader) (Config, []Notice, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPropertiesSize+1))
	if err != nil {
		return Config{}, nil, fmt.Errorf("producer: reading properties: %w", err)
	}
	if len(data) > maxPropertiesSize {
		return Config{}, nil, fmt.Errorf("producer: reading properties: more than %d bytes", maxPropertiesSize)
	}
	props, problems := parseProperties(data)
	return fromProperties(props, problems)
}

// FromMap is FromProperties for keys and values at hand: nothing is unescaped, and no line is named.
func FromMap(m map[string]string) (Config, []Notice, error) {
	props := make([]property, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		props = append(props, property{key: key, value: m[key]})
	}
	return fromProperties(props, nil)
}

func fromProperties(props []property, problems []PropertyProblem) (Config, []Notice, error) {
	r := &resolver{cfg: DefaultConfig(), set: make(map[string]property, len(props)), problems: problems}
	for _, p := range props {
		if earlier, twice := r.set[p.key]; twice {
			r.notice(earlier.key, "overridden by line "+fmt.Sprint(p.line)+", which sets it again")
		}
		r.set[p.key] = p
	}
	for _, p := range props {
		if r.set[p.key] == p {
			r.apply(p)
		}
	}
	r.resolve()
	r.validate()
	slices.SortStableFunc(r.notices, func(a, b Notice) int { return a.Line - b.Line })
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, func(a, b PropertyProblem) int { return a.Line - b.Line })
		return Config{}, r.notices, &PropertiesError{Problems: r.problems}
	}
	return r.cfg, r.notices, nil
}
