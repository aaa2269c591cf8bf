package brokertest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// stream is one direction of an in-memory connection: a bounded queue of bytes with one writing and one reading end.
//
// A goroutine that waits for room or for data waits on a channel, never on a mutex. So it is durably blocked in the sense of
// testing/synctest.
type stream struct {
	mu      sync.Mutex // guards the following; never held while blocking
	data    []byte     // what was written and not yet read
	limit   int        // bytes
	ended   bool       // the writing end was closed: the reader drains data, then sees io.EOF
	gone    bool       // the reading end was closed: the writer sees EPIPE
	reset   bool       // the connection was reset: the reader drains data, then sees ECONNRESET
	changed chan struct{}

	readDeadline, writeDeadline time.Time
}

func newStream(limit int) *stream { return &stream{limit: limit} }

// notify wakes everyone who waits. The caller holds s.mu.
func (s *stream) notify() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// wait returns the channel of the next change. The caller holds s.mu, and releases it before it receives.
func (s *stream) wait() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

func (s *stream) read(p []byte) (int, error) {
	for {
		s.mu.Lock()
		deadline := s.readDeadline
		switch {
		case expired(deadline):
			s.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case s.gone:
			s.mu.Unlock()
			return 0, net.ErrClosed
		case len(s.data) > 0 || len(p) == 0:
			n := copy(p, s.data)
			s.data = s.data[n:]
			if len(s.data) == 0 {
				s.data = nil
			}
			s.notify()
			s.mu.Unlock()
			return n, nil
		case s.reset:
			s.mu.Unlock()
			return 0, syscall.ECONNRESET
		case s.ended:
			s.mu.Unlock()
			return 0, io.EOF
		}
		changed := s.wait()
		s.mu.Unlock()
		await(changed, deadline)
	}
}

func (s *stream) write(p []byte) (written int, err error) {
	for {
		s.mu.Lock()
		deadline := s.writeDeadline
		switch {
		case s.ended:
			s.mu.Unlock()
			return written, net.ErrClosed
		case s.gone:
			s.mu.Unlock()
			return written, syscall.EPIPE
		case expired(deadline):
			s.mu.Unlock()
			return written, os.ErrDeadlineExceeded
		}
		n := min(len(p)-written, s.limit-len(s.data))
		s.data = append(s.data, p[written:written+n]...)
		written += n
		if n > 0 {
			s.notify()
		}
		if written == len(p) {
			s.mu.Unlock()
			return written, nil
		}
		changed := s.wait()
		s.mu.Unlock()
		await(changed, deadline)
	}
}

// end closes the writing end. With reset, the reader sees a connection that broke.
func (s *stream) end(reset bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.reset = true, reset
	s.notify()
}

// leave closes the reading end, and reports whether bytes were left unread. They are dropped.
func (s *stream) leave() (unread bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unread = len(s.data) > 0
	s.gone, s.data = true, nil
	s.notify()
	return unread
}

func (s *stream) setReadDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readDeadline = t
	s.notify()
}

func (s *stream) setWriteDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeDeadline = t
	s.notify()
}

func expired(deadline time.Time) bool { return !deadline.IsZero() && !time.Now().Before(deadline) }

// await returns when changed is closed or the deadline has come. A zero deadline never comes.
func await(changed <-chan struct{}, deadline time.Time) {
	if deadline.IsZero() {
		<-changed
		return
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
}
