package gssapi

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/epistle-kafka/epistle/sasl"
)

// A reader takes options one by one, and collects what is wrong.
type reader struct {
	settings *sasl.Settings
	left     map[string]sasl.Secret // the options that nobody has asked for yet
	errors   []error
}

func (r *reader) key(key, rule string, args ...any) {
	r.errors = append(r.errors, &sasl.SettingError{Key: key, Rule: fmt.Sprintf(rule, args...)})
}

func (r *reader) option(option, rule string, args ...any) {
	r.errors = append(r.errors, &sasl.SettingError{Key: jaasKey, Option: option, Rule: fmt.Sprintf(rule, args...)})
}

// err returns the one error as it is.
func (r *reader) err() error {
	if len(r.errors) == 1 {
		return r.errors[0]
	}
	return errors.Join(r.errors...)
}

func (r *reader) text(name string) string {
	value := string(r.left[name])
	delete(r.left, name)
	return value
}

func (r *reader) flag(name string, otherwise bool) bool {
	switch value := r.text(name); strings.ToLower(value) {
	case "true":
		return true
	case "false":
		return false
	case "":
	default:
		r.option(name, "is %s: it is true or false", sasl.Quoted(value))
	}
	return otherwise
}

func (r *reader) number(key string, otherwise float64) float64 {
	text, set := r.settings.Keys[key]
	if !set {
		return otherwise
	}
	number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		r.key(key, "is %s: it is a number", sasl.Quoted(text))
		return otherwise
	}
	return number
}
