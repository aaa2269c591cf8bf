package produce

import (
	"io"
	"sync"
)

// gate ends the reading of an input on request, even while a read waits for somebody to type. The result of that read is then
// thrown away.
type gate struct {
	mu      sync.Mutex // guards the following; not held while reading
	reading bool
	stopped bool
	closed  chan struct{} // closed by stop
}

func newGate() *gate { return &gate{closed: make(chan struct{})} }

// read reads, or reports io.EOF and stopped.
func (g *gate) read(r io.Reader, b []byte) (n int, err error, stopped bool) {
	if g.during(func() { n, err = r.Read(b) }) {
		return 0, io.EOF, true
	}
	return n, err, false
}

// during does a part of the reading. It reports whether the gate was closed before or meanwhile.
func (g *gate) during(do func()) (stopped bool) {
	g.mu.Lock()
	if g.stopped {
		g.mu.Unlock()
		return true
	}
	g.reading = true
	g.mu.Unlock()
	do()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reading = false
	return g.stopped
}

// stop ends the reading. It reports whether a read is under way, whose goroutine then touches nothing any more.
func (g *gate) stop() (abandoned bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.stopped {
		g.stopped = true
		close(g.closed)
	}
	return g.reading
}

// open reports whether reading goes on.
func (g *gate) open() bool {
	select {
	case <-g.closed:
		return false
	default:
		return true
	}
}
