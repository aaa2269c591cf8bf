package brokertest

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// conn is a broker's end of a client's connection. It has two goroutines. readLoop takes requests off the wire as they come, so
// that those in the pipeline can be counted. answerLoop handles and answers them one after the other, as a Kafka broker does.
// Both end when either side closes the connection.
type conn struct {
	b      *broker
	nc     net.Conn
	raw    net.Conn // nc without TLS
	serial int      // counts from 1 in the cluster
	at     string   // where the broker listened, host:port

	closing sync.Once
	done    chan struct{} // closed when the broker has closed the connection

	// arrived is read by answerLoop and closed by readLoop. Its capacity is what a client can have in the pipeline beyond
	// max.in.flight before the broker stops reading.
	arrived chan *arrival

	session    session // of answerLoop
	lost       bool    // nothing gets through any more, see Outage; guarded by Cluster.mu
	unanswered int     // requests that were read, want an answer and have none; guarded by Cluster.mu
}

// arrival is a request as it came off the wire.
type arrival struct {
	frame   []byte // without its length
	at      time.Time
	header  protocol.RequestHeader
	message protocol.Request
	err     error // why message is nil
}

// asks reports whether a request is to be answered. All are, except a Produce with acks=0.
func (a *arrival) asks() bool {
	p, ok := a.message.(*protocol.ProduceRequest)
	return !ok || p.Acks != 0
}

const (
	pipelineRoom    = 128
	maxRequestBytes = 100 << 20 // socket.request.max.bytes
)

func newConn(b *broker, nc net.Conn, serial int) *conn {
	return &conn{b: b, nc: nc, raw: nc, serial: serial, done: make(chan struct{}), arrived: make(chan *arrival, pipelineRoom)}
}

// cut closes the connection, with reset so that the client sees ECONNRESET.
func (k *conn) cut(reset bool) {
	k.closing.Do(func() {
		close(k.done)
		if reset {
			resetConn(k.raw)
		} else {
			// Not nc: closing TLS would write, and wait for it.
			k.raw.Close()
		}
	})
}

func (k *conn) readLoop() {
	defer close(k.arrived)
	var length [4]byte
	for {
		if _, err := io.ReadFull(k.nc, length[:]); err != nil {
			return
		}
		size := int32(binary.BigEndian.Uint32(length[:]))
		if size < 0 || size > maxRequestBytes || !k.awaitResume() {
			return
		}
		frame := make([]byte, size)
		if _, err := io.ReadFull(k.nc, frame); err != nil {
			return
		}
		a := &arrival{frame: frame, at: time.Now()}
		a.header, a.message, a.err = protocol.DecodeRequest(frame)
		k.b.c.arrives(k, a)
		select {
		case k.arrived <- a:
		case <-k.done:
			return
		}
	}
}

func (k *conn) answerLoop() {
	c := k.b.c
	defer func() {
		k.cut(false)
		for range k.arrived { // until readLoop has ended
		}
		c.mu.Lock()
		delete(k.b.conns, k)
		c.mu.Unlock()
	}()
	for a := range k.arrived {
		if !k.awaitResume() || !k.answer(a) {
			return
		}
	}
}

// awaitResume waits while the broker is paused. It reports false if the connection is closed.
func (k *conn) awaitResume() bool {
	for {
		k.b.c.mu.Lock()
		resume := k.b.resume
		k.b.c.mu.Unlock()
		if resume == nil {
			select {
			case <-k.done:
				return false
			default:
				return true
			}
		}
		select {
		case <-resume:
		case <-k.done:
			return false
		}
	}
}

// answer handles one request and writes its answer. It reports false if the connection must be closed.
func (k *conn) answer(a *arrival) bool {
	c := k.b.c
	if k.isLost() {
		return true
	}
	if k.session.rawTokens {
		if token, ok := k.rawToken(a.frame); ok {
			return k.send(a, token)
		}
		k.holdBack()
		return false
	}
	r := k.parse(a)
	if r == nil {
		return false
	}
	act := c.scripted(r)
	if act.cut && !act.handle {
		k.cut(act.reset)
		return false
	}
	var resp protocol.Response
	if act.handle {
		var ok bool
		if resp, ok = k.b.handle(k, r, act); !ok {
			k.holdBack()
			return false
		}
		if act.edit != nil && resp != nil {
			act.edit(r, resp)
		}
	}
	if act.cut {
		k.cut(act.reset)
		return false
	}
	throttle := c.throttleFor(r, act)
	if throttle > 0 && resp != nil {
		setThrottle(r, resp, throttle)
	}
	if resp != nil || !act.handle && act.mangle != nil {
		if !k.sleepUntil(a.at.Add(c.opts.delay)) || !k.sleep(act.delay) || !k.holdBack() || !k.hold(act.until) || !k.awaitResume() {
			return false
		}
		if act.swallow {
			return true
		}
		if !k.write(a, r, resp, act) || k.session.failed {
			return false
		}
	}
	return !k.session.failed && k.sleep(throttle)
}

// write sends an answer, or what a fault makes of it.
func (k *conn) write(a *arrival, r *Request, resp protocol.Response, act *Action) bool {
	var frame []byte
	if resp != nil {
		frame = protocol.AppendResponse(nil, answerVersion(r, resp), r.CorrelationID, resp)
	}
	if act.mangle != nil {
		frame = act.mangle(frame)
	}
	return k.send(a, frame)
}

// send writes bytes to the client. The request counts as answered just before that: otherwise it could be counted together with
// the client's next request.
func (k *conn) send(a *arrival, frame []byte) bool {
	k.b.c.answers(k, a)
	if k.isLost() {
		return true
	}
	return k.drip(frame) == nil
}

func (k *conn) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-k.done:
		return false
	}
}

func (k *conn) sleepUntil(t time.Time) bool { return k.sleep(time.Until(t)) }

// holdBack waits before a client is told that its authentication has failed. It reports false if the connection is closed.
func (k *conn) holdBack() bool { return !k.session.late || k.sleep(k.b.c.opts.failedDelay) }

// hold waits until a channel is closed; a nil channel counts as closed.
func (k *conn) hold(until <-chan struct{}) bool {
	if until == nil {
		return true
	}
	select {
	case <-until:
		return true
	case <-k.done:
		return false
	}
}
