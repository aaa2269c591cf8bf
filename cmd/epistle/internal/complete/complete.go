package complete

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/internal/properties"
)

// An Answer is how the last word of a command line may go on.
type Answer struct {
	Candidates []Candidate // in the order of the help
	Files      bool        // the names of files, too
	NoSpace    bool        // a candidate is not the end of its word
}

// A Candidate is one way in which a word may go on.
type Candidate struct {
	Text string // the whole word
	Help string // what it is, in one line; "" where the text says it
}

// Other is a command that has no flags: its name, what it is for, and what its argument may be.
type Other struct {
	Name, Help string
	Args       func() []Candidate
}

// Line completes the last of the words that follow the program's name. It may be "", and is there always.
func Line(commands []*cli.Command, others []Other, words []string) Answer {
	last := words[len(words)-1]
	if len(words) == 1 {
		return matching(Answer{Candidates: Names(commands, others)}, last)
	}
	for _, o := range others {
		if o.Name == words[0] && len(words) == 2 && o.Args != nil {
			return matching(Answer{Candidates: o.Args()}, last)
		}
	}
	for _, c := range commands {
		if c.Name == words[0] {
			return matching(argument(c, words[1:len(words)-1], last), last)
		}
	}
	return Answer{}
}

// Write writes an answer for a shell: a line of what the shell is to do besides, and a line for each candidate, with a tab
// before its help.
func (a Answer) Write(w io.Writer) {
	var also []string
	if a.Files {
		also = append(also, "files")
	}
	if a.NoSpace {
		also = append(also, "nospace")
	}
	fmt.Fprintf(w, "+%s\n", strings.Join(also, ","))
	for _, c := range a.Candidates {
		fmt.Fprintf(w, "%s\t%s\n", c.Text, c.Help)
	}
}

// matching leaves the candidates that begin with what was typed.
func matching(a Answer, typed string) Answer {
	a.Candidates = slices.DeleteFunc(a.Candidates, func(c Candidate) bool { return !strings.HasPrefix(c.Text, typed) })
	return a
}

// Names are the names of the commands.
func Names(commands []*cli.Command, others []Other) []Candidate {
	var all []Candidate
	for _, c := range commands {
		all = append(all, Candidate{c.Name, c.Summary})
	}
	for _, o := range others {
		all = append(all, Candidate{o.Name, o.Help})
	}
	return all
}

// argument completes a word of a command, of which the words before are given.
func argument(c *cli.Command, before []string, typed string) Answer {
	fs := c.Flags()
	value, plain := waiting(fs, before)
	switch {
	case value != nil:
		return values(value, "", typed)
	case plain || !strings.HasPrefix(typed, "-"):
		return Answer{Files: strings.Contains(c.Args, "FILE")}
	case strings.HasPrefix(typed, "--") && strings.Contains(typed, "="):
		name, text, _ := strings.Cut(typed[2:], "=")
		if f := fs.Lookup(name); f != nil {
			return values(f, "--"+name+"=", text)
		}
	case !strings.HasPrefix(typed, "--") && len(typed) > 2:
		if f := fs.ShorthandLookup(typed[1:2]); f != nil && takesValue(f) {
			return values(f, typed[:2], typed[2:])
		}
	}
	return Answer{Candidates: flags(fs, typed == "-")}
}

// waiting returns the flag whose value comes next. Plain says that flags have ended.
func waiting(fs *pflag.FlagSet, before []string) (value *pflag.Flag, plain bool) {
	for _, word := range before {
		switch {
		case value != nil:
			value = nil
		case word == "--":
			return nil, true
		case strings.HasPrefix(word, "--"):
			if f := fs.Lookup(word[2:]); f != nil && takesValue(f) {
				value = f
			}
		case strings.HasPrefix(word, "-") && len(word) > 1:
			value = lastShort(fs, word[1:])
		}
	}
	return value, false
}

// lastShort returns the flag that waits for its value after several short ones in a word, such as the X of -qX.
func lastShort(fs *pflag.FlagSet, word string) *pflag.Flag {
	for i := range len(word) {
		f := fs.ShorthandLookup(word[i : i+1])
		switch {
		case f == nil:
			return nil
		case takesValue(f) && i == len(word)-1:
			return f
		case takesValue(f): // the rest is it
			return nil
		}
	}
	return nil
}

func takesValue(f *pflag.Flag) bool { return f.NoOptDefVal == "" }

// flags are the flags of a command, with their short forms too if all are asked for.
func flags(fs *pflag.FlagSet, short bool) []Candidate {
	var all []Candidate
	fs.VisitAll(func(f *pflag.Flag) {
		what, text := pflag.UnquoteUsage(f)
		help := strings.TrimPrefix(text, what+": ")
		if short && f.Shorthand != "" {
			all = append(all, Candidate{"-" + f.Shorthand, help})
		}
		all = append(all, Candidate{"--" + f.Name, help})
	})
	return append(all, Candidate{"--help", "print the command's help"})
}

// values are what a flag's value may be. Prefix is what the word has before the value.
func values(f *pflag.Flag, prefix, typed string) Answer {
	switch what, _ := pflag.UnquoteUsage(f); what {
	case "file":
		return Answer{Files: true}
	case "codec":
		return Answer{Candidates: listed(prefix, valid("compression.type"))}
	case "key=value":
		return settings(prefix, typed)
	default:
		if strings.Contains(what, "|") {
			return Answer{Candidates: listed(prefix, strings.Split(what, "|"))}
		}
	}
	return Answer{}
}

// settings completes key=value: the key first, and then the value where there is a choice.
func settings(prefix, typed string) Answer {
	if key, _, ok := strings.Cut(typed, "="); ok {
		return Answer{Candidates: listed(prefix+key+"=", valid(key))}
	}
	a := Answer{NoSpace: true}
	for _, s := range slices.Concat(properties.Java(), properties.Own()) {
		if s.How == properties.Honoured || s.How == properties.Mapped {
			a.Candidates = append(a.Candidates, Candidate{prefix + s.Key + "=", helpOf(&s)})
		}
	}
	return a
}

// helpOf says what a setting's value is.
func helpOf(s *properties.Setting) string {
	byDefault := s.Default
	if s.Ours != "" {
		byDefault = s.Ours
	}
	switch byDefault {
	case "":
		return strings.ToLower(s.Kind)
	case properties.NotSet:
		return strings.ToLower(s.Kind) + ", not set by default"
	case properties.Required:
		return strings.ToLower(s.Kind) + ", required"
	}
	return fmt.Sprintf("%s, %s by default", strings.ToLower(s.Kind), byDefault)
}

// valid are the values of a setting, where there are few.
func valid(key string) []string {
	s := properties.Lookup(key)
	switch {
	case s == nil:
		return nil
	case s.Kind == "BOOLEAN":
		return []string{"true", "false"}
	case s.Kind != "STRING" || strings.Contains(s.Valid, "...") || !strings.Contains(s.Valid, "["):
		return nil
	}
	_, list, _ := strings.Cut(s.Valid, "[")
	list, _, _ = strings.Cut(list, "]")
	return strings.Split(list, ", ")
}

func listed(prefix string, texts []string) []Candidate {
	var all []Candidate
	for _, text := range texts {
		all = append(all, Candidate{Text: prefix + text})
	}
	return all
}
