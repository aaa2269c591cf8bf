package properties

import (
	"crypto/tls"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/internal/shown"
	"github.com/epistle-kafka/epistle/internal/tlsconf"
	"github.com/epistle-kafka/epistle/sasl"
)

// endpointTLS makes a TLS configuration of the options ssl.… of a login module. They are for the token endpoint alone, as in
// Java: the keys ssl.… of the file are for brokers. It reads the files that the options name, once. Its error is all that is
// wrong, in one line.
func (s *Set) endpointTLS(options map[string]sasl.Secret) (*tls.Config, error) {
	get := func(key string) (string, bool) {
		value, isSet := options[key]
		return trim(string(value)), isSet
	}
	var wrong []string
	say := func(option, rule string) { wrong = append(wrong, "option "+shown.Name(option)+" "+rule) }
	for _, option := range slices.Sorted(maps.Keys(options)) {
		value, _ := get(option)
		row := rows[option]
		switch {
		case row == nil:
			say(option, meaningOf(option).refusal())
		case row.checkValue(value) != "":
			say(option, row.checkValue(value))
		case value == row.Default || row.isDefault(value):
		case row.How == Refused:
			say(option, row.Why)
		case row.How == WithoutEffect:
			s.Notice(jaasKey, "option "+option+" has no effect: "+row.Why)
		}
	}
	found := tlsconf.Resolve(get)
	for _, n := range found.Notices {
		s.Notice(jaasKey, "option "+n.Key+", for the token endpoint: "+n.Text)
	}
	for _, p := range found.Problems {
		say(p.Key, p.Rule)
	}
	if wrong != nil {
		return nil, errors.New(s.withoutOptions(options, strings.Join(wrong, "; ")))
	}
	return found.Alone(), nil
}
