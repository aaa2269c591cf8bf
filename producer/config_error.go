package producer

import (
	"fmt"
	"strings"
)

// ConfigError lists everything that is wrong with a Config. Its text has the first twenty violations.
type ConfigError struct {
	Violations []ViolationError // in the order of Config's fields; never empty
}

// ViolationError says which rule a setting breaks.
type ViolationError struct {
	Field string // the field of Config, such as "DeliveryTimeout"
	Key   string // the key in properties, such as "delivery.timeout.ms"; "" if there is none
	Value string // the value as text, in part if it is long; never a secret
	Rule  string // what must hold, with the value of another setting if that is involved
}

func (v ViolationError) Error() string {
	if v.Key == "" {
		return fmt.Sprintf("%s = %s: %s", v.Field, v.Value, v.Rule)
	}
	return fmt.Sprintf("%s (%s) = %s: %s", v.Field, v.Key, v.Value, v.Rule)
}

func (e *ConfigError) Error() string {
	return listed("invalid configuration", "violations", e.Unwrap())
}

// listed is the text of one error or more: one after what, on the same line, and several below it.
func listed(what, many string, errs []error) string {
	if len(errs) == 1 {
		return what + ": " + errs[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d %s:", what, len(errs), many)
	for i, err := range errs {
		if i == maxListed {
			fmt.Fprintf(&b, "\n  and %d more", len(errs)-i)
			break
		}
		b.WriteString("\n  ")
		b.WriteString(err.Error())
	}
	return b.String()
}

// maxListed is how many of many errors a text has.
const maxListed = 20

// Unwrap returns the violations, so that errors.As finds each.
func (e *ConfigError) Unwrap() []error {
	errs := make([]error, len(e.Violations))
	for i, v := range e.Violations {
		errs[i] = v
	}
	return errs
}
