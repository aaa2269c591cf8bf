//go:build unix

package wire

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
)

// A socket that is full is not waited for: what it has taken is counted, and arrives; the rest is left to the sink.
func TestTryDoesNotWait(t *testing.T) {
	client, server := tcpPair(t)
	s := newTrySink(client)
	piece := bytes.Repeat([]byte("x"), maxDirect)
	total := 0
	for full := false; !full; {
		n, err := s.try(piece)
		if err != nil {
			t.Fatal(err)
		}
		total += n
		full = n == 0
	}
	if total == 0 {
		t.Error("nothing was written")
	}
	arrived := make(chan int)
	go func() {
		n, _ := io.Copy(io.Discard, server)
		arrived <- int(n)
	}()
	if n, err := newSink(client).write([][]byte{piece}); err != nil || n != len(piece) { // waits for room
		t.Fatalf("the sink wrote %d, %v", n, err)
	}
	if allocs := testing.AllocsPerRun(100, func() { s.try(nil) }); allocs != 0 {
		t.Errorf("%v allocations for a try, want 0", allocs)
	}
	client.Close()
	if got, want := <-arrived, total+len(piece); got != want {
		t.Errorf("%d bytes have arrived, want %d", got, want)
	}
}

// Errors are those of package net.
func TestTryFails(t *testing.T) {
	client, server := tcpPair(t)
	s := newTrySink(client)
	server.SetLinger(0) // which makes Close a reset
	server.Close()
	var err error
	for err == nil {
		_, err = s.try([]byte("x"))
	}
	var op *net.OpError
	if !errors.As(err, &op) || !strings.Contains(err.Error(), server.LocalAddr().String()) || !hungUp(err) {
		t.Errorf("after a reset: %v, want a net.OpError with the address, that the peer has hung up", err)
	}
	if errors.Is(err, syscall.EAGAIN) {
		t.Error("EAGAIN is no error")
	}
	client.Close()
	if n, err := s.try([]byte("x")); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("on a closed socket: wrote %d, %v, want 0 and closed", n, err)
	}
}

// Only a bare TCP socket is known not to wait.
func TestNoTryOverOtherConnections(t *testing.T) {
	client, _ := newMemPair()
	if s := newTrySink(client); s != nil {
		t.Errorf("got %T for a connection in memory, want none", s)
	}
	cfg := testConfig()
	cfg.TLS = testTLS.client()
	addr := serve(t, func(conn net.Conn) { answerAll(t)(tls.Server(conn, testTLS.server())) })
	conn, err := Dial(t.Context(), cfg, Peer{Addr: addr, NodeID: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(nil)
	if conn.direct != nil {
		t.Errorf("got %T over TLS, want none", conn.direct)
	}
}
