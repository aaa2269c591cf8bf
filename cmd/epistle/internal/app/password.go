package app

import (
	"context"
	"os"
	"runtime"

	"golang.org/x/term"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
)

// askPassword asks at the terminal that controls the process: standard input may be the records. What is typed is not shown.
// When ctx ends, the terminal is as it was before.
func askPassword(ctx context.Context, prompt string) (string, error) {
	read, write := "/dev/tty", "/dev/tty"
	if runtime.GOOS == "windows" {
		read, write = "CONIN$", "CONOUT$"
	}
	in, err := os.OpenFile(read, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	out, err := os.OpenFile(write, os.O_RDWR, 0)
	if err != nil {
		in.Close()
		return "", err
	}
	defer out.Close()
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
