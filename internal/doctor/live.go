package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// Live is the Transport that a producer has: connections of package wire.
type Live struct {
	Wire   *wire.Config
	Bounds wire.Bounds // of each attempt to connect
	Record func(ctx context.Context, topic string) (Landed, error)
}

// Resolve asks the resolver of this machine.
func (l *Live) Resolve(ctx context.Context, host string) ([]string, error) {
	if l.Bounds.Connect > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.Bounds.Connect)
		defer cancel()
	}
	return net.DefaultResolver.LookupHost(ctx, host)
}

// Connect makes one attempt, as a producer does.
func (l *Live) Connect(ctx context.Context, addr string, node int32, cluster string, passed func(wire.Passed)) (Link, error) {
	bounds := l.Bounds
	bounds.Passed = passed
	conn, err := wire.DialWithin(ctx, l.Wire, wire.Peer{Addr: addr, NodeID: node, ClusterID: cluster}, bounds, nil)
	if err != nil {
		return nil, err
	}
	return &liveLink{conn}, nil
}

// OtherWay makes one attempt with TLS where there is none, or without where there is.
func (l *Live) OtherWay(ctx context.Context, addr string) bool {
	if l.Wire.TLS == nil {
		return l.speaksTLS(ctx, addr)
	}
	plain := *l.Wire
	plain.TLS, plain.Certificates, plain.SASL, plain.ClientID = nil, nil, nil, "" // nothing of the user's goes out without encryption
	conn, err := wire.DialWithin(ctx, &plain, wire.Peer{Addr: addr, NodeID: -1}, l.Bounds, nil)
	if err != nil {
		return false
	}
	conn.Close(errDone)
	return true
}

// speaksTLS reports whether a server answers to a TLS handshake, be it with a refusal.
func (l *Live) speaksTLS(ctx context.Context, addr string) bool {
	spoken := *l.Wire
	spoken.TLS = &tls.Config{InsecureSkipVerify: true} // whose certificate it is does not matter here: nothing is sent
	spoken.Certificates, spoken.SASL, spoken.ClientID = nil, nil, ""
	shook := false
	bounds := l.Bounds
	bounds.Passed = func(p wire.Passed) { shook = shook || p.Stage == wire.StageTLS }
	conn, err := wire.DialWithin(ctx, &spoken, wire.Peer{Addr: addr, NodeID: -1}, bounds, nil)
	if err == nil {
		conn.Close(errDone)
	}
	return shook || refusedByAlert(err)
}

// webWithin bounds the wait for a web server's answer.
const webWithin = 2 * time.Second

// Web asks as a browser does. Web servers that wait for the end of a line say nothing to a request of Kafka's.
func (l *Live) Web(ctx context.Context, addr string, overTLS bool) bool {
	ctx, cancel := context.WithTimeout(ctx, webWithin)
	defer cancel()
	answers := make(chan bool, 1)
	go func() { answers <- l.asksWeb(ctx, addr, overTLS) }()
	select {
	case web := <-answers:
		return web
	case <-ctx.Done(): // a DialContext may heed no context
		return false
	}
}

func (l *Live) asksWeb(ctx context.Context, addr string, overTLS bool) bool {
	dial := l.Wire.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", addr)
	if err != nil || conn == nil {
		return false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	var stream io.ReadWriter = conn
	if overTLS {
		stream = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // nothing of the user's is sent
	}
	const version = "HTTP/"
	if _, err := io.WriteString(stream, "GET / "+version+"1.0\r\n\r\n"); err != nil {
		return false
	}
	answer := make([]byte, len(version))
	_, err = io.ReadFull(stream, answer)
	return err == nil && string(answer) == version
}

// Send writes the test record.
func (l *Live) Send(ctx context.Context, topic string) (Landed, error) { return l.Record(ctx, topic) }

// Now is the time.
func (l *Live) Now() time.Time { return time.Now() }

type liveLink struct{ conn *wire.Conn }

var (
	errDone   = errors.New("all questions are answered")
	errHungUp = errors.New("the broker has closed the connection before it was asked anything")
)

// Ask leaves the call behind when ctx ends: what it would be answered is nobody's then.
func (l *liveLink) Ask(ctx context.Context, req protocol.Request, resp protocol.Response) error {
	done := make(chan struct{})
	call := &wire.Call{Request: req, Response: resp, Done: func(*wire.Call) { close(done) }}
	if !l.conn.Send(call) {
		return l.failure(req, errHungUp)
	}
	select {
	case <-done:
		return call.Err
	case <-ctx.Done():
		l.conn.Close(cause.Of(ctx))
		return l.failure(req, fmt.Errorf("no answer yet: %w", cause.Of(ctx)))
	}
}

func (l *liveLink) failure(req protocol.Request, err error) error {
	peer := l.conn.Peer()
	return &wire.Error{Stage: wire.StageRequest, Addr: peer.Addr, NodeID: peer.NodeID, API: req.API().Name, Err: err}
}

// Close hangs up.
func (l *liveLink) Close() { l.conn.Close(errDone) }
