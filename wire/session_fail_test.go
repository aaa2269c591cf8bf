package wire

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
)

// While a token cannot be had the session is used up to its end, and the connection ends with the reason then.
func TestRenewalWithoutAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		down := errors.New("the token endpoint is down")
		tries := 0
		cfg.SASL = &mechanism{begin: func(_ context.Context, target sasl.Target) error {
			if !target.Again {
				return nil
			}
			tries++
			return down
		}}
		l := &listener{lifetime: time.Minute}
		c, ended := loggedIn(t, cfg, l)
		begin := time.Now()
		use(t, c, 100*time.Millisecond, 58*time.Second)
		done := make(chan *Call, 1)
		for time.Since(begin) < 62*time.Second {
			if !c.Send(initID(done)) {
				break
			}
			<-done
			time.Sleep(100 * time.Millisecond)
		}
		e := <-ended
		took := e.at.Sub(begin)
		if !errors.Is(e.err, down) || sasl.IsFinal(e.err) || took < 58*time.Second || took > time.Minute {
			t.Errorf("ended with %v after %v, want the reason after 59 s", e.err, took)
		}
		if !strings.Contains(e.err.Error(), "SASL: authenticating again: getting credentials for PLAIN: the token endpoint is down") {
			t.Errorf("%v", e.err)
		}
		if tries < 2 || tries > 6 {
			t.Errorf("%d tries, want a few", tries)
		}
	})
}

// A refusal ends the connection, and is its reason, though the broker hangs up right behind it. So do a hang-up in the middle,
// and an answer that does not come.
func TestRenewalFails(t *testing.T) {
	words := "Cannot change principals during re-authentication"
	first := func(l *listener) bool { return len(l.times()) == 1 }
	for _, c := range []struct {
		name  string
		token func(*listener) *protocol.SaslAuthenticateResponse
		final bool
		is    error
		says  string
	}{
		{"refused", func(l *listener) *protocol.SaslAuthenticateResponse {
			return &protocol.SaslAuthenticateResponse{ErrorCode: protocol.SaslAuthenticationFailed, ErrorMessage: &words}
		}, true, protocol.SaslAuthenticationFailed, `SASL SaslAuthenticate: authenticating again: refused PLAIN: "Cannot change`},
		{"hung up", func(l *listener) *protocol.SaslAuthenticateResponse { l.conn.Close(); return nil }, false, io.EOF,
			"SASL SaslAuthenticate round 1: authenticating again: EOF (the broker has hung up instead of an answer"},
		{"silent", func(l *listener) *protocol.SaslAuthenticateResponse { time.Sleep(time.Minute); return nil }, false, ErrTimeout,
			"SASL SaslAuthenticate round 1: authenticating again: request timed out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				cfg.SASL = alice
				l := &listener{lifetime: time.Minute}
				l.onToken = func(string) *protocol.SaslAuthenticateResponse {
					if first(l) {
						return nil
					}
					return c.token(l)
				}
				conn, ended := loggedIn(t, cfg, l)
				var last *Call
				for done := make(chan *Call, 1); ; time.Sleep(time.Second) {
					if call := initID(done); !conn.Send(call) {
						break
					}
					if last = <-done; last.Err != nil {
						break
					}
				}
				e := <-ended
				if sasl.IsFinal(e.err) != c.final || !errors.Is(e.err, c.is) || !strings.Contains(e.err.Error(), c.says) {
					t.Errorf("ended with %v, final %t; want %q, %t", e.err, sasl.IsFinal(e.err), c.says, c.final)
				}
				if last.Err != nil && (last.Written || !errors.Is(last.Err, ErrClosed)) {
					t.Errorf("the call that waited ended with %v, written %t", last.Err, last.Written)
				}
				if took := e.at.Sub(l.times()[1]); took > 10*time.Second+200*time.Millisecond {
					t.Errorf("it took %v, want the bound of the stage, 10 s, at most", took)
				}
				time.Sleep(time.Minute) // the silent one comes back
			})
		})
	}
}

// Close ends an authentication in progress, wherever that is.
func TestCloseDuringARenewal(t *testing.T) {
	for _, where := range []string{"token", "in flight", "handshake", "throttled"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				cfg.SASL = &mechanism{begin: func(ctx context.Context, target sasl.Target) error {
					if target.Again && where == "token" {
						time.Sleep(time.Hour)
					}
					return nil
				}}
				_, b := inMemory(t, cfg)
				go func() {
					b.shakeHands()
					b.letIn(10 * time.Second)
					if where == "in flight" {
						return
					}
					h, req, err := b.read()
					if err == nil {
						resp := req.NewResponse()
						if where == "throttled" {
							resp.(*protocol.InitProducerIDResponse).ThrottleTime = time.Hour
						}
						b.answer(h, resp)
					}
				}()
				c, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: 1}, nil)
				if err != nil {
					t.Fatal(err)
				}
				done := make(chan *Call, 2)
				send(t, c, initID(done))
				time.Sleep(9900 * time.Millisecond)
				send(t, c, initID(done))
				synctest.Wait()
				begin := time.Now()
				c.Close(nil)
				<-c.Closed()
				if took := time.Since(begin); took != 0 {
					t.Errorf("it took %v", took)
				}
				b.conn.Close()
				time.Sleep(time.Hour) // the mechanism comes back
			})
		})
	}
}
