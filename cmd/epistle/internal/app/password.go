package app

import (
	"context"
	"os"
	"runtime"

	"golang.org/x/term"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
)

// consoleOf names the files by which a system has the terminal that controls a process: to read from, and to write to.
func consoleOf(system string) (read, write string) {
	if system == "windows" {
		return "CONIN$", "CONOUT$"
	}
	return "/dev/tty", "/dev/tty"
}

// askPassword asks at the terminal that controls the process: standard input may be the records.
func askPassword(ctx context.Context, prompt string) (string, error) {
	read, write := consoleOf(runtime.GOOS)
	in, err := os.OpenFile(read, os.O_RDWR, 0) // Windows lets nobody switch the echo of a console that is open for reading alone
	if err != nil {
		return "", err
	}
	out, err := os.OpenFile(write, os.O_RDWR, 0)
	if err != nil {
		in.Close()
		return "", err
	}
	defer out.Close()
	return ask(ctx, in, out, prompt)
}

// ask asks at a terminal, which does not show what is typed. When ctx ends, the terminal is as it was before. in is closed as soon
// as nobody reads from it.
func ask(ctx context.Context, in, out *os.File, prompt string) (string, error) {
	fd := int(in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		in.Close()
		return "", err
	}
	if _, err := out.WriteString(prompt); err != nil {
		in.Close()
		return "", err
	}
	typed, err := cli.Await(ctx, func() ([]byte, error) {
		defer in.Close()
		return term.ReadPassword(fd)
	}, nil)
	if ctx.Err() != nil {
		term.Restore(fd, before) // the read goes on, and has the terminal not show what is typed
	}
	out.WriteString("\n")
	return string(typed), err
}
