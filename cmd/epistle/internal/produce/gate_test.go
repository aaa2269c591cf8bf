package produce

import (
	"io"
	"testing"
	"testing/synctest"
)

// What comes in after the gate was closed is nobody's any more: the summary has been written without it.
func TestGateThrowsAwayWhatComesTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, typing := io.Pipe()
		r := newTestReader(in, 1000)
		outcome := make(chan error)
		go func() {
			_, err := r.next()
			outcome <- err
		}()
		synctest.Wait() // it waits for somebody to type
		if !r.gate.stop() {
			t.Error("stop does not tell that a read is under way")
		}
		io.WriteString(typing, "too late\n")
		if err := <-outcome; err != errStopped {
			t.Errorf("next = %v, want errStopped", err)
		}
		if r.source.lines != 0 {
			t.Errorf("%d lines were cut, want none", r.source.lines)
		}
		if r.gate.stop() {
			t.Error("stop tells of a read when there is none")
		}
	})
}
