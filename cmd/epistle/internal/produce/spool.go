package produce

import (
	"io"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
)

// spool is a file that lines are kept in. When it cannot be written any more, what belongs there goes to standard error
// instead. It is not for concurrent use.
type spool struct {
	env  *cli.Env
	name string
	w    io.Writer
	buf  []byte
}

const spoolBuffer = 64 << 10 // bytes

func (s *spool) Write(b []byte) (int, error) {
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
	if err != nil && s.w != s.env.Screen {
		s.env.Say("%s cannot be written: %v. What belongs there follows here, and from now on.", s.name, err)
		s.env.Screen.Write(s.buf[n:])
		s.w = s.env.Screen
	}
	s.buf = s.buf[:0]
}
