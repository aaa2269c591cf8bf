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

// Main is the program in the world of this process, which it ends. From is how `go run` is told to run this build in a clone,
// for lines that are to be copied.
func Main(from string) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	end := func(sig os.Signal) { os.Exit(cli.Status(&cli.Interrupted{Signal: sig})) }
	stderr := int(os.Stderr.Fd())
	width := func() int {
		columns, _, err := term.GetSize(stderr)
		if err != nil {
			return 0
		}
		return columns
	}
	os.Exit(Run(&cli.Env{
		Stdin:       os.Stdin,
		Stdout:      os.Stdout,
		Screen:      ui.NewScreen(os.Stderr, term.IsTerminal(stderr), width),
		Interrupts:  cli.LastWord(cli.Debounce(signals), end),
		StdinClosed: stdinClosed(),
		Program:     program(os.Args[0], from),
		Interactive: term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(stderr),
		AskPassword: askPassword,
	}, os.Args[1:]))
}

// program is how to call the program again from where it was called. What `go run` has built is gone afterwards.
func program(called, from string) string {
	if strings.Contains(called, string(filepath.Separator)+"go-build") {
		return "go run " + from
	}
	return called
}
