package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
)

// Over TLS each Write would be a record and a syscall: chunks are gathered.
func TestCopySinkGathersChunks(t *testing.T) {
	client, _ := newMemPair()
	s := newSink(client)
	var bufs [][]byte
	for range 100 {
		bufs = append(bufs, bytes.Repeat([]byte("c"), 2000))
	}
	n, err := s.write(slices.Clone(bufs))
	if n != 200_000 || err != nil {
		t.Errorf("wrote %d, %v, want 200000, nil", n, err)
	}
	if got, want := client.writes, 200_000/copySize+1; got != want {
		t.Errorf("%d writes, want %d", got, want)
	}
	if !bytes.Equal(client.sent, slices.Concat(bufs...)) {
		t.Error("the bytes sent differ from the chunks")
	}
}

// How far a failed write got cannot be known when TLS is between: all that it was given may have arrived.
func TestCopySinkCountsWhatMayHaveArrived(t *testing.T) {
	client, server := newMemPair()
	s := newSink(client)
	server.Close()
	n, err := s.write([][]byte{make([]byte, 10), make([]byte, 10)})
	if n != 20 || err == nil {
		t.Errorf("wrote %d, %v, want 20 and an error", n, err)
	}
}

// A bare TCP socket takes the chunks as they are, in order, and an even pace of writes allocates nothing.
func TestVectorSinkOverTCP(t *testing.T) {
	client, server := tcpPair(t)
	s := newSink(client)
	if _, ok := s.(*vectorSink); !ok {
		t.Fatalf("the sink for TCP is %T", s)
	}
	received := make(chan []byte, 1)
	go func() {
		all, _ := io.ReadAll(server)
		received <- all
	}()
	chunks := [][]byte{[]byte("ab"), {}, bytes.Repeat([]byte("c"), 1<<20), []byte("d")}
	bufs := make([][]byte, 0, 8)
	var want []byte
	for range 20 {
		bufs = append(bufs[:0], chunks...)
		want = append(want, slices.Concat(chunks...)...)
		if n, err := s.write(bufs); err != nil || n != 1<<20+3 {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	allocs := testing.AllocsPerRun(100, func() {
		bufs = append(bufs[:0], chunks[:2]...)
		s.write(bufs)
	})
	if allocs != 0 {
		t.Errorf("%v allocations for a write, want 0", allocs)
	}
	client.Close()
	want = append(want, bytes.Repeat([]byte("ab"), 101)...)
	if !bytes.Equal(<-received, want) {
		t.Error("what was received differs from the chunks")
	}
	if n, err := s.write([][]byte{[]byte("x")}); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("on a closed socket: wrote %d, %v, want 0 and an error", n, err)
	}
}

// tcpPair returns both ends of a connection over loopback.
func tcpPair(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		s.Close()
	})
	return c.(*net.TCPConn), s.(*net.TCPConn)
}
