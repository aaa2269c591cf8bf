package produce

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/lines"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// source is one of the inputs. They are in the order of the command line.
type source struct {
	name  string    // as it is told
	file  string    // "" for standard input
	stdin io.Reader // nil for a file
	lines int64     // cut so far; the reading goroutine's
}

// sources names the inputs and reports everything that is wrong with any of them, before a line is read.
func sources(env *cli.Env, args []string) ([]*source, error) {
	if len(args) == 0 {
		args = []string{"-"}
	}
	var list []*source
	var failed []error
	standard := false
	for _, name := range args {
		switch {
		case name != "-":
			list = append(list, &source{name: ui.Plain(name), file: name})
			if err := readable(name); err != nil {
				failed = append(failed, ui.OneLine(err))
			}
		case standard:
			return nil, cli.Usagef("standard input (-) is named twice")
		case env.StdinClosed:
			return nil, cli.Usagef("standard input is closed, and nothing can come from it: name a FILE, or have a program write the lines: … | epistle produce")
		default:
			standard = true
			list = append(list, &source{name: lines.StdinName, stdin: env.Stdin})
		}
	}
	if err := errors.Join(failed...); err != nil {
		return nil, fmt.Errorf("nothing was sent, as not all of the input can be read:\n%w", err)
	}
	return list, nil
}

// readable checks that a file can be read, by reading its beginning. A pipe is left alone: opening it would wait for its
// writer.
func readable(name string) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory", ui.Plain(name))
	case !info.Mode().IsRegular():
		return nil
	}
	return lines.TryFile(name)
}

// open returns the input, to be closed.
func (s *source) open() (io.ReadCloser, error) {
	if s.stdin != nil {
		return io.NopCloser(s.stdin), nil
	}
	return os.Open(s.file)
}

// at names a line.
func (s *source) at(number int64) string { return fmt.Sprintf("%s:%d", s.name, number) }
