package wire

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
)

// mechanism is one whose every step a test can play. What it lacks is done as PLAIN does.
type mechanism struct {
	name    string
	begin   func(ctx context.Context, target sasl.Target) error
	next    func(ctx context.Context, challenge []byte) ([]byte, bool, error)
	explain string
}

var alice = &mechanism{}

const aliceToken = "\x00alice\x00secret"

func (m *mechanism) Name() string {
	if m.name == "" {
		return "PLAIN"
	}
	return m.name
}

func (m *mechanism) Begin(ctx context.Context, target sasl.Target) (sasl.Exchange, error) {
	if m.begin != nil {
		if err := m.begin(ctx, target); err != nil {
			return nil, err
		}
	}
	return &exchange{m}, nil
}

type exchange struct{ m *mechanism }

func (x *exchange) Next(ctx context.Context, challenge []byte) ([]byte, bool, error) {
	if x.m.next != nil {
		return x.m.next(ctx, challenge)
	}
	if challenge == nil {
		return []byte(aliceToken), false, nil
	}
	return nil, true, nil
}

func (x *exchange) Explain(string) string { return x.m.explain }

// letIn plays the broker's side of an authentication with one round.
func (b *broker) letIn(lifetime time.Duration) {
	if h, _, err := b.read(); err == nil {
		b.answer(h, &protocol.SaslHandshakeResponse{Mechanisms: []string{"PLAIN"}})
	}
	if h, _, err := b.read(); err == nil {
		b.answer(h, &protocol.SaslAuthenticateResponse{AuthBytes: []byte{}, SessionLifetime: lifetime})
	}
}

// After ApiVersions come SaslHandshake in v1 and the mechanism's tokens, in the newest version in common, before any other
// request. The mechanism is told where the connection leads.
func TestLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		_, b := inMemory(t, cfg)
		var heard []string
		cfg.SASL = &mechanism{
			name: "TWO-STEPS",
			begin: func(_ context.Context, target sasl.Target) error {
				if target.Addr() != "kafka:9092" || target.TLS != nil || target.Again {
					t.Errorf("target %+v", target)
				}
				return nil
			},
			next: func(_ context.Context, challenge []byte) ([]byte, bool, error) {
				if challenge == nil {
					return []byte("first"), false, nil
				}
				heard = append(heard, string(challenge))
				return []byte("second"), len(heard) == 2, nil
			},
		}
		go func() {
			b.shakeHands()
			h, req := b.want()
			if m, ok := req.(*protocol.SaslHandshakeRequest); !ok || h.Version != 1 || m.Mechanism != "TWO-STEPS" {
				t.Errorf("got %T v%d %+v, want SaslHandshake v1", req, h.Version, req)
			}
			b.answer(h, &protocol.SaslHandshakeResponse{Mechanisms: []string{"PLAIN", "TWO-STEPS"}})
			for _, step := range []string{"first", "second"} {
				h, req := b.want()
				if m, ok := req.(*protocol.SaslAuthenticateRequest); !ok || h.Version != 2 || string(m.AuthBytes) != step {
					t.Errorf("got %T v%d %+v, want SaslAuthenticate v2 with %q", req, h.Version, req, step)
				}
				b.answer(h, &protocol.SaslAuthenticateResponse{AuthBytes: []byte("to the " + step)})
			}
			h, _ = b.want()
			b.answer(h, &protocol.InitProducerIDResponse{})
		}()
		c, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: 3}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(nil)
		if want := []string{"to the first", "to the second"}; !slices.Equal(heard, want) {
			t.Errorf("the mechanism heard %q, want %q", heard, want)
		}
		done := make(chan *Call, 1)
		send(t, c, initID(done))
		if call := <-done; call.Err != nil {
			t.Errorf("the first call after: %v", call.Err)
		}
	})
}

// What a broker can say to an authentication, and what is made of it: whether it is a refusal that no repetition mends, and
// what the error says. None says the password.
func TestLoginFails(t *testing.T) {
	words := "Authentication failed: Invalid username or password"
	handshake := func(code protocol.ErrorCode, offered ...string) func(*broker) {
		return func(b *broker) {
			h, _ := b.want()
			b.answer(h, &protocol.SaslHandshakeResponse{ErrorCode: code, Mechanisms: offered})
			if code != protocol.NoError {
				return
			}
			b.want()
		}
	}
	answer := func(resp *protocol.SaslAuthenticateResponse) func(*broker) {
		return func(b *broker) {
			h, _ := b.want()
			b.answer(h, &protocol.SaslHandshakeResponse{Mechanisms: []string{"PLAIN"}})
			h, _ = b.want()
			b.answer(h, resp)
		}
	}
	for _, c := range []struct {
		name    string
		plays   func(*broker)
		refused bool
		code    error // that errors.Is finds
		says    string
	}{
		{"password refused", answer(&protocol.SaslAuthenticateResponse{ErrorCode: protocol.SaslAuthenticationFailed, ErrorMessage: &words}),
			true, protocol.SaslAuthenticationFailed,
			`broker 3 at kafka:9092: SASL SaslAuthenticate: refused PLAIN: "` + words + `": SASL_AUTHENTICATION_FAILED (58): the broker does not accept the credentials (is alice known there?)`},
		{"mechanism refused", handshake(protocol.UnsupportedSaslMechanism, "SCRAM-SHA-256", "SCRAM-SHA-512"), true, protocol.UnsupportedSaslMechanism,
			`SASL SaslHandshake: refused PLAIN: UNSUPPORTED_SASL_MECHANISM (33): the broker has not enabled that SASL mechanism; choose one of those that it lists; offered: "SCRAM-SHA-256, SCRAM-SHA-512"`},
		{"no SASL there", handshake(protocol.IllegalSaslState), true, protocol.IllegalSaslState, "kafka:9092 is not a SASL listener"},
		{"another code", answer(&protocol.SaslAuthenticateResponse{ErrorCode: protocol.UnknownServerError, ErrorMessage: &words}), false, protocol.UnknownServerError, words},
		{"hung up on SaslHandshake", func(b *broker) { b.want() }, false, io.EOF, "SASL SaslHandshake: EOF (the broker has hung up instead of an answer: this listener may have no SASL"},
		{"hung up on the token", handshake(protocol.NoError, "PLAIN"), false, io.EOF, "SASL SaslAuthenticate round 1: EOF (the broker has hung up instead of an answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				client, b := inMemory(t, cfg)
				cfg.SASL = &mechanism{explain: "is alice known there?"}
				go func() {
					b.shakeHands()
					c.plays(b)
					b.conn.Close()
				}()
				_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: 3}, nil)
				var e *Error
				if !errors.As(err, &e) || e.Stage != StageSASL || !strings.Contains(err.Error(), c.says) {
					t.Errorf("got %v, want an *Error of the SASL stage with %q", err, c.says)
				}
				if sasl.IsFinal(err) != c.refused || !errors.Is(err, c.code) {
					t.Errorf("%v: final %t, want %t and %v", err, sasl.IsFinal(err), c.refused, c.code)
				}
				if strings.Contains(err.Error(), "secret") {
					t.Errorf("%q says the password", err)
				}
				if !client.closed.Load() {
					t.Error("the socket was left open")
				}
			})
		})
	}
}

// A broker that knows no SaslHandshake, or only the one that raw tokens follow, is not sent a password.
func TestLoginNeedsSaslHandshake(t *testing.T) {
	for _, most := range []int16{-1, 0} {
		synctest.Test(t, func(t *testing.T) {
			cfg := testConfig()
			_, b := inMemory(t, cfg)
			cfg.SASL = alice
			go func() {
				h, _ := b.want()
				resp := everything()
				resp.APIKeys = slices.DeleteFunc(resp.APIKeys, func(k protocol.ApiVersion) bool { return k.APIKey == 17 })
				if most >= 0 {
					resp.APIKeys = append(resp.APIKeys, protocol.ApiVersion{APIKey: 17, MaxVersion: most})
				}
				b.answer(h, resp)
				if h, req, err := b.read(); err == nil {
					t.Errorf("%T v%d was sent", req, h.Version)
				}
			}()
			_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil)
			var lacks *UnsupportedVersionError
			if !errors.As(err, &lacks) || lacks.API != "SaslHandshake" || !Misconfigured(err) || !strings.Contains(err.Error(), "older than Kafka 1.0") {
				t.Errorf("got %v, want an *UnsupportedVersionError of SaslHandshake that nothing mends", err)
			}
		})
	}
}

// A mechanism that fails to begin, or has nothing to say, says so before anything of SASL is sent.
func TestLoginWithoutCredentials(t *testing.T) {
	down := errors.New("the token endpoint is down")
	nothing := func(context.Context, []byte) ([]byte, bool, error) { return nil, true, nil }
	for _, c := range []struct {
		mechanism *mechanism
		final     bool
		says      string
	}{
		{&mechanism{begin: func(context.Context, sasl.Target) error { return down }}, false, "kafka:9092: SASL: getting credentials for PLAIN: the token endpoint is down"},
		{&mechanism{begin: func(context.Context, sasl.Target) error { return sasl.Final(down) }}, true, "getting credentials for PLAIN: the token endpoint is down"},
		{&mechanism{next: nothing}, false, "getting credentials for PLAIN: the mechanism says that it is done before"},
	} {
		synctest.Test(t, func(t *testing.T) {
			cfg := testConfig()
			_, b := inMemory(t, cfg)
			cfg.SASL = c.mechanism
			go func() {
				b.shakeHands()
				if _, req, err := b.read(); err == nil {
					t.Errorf("%T was sent", req)
				}
			}()
			_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil)
			if err == nil || sasl.IsFinal(err) != c.final || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, final %t, want %q, %t", err, sasl.IsFinal(err), c.says, c.final)
			}
		})
	}
}

// A mechanism that does not heed its context is left behind when the time of the stage is over.
func TestLoginLeavesAMechanismBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		_, b := inMemory(t, cfg)
		go b.shakeHands()
		cfg.SASL = &mechanism{begin: func(context.Context, sasl.Target) error {
			time.Sleep(time.Hour)
			return nil
		}}
		begin := time.Now()
		_, err := DialWithin(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1}, Bounds{Stage: time.Second}, nil)
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
			t.Errorf("got %v after %v, want the deadline after 1s", err, took)
		}
		time.Sleep(time.Hour) // it comes back, and is forgotten
	})
}
