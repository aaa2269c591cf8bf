package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
)

// Bounds are how long the stages of one attempt may take, each counted from its own beginning. Zero is no bound.
type Bounds struct {
	Connect time.Duration // to resolve the name and open the socket
	Stage   time.Duration // each of the others: the TLS handshake, ApiVersions, SASL

	// Entered, if set, is told of each stage as it begins, by DialWithin. It must not block.
	Entered func(Stage)

	// Passed, if set, is called by DialWithin with each stage that has ended well. It must not block.
	Passed func(Passed)

	// Hampered, if set, is called with what keeps the credentials for SASL from coming, as an *Error, while the attempt goes
	// on; and with nil once they have come. The connection also calls it when it authenticates itself again. It must not block,
	// and may be called concurrently.
	Hampered func(error)
}

// Passed is a stage of an attempt that has ended well, and what it has shown of the other end.
type Passed struct {
	Stage Stage // StageDial (with the name's resolution), StageTLS, StageApiVersions or StageSASL
	Took  time.Duration

	Remote   net.Addr              // of StageDial: where the socket leads
	TLS      *tls.ConnectionState  // of StageTLS; and of StageDial where DialContext speaks it
	Offered  []protocol.ApiVersion // of StageApiVersions: what the broker says that it speaks; not to be changed
	Features map[string]int16      // of StageApiVersions: the levels of the finalised features; not to be changed
	Session  time.Duration         // of StageSASL: how long the broker lets us in; 0: for as long as the connection lives
}

// Dial is [DialWithin] with no bound but ctx.
func Dial(ctx context.Context, cfg *Config, peer Peer, onClose func(*Conn, error)) (*Conn, error) {
	return DialWithin(ctx, cfg, peer, Bounds{}, onClose)
}

// DialWithin makes one attempt to connect to peer: it resolves the name, dials, does the TLS handshake, negotiates versions and
// authenticates. Each stage has its bound, and ctx bounds them all. When one of them is over, DialWithin returns at once and
// the socket is closed. The error is an *Error that names the stage, and the bound if that has passed.
//
// onClose (nil = none) is called once, when the established connection has ended, after the Done of every call. It runs on a
// goroutine of the connection and must not block. It may run before Dial has returned. Its error matches ErrIdle after an idle
// close, ErrTimeout after a request's timeout, and io.EOF when the broker has hung up. If the user closed the connection, it is
// the error given to Close.
func DialWithin(ctx context.Context, cfg *Config, peer Peer, bounds Bounds, onClose func(*Conn, error)) (*Conn, error) {
	if cfg.MaxInFlight < 1 {
		panic(fmt.Sprintf("wire: MaxInFlight is %d, want at least 1", cfg.MaxInFlight))
	}
	d := &dialer{cfg: cfg, peer: peer, bounds: bounds}
	sock, err := d.connect(ctx)
	if err != nil {
		return nil, d.failure(ctx, err)
	}
	// Whatever the following stages wait for, closing the socket ends it.
	stop := context.AfterFunc(ctx, func() { sock.Close() })
	conn, err := d.establish(ctx, sock)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		sock.Close()
		return nil, d.failure(ctx, err)
	}
	conn.onClose = onClose
	conn.start()
	cfg.logger().Debug("connection made", "addr", protocol.Shown(peer.Addr), "node", peer.NodeID, "remote", sock.RemoteAddr(),
		"took", time.Since(d.began))
	return conn, nil
}

// dialer is one attempt.
type dialer struct {
	cfg    *Config
	peer   Peer
	bounds Bounds
	began  time.Time

	stage  Stage         // the stage that it is in
	since  time.Time     // when that began
	bound  time.Duration // of that stage
	passed bool          // the bound has passed
	secure *secure       // nil over plaintext
	hs     *handshake
	login  *login // nil without SASL, and before it
	reads  *watch
}

// within does one stage, which ends when its bound passes.
func (d *dialer) within(ctx context.Context, stage Stage, bound time.Duration, do func(context.Context) error) error {
	d.stage, d.bound, d.since = stage, bound, time.Now()
	if d.bounds.Entered != nil {
		d.bounds.Entered(stage)
	}
	own := ctx
	if bound > 0 {
		var cancel context.CancelFunc
		own, cancel = context.WithTimeout(ctx, bound)
		defer cancel()
	}
	err := do(own)
	if err != nil && own.Err() != nil {
		if cause := context.Cause(own); !errors.Is(err, cause) {
			err = cause // the stage may name the closed socket instead
		}
		d.passed = ctx.Err() == nil
	}
	return err
}

// reportPassed calls Bounds.Passed, if it is set, for the stage that has ended.
func (d *dialer) reportPassed(p Passed) {
	if d.bounds.Passed == nil {
		return
	}
	p.Stage, p.Took = d.stage, time.Since(d.since)
	d.bounds.Passed(p)
}

// connect opens the socket.
func (d *dialer) connect(ctx context.Context) (net.Conn, error) {
	d.stage, d.began = StageDial, time.Now()
	if err := checkAddress(d.peer); err != nil {
		return nil, err
	}
	dial := d.cfg.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext // asks the resolver each time, and tries all addresses
	} else {
		dial = deserting(d.cfg.deserted(), dial)
	}
	var sock net.Conn
	err := d.within(ctx, StageDial, d.bounds.Connect, func(ctx context.Context) (err error) {
		sock, err = dial(ctx, "tcp", d.peer.Addr)
		if err == nil && sock == nil {
			return errNothingDialled
		}
		return err
	})
	if err != nil {
		if isResolve(err) {
			d.stage = StageResolve
		}
		return nil, err
	}
	d.reportPassed(Passed{Remote: sock.RemoteAddr(), TLS: tlsState(sock)})
	d.cfg.setBuffers(sock)
	return sock, nil
}

var errNothingDialled = errors.New("DialContext has returned neither a connection nor an error")

// addressError is an address at which nobody can be.
type addressError struct{ what string }

func (e *addressError) Error() string { return e.what }

// checkAddress refuses addresses that a cluster may advertise and no dialer can make sense of. An empty host would be this
// machine.
func checkAddress(peer Peer) error {
	host, port, err := net.SplitHostPort(peer.Addr)
	if err != nil || peer.NodeID < 0 {
		return nil // the dialer reports it
	}
	if n, err := strconv.Atoi(port); err == nil && (n < 1 || n > math.MaxUint16) {
		return &addressError{"port " + port + " is none: a port is a number from 1 to 65535"}
	}
	if host == "" {
		return &addressError{"the host name is empty"}
	}
	return nil
}

// establish takes an open socket through the other stages.
func (d *dialer) establish(ctx context.Context, sock net.Conn) (*Conn, error) {
	conn := carrierOf(sock)
	if d.cfg.TLS != nil {
		d.secure = new(secure)
		err := d.within(ctx, StageTLS, d.bounds.Stage, func(ctx context.Context) error {
			over := tls.Client(wholeConn{sock, &d.secure.heard}, d.secure.prepare(ctx, d.cfg, d.peer.Addr))
			conn = over
			return over.HandshakeContext(ctx)
		})
		if err != nil {
			return nil, err
		}
		d.reportPassed(Passed{TLS: tlsState(conn)})
	}

	d.reads = &watch{r: conn, count: d.peer.Counters}
	hs := &handshake{
		cfg: d.cfg, peer: d.peer, sock: sock, conn: conn,
		frames: newFrameReader(d.reads, maxHandshakeResponse),
	}
	d.hs = hs
	var n negotiation
	err := d.within(ctx, StageApiVersions, d.bounds.Stage, func(ctx context.Context) (err error) {
		n, err = negotiate(ctx, hs)
		return err
	})
	if err != nil {
		return nil, err
	}
	hs.versions = n.versions
	d.reportPassed(Passed{Offered: n.offered, Features: n.features.level})

	var admitted session
	if d.cfg.SASL != nil {
		err := d.within(ctx, StageSASL, d.bounds.Stage, func(ctx context.Context) (err error) {
			admitted, err = d.authenticate(ctx)
			return err
		})
		if err != nil {
			return nil, err
		}
		d.reportPassed(Passed{Session: admitted.granted.lifetime})
	}
	d.stage = StageRequest
	hs.frames.limit = maxResponse
	return &Conn{
		cfg: d.cfg, peer: d.peer, versions: n.versions, features: n.features, throttledUntil: n.throttledUntil, handshakeThrottle: n.throttle,
		sock: sock, frames: hs.frames, watch: d.reads, unread: newUnread(sock),
		out: newSink(conn), direct: newTrySink(conn), firstID: hs.correlationID,
		session: admitted,
	}, nil
}

// authenticate is the SASL stage.
func (d *dialer) authenticate(ctx context.Context) (session, error) {
	began := time.Now()
	under := d.hs.conn
	if d.cfg.TLS == nil {
		under = d.hs.sock // the user's, which may be TLS
	}
	target := sasl.Target{TLS: tlsState(under)}
	if target.TLS == nil && readable(d.cfg.SASL.Name()) {
		d.cfg.warnReadable(d.peer.Addr)
	}
	d.login = d.cfg.newLogin(d.peer, target, d.hs.versions)
	d.login.reportTo(d.bounds.Hampered)
	if err := d.login.begin(ctx); err != nil {
		return session{}, err
	}
	g, err := d.login.run(ctx, d.hs.roundTrip)
	if err != nil {
		return session{}, err
	}
	d.cfg.logger().Debug("authenticated", "addr", protocol.Shown(d.peer.Addr), "node", d.peer.NodeID,
		"mechanism", d.cfg.SASL.Name(), "lifetime", g.lifetime, "took", time.Since(began))
	target.Again = true
	return session{granted: g, target: target, begun: began, bound: d.cfg.stageBound(d.bounds), hampered: d.bounds.Hampered}, nil
}

// failure makes an *Error of what has ended the attempt.
func (d *dialer) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)) {
		// The stage may name the closed socket as the reason. In fact ctx has ended it.
		err = context.Cause(ctx)
	}
	e := &Error{Stage: d.stage, Addr: d.peer.Addr, NodeID: d.peer.NodeID, Err: err}
	switch {
	case d.stage == StageApiVersions:
		e.API = "ApiVersions"
	case d.stage == StageSASL && d.login != nil:
		e = d.login.failure(err)
	}
	switch {
	case d.passed:
		e.Err = fmt.Errorf("no success within %v (%s): %w", d.bound.Round(time.Millisecond), d.setting(), err)
	case ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		e.Err = fmt.Errorf("no success within %v: %w", time.Since(d.began).Round(time.Millisecond), err)
	}
	e.Hint = hint(e, d.secure)
	if d.stage == StageApiVersions && hungUp(err) {
		e.Unheard = !d.reads.heard || d.hs.refused
		switch {
		case d.hs.refused:
			e.Hint = hintRefusedVersion
		case !e.Unheard:
			e.Hint = hintHalfAnswer
		case e.Hint == hintHungUpTLS && d.peer.Answered.IsZero() && d.hs.asked > 0:
			e.Hint += "; or " + hintOtherVersion("ApiVersions", d.hs.asked) + "; after hang-ups in a row older versions are tried by themselves"
		}
	}
	e.Hint = hintSince(e.Hint, d.peer.Answered)
	return e
}

// setting names the setting that the stage's bound comes from.
func (d *dialer) setting() string {
	if d.stage != StageDial && d.stage != StageResolve && d.bound == d.cfg.RequestTimeout {
		return "request.timeout.ms"
	}
	return "socket.connection.setup.timeout.ms"
}
