package ui

import (
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Screen is standard error. Write writes lasting output. A terminal also has one status line below it, which is replaced in
// place. It is safe for concurrent use.
type Screen struct {
	live  bool
	width func() int // of the terminal, in columns; 0 is unknown

	mu     sync.Mutex // guards the following; held while writing, which may wait for the terminal
	w      io.Writer
	status bool // a status line is on the screen
	still  bool // there is to be none, since somebody types
	open   bool // what was written last has not ended its line
}

// NewScreen returns a screen that writes to w. live says that w is a terminal. width may be nil.
func NewScreen(w io.Writer, live bool, width func() int) *Screen {
	return &Screen{w: w, live: live, width: width}
}

// Still ends the status line for good: somebody types where it would be. From then on lasting output begins on a line of its
// own. The terminal keeps what is typed, and passes it on when the line ends.
func (s *Screen) Still() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.still = true
}

// Live reports whether it is a terminal, which may have a status line.
func (s *Screen) Live() bool { return s.live }

// Write writes lasting output, in place of the status line if there is one.
func (s *Screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	fresh := ""
	if s.still && s.live && !s.open {
		fresh = s.freshLine()
	}
	if len(b) > 0 {
		s.open = b[len(b)-1] != '\n'
	}
	if fresh == "" {
		return s.w.Write(b)
	}
	n, err := s.w.Write(append([]byte(fresh), b...)) // at once, so that nothing is typed in between
	return max(n-len(fresh), 0), err
}

// freshLine is what brings the cursor to the beginning of an empty line. A cursor that is there already stays: else there would
// be an empty line above each message. Where it is depends on what somebody has typed, which a terminal does not tell before
// the line ends. But as many spaces as there are columns fill an empty line, and reach into the next one otherwise.
func (s *Screen) freshLine() string {
	const widest = 1000 // columns; what claims more is no screen
	columns := 0
	if s.width != nil {
		columns = s.width()
	}
	if columns < 1 || columns > widest {
		return "\n"
	}
	return strings.Repeat(" ", columns) + "\r"
}

// Status replaces the status line; "" removes it.
func (s *Screen) Status(line string) {
	if !s.live {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	if line == "" || s.still {
		return
	}
	if s.width != nil {
		line = cut(line, s.width()-1)
	}
	io.WriteString(s.w, line)
	s.status = true
}

func (s *Screen) clear() {
	if s.status {
		io.WriteString(s.w, "\r\x1b[K")
		s.status = false
	}
}

// Every calls f at each interval until the returned function is called, which waits for a call in progress and removes the
// status line.
func (s *Screen) Every(interval time.Duration, f func()) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	ticker := time.NewTicker(interval)
	go func() {
		defer close(done)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				f()
			case <-quit:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(quit)
		<-done
		s.Status("")
	})
}

// cut shortens a line to n columns, counting a column for each rune; n below 1 leaves it as it is.
func cut(line string, n int) string {
	if n < 1 || utf8.RuneCountInString(line) <= n {
		return line
	}
	return string([]rune(line)[:n])
}
