package wire

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
)

// counted is a wrapper as programs write them: it counts, and passes on.
type counted struct {
	net.Conn
	written     int
	closed      bool
	transparent bool
}

func (c *counted) Write(b []byte) (int, error) {
	c.written += len(b)
	return c.Conn.Write(b)
}

func (c *counted) Close() error {
	c.closed = true
	return c.Conn.Close()
}

// named is one that says what it is around.
type named struct{ *counted }

func (n named) NetConn() net.Conn { return n.Conn }
func (n named) Transparent() bool { return n.transparent }

var _ transparent = named{}

// dialWrapped makes cfg dial what wrap makes of a TCP connection.
func dialWrapped(cfg *Config, wrap func(net.Conn) net.Conn) {
	cfg.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return wrap(conn), nil
	}
}

// sized is a wrapper that says what it is around, but not that it may be bypassed.
type sized struct{ *counted }

func (s sized) NetConn() net.Conn { return s.Conn }

// A wrapped connection keeps what can be kept of a socket, and what is lost is logged once, whatever the wrapper's type.
func TestWrappedConnections(t *testing.T) {
	for _, c := range []struct {
		name             string
		wrap             func(*counted) net.Conn
		buffers, through bool // the buffers are set; bytes go through the wrapper
	}{
		{"hides its socket", func(c *counted) net.Conn { return c }, false, true},
		{"names its socket", func(c *counted) net.Conn { return sized{c} }, true, true},
		{"names a wrapper of it", func(c *counted) net.Conn { return sized{&counted{Conn: sized{c}}} }, true, true},
		{"says that it is transparent", func(c *counted) net.Conn { c.transparent = true; return named{c} }, true, false},
		{"says that it is not", func(c *counted) net.Conn { return named{c} }, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			cfg := testConfig()
			cfg.SendBuffer, cfg.ReceiveBuffer = 32<<10, 32<<10
			cfg.Logger, cfg.LogSocketOnce = slog.New(slog.NewTextHandler(&log, nil)), new(sync.Once)
			var made []*counted
			dialWrapped(cfg, func(conn net.Conn) net.Conn {
				made = append(made, &counted{Conn: conn})
				return c.wrap(made[len(made)-1])
			})
			addr := serve(t, answerAll(t))
			for range 2 {
				conn, err := Dial(t.Context(), cfg, Peer{Addr: addr, NodeID: 1}, nil)
				if err != nil {
					t.Fatal(err)
				}
				done := make(chan *Call, 1)
				send(t, conn, produce(done, strings.Repeat("x", 10_000), "y"))
				if call := <-done; call.Err != nil {
					t.Fatal(call.Err)
				}
				if got := conn.direct != nil; got == c.through && newTrySink(made[0].Conn) != nil {
					t.Errorf("small requests are written directly: %v", got)
				}
				conn.Close(nil)
				<-conn.Closed()
			}
			for _, w := range made {
				if got := w.written > 10_000; got != c.through {
					t.Errorf("%d bytes went through the wrapper", w.written)
				}
				if !w.closed {
					t.Error("the wrapper was not closed")
				}
			}
			if got := strings.Count(log.String(), "DialContext"); got > 1 || got == 0 && c.through {
				t.Errorf("%d lines in the log:\n%s", got, log.String())
			}
			if got := !strings.Contains(log.String(), "send.buffer.bytes"); got != c.buffers {
				t.Errorf("the log says that buffers are set: %v, want %v\n%s", got, c.buffers, log.String())
			}
		})
	}
}

// A wrapper around nothing that can be seen, or around itself, does no harm.
func TestWrappersOfNothing(t *testing.T) {
	loop := &counted{}
	loop.Conn = sized{loop}
	for _, conn := range []net.Conn{sized{&counted{}}, loop.Conn, named{&counted{transparent: true}}} {
		if tcp := socketOf(conn); tcp != nil {
			t.Errorf("%T has a socket", conn)
		}
		if carrierOf(conn) == nil {
			t.Errorf("%T has no carrier", conn)
		}
	}
}

// The buffers are those of the socket, set through the wrapper.
func TestBuffersAreSetThroughAWrapper(t *testing.T) {
	client, _ := tcpPair(t)
	watched := &bufferWatch{TCPConn: client}
	cfg := &Config{SendBuffer: 1 << 15, ReceiveBuffer: 1 << 14}
	cfg.setBuffers(watched)
	if watched.send != 1<<15 || watched.receive != 1<<14 {
		t.Errorf("a connection that sets buffers itself was given %d and %d", watched.send, watched.receive)
	}
}

type bufferWatch struct {
	*net.TCPConn
	send, receive int
}

func (b *bufferWatch) SetWriteBuffer(n int) error { b.send = n; return nil }
func (b *bufferWatch) SetReadBuffer(n int) error  { b.receive = n; return nil }
