package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/internal/slips"
)

// words reads a command line. First it finds out which words are flags, which are their values and which are neither. Only then
// anything is judged. Flags of other tools are replaced by ours. The result is for pflag: each value is in one word with its
// flag.
type words struct {
	fs      *pflag.FlagSet
	foreign []Foreign

	rest    []string // of the command line
	flags   []string // --name or --name=value
	plain   []string // what is no flag and no value of one
	notes   []string // what the user should know of words that were taken
	eaten   []string // "-t -b": flags that stand where a value was due
	mistake error    // the first
	never   bool     // it is that no command here does such a thing

	typed map[string]string // by a flag of ours, another tool's that was typed for it
}

func readWords(fs *pflag.FlagSet, foreign []Foreign, args []string) *words {
	w := &words{fs: fs, foreign: foreign, rest: args}
	for len(w.rest) > 0 && w.mistake == nil {
		arg := w.next()
		switch {
		case arg == "--":
			w.plain = append(w.plain, w.rest...)
			w.rest = nil
		case strings.HasPrefix(arg, "--"):
			name, value, attached := strings.Cut(arg[2:], "=")
			w.long("--"+name, value, attached)
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			w.plain = append(w.plain, arg)
		case arg == "-help" || arg == "-?":
			w.flags = append(w.flags, "--help")
		default:
			w.short(arg)
		}
	}
	return w
}

// args is the command line as pflag is to read it.
func (w *words) args() []string {
	args := append([]string(nil), w.flags...)
	return append(append(args, "--"), w.plain...)
}

func (w *words) next() string {
	arg := w.rest[0]
	w.rest = w.rest[1:]
	return arg
}

// long reads a flag with two dashes.
func (w *words) long(name, value string, attached bool) {
	if f := w.fs.Lookup(name[2:]); f != nil {
		w.own(f, name, value, attached)
		return
	}
	if f := w.find(name); f != nil {
		w.take(f, name, value, attached)
		return
	}
	w.mistake = unknownLong(w.fs, name[2:])
}

// short reads a group of flags with one dash, of which the last may have its value in the same word.
func (w *words) short(arg string) {
	if name, _, _ := strings.Cut(arg[1:], "="); w.misspelt(name) {
		return
	}
	for group := arg[1:]; group != "" && w.mistake == nil; {
		letter := group[:1]
		group = group[1:]
		name := "-" + letter
		own := w.fs.ShorthandLookup(letter)
		foreign := w.find(name)
		switch {
		case own == nil && foreign == nil:
			w.mistake = unknownShort(w.fs, arg[1:], letter)
			return
		case own != nil && own.NoOptDefVal != "" && strings.HasPrefix(group, "="):
			w.own(own, name, group[1:], true)
			return
		case own != nil && own.NoOptDefVal != "", own == nil && foreign.Takes == Nothing:
			if own == nil {
				w.take(foreign, name, "", false)
			} else {
				w.own(own, name, "", false)
			}
			continue
		}
		value := group
		if len(value) > 1 && value[0] == '=' {
			value = value[1:]
		}
		if own == nil {
			w.take(foreign, name, value, group != "")
		} else {
			w.own(own, name, value, group != "")
		}
		group = ""
	}
}

// misspelt finds the name of a long flag behind one dash, even with one wrong letter: "-topik x" would be read as -t opik.
func (w *words) misspelt(name string) bool {
	const fewest = 5 // letters: of fewer, one that is wrong says too little
	switch {
	case len(name) > 1 && (w.fs.Lookup(name) != nil || w.find("--"+name) != nil):
		w.mistake = Usagef("-%s: a flag of more than one letter has two dashes: --%s", name, name)
		return true
	case len(name) < fewest, len(name) > maxTyped:
		return false
	}
	w.fs.VisitAll(func(f *pflag.Flag) {
		if len(f.Name) == len(name) && f.Name[0] == name[0] && slips.Between(f.Name, name) == 1 {
			w.mistake = Usagef("-%s is no flag; did you mean --%s?", name, f.Name)
		}
	})
	return w.mistake != nil
}

// own reads a flag of ours. Its value is attached, or else the next word if it needs one.
func (w *words) own(f *pflag.Flag, name, value string, attached bool) {
	switch {
	case attached:
	case f.NoOptDefVal != "":
		w.asTyped(f.Name, "")
		w.flags = append(w.flags, "--"+f.Name+w.truth())
		return
	case len(w.rest) == 0:
		w.mistake = Usagef("%s needs an argument", flagName(f))
		return
	default:
		value = w.value(name)
	}
	w.asTyped(f.Name, "")
	w.flags = append(w.flags, "--"+f.Name+"="+value)
}

// truth takes a true or false that follows a switch, as in tools whose switches have values.
func (w *words) truth() string {
	if len(w.rest) > 0 && (w.rest[0] == "true" || w.rest[0] == "false") {
		return "=" + w.next()
	}
	return ""
}

// value takes the next word as a value, whatever it looks like.
func (w *words) value(of string) string {
	value := w.next()
	if len(value) > 1 && value[0] == '-' {
		name, _, _ := strings.Cut(strings.TrimLeft(value, "-"), "=")
		if w.fs.Lookup(name) != nil || len(name) == 1 && w.fs.ShorthandLookup(name) != nil || w.find(value) != nil {
			w.eaten = append(w.eaten, ui.Plain(value)+" was taken as the value of "+of)
		}
	}
	return value
}

// asTyped notes the name under which a flag was given; "" means its own.
func (w *words) asTyped(flag, name string) {
	if w.typed == nil {
		w.typed = make(map[string]string)
	}
	w.typed[flag] = name
}

// explain names a flag in a usage error as it was typed, and adds what may have led to it.
func (w *words) explain(err error) error {
	usage, ok := err.(*UsageError)
	if !ok {
		return err
	}
	text := w.named(usage.Text)
	if len(w.eaten) > 0 {
		text += " (" + strings.Join(w.eaten, ", ") + ")"
	}
	return &UsageError{text}
}

// named replaces the name of our flag at the beginning of an error by the name that was typed.
func (w *words) named(text string) string {
	for flag, typed := range w.typed {
		f := w.fs.Lookup(flag)
		if f == nil || typed == "" {
			continue
		}
		for _, ours := range []string{flagName(f), "--" + flag, "-" + f.Shorthand} {
			if rest, ok := strings.CutPrefix(text, ours); ok && len(ours) > 1 && strings.IndexAny(rest, ": ,") == 0 {
				return fmt.Sprintf("%s (here %s)%s", ui.Plain(typed), ours, rest)
			}
		}
	}
	return text
}
