// Withkafka runs a command with a real Apache Kafka at hand:
//
//	withkafka [-brokers N] [-version V] -- COMMAND [ARGUMENT…]
//
// The command finds the brokers' addresses in KAFKA_BOOTSTRAP; it keeps the working directory and the
// standard streams, and is passed the signals that withkafka gets. The brokers end with withkafka,
// whatever ends that. The exit status is the command's, 128 and the signal's number if a signal ended
// it, and as with env(1):
//
//	125  withkafka was called wrongly, or a Kafka failed
//	126  the command cannot be run
//	127  there is no such command
//
// and 69 where no Kafka can be had on this machine; standard error says why.
// Package kafka says which Kafka is taken, and KAFKA_KIND, KAFKA_VERSION and KAFKA_BOOTSTRAP how to
// choose.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"github.com/epistle-kafka/epistle/integration/kafka"
)

const (
	statusUnavailable = 69 // EX_UNAVAILABLE of sysexits.h
	statusFailed      = 125
	statusCannotRun   = 126
	statusNotFound    = 127
)

func main() { os.Exit(run(os.Args[1:])) }

func run(arguments []string) int {
	flags := flag.NewFlagSet("withkafka", flag.ContinueOnError)
	var o kafka.Options
	flags.IntVar(&o.Brokers, "brokers", 1, "how many `brokers` to start")
	flags.StringVar(&o.Version, "version", "", "`version` of Kafka (default: KAFKA_VERSION, or else "+kafka.DefaultVersion+")")
	flags.Func("config", "a `key=value` for every broker's server.properties; may be repeated", func(s string) error {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("want key=value")
		}
		if o.Config == nil {
			o.Config = make(map[string]string)
		}
		o.Config[key] = value
		return nil
	})
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: withkafka [-brokers N] [-version V] [-config key=value]… -- COMMAND [ARGUMENT…]")
		flags.PrintDefaults()
	}
	if err := flags.Parse(arguments); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return statusFailed
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return statusFailed
	}
	o.Own = len(o.Config) > 0

	// Heard from here on: a signal while the brokers start ends the start, and later it is the
	// command's to answer.
	signals := make(chan os.Signal, 8) // more than a user sends before the loop below looks again
	signal.Notify(signals, forwarded...)
	cluster, status := open(o, signals)
	if cluster == nil {
		return status
	}
	defer cluster.Close()
	return command(flags.Args(), cluster.Bootstrap(), signals)
}

// open starts the brokers, unless a signal comes first.
func open(o kafka.Options, signals <-chan os.Signal) (*kafka.Cluster, int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	type result struct {
		cluster *kafka.Cluster
		err     error
	}
	opened := make(chan result, 1) // sent to once
	go func() {
		cluster, err := kafka.Open(ctx, o)
		opened <- result{cluster, err}
	}()
	for {
		select {
		case got := <-opened:
			if got.err == nil {
				return got.cluster, 0
			}
			fmt.Fprintln(os.Stderr, "withkafka:", got.err)
			if errors.Is(got.err, kafka.ErrUnavailable) {
				return nil, statusUnavailable
			}
			return nil, statusFailed
		case s := <-signals:
			if !ending(s) {
				continue
			}
			cancel()
			if got := <-opened; got.cluster != nil {
				got.cluster.Close()
			}
			return nil, signalStatus(s)
		}
	}
}

// command runs the command to its end and is its exit status.
func command(argv []string, bootstrap string, signals <-chan os.Signal) int {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "KAFKA_BOOTSTRAP="+bootstrap)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "withkafka:", err)
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			return statusNotFound
		}
		return statusCannotRun
	}
	ended := make(chan error, 1) // sent to once
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			// It may have ended meanwhile. A Ctrl-C reaches it twice, from the terminal and from here.
			_ = cmd.Process.Signal(s)
		case err := <-ended:
			if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
				fmt.Fprintln(os.Stderr, "withkafka:", err)
				return statusFailed
			}
			return exitStatus(cmd.ProcessState)
		}
	}
}
