package tap

import (
	"errors"
	"net"
	"slices"
	"sync"
)

// A Fate is what becomes of a request to produce.
type Fate int

const (
	Pass    Fate = iota // it is passed on, and so is its answer
	Cut                 // it is not passed on, and the connection ends
	Lose                // it is passed on, and the connection ends in the place of its answer
	Swallow             // it is not passed on, and the connection stays: nothing comes on it any more
)

// A Wire is what passes between clients and the brokers of a cluster. Its methods may be called concurrently.
type Wire struct {
	mu     sync.Mutex // guards the following, and what connections count
	taps   []*tap
	conns  []*conn // all that there ever were, which tests keep few
	fates  map[target]fate
	topics map[[16]byte]string
	logged map[batchID]*batch
	next   map[sequence]int64 // the number after the highest that was written
}

// A tap is the way to one broker.
type tap struct {
	wire     *Wire
	broker   int    // counted from 0
	target   string // where the broker is
	addr     string // where clients find it
	listener net.Listener
}

// A target is what a fate is for.
type target struct {
	client string
	broker int
}

type fate struct {
	how   Fate
	stays bool
}

// New makes a Wire without a broker.
func New() *Wire {
	return &Wire{fates: make(map[target]fate), topics: make(map[[16]byte]string), logged: make(map[batchID]*batch), next: make(map[sequence]int64)}
}

// Front puts a tap before the broker of an address, and returns where clients find it: it is for kafka.Options. Brokers are
// counted in the order in which they come.
func (w *Wire) Front(address string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.taps {
		if t.target == address {
			return t.addr
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	t := &tap{wire: w, broker: len(w.taps), target: address, addr: l.Addr().String(), listener: l}
	w.taps = append(w.taps, t)
	go t.accept(l) // ends with the listener
	return t.addr
}

// Bootstrap is where clients find all brokers.
func (w *Wire) Bootstrap() (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.taps {
		all = append(all, t.addr)
	}
	return all
}

// Topic tells which topic has an id: newer requests name it by that alone.
func (w *Wire) Topic(id [16]byte, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.topics[id] = name
}

// Strike decides what becomes of the next request to produce of a client to a broker.
func (w *Wire) Strike(client string, broker int, how Fate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fates[target{client, broker}] = fate{how: how}
}

// Silence swallows what a client produces to a broker until it is lifted.
func (w *Wire) Silence(client string, broker int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fates[target{client, broker}] = fate{how: Swallow, stays: true}
}

// Lift takes back what a client has to meet still, and ends the connections that were silenced.
func (w *Wire) Lift(client string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for t := range w.fates {
		if t.client == client {
			delete(w.fates, t)
		}
	}
	for _, c := range w.conns {
		if c.name == client && c.mute && !c.dead {
			c.dead = true
			go c.cut() // not under mu
		}
	}
}

// Ending is the number of a client's connections whose end the client has yet to notice: they are cut, and it has not closed them.
func (w *Wire) Ending(client string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		if c.name == client && c.dead && !c.closed {
			n++
		}
	}
	return n
}

// Refuse has nobody listen for a broker, as while its process is away. Connections that are there stay.
func (w *Wire) Refuse(broker int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.taps[broker]
	l := t.listener
	t.listener = nil
	if l == nil {
		return nil
	}
	return l.Close()
}

// Listen ends Refuse.
func (w *Wire) Listen(broker int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.taps[broker]
	if t.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", t.addr)
	if err != nil {
		return err
	}
	t.listener = l
	go t.accept(l) // ends with the listener
	return nil
}

// Close ends all connections, and listens no more.
func (w *Wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []error
	for _, t := range w.taps {
		if t.listener != nil {
			all = append(all, t.listener.Close())
			t.listener = nil
		}
	}
	for _, c := range w.conns {
		_ = c.client.Close() // it may have ended
		_ = c.broker.Close()
	}
	return errors.Join(all...)
}

func (t *tap) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		go t.serve(client)
	}
}

// serve passes on what comes on a connection, until both ends have closed it.
func (t *tap) serve(client net.Conn) {
	broker, err := net.Dial("tcp", t.target)
	if err != nil {
		_ = client.Close() // the broker is away
		return
	}
	c := &conn{wire: t.wire, tap: t, client: client.(*net.TCPConn), broker: broker.(*net.TCPConn)}
	c.counts.init()
	t.wire.mu.Lock()
	t.wire.conns = append(t.wire.conns, c)
	t.wire.mu.Unlock()
	done := make(chan struct{})
	go func() {
		c.answers()
		close(done)
	}()
	c.requests()
	<-done
	_ = client.Close() // both have ended
	_ = broker.Close()
	t.wire.mu.Lock()
	c.closed = true
	t.wire.mu.Unlock()
}

// fateOf decides over a request to produce. The caller holds mu.
func (w *Wire) fateOf(client string, broker int) Fate {
	t := target{client, broker}
	f, ok := w.fates[t]
	if ok && !f.stays {
		delete(w.fates, t)
	}
	return f.how
}

// Quiet reports whether each request of a client that was passed on has its answer.
func (w *Wire) Quiet(client string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !slices.ContainsFunc(w.conns, func(c *conn) bool { return c.name == client && !c.dead && len(c.waiting) > 0 })
}
