// Epistle sends records to Apache Kafka from the command line; see `epistle help`.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

func main() {
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
	os.Exit(run(&cli.Env{
		Stdin:       os.Stdin,
		Stdout:      os.Stdout,
		Screen:      ui.NewScreen(os.Stderr, term.IsTerminal(stderr), width),
		Interrupts:  cli.LastWord(cli.Debounce(signals), end),
		StdinClosed: stdinClosed(),
		Interactive: term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(stderr),
	}, os.Args[1:]))
}
