package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Command is one of the program's commands.
type Command struct {
	Name     string
	Args     string // what follows the name in the line of usage
	Summary  string // half a sentence, for the list of commands
	About    string // paragraphs, for the command's own help
	Examples string // lines of a shell

	Foreign []Foreign // flags of other tools that do the same

	// Setup adds the command's flags and returns what runs it with them.
	Setup func(fs *pflag.FlagSet) Run
}

// Run runs a command, with its arguments that are no flags. See Status for what its error means.
type Run func(env *Env, args []string) error

// Execute parses the arguments and runs the command.
func (c *Command) Execute(env *Env, args []string) error {
	fs, run := c.flags()
	help := fs.BoolP("help", "h", false, "print this help")
	w := readWords(fs, slices.Concat(c.Foreign, ForeignSettings), args)
	twice := repeated{fs: fs}
	if w.mistake == nil {
		if err := fs.ParseAll(w.args(), twice.set); err != nil {
			w.mistake = explainFlag(err)
		}
	}
	switch {
	case *help, slices.Contains(w.flags, "--help"):
		c.Help(env.Stdout)
		return nil
	case w.mistake != nil:
		return w.explain(w.mistake)
	}
	for _, note := range w.notes {
		env.Say("note: %s", note)
	}
	for _, note := range twice.notes {
		env.Say("note: %s", w.named(note))
	}
	if err := emptyFlag(fs); err != nil {
		return w.explain(err)
	}
	return w.explain(run(env, fs.Args()))
}

// Mistake returns what is wrong with the arguments themselves, before their values are looked at; nil if nothing is. never says
// that no command here does what they ask for.
func (c *Command) Mistake(args []string) (never bool, err error) {
	fs, _ := c.flags()
	fs.BoolP("help", "h", false, "")
	w := readWords(fs, slices.Concat(c.Foreign, ForeignSettings), args)
	return w.never, w.mistake
}

// emptyFlag refuses a flag with an empty value, if that cannot be meant. An unset variable of a shell leads to it.
func emptyFlag(fs *pflag.FlagSet) (err error) {
	fs.Visit(func(f *pflag.Flag) {
		switch what, _ := pflag.UnquoteUsage(f); what {
		case "file", "name", "codec", "host:port,…":
			if f.Value.String() == "" && err == nil {
				err = Usagef("--%s: the value is empty, as an unset variable is; give a %s, or leave --%s out", f.Name, what, f.Name)
			}
		}
	})
	return err
}

// Flags are the command's flags, to look at.
func (c *Command) Flags() *pflag.FlagSet {
	fs, _ := c.flags()
	return fs
}

func (c *Command) flags() (*pflag.FlagSet, Run) {
	fs := pflag.NewFlagSet(c.Name, pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.SortFlags = false
	return fs, c.Setup(fs)
}

// Help writes the command's help.
func (c *Command) Help(w io.Writer) {
	fs, _ := c.flags()
	fmt.Fprintf(w, "epistle %s: %s\n\n", c.Name, c.Summary)
	fmt.Fprintf(w, "Usage:\n  epistle %s %s\n\n", c.Name, c.Args)
	fmt.Fprintf(w, "%s\n\n", strings.TrimSpace(c.About))
	fmt.Fprintf(w, "Flags:\n%s\n", flagUsages(fs))
	fmt.Fprintf(w, "Examples:\n%s\n", indent(strings.TrimSpace(c.Examples)))
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(text, "\n", "\n  ")
}
