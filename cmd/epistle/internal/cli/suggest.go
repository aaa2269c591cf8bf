package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/internal/slips"
	"github.com/epistle-kafka/epistle/producer"
)

// explainFlag makes a usage error of what pflag says of a value.
func explainFlag(err error) error {
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f, value := invalid.GetFlag(), invalid.GetValue()
		if _, err := strconv.ParseUint(value, 10, 32); err == nil && f.Value.Type() == "duration" {
			return Usagef("%s is %q, which has no unit: for seconds %ss", flagName(f), value, value)
		}
		return Usagef("%s is %q: %v", flagName(f), value, invalid.Unwrap())
	}
	return Usagef("%v", err)
}

// unknownLong is the error for an unknown flag. If it is the name of a producer's setting, it says so.
func unknownLong(fs *pflag.FlagSet, name string) error {
	key, known := settingNamed(name)
	if known {
		return Usagef("there is no flag --%s; as a setting of the producer it is -X %s=…", name, key)
	}
	if long := Nearest(name, flagNames(fs)); long != "" {
		return Usagef("there is no flag --%s; did you mean --%s?", name, long)
	}
	if key != "" {
		return Usagef("there is no flag --%s; did you mean -X %s=…?", name, key)
	}
	return Usagef("there is no flag --%s", name)
}

// unknownShort is the error for an unknown letter in a group of flags. "-topik x" is read as -t opik, so the whole group may
// show what was meant.
func unknownShort(fs *pflag.FlagSet, group, letter string) error {
	group, _, _ = strings.Cut(group, "=")
	if long := Nearest(group, flagNames(fs)); long != "" && len(group) > 2 {
		return Usagef("there is no flag -%s; did you mean --%s?", group, long)
	}
	return Usagef("there is no flag -%s", letter)
}

// settingNamed returns the producer's setting whose name a flag has; "" if there is none. If known is false, it is a guess.
func settingNamed(name string) (key string, known bool) {
	if len(name) > maxTyped {
		return "", false
	}
	key = strings.ToLower(strings.NewReplacer("-", ".", "_", ".").Replace(name))
	_, _, err := producer.FromMap(map[string]string{"bootstrap.servers": "localhost:9092", key: ""}, producer.RefuseUnknown())
	wrong, _ := errors.AsType[*producer.PropertiesError](err)
	if wrong != nil {
		for _, p := range wrong.Problems {
			if p.Unknown {
				return p.Suggestion, false
			}
		}
	}
	return key, true
}

// Positional says what arguments without a flag were probably meant to be, or "".
func Positional(args []string) Phrase {
	for _, arg := range args {
		if _, err := os.Stat(arg); err == nil || arg == "-" {
			continue
		}
		host, port, found := strings.Cut(arg, ":")
		if _, err := strconv.ParseUint(port, 10, 16); found && err == nil && host != "" {
			return Phrase(fmt.Sprintf("; %s looks like a broker, which is named by -b", ui.Plain(arg)))
		}
		if _, err := strconv.Atoi(arg); err != nil && !strings.ContainsAny(arg, "./ ") {
			return Phrase(fmt.Sprintf("; there is no file %s: if it is the topic, then -t %s", ui.Plain(arg), ui.Plain(arg)))
		}
	}
	return ""
}

func flagName(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return fmt.Sprintf("-%s/--%s", f.Shorthand, f.Name)
	}
	return "--" + f.Name
}

func flagNames(fs *pflag.FlagSet) (names []string) {
	fs.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// maxTyped is the longest word, in bytes, that may be a slip for another one.
const maxTyped = 100

// Nearest returns the word that was probably meant, or "".
func Nearest(word string, words []string) string {
	if len(word) > maxTyped {
		return ""
	}
	word = strings.ToLower(word)
	best, bestDistance := "", len(word)/3+2 // more letters wrong than this is another word
	for _, w := range words {
		if w != "" && len(word) > 1 && strings.HasPrefix(w, word) {
			return w
		}
		if d := slips.Between(word, w); d < bestDistance && d < len(w) {
			best, bestDistance = w, d
		}
	}
	return best
}
