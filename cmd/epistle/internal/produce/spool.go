package produce

import (
	"errors"
	"io"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// spool is a file in which lines are kept. If it can no longer be written, the lines go to standard error. A file for which
// nobody has asked is then given up. It is not for concurrent use.
type spool struct {
	env     *cli.Env
	name    string
	w       io.Writer
	unasked bool // nobody has asked for it

	buf  []byte
	size int64 // bytes that were written to it
	lost bool  // it could not be written, and has not all that belongs there
}

const spoolBuffer = 64 << 10 // bytes

var errNotAFile = errors.New("is no regular file")

func (s *spool) Write(b []byte) (int, error) {
	s.size += int64(len(b))
	s.buf = append(s.buf, b...)
	if len(s.buf) >= spoolBuffer {
		s.flush()
	}
	return len(b), nil
}

func (s *spool) flush() {
	if len(s.buf) == 0 {
		return
	}
	n, err := s.w.Write(s.buf)
	if err != nil && !s.lost {
		s.fail(n, err)
	}
	s.buf = s.buf[:0]
	if cap(s.buf) > 4*spoolBuffer {
		s.buf = nil
	}
}

// fail goes on without the file, which has taken n bytes of the buffer.
func (s *spool) fail(n int, err error) {
	s.lost = true
	if s.unasked {
		s.env.Say("%s cannot be written: %v. What belongs there is not kept any more, and reading stops; --failed-to FILE names another place.", s.name, ui.OneLine(err))
		s.w = io.Discard
		return
	}
	s.env.Say("%s cannot be written: %v. What belongs there follows here, and from now on.", s.name, ui.OneLine(err))
	s.w = s.env.Screen
	if s.env.Screen.Live() {
		s.w = &careful{s.env.Screen} // bytes from strangers could command the terminal
	}
	s.w.Write(s.buf[n:])
}

// careful writes text of strangers to a terminal.
type careful struct{ w io.Writer }

func (c *careful) Write(b []byte) (int, error) {
	_, err := io.WriteString(c.w, ui.Harmless(string(b)))
	return len(b), err
}
