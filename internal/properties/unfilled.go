package properties

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/internal/shown"
	"github.com/epistle-kafka/epistle/sasl"
)

// variable matches a placeholder that was left in a template: $NAME, ${NAME}, ${env.NAME}, {{ name }}, %NAME%, <name> or
// @name@.
var variable = regexp.MustCompile(`\$[A-Za-z_][A-Za-z0-9_]*|\$\{[^{}]*\}|\{\{[^{}]*\}\}|%[A-Z_][A-Z0-9_]*%|<[A-Za-z][^<>]*>|@[A-Za-z][A-Za-z0-9._]*@`)

// placed does the same for values in which a single $ or % means nothing.
var placed = regexp.MustCompile(`\$\{[A-Za-z_][^{}]*\}|^<[A-Za-z][^<>]*>$|^\{\{[^{}]*\}\}$`)

// webAddress matches what the address of a broker does not begin with.
var webAddress = regexp.MustCompile(`(?i)\bhttps?://`)

// unfilled returns the first variable in a value, or "".
func unfilled(value string) string { return variable.FindString(value) }

func notFilledIn(name string) string {
	return "holds " + shown.Quoted(name) + ", a variable that nobody has filled in: properties files know no variables but those of config.providers, so put the value itself there, or have a template filled in before the program starts"
}

// addedTo says which part of a value was probably not meant to belong to it: quotes around it, or a comment behind it. To Java
// they belong to the value, as everything up to the end of the line does.
func addedTo(value string) string {
	switch {
	case inQuotes(value):
		return "the quotes around it are a part of the value, as in Java: leave them out if they are not meant"
	case strings.Contains(value, " #") || strings.Contains(value, "\t#"):
		return "what begins with # is a part of the value, as in Java: a comment stands in a line of its own"
	}
	return ""
}

func inQuotes(value string) bool {
	return len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0]
}

// mention adds a notice for a value that looks like a placeholder, if it may be meant.
func (s *Set) mention(row *Setting, e *entry) {
	added := ""
	if row.Kind == "STRING" || row.Kind == "PASSWORD" && row.Key != jaasKey && !e.hidden && inQuotes(e.value) {
		added = addedTo(e.value)
	}
	switch {
	case row.Key == "bootstrap.servers":
		if name := unfilled(e.value); name != "" && !e.hidden {
			s.Problem(row.Key, notFilledIn(name))
		} else if added := addedTo(e.value); added != "" {
			s.Problem(row.Key, "must be a list of host:port; "+added)
		} else if web := webAddress.FindString(e.value); web != "" && !e.hidden {
			s.doubt(row.Key, "has "+shown.Quoted(web)+", as the address of a REST API has; as in Java, host and port are taken, and a broker of Kafka has to be there")
		}
	case added != "":
		s.doubt(row.Key, added+"; it is taken as it is")
	case row.Key == jaasKey || e.hidden || !placed.MatchString(e.value):
	case row.Kind == "PASSWORD":
		s.doubt(row.Key, "looks like a variable that nobody has filled in; it is taken as it is")
	default:
		s.doubt(row.Key, "holds "+shown.Quoted(placed.FindString(e.value))+", which looks like a variable that nobody has filled in; it is taken as it is")
	}
}

// mentionOptions does so for the options of a login module, and shows none of their values.
func (s *Set) mentionOptions(l sasl.Login) {
	if s.entries[jaasKey].hidden {
		return // what a provider has brought is filled in
	}
	var names, curly []string
	for _, name := range slices.Sorted(maps.Keys(l.Options)) {
		if value := []rune(string(l.Options[name])); wellKnown(name) && len(value) > 0 && strings.ContainsRune("“”„‘’‚«»", value[0]) {
			curly = append(curly, name)
		}
		if wellKnown(name) && placed.MatchString(string(l.Options[name])) {
			names = append(names, name)
		}
	}
	if names != nil {
		s.doubt(jaasKey, "holds what looks like variables that nobody has filled in; they are taken as they are: "+strings.Join(names, ", "))
	}
	if curly != nil {
		s.doubt(jaasKey, "holds values that begin with a quote of printed text, which is a part of them: the quotes of programs are \" and '; they are taken as they are: "+strings.Join(curly, ", "))
	}
}
