package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// explainFlag makes a usage error of what pflag says, with the nearest right flag for a wrong one.
func explainFlag(fs *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(fs, unknown)
	case errors.As(err, &invalid):
		return Usagef("%s is %q: %v", flagName(invalid.GetFlag()), invalid.GetValue(), invalid.Unwrap())
	}
	return Usagef("%v", err)
}

// singleDash refuses -topic, which is read as -t opic and never meant so.
func singleDash(fs *pflag.FlagSet, args []string) error {
	for _, arg := range args {
		if arg == "--" {
			return nil
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if len(name) > 1 && len(name) < len(arg) && fs.Lookup(name) != nil {
			return Usagef("-%s: a flag of more than one letter has two dashes: --%s", name, name)
		}
	}
	return nil
}

func unknownFlag(fs *pflag.FlagSet, unknown *pflag.NotExistError) error {
	name := unknown.GetSpecifiedName()
	if group := unknown.GetSpecifiedShortnames(); group != "" {
		// "-topic x" is read as -t opic; what was meant shows in the whole group, if at all.
		if long := Nearest(group, flagNames(fs)); long != "" && len(group) > 2 {
			return Usagef("there is no flag -%s; did you mean --%s?", group, long)
		}
		return Usagef("there is no flag -%s", name)
	}
	if long := Nearest(name, flagNames(fs)); long != "" {
		return Usagef("there is no flag --%s; did you mean --%s?", name, long)
	}
	return Usagef("there is no flag --%s", name)
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

// Nearest returns the word that was probably meant, or "".
func Nearest(word string, words []string) string {
	word = strings.ToLower(word)
	best, bestDistance := "", len(word)/3+2 // more letters wrong than this is another word
	for _, w := range words {
		if w != "" && len(word) > 1 && strings.HasPrefix(w, word) {
			return w
		}
		if d := distance(word, w); d < bestDistance && d < len(w) {
			best, bestDistance = w, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace to make a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost = 1 + min(diagonal, row[j], row[j-1])
			}
			diagonal, row[j] = row[j], cost
		}
	}
	return row[len(b)]
}
