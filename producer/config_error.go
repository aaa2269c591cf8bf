package producer

import (
	"fmt"
	"strings"
)

// ConfigError lists everything that is wrong with a Config, not just the first thing found. Its text has the first twenty.
type ConfigError struct {
	Violations []ViolationError // in the order of Config's fields; never empty
}

// ViolationError is one setting that breaks one rule.
type ViolationError struct {
	Field string // of Config, e.g. "DeliveryTimeout"
	Key   string // in properties, e.g. "delivery.timeout.ms"; "" if there is none
	Value string // as configured, as text and in part if it is long; secrets are never shown
	Rule  string // what must hold and, where another setting is involved, what that is
}

func (v ViolationError) Error() string {
	if v.Key == "" {
		return fmt.Sprintf("%s = %s: %s", v.Field, v.Value, v.Rule)
	}
	return fmt.Sprintf("%s (%s) = %s: %s", v.Field, v.Key, v.Value, v.Rule)
}

func (e *ConfigError) Error() string {
	if len(e.Violations) == 1 {
		return "invalid configuration: " + e.Violations[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "invalid configuration, %d violations:", len(e.Violations))
	for i, v := range e.Violations {
		if i == maxListed {
			fmt.Fprintf(&b, "\n  and %d more", len(e.Violations)-i)
			break
		}
		b.WriteString("\n  ")
		b.WriteString(v.Error())
	}
	return b.String()
}

// maxListed is how many errors are written out of those that are many.
const maxListed = 20

// Unwrap gives errors.As each ViolationError.
func (e *ConfigError) Unwrap() []error {
	errs := make([]error, len(e.Violations))
	for i, v := range e.Violations {
		errs[i] = v
	}
	return errs
}
