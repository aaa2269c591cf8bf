package app

import (
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// Main runs the program with this process's arguments and files, and ends the process. from is what `go run` is given to run
// this build in a clone, for lines that the user may copy.
func Main(from string) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	stderr := int(os.Stderr.Fd())
	width := func() int {
		columns, _, err := term.GetSize(stderr)
		if err != nil {
			return 0
		}
		return columns
	}
	env := &cli.Env{
		Stdin:       os.Stdin,
		Stdout:      os.Stdout,
		Screen:      ui.NewScreen(os.Stderr, term.IsTerminal(stderr), width),
		StdinClosed: stdinClosed(),
		Program:     program(os.Args[0], from),
		Interactive: term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(stderr),
		AskPassword: askPassword,
	}
	env.Interrupts = cli.LastWord(cli.Debounce(signals), func(sig os.Signal) {
		env.EndAtOnce()
		os.Exit(cli.Status(&cli.Interrupted{Signal: sig}))
	})
	os.Exit(Run(env, os.Args[1:]))
}

// program returns how the user can call the program again. What `go run` has built is gone afterwards.
func program(called, from string) string {
	if strings.Contains(called, string(filepath.Separator)+"go-build") {
		return "go run " + from
	}
	return called
}
