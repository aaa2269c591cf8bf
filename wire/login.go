package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
)

// A login is the client's part of one authentication (KIP-43, KIP-152). It does not know how requests get to the broker: Dial
// sends those of the first authentication, the established connection those of the others.
type login struct {
	mechanism sasl.Mechanism
	peer      Peer
	target    sasl.Target
	versions  versions
	left      *Deserted // calls of the mechanism that were left behind

	exchange sasl.Exchange
	response []byte // to be sent next
	obstacle obstacle

	// How far it has got, for the error.
	api   string // "" while the mechanism begins
	round int    // of SaslAuthenticate, from 1
}

// granted is the session that a broker has granted.
type granted struct {
	lifetime time.Duration // of the session; 0: it has no end
	since    time.Time     // not later than when the broker begins to count
}

// asking sends a request, and decodes its answer.
type asking func(ctx context.Context, version int16, req protocol.Request, resp protocol.Response) error

func (cfg *Config) newLogin(peer Peer, target sasl.Target, v versions) *login {
	target.Host = peer.Addr
	if host, port, err := net.SplitHostPort(peer.Addr); err == nil {
		target.Host = host
		target.Port, _ = strconv.Atoi(port)
	}
	l := &login{mechanism: cfg.SASL, peer: peer, target: target, versions: v, left: cfg.deserted()}
	l.target.Trouble = l.obstacle.say
	return l
}

var (
	errNoExchange = errors.New("the mechanism has begun nothing, and returned no error")
	errSilentSASL = errors.New("the mechanism says that it is done before it has sent anything")
)

// begin lets the mechanism get its credentials and make its first message. Nothing is sent, so this may take time.
func (l *login) begin(ctx context.Context) (err error) {
	late := time.AfterFunc(lateCredentials, l.obstacle.late)
	defer late.Stop()
	l.exchange, err = desertable(ctx, l.left, func() (sasl.Exchange, error) { return l.mechanism.Begin(ctx, l.target) }, nil)
	if err == nil && l.exchange == nil {
		err = errNoExchange
	}
	done := false
	if err == nil {
		done, err = l.next(ctx, nil)
	}
	if err == nil && done {
		err = errSilentSASL
	}
	if err != nil {
		return l.without(l.obstacle.explain(ctx, err))
	}
	l.obstacle.came()
	return nil
}

// without says for which mechanism there are no credentials.
func (l *login) without(err error) error {
	return fmt.Errorf("getting credentials for %s: %w", l.mechanism.Name(), err)
}

// next gives the mechanism the broker's challenge, and gets its next message.
func (l *login) next(ctx context.Context, challenge []byte) (done bool, err error) {
	type step struct {
		response []byte
		done     bool
	}
	s, err := desertable(ctx, l.left, func() (step, error) {
		response, done, err := l.exchange.Next(ctx, challenge)
		return step{response, done}, err
	}, nil)
	l.response = s.response
	return s.done, err
}

// run authenticates, after begin.
func (l *login) run(ctx context.Context, ask asking) (granted, error) {
	if err := l.shakeHands(ctx, ask); err != nil {
		return granted{}, err
	}
	l.api = "SaslAuthenticate"
	req := new(protocol.SaslAuthenticateRequest)
	version, err := l.versions.choose(req.API(), 0)
	if err != nil {
		return granted{}, err
	}
	for {
		l.round++
		req.AuthBytes = l.response
		if req.AuthBytes == nil {
			req.AuthBytes = []byte{}
		}
		since := time.Now()
		resp := new(protocol.SaslAuthenticateResponse)
		if err := ask(ctx, version, req, resp); err != nil {
			return granted{}, err
		}
		if resp.ErrorCode != protocol.NoError {
			return granted{}, l.notLetIn(resp)
		}
		challenge := resp.AuthBytes
		if challenge == nil {
			challenge = []byte{} // nil is for the beginning
		}
		done, err := l.next(ctx, challenge)
		if err != nil {
			return granted{}, err
		}
		if done {
			return granted{max(resp.SessionLifetime, 0), since}, nil
		}
	}
}

// shakeHands agrees with the broker on the mechanism. Version 0 is not used: its tokens have neither a header nor an error
// code.
func (l *login) shakeHands(ctx context.Context, ask asking) error {
	l.api = "SaslHandshake"
	req := &protocol.SaslHandshakeRequest{Mechanism: l.mechanism.Name()}
	api := req.API()
	api.Min = 1
	version, err := l.versions.choose(api, 0)
	if err != nil {
		return err
	}
	resp := new(protocol.SaslHandshakeResponse)
	if err := ask(ctx, version, req, resp); err != nil {
		return err
	}
	refused := &sasl.RefusedError{Mechanism: req.Mechanism, Offered: resp.Mechanisms, Err: resp.ErrorCode}
	switch {
	case resp.ErrorCode == protocol.NoError:
		return nil
	case resp.ErrorCode == protocol.IllegalSaslState && len(resp.Mechanisms) == 0:
		refused.Offered = nil
		if !l.target.Again {
			refused.Hint = protocol.Shown(l.peer.Addr) + " is not a SASL listener: use the port of one, or no SASL (security.protocol PLAINTEXT or SSL)"
		}
	case !isRefusal(resp.ErrorCode):
		return resp.ErrorCode
	}
	return refused
}

// isRefusal reports whether a broker that answers an authentication with code does not let this client in.
func isRefusal(code protocol.ErrorCode) bool {
	return code == protocol.UnsupportedSaslMechanism || code == protocol.IllegalSaslState || code == protocol.SaslAuthenticationFailed
}

// notLetIn returns the error of an answer with an error code. It is a refusal if the broker means one. Other codes may pass.
func (l *login) notLetIn(resp *protocol.SaslAuthenticateResponse) error {
	words := ""
	if resp.ErrorMessage != nil {
		words = *resp.ErrorMessage
	}
	switch {
	case isRefusal(resp.ErrorCode):
	case words == "":
		return resp.ErrorCode
	default:
		return fmt.Errorf("%w: %s", resp.ErrorCode, protocol.Quoted(words))
	}
	refused := &sasl.RefusedError{Mechanism: l.mechanism.Name(), Words: words, Err: resp.ErrorCode}
	if x, ok := l.exchange.(sasl.Explainer); ok {
		refused.Hint = x.Explain(words)
	}
	if refused.Hint == "" {
		refused.Hint = "check what is set for " + refused.Mechanism + "; the broker's log may say more"
	}
	return refused
}

// failure returns err as an error of the SASL stage, with how far the login has got. A refusal does not have the round in which
// it came: with SCRAM that would tell whether there is such a user.
func (l *login) failure(err error) *Error {
	e := l.hampered(err)
	e.API, e.Round = l.api, l.round
	if errors.As(err, new(*sasl.RefusedError)) {
		e.Round = 0
	}
	return e
}

// hampered returns err as an error of the SASL stage before anything was sent. It may be called while begin runs.
func (l *login) hampered(err error) *Error {
	if l.target.Again {
		err = fmt.Errorf("authenticating again: %w", err)
	}
	return &Error{Stage: StageSASL, Addr: l.peer.Addr, NodeID: l.peer.NodeID, Err: err}
}

// reportTo sets the function that is called with what keeps credentials from coming, as an *Error, and with nil once they have
// come. report must not block, and may be nil.
func (l *login) reportTo(report func(error)) {
	if report == nil {
		return
	}
	l.obstacle.report = func(err error) {
		if err == nil {
			report(nil)
			return
		}
		report(l.hampered(l.without(err)))
	}
}

// readable reports whether somebody who reads the traffic learns the credentials of this mechanism.
func readable(mechanism string) bool { return mechanism == "PLAIN" || mechanism == "OAUTHBEARER" }

// warnReadable logs once that everybody on the way can read the credentials.
func (cfg *Config) warnReadable(addr string) {
	warn := func() {
		cfg.logger().Warn("credentials go over the network as they are", "addr", protocol.Shown(addr), "mechanism", cfg.SASL.Name(),
			"remedy", "set TLS (security.protocol SASL_SSL), or use SCRAM")
	}
	if cfg.LogReadableOnce == nil {
		warn()
		return
	}
	cfg.LogReadableOnce.Do(warn)
}

// stageBound returns how long a stage may take once the socket is open; 0 is no bound.
func (cfg *Config) stageBound(b Bounds) time.Duration {
	return cmp.Or(b.Stage, max(cfg.RequestTimeout, 0))
}
