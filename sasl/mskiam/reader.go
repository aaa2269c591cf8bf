package mskiam

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/epistle-kafka/epistle/sasl"
)

func (r *reader) wrong(option, rule string, args ...any) {
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
	r.asked = append(r.asked, name)
	value := string(r.left[name])
	delete(r.left, name)
	return value
}

func (r *reader) flag(name string) bool {
	switch value := r.text(name); strings.ToLower(value) {
	case "true":
		return true
	case "false", "":
	default:
		r.wrong(name, "is %s: it is true or false", sasl.Quoted(value))
	}
	return false
}

func (r *reader) whole(name string, most int64) int64 {
	text := r.text(name)
	if text == "" {
		return 0
	}
	number, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || number < 0 || number > most {
		r.wrong(name, "is %s: it is a whole number, 0 to %d", sasl.Quoted(text), most)
		return 0
	}
	return number
}

// retries reads 0 as none, which is -1 in Config.
func (r *reader) retries() int {
	_, set := r.left["awsMaxRetries"]
	if number := int(r.whole("awsMaxRetries", 1000)); number > 0 || !set {
		return number
	}
	return -1
}
