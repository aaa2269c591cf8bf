package brokertest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// broker is one node of a cluster.
//
// Over TCP it has one goroutine that accepts, from start until stop. Each connection has two, see conn.
type broker struct {
	c  *Cluster
	id int32

	// Guarded by c.mu.
	host     string
	port     int32 // stays when the broker is stopped and started again
	up       bool
	listener net.Listener   // nil in memory, or when stopped
	former   []formerPlace  // where the broker was before MoveBroker
	resume   chan struct{}  // not nil while paused; closed by Resume and by a stop
	conns    map[*conn]bool // the open connections
	dials    []DialFault    // what happens to the next dials
	dialled  int            // dials so far, for the ports of in-memory clients
	outage   outage         // the outage of the network to the broker
}

// newBroker makes a broker and starts it.
func (c *Cluster) newBroker(id int32) (*broker, error) {
	b := &broker{c: c, id: id, host: "127.0.0.1", conns: map[*conn]bool{}}
	if c.opts.memory {
		// An address of RFC 5737, which belongs to nobody: a client that dials it over a real network by mistake reaches
		// nothing.
		b.host, b.port = "192.0.2."+strconv.Itoa(int(id)), 9092
	}
	return b, b.start()
}

// start makes a broker accept connections, on the port that it had before if it had one.
func (b *broker) start() error {
	var l net.Listener
	if !b.c.opts.memory {
		var err error
		if l, err = net.Listen("tcp", b.place()); err != nil {
			return fmt.Errorf("broker %d: %w", b.id, err)
		}
	}
	c := b.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || b.up {
		if l != nil {
			l.Close()
		}
		return nil
	}
	b.up = true
	if l != nil {
		b.port = int32(l.Addr().(*net.TCPAddr).Port)
		b.listener = l
		c.running.Go(func() { b.accept(l) })
	}
	c.rejoin(b.id)
	return nil
}

// stop cuts the broker's connections and refuses new ones. It does not wait for their goroutines.
func (b *broker) stop() {
	c := b.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if !b.up {
		return
	}
	b.up = false
	if b.listener != nil {
		b.listener.Close()
		b.listener = nil
	}
	b.closeFormer()
	for k := range b.conns {
		k.cut(false)
	}
	b.wake()
	c.forgetInstances(b.id)
	if !c.closed {
		c.leave(b.id)
	}
}

// wake ends a pause. The caller holds c.mu.
func (b *broker) wake() {
	if b.resume != nil {
		close(b.resume)
		b.resume = nil
	}
}

func (b *broker) accept(l net.Listener) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return // closed by stop
		}
		c := b.c
		c.mu.Lock()
		fault := b.nextDialFault()
		switch {
		case !b.up || fault == DialRefused:
			resetConn(nc)
		case fault == DialReset:
			resetConn(nc)
		default:
			b.serve(nc, fault == DialHangs)
		}
		c.mu.Unlock()
	}
}

// serve starts a connection's goroutines. The caller holds c.mu, and the broker is up. A mute connection is accepted and never
// answered.
func (b *broker) serve(nc net.Conn, mute bool) {
	c := b.c
	if mute || b.outage.how == Silent || b.outage.how == Dropping {
		b.swallow(nc)
		return
	}
	c.connections++
	k := newConn(b, nc, c.connections)
	k.at = nc.LocalAddr().String()
	if c.opts.tls != nil {
		k.nc = tls.Server(nc, c.opts.tls)
	}
	b.conns[k] = true
	c.running.Go(k.readLoop)
	c.running.Go(k.answerLoop)
}

// nextDialFault takes the next scripted fault of a dial. The caller holds c.mu.
func (b *broker) nextDialFault() (f DialFault) {
	if len(b.dials) > 0 {
		f, b.dials = b.dials[0], b.dials[1:]
		return f
	}
	return b.outage.dialFault()
}

func (c *Cluster) dialMemory(ctx context.Context, addr string) (net.Conn, error) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	c.mu.Lock()
	b := c.at(addr)
	if b == nil {
		c.mu.Unlock()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.AddrError{Err: "no such broker in memory", Addr: addr}}
	}
	host, port, _ := net.SplitHostPort(addr)
	number, _ := strconv.Atoi(port)
	server := &net.TCPAddr{IP: net.ParseIP(host).To4(), Port: number}
	refused.Addr = server
	if err := ctx.Err(); err != nil {
		c.mu.Unlock()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: server, Err: err}
	}
	fault := b.nextDialFault()
	if fault == DialHangs {
		c.mu.Unlock()
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: server, Err: ctx.Err()}
	}
	defer c.mu.Unlock()
	if !b.up || fault == DialRefused {
		return nil, refused
	}
	b.dialled++
	client := &net.TCPAddr{IP: net.IPv4(198, 51, 100, 1).To4(), Port: 1024 + b.dialled%60_000}
	near, far := memPipe(client, server, c.opts.buffer)
	if fault == DialReset {
		far.reset()
		return near, nil
	}
	b.serve(far, false)
	return near, nil
}

// resetConn closes a connection so that the other end sees ECONNRESET.
func resetConn(nc net.Conn) {
	switch nc := nc.(type) {
	case *memConn:
		nc.reset()
	case *net.TCPConn:
		nc.SetLinger(0)
		nc.Close()
	default:
		nc.Close()
	}
}
