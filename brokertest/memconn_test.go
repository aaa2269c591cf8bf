package brokertest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func pipe(t *testing.T, limit int) (a, b *memConn) {
	a, b = memPipe(&net.TCPAddr{IP: net.IPv4(198, 51, 100, 1), Port: 1}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 2}, limit)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// What was written before a Close arrives all the same, and only then the end.
func TestMemConnDeliversWhatWasWrittenBeforeClose(t *testing.T) {
	a, b := pipe(t, 100)
	if n, err := a.Write([]byte("hello")); n != 5 || err != nil {
		t.Fatalf("wrote %d bytes, %v", n, err)
	}
	a.Close()
	got, err := io.ReadAll(b)
	if string(got) != "hello" || err != nil {
		t.Errorf("read %q and %v, want hello and the end", got, err)
	}
	_, err = b.Write([]byte("x"))
	wantErr(t, "a write to an end that has gone", err, syscall.EPIPE)
	_, err = a.Write([]byte("x"))
	wantErr(t, "a write after Close", err, net.ErrClosed)
	_, err = a.Read(make([]byte, 1))
	wantErr(t, "a read after Close", err, net.ErrClosed)
	wantErr(t, "a second Close", a.Close(), net.ErrClosed)
}

// A host that closes a socket with bytes in it resets the connection, and so does one that means to.
func TestMemConnReset(t *testing.T) {
	for _, c := range []struct {
		name  string
		close func(a *memConn)
	}{
		{"unread bytes", func(a *memConn) { a.Close() }},
		{"on purpose", func(a *memConn) { a.reset() }},
	} {
		a, b := pipe(t, 100)
		a.Write([]byte("last"))
		if c.name == "unread bytes" {
			b.Write([]byte("never read"))
		}
		c.close(a)
		got, err := io.ReadAll(b)
		if string(got) != "last" {
			t.Errorf("%s: read %q, want what was written before", c.name, got)
		}
		wantErr(t, c.name, err, syscall.ECONNRESET)
	}
}

// A full buffer holds the writer until someone reads, and in a bubble it holds it durably: time goes on meanwhile.
func TestMemConnFullBufferHoldsTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, 10)
		sent := bytes.Repeat([]byte("0123456789"), 3)
		done := make(chan error)
		go func() {
			_, err := a.Write(sent)
			done <- err
		}()
		time.Sleep(time.Hour)
		select {
		case err := <-done:
			t.Fatalf("30 bytes went into a buffer of 10: %v", err)
		default:
		}
		got := make([]byte, 30)
		if _, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("read %q and %v, want %q", got, err, sent)
		}
		wantErr(t, "write", <-done, nil)
	})
}

// Deadlines end reads and writes that wait, at the moment, and those that begin later; a new deadline revives the connection.
func TestMemConnDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, 1)
		began := time.Now()
		a.SetReadDeadline(began.Add(time.Second))
		_, err := a.Read(make([]byte, 1))
		wantErr(t, "read", err, os.ErrDeadlineExceeded)
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v is no timeout", err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("the read ended after %v, want 1s", took)
		}
		_, err = a.Read(make([]byte, 1))
		wantErr(t, "read after the deadline", err, os.ErrDeadlineExceeded)

		a.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := a.Write([]byte("xy"))
		wantErr(t, "write", err, os.ErrDeadlineExceeded)
		if n != 1 {
			t.Errorf("wrote %d bytes before the deadline, want the 1 that fits", n)
		}

		a.SetReadDeadline(time.Time{})
		// A deadline that is set while a read waits holds for that read too.
		time.AfterFunc(time.Minute, func() { a.SetDeadline(time.Now()) })
		_, err = a.Read(make([]byte, 1))
		wantErr(t, "read under a deadline set meanwhile", err, os.ErrDeadlineExceeded)

		a.SetDeadline(time.Time{})
		b.Write([]byte("z"))
		if _, err := a.Read(make([]byte, 1)); err != nil {
			t.Errorf("read without a deadline: %v", err)
		}
	})
}

// Close wakes whoever waits at this end.
func TestMemConnCloseWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := pipe(t, 1)
		errs := make(chan error, 2)
		go func() {
			_, err := a.Read(make([]byte, 1))
			errs <- err
		}()
		go func() {
			_, err := a.Write([]byte("xy"))
			errs <- err
		}()
		synctest.Wait()
		a.Close()
		wantErr(t, "the first to wake", <-errs, net.ErrClosed)
		wantErr(t, "the second to wake", <-errs, net.ErrClosed)
	})
}
