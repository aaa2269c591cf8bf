package sasl

import (
	"errors"
	"fmt"

	"github.com/epistle-kafka/epistle/internal/shown"
)

// A SettingError says what is wrong with a property, or with an option of the login module in sasl.jaas.config. It shows no
// value that may be secret.
type SettingError struct {
	Key    string // such as "sasl.jaas.config"
	Option string // option of the login module as written, such as "password"; "": the whole key
	Class  string // the Java class that would have to run, and has no counterpart here; "" for other faults
	Rule   string // what is wrong and what to do, to be read after the name
}

func (e *SettingError) Error() string {
	if e.Option == "" {
		return e.Key + ": " + e.Rule
	}
	return fmt.Sprintf("%s, option %s: %s", e.Key, shown.Name(e.Option), e.Rule)
}

// settingErrors collects everything that is wrong, so that all can be put right together.
type settingErrors []error

func (w *settingErrors) key(key, rule string, args ...any) {
	*w = append(*w, &SettingError{Key: key, Rule: fmt.Sprintf(rule, args...)})
}

func (w *settingErrors) option(option, rule string, args ...any) {
	*w = append(*w, &SettingError{Key: jaasKey, Option: option, Rule: fmt.Sprintf(rule, args...)})
}

func (w *settingErrors) class(key, class, rule string, args ...any) {
	*w = append(*w, &SettingError{Key: key, Class: class, Rule: fmt.Sprintf(rule, args...)})
}

// err returns a single error as it is.
func (w settingErrors) err() error {
	if len(w) == 1 {
		return w[0]
	}
	return errors.Join(w...)
}
