package properties

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/internal/shown"
)

// providerKey says whether a key belongs to a config provider, whose names are free.
func providerKey(key string) bool { return strings.HasPrefix(key, "config.providers.") }

// reference is a ${provider:path:key} in a value (KIP-297). Provider and path end at the next colon and the key at the next
// brace, so that a path has no colon; and what is filled in is not looked into again.
var reference = regexp.MustCompile(`\$\{([^}:]*):(?:([^}:]*):)?([^}]*)\}`)

// provider looks up values. Its errors show no value.
type provider interface {
	lookup(path, key string) (text string, err error)
}

// fillIn replaces the references in the values of all keys but those of the providers themselves.
func (s *Set) fillIn(written []*entry) {
	providers, listed := s.providers(written)
	used := map[string]bool{}
	for _, e := range written {
		if !s.refers(e) {
			continue
		}
		if !listed {
			s.leftAlone(e)
			continue
		}
		s.fill(e, providers, used)
	}
	s.unusedProviders(written, providers, used)
}

// fill replaces the references in one value, and notes which providers they name.
func (s *Set) fill(e *entry, providers map[string]provider, used map[string]bool) {
	e.value = reference.ReplaceAllStringFunc(e.value, func(ref string) string {
		parts := reference.FindStringSubmatch(ref)
		name := parts[1]
		used[name] = true
		p, known := providers[name]
		if !known {
			s.unresolved(e, s.mayShow(e, ref), fmt.Sprintf("config.providers does not list %s", shown.Quoted(s.mayShow(e, name))))
			return ref
		}
		if p == nil { // it is the problem, and says so
			s.dangle(e)
			return ref
		}
		text, err := p.lookup(parts[2], parts[3])
		if err != nil {
			s.unresolved(e, ref, err.Error())
			return ref
		}
		if s.filled += len(text); s.filled > MaxSize {
			s.unresolved(e, ref, fmt.Sprintf("what references bring is more than %d bytes in all", MaxSize))
			return ref
		}
		e.hidden = true
		e.brought = append(e.brought, text)
		return text
	})
	e.value = trim(e.value)
}

// refers reports whether references in a value count. A reference in the value of a key that nobody reads need not lead
// anywhere.
func (s *Set) refers(e *entry) bool {
	return e.key != "config.providers" && !providerKey(e.key) && (rows[e.key] != nil || s.options.Librdkafka && librdkafkaKey(e.key))
}

// unresolved reports a reference that leads nowhere. Java leaves it as it is, and logs in with it as a password.
func (s *Set) unresolved(e *entry, ref, why string) {
	s.dangle(e)
	s.complain(Problem{Line: e.line, Key: e.written, Value: Hidden, Rule: fmt.Sprintf("refers to %s: %s", shown.Quoted(ref), why)})
}

// mayShow returns a part of a value for a message. It hides a part of a password, which may look like a reference by chance.
func (s *Set) mayShow(e *entry, part string) string {
	if secret(e.key) {
		return "…"
	}
	return part
}

func (s *Set) dangle(e *entry) {
	e.hidden, e.dangles = true, true
	s.broken[e.key] = true
}

// leftAlone reports references although no provider is set up. A password may look like one by chance, so only the name of the
// provider is shown, and only if it is a usual name.
func (s *Set) leftAlone(e *entry) {
	parts := reference.FindStringSubmatch(e.value)
	if parts == nil || !slices.Contains([]string{"file", "env", "dir", "directory", "secrets", "vault"}, parts[1]) {
		return
	}
	s.dangle(e)
	rule := fmt.Sprintf("refers to ${%s:…}, and config.providers is not set: set config.providers=%s and config.providers.%s.class=%s",
		parts[1], parts[1], parts[1], kafkaProviders+usualClass(parts[1]))
	s.complain(Problem{Line: e.line, Key: e.written, Value: Hidden, Rule: rule})
}

func usualClass(provider string) string {
	switch provider {
	case "env":
		return "EnvVarConfigProvider"
	case "dir", "directory":
		return "DirectoryConfigProvider"
	}
	return "FileConfigProvider"
}

// mostProviders bounds config.providers: for each of them all values are looked at.
const mostProviders = 100

const kafkaProviders = "org.apache.kafka.common.config.provider."

// providers sets up those that config.providers lists: nil for one that cannot be, which is reported when something refers to
// it.
func (s *Set) providers(written []*entry) (made map[string]provider, listed bool) {
	given := map[string]*entry{}
	for _, e := range written {
		if e.written == "config.providers" || providerKey(e.written) {
			given[e.written] = e
		}
	}
	list := given["config.providers"]
	if list == nil {
		return nil, false
	}
	refers := func(name string) bool {
		return slices.ContainsFunc(written, func(e *entry) bool { return s.refers(e) && strings.Contains(e.value, "${"+name+":") })
	}
	made = map[string]provider{}
	names := List(list.value)
	if len(names) > mostProviders {
		s.complain(Problem{Line: list.line, Key: list.written, Value: Hidden, Rule: fmt.Sprintf("lists %d providers, and must list at most %d", len(names), mostProviders)})
		names = names[:mostProviders]
	}
	for _, name := range names {
		p, key, err := s.provider(name, given)
		made[name] = p
		if err == nil || !refers(name) {
			continue
		}
		at := given[key]
		if at == nil {
			at = list
		}
		s.complain(Problem{Line: at.line, Key: at.written, Value: shown.Value(at.value), Rule: err.Error()})
	}
	return made, len(made) > 0
}

// provider makes one of its class and its parameters. key is where the fault is, if there is one.
func (s *Set) provider(name string, given map[string]*entry) (made provider, key string, err error) {
	prefix := "config.providers." + name + "."
	param := func(p string) string {
		if e := given[prefix+"param."+p]; e != nil {
			return e.value
		}
		return ""
	}
	class := given[prefix+"class"]
	if class == nil {
		return nil, "config.providers", fmt.Errorf("lists %s, which has no class: set %sclass=%sFileConfigProvider, or DirectoryConfigProvider or EnvVarConfigProvider", shown.Quoted(name), shown.Name(prefix), kafkaProviders)
	}
	switch simpleName(class.value) {
	case "FileConfigProvider", "DirectoryConfigProvider":
		allowed, err := allowedPaths(param("allowed.paths"))
		if err != nil {
			return nil, prefix + "param.allowed.paths", err
		}
		if simpleName(class.value) == "FileConfigProvider" {
			return &fileProvider{allowed: allowed}, "", nil
		}
		return &directoryProvider{allowed: allowed, trimmed: func(path, key string) {
			s.tell(Notice{Line: class.line, Key: class.written,
				Text: fmt.Sprintf("the file %s in %s ends in a newline, which is left out; Java takes it for a part of the value", shown.Quoted(key), shown.Quoted(path))})
		}}, "", nil
	case "EnvVarConfigProvider":
		pattern := param("allowlist.pattern")
		if pattern == "" {
			pattern = ".*"
		}
		allowed, err := regexp.Compile(`^(?:` + pattern + `)$`)
		if err != nil {
			return nil, prefix + "param.allowlist.pattern", fmt.Errorf("must be a regular expression that Go knows: %v", err)
		}
		return &environmentProvider{allowed: allowed, lookUp: s.options.Environment}, "", nil
	}
	return nil, prefix + "class", fmt.Errorf("is a Java class, which cannot run here: %sFileConfigProvider, DirectoryConfigProvider and EnvVarConfigProvider are here; or fill in the values before", kafkaProviders)
}

// unusedProviders reports providers that could not be set up, or that no reference names: they do nothing.
func (s *Set) unusedProviders(written []*entry, providers map[string]provider, used map[string]bool) {
	for _, e := range written {
		name, rest, _ := strings.Cut(strings.TrimPrefix(e.written, "config.providers."), ".")
		if !providerKey(e.written) {
			continue
		}
		text := ""
		_, listed := providers[name]
		param, isParam := strings.CutPrefix(rest, "param.")
		switch {
		case !listed:
			text = "has no effect: config.providers does not list " + shown.Name(name)
		case rest != "class" && !isParam:
			text = "has no effect: it is neither class nor param.…"
		case isParam && param != "allowed.paths" && param != "allowlist.pattern":
			text = "has no effect: the providers here have the parameters allowed.paths and allowlist.pattern"
		case rest == "class" && providers[name] == nil && !used[name]:
			text = "has no effect: it is a Java class, which cannot run here, and no value refers to " + shown.Name(name)
		}
		if text != "" {
			s.tell(Notice{Line: e.line, Key: e.written, Text: text})
		}
	}
}

// simpleName is the last word of a class.
func simpleName(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }
