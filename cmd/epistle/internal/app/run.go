package app

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/complete"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/demo"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/doctor"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/perf"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/produce"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// commands are those that do something, in the order of the help.
var commands = []*cli.Command{&demo.Command, &produce.Command, &perf.Command, &doctor.Command}

// Run runs the program and returns its exit status.
func Run(env *cli.Env, args []string) int {
	name, err := dispatch(env, args)
	var reported *cli.Reported
	var usage *cli.UsageError
	switch {
	case err == nil || errors.As(err, &reported):
	case errors.As(err, &usage):
		env.Say("%v", err)
		if name == "" {
			env.Say("`epistle help` lists the commands")
		} else {
			env.Say("`epistle help %s` tells how it works", name)
		}
	default:
		env.Say("%v", err)
	}
	return cli.Status(err)
}

// dispatch runs the command that the arguments name. name is the command's, for error messages.
func dispatch(env *cli.Env, args []string) (name string, err error) {
	if len(args) == 0 {
		overview(env.Screen)
		return "", cli.Usagef("which command?")
	}
	switch args[0] {
	case "help", "--help", "-h", "-help", "-?":
		return "", help(env, args[1:])
	case "version", "--version", "-version", "-V":
		if len(args) > 1 {
			return about(env, "version", args[1:])
		}
		fmt.Fprintf(env.Stdout, "epistle %s, %s, %s/%s\n%s", producer.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH, mechanisms())
		return "", nil
	case "completion":
		if len(args) > 1 && asksForHelp(args[1]) {
			return "", help(env, args[:1])
		}
		return "completion", complete.Script(env.Stdout, args[1:])
	case complete.Ask:
		return "", answer(env, args[1:])
	}
	if strings.HasPrefix(args[0], "-") {
		return "", noCommand(args)
	}
	c, err := find(args[0])
	if err != nil {
		return "", err
	}
	return c.Name, c.Execute(env, args[1:])
}

// about answers words behind a command that takes none: the one that asks for its help, or a mistake.
func about(env *cli.Env, name string, args []string) (string, error) {
	if asksForHelp(args[0]) {
		return "", help(env, []string{name})
	}
	return name, cli.Usagef("%s takes no flags and no arguments: %s", name, ui.Plain(args[0]))
}

func asksForHelp(word string) bool {
	return slices.Contains([]string{"--help", "-h", "-help", "-?"}, word)
}

// others are the commands that tell of the program itself, in the order of the help.
var others = append([]complete.Other{
	{Name: "help", Help: "tell how a command works: epistle help produce", Args: func() []complete.Candidate { return complete.Names(commands, behindHelp) }},
}, behindHelp...)

// behindHelp are those that help tells of, too.
var behindHelp = []complete.Other{
	{Name: "version", Help: "print the version, and the mechanisms of SASL that this build has"},
	{Name: "completion", Help: "print a script with which a shell completes command lines", Args: complete.Shells},
}

// answer answers a shell that completes a command line.
func answer(env *cli.Env, args []string) error {
	if len(args) < 2 || args[0] != "--" && args[0] != complete.Dotted {
		return cli.Usagef("%s is for shells, see `epistle help completion`", complete.Ask)
	}
	words := slices.Clone(args[1:])
	if args[0] == complete.Dotted {
		for i := range words {
			words[i] = strings.TrimPrefix(words[i], ".")
		}
	}
	complete.Line(commands, others, words).Write(env.Stdout)
	return nil
}

// elsewhere has the names of other programs' commands, and what they are called here; "" means that there is no such command
// here.
var elsewhere = map[string]string{
	"send": "produce", "publish": "produce", "pub": "produce", "producer": "produce", "write": "produce", "put": "produce",
	"console-producer": "produce", "kafka-console-producer": "produce", "kafka-console-producer.sh": "produce", "kcat": "produce", "kafkacat": "produce",
	"producer-perf-test": "perf", "kafka-producer-perf-test": "perf", "kafka-producer-perf-test.sh": "perf", "perf-test": "perf",
	"bench": "perf", "benchmark": "perf", "load": "perf", "perftest": "perf",
	"diagnose": "doctor", "diagnosis": "doctor", "check": "doctor", "ping": "doctor", "health": "doctor", "debug": "doctor",
	"try": "demo", "example": "demo", "quickstart": "demo",
	"consume": "", "consumer": "", "read": "", "cat": "", "tail": "", "list": "", "ls": "", "get": "", "describe": "", "create": "", "delete": "",
	"topics": "", "metadata": "", "groups": "", "group": "", "cluster": "", "config": "", "acl": "",
}

// noCommand answers a command line that begins with a flag, as kcat's do. It says all that is wrong with it, so that nobody is
// sent to a command that does not do it either.
func noCommand(args []string) error {
	never, mistake := produce.Command.Mistake(args)
	switch {
	case never:
		return mistake
	case mistake != nil:
		return cli.Usagef("which command? It comes before the flags: epistle produce %s …; and there %v", args[0], mistake)
	}
	return cli.Usagef("which command? It comes before the flags: epistle produce %s …", args[0])
}

func find(name string) (*cli.Command, error) {
	var names []string
	for _, o := range others {
		names = append(names, o.Name)
	}
	for _, c := range commands {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	if ours, known := elsewhere[strings.ToLower(name)]; known && ours == "" {
		return nil, cli.Usagef("there is no command %q: epistle sends records, and does nothing else", name)
	} else if known {
		return nil, cli.Usagef("there is no command %q; here it is called %q", name, ours)
	}
	if name == "topic" {
		return nil, cli.Usagef("there is no command \"topic\"; `rpk topic produce TOPIC` is `epistle produce -t TOPIC` here, and the others are not there")
	}
	if nearest := cli.Nearest(name, names); nearest != "" {
		return nil, cli.Usagef("there is no command %q; did you mean %q?", name, nearest)
	}
	return nil, cli.Usagef("there is no command %q", name)
}

func help(env *cli.Env, args []string) error {
	if len(args) == 0 {
		overview(env.Stdout)
		return nil
	}
	if len(args) > 1 {
		return cli.Usagef("help takes the name of one command, and then nothing: %s", ui.Plain(args[1]))
	}
	switch args[0] {
	case "completion":
		complete.Help(env.Stdout)
		return nil
	case "help", "--help", "-h":
		fmt.Fprint(env.Stdout, helpHelp)
		return nil
	case "version":
		fmt.Fprint(env.Stdout, versionHelp)
		return nil
	}
	c, err := find(args[0])
	if err != nil {
		return err
	}
	c.Help(env.Stdout)
	return nil
}

const (
	helpHelp    = "epistle help: tell how a command works\n\nUsage:\n  epistle help COMMAND\n\n`epistle help` lists the commands.\n"
	versionHelp = "epistle version: print the version, and the mechanisms of SASL that this build has\n\nUsage:\n  epistle version\n"
)

// overview is the help of the program as a whole.
func overview(w io.Writer) {
	fmt.Fprint(w, "epistle: send records to Apache Kafka\n\nCommands:\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-10s %s\n", c.Name, c.Summary)
	}
	for _, o := range others {
		fmt.Fprintf(w, "  %-10s %s\n", o.Name, o.Help)
	}
	fmt.Fprint(w, `
To begin with, without any Kafka at hand:
  epistle demo

And with one:
  epistle produce -b localhost:9092 -t orders orders.txt

When something does not work:
  epistle doctor -b localhost:9092 -t orders

With a login, whose password is asked for:
  epistle produce -b broker:9093 -X security.protocol=SASL_SSL -X sasl.mechanism=SCRAM-SHA-512 --user alice -t orders orders.txt

`)
	fmt.Fprint(w, mechanisms())
}

// mechanisms lists the mechanisms that this build has, and says how to build one that has all of them.
func mechanisms() string {
	text := fmt.Sprintf("SASL mechanisms: %s\n", strings.Join(sasl.Registered(), ", "))
	if lacking := cli.Lacking(); lacking != nil {
		text += fmt.Sprintf("Not in this build: %s. %s\n", strings.Join(lacking, ", "), cli.HowToGetAll())
	}
	return text
}
