package main

import (
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// A proxy stands between clients and one broker, and fails as it is told to. It has two goroutines for each connection.
type proxy struct {
	target string
	addr   string // where clients reach it

	mu       sync.Mutex // guards the following
	how      failure
	change   chan struct{} // closed when how changes
	listener net.Listener  // nil while it refuses
	links    []*pipe
}

// failure is what a proxy does instead of passing bytes on.
type failure string

const (
	passing  failure = ""
	refused  failure = "refused"   // connections are reset, and nobody listens
	reset    failure = "reset"     // connections are reset, now and as they come
	silent   failure = "silent"    // bytes are taken and lost; connections that are there, or come, never work again
	halfOpen failure = "half open" // connections are reset, and new ones are as in silent
	dripping failure = "drip"      // answers come a byte in each dripEvery
	frozen   failure = "frozen"    // bytes wait, and are passed on afterwards
)

const dripEvery = 100 * time.Millisecond

// pipe is a client's connection and the broker's.
type pipe struct {
	client, broker net.Conn // broker is nil while the proxy is silent
	lost           bool     // guarded by the proxy's mu
}

func newProxy(target string) (*proxy, error) {
	p := &proxy{target: target, change: make(chan struct{})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.addr, p.listener = l.Addr().String(), l
	go p.accept(l)
	return p, nil
}

// fail begins a failure, or ends it with passing.
func (p *proxy) fail(how failure) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.how = how
	close(p.change)
	p.change = make(chan struct{})
	switch how {
	case refused, reset, halfOpen:
		for _, l := range p.links {
			l.cut()
		}
		p.links = nil
	case silent:
		for _, l := range p.links {
			l.lost = true
		}
	}
	if how == refused {
		p.listener.Close()
		p.listener = nil
	} else if p.listener == nil {
		l, err := net.Listen("tcp", p.addr)
		if err != nil {
			return err
		}
		p.listener = l
		go p.accept(l)
	}
	return nil
}

func (p *proxy) now() (failure, chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.how, p.change
}

func (l *pipe) cut() {
	for _, c := range []net.Conn{l.client, l.broker} {
		if tcp, ok := c.(*net.TCPConn); ok && tcp != nil {
			tcp.SetLinger(0)
			tcp.Close()
		}
	}
}

func (p *proxy) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		go p.serve(client)
	}
}

func (p *proxy) serve(client net.Conn) {
	l := &pipe{client: client}
	how, _ := p.now()
	switch how {
	case refused, reset:
		l.cut()
		return
	case silent, halfOpen:
		io.Copy(io.Discard, client) // until the client gives up
		client.Close()
		return
	}
	broker, err := net.Dial("tcp", p.target)
	if err != nil {
		l.cut()
		return
	}
	l.broker = broker
	p.mu.Lock()
	p.links = append(p.links, l)
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		p.pass(l, client, broker, false)
		close(done)
	}()
	p.pass(l, broker, client, true)
	<-done
	p.mu.Lock()
	p.links = slices.DeleteFunc(p.links, func(o *pipe) bool { return o == l })
	p.mu.Unlock()
}

// pass copies bytes one way, as the proxy's state allows.
func (p *proxy) pass(l *pipe, from, to net.Conn, answers bool) {
	defer func() {
		p.mu.Lock()
		lost := l.lost
		p.mu.Unlock()
		if !lost || !answers { // a lost connection is not closed by the broker's end
			to.Close()
			from.Close()
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !p.send(l, to, buf[:n], answers) || err != nil {
			return
		}
	}
}

func (p *proxy) send(l *pipe, to net.Conn, bytes []byte, answers bool) bool {
	for len(bytes) > 0 {
		p.mu.Lock()
		how, change, lost := p.how, p.change, l.lost
		p.mu.Unlock()
		n := len(bytes)
		switch {
		case lost:
			return true
		case how == frozen:
			<-change
			continue
		case how == dripping && answers:
			n = 1
		}
		if _, err := to.Write(bytes[:n]); err != nil {
			return false
		}
		if bytes = bytes[n:]; n == 1 && len(bytes) > 0 {
			select {
			case <-change:
			case <-time.After(dripEvery):
			}
		}
	}
	return true
}
