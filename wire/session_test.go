package wire

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/sasl"
)

// A listener is the broker's side of a connection whose sessions end. It answers everything, in order, and notes what a Kafka
// broker would have hung up on.
type listener struct {
	*broker
	lifetime time.Duration
	delay    time.Duration // before each answer to SASL
	onShake  func() *protocol.SaslHandshakeResponse
	onToken  func(token string) *protocol.SaslAuthenticateResponse

	mu      sync.Mutex  // guards the next two, of which only serve writes
	begun   []time.Time // handshakes
	wrong   []string
	ended   time.Time // of the last authentication
	expires time.Time
	inside  bool // between a handshake and the last of its tokens
}

// times returns when authentications began.
func (l *listener) times() []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.begun)
}

func (l *listener) note(began time.Time, wrong ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !began.IsZero() {
		l.begun = append(l.begun, began)
	}
	l.wrong = append(l.wrong, wrong...)
}

func (l *listener) serve() {
	for {
		h, req, err := l.read()
		if err != nil {
			return
		}
		now := time.Now()
		switch m := req.(type) {
		case *protocol.SaslHandshakeRequest:
			l.note(now)
			time.Sleep(l.delay)
			resp := &protocol.SaslHandshakeResponse{Mechanisms: []string{"PLAIN"}}
			if l.onShake != nil {
				if other := l.onShake(); other != nil {
					resp = other
				}
			}
			l.inside = resp.ErrorCode == protocol.NoError
			l.answer(h, resp)
			continue
		case *protocol.SaslAuthenticateRequest:
			time.Sleep(l.delay)
			resp := &protocol.SaslAuthenticateResponse{AuthBytes: []byte{}, SessionLifetime: l.lifetime}
			if l.onToken != nil {
				if other := l.onToken(string(m.AuthBytes)); other != nil {
					resp = other
				}
			}
			l.inside, l.ended = false, time.Now()
			l.expires = l.ended.Add(l.lifetime)
			l.answer(h, resp)
			if resp.ErrorCode != protocol.NoError {
				l.conn.Close()
				return
			}
			continue
		}
		switch {
		case l.inside:
			l.note(time.Time{}, req.API().Name+" came in the middle of an authentication")
		case l.lifetime > 0 && now.After(l.expires):
			l.note(time.Time{}, req.API().Name+" came after the end of the session")
		}
		resp := req.NewResponse()
		if m, ok := req.(*protocol.InitProducerIDRequest); ok {
			resp = &protocol.InitProducerIDResponse{ProducerID: int64(m.TransactionTimeout / time.Millisecond)}
		}
		l.answer(h, resp)
	}
}

// loggedIn connects with cfg to a listener.
func loggedIn(t *testing.T, cfg *Config, l *listener) (*Conn, chan end) {
	t.Helper()
	return loggedInWithin(t, cfg, l, Bounds{Stage: 10 * time.Second})
}

func loggedInWithin(t *testing.T, cfg *Config, l *listener, bounds Bounds) (*Conn, chan end) {
	t.Helper()
	_, b := inMemory(t, cfg)
	l.broker = b
	go func() {
		b.shakeHands()
		l.serve()
	}()
	ended := make(chan end, 1)
	c, err := DialWithin(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: 1}, bounds, func(_ *Conn, err error) {
		ended <- end{err, time.Now()}
	})
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	t.Cleanup(func() {
		c.Close(nil)
		b.conn.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, wrong := range l.wrong {
			t.Error(wrong)
		}
	})
	return c, ended
}

// use has a connection do something every pause, for a while.
func use(t *testing.T, c *Conn, pause, lasting time.Duration) {
	t.Helper()
	done := make(chan *Call, 1)
	for begin := time.Now(); time.Since(begin) < lasting; time.Sleep(pause) {
		send(t, c, initID(done))
		if call := <-done; call.Err != nil {
			t.Fatalf("after %v: %v", time.Since(begin), call.Err)
		}
	}
}

// A connection that is used authenticates itself again when 85 to 95 % of its session have passed, for ever, and says to the
// mechanism that it is not the first time. Nothing else is written meanwhile.
func TestRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		var again atomic.Int32
		cfg.SASL = &mechanism{begin: func(_ context.Context, target sasl.Target) error {
			if target.Again {
				again.Add(1)
			}
			return nil
		}}
		var told atomic.Int32
		cfg.Renewed = func(err error) {
			if err != nil {
				t.Error(err)
			}
			told.Add(1)
		}
		l := &listener{lifetime: time.Minute}
		c, _ := loggedIn(t, cfg, l)
		use(t, c, time.Second, time.Hour)
		if len(l.times()) < 60 || len(l.times()) > 72 || int(again.Load()) != len(l.times())-1 || told.Load() != again.Load() {
			t.Errorf("%d authentications in an hour, %d of them known to the mechanism as not the first, %d told; want 61 to 71", len(l.times()), again.Load(), told.Load())
		}
		for i := 1; i < len(l.times()); i++ {
			if d := l.times()[i].Sub(l.times()[i-1]); d < 51*time.Second || d > 57*time.Second+time.Millisecond {
				t.Errorf("%v between two authentications, want 51 s to 57 s", d)
			}
		}
	})
}

// A connection that nobody uses is left alone. Its next call comes after an authentication, though the session is long over.
func TestRenewalOfAnIdleConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.ConnectionsMaxIdle = -1
		cfg.SASL = alice
		l := &listener{lifetime: time.Minute}
		c, _ := loggedIn(t, cfg, l)
		time.Sleep(time.Hour)
		if len(l.times()) != 1 {
			t.Errorf("%d authentications while nobody used the connection, want the first alone", len(l.times()))
		}
		use(t, c, time.Second, time.Second)
		if len(l.times()) != 2 {
			t.Errorf("%d authentications, want 2", len(l.times()))
		}
		// The last call counts as use: the next renewal comes by itself, and then no more.
		time.Sleep(time.Hour)
		if len(l.times()) > 3 {
			t.Errorf("%d authentications, want 3 at most", len(l.times()))
		}
	})
}

// An authentication is no use of a connection: one that only authenticates itself is closed as idle.
func TestRenewalIsNoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.SASL = alice
		l := &listener{lifetime: 8 * time.Minute}
		c, ended := loggedIn(t, cfg, l)
		begin := time.Now()
		use(t, c, time.Millisecond, time.Millisecond)
		if e := <-ended; !errors.Is(e.err, ErrIdle) || e.at.Sub(begin) > 9*time.Minute+time.Second {
			t.Errorf("ended with %v after %v, want idle after 9 min", e.err, e.at.Sub(begin))
		}
	})
}

// A token that takes its time is fetched before the writer is stopped; calls go on meanwhile.
func TestRenewalFetchesItsTokenFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.SASL = &mechanism{begin: func(_ context.Context, target sasl.Target) error {
			if target.Again {
				time.Sleep(2 * time.Second)
			}
			return nil
		}}
		l := &listener{lifetime: time.Minute}
		c, _ := loggedIn(t, cfg, l)
		done := make(chan *Call, 1)
		for begin := time.Now(); time.Since(begin) < 10*time.Minute; time.Sleep(100 * time.Millisecond) {
			sent := time.Now()
			send(t, c, initID(done))
			if call := <-done; call.Err != nil || time.Since(sent) > 0 {
				t.Fatalf("a call took %v, and ended with %v", time.Since(sent), call.Err)
			}
		}
		if len(l.times()) < 10 {
			t.Errorf("%d authentications", len(l.times()))
		}
	})
}

// A broker that wants to be asked later (ILLEGAL_SASL_STATE) is, and the session goes on meanwhile.
func TestRenewalPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.SASL = alice
		l := &listener{lifetime: time.Minute}
		l.onShake = func() *protocol.SaslHandshakeResponse {
			if n := len(l.begun); n > 1 && n%2 == 0 {
				return &protocol.SaslHandshakeResponse{ErrorCode: protocol.IllegalSaslState}
			}
			return nil
		}
		c, _ := loggedIn(t, cfg, l)
		use(t, c, 100*time.Millisecond, 10*time.Minute)
		for i := 1; i < len(l.times()); i++ {
			if d := l.times()[i].Sub(l.times()[i-1]); d < leastBetween {
				t.Errorf("%v between two authentications, want %v at least", d, leastBetween)
			}
		}
		if len(l.times()) < 20 {
			t.Errorf("%d authentications", len(l.times()))
		}
	})
}

// A session that is shorter than what must lie between two authentications lets calls wait, and loses none.
func TestRenewalOfABriefSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.SASL = alice
		l := &listener{lifetime: 500 * time.Millisecond}
		c, _ := loggedIn(t, cfg, l)
		use(t, c, 50*time.Millisecond, time.Minute)
		for i := 1; i < len(l.times()); i++ {
			if d := l.times()[i].Sub(l.times()[i-1]); d < leastBetween {
				t.Errorf("%v between two authentications, want %v at least", d, leastBetween)
			}
		}
	})
}

// A broker may let a session end no more, or for ever.
func TestSessionWithoutEnd(t *testing.T) {
	for _, lifetime := range []time.Duration{0, -time.Second, math.MaxInt64} {
		synctest.Test(t, func(t *testing.T) {
			cfg := testConfig()
			cfg.SASL = alice
			l := &listener{}
			l.onToken = func(string) *protocol.SaslAuthenticateResponse {
				return &protocol.SaslAuthenticateResponse{AuthBytes: []byte{}, SessionLifetime: lifetime}
			}
			c, _ := loggedIn(t, cfg, l)
			use(t, c, time.Minute, 24*time.Hour)
			if len(l.times()) != 1 {
				t.Errorf("%d authentications, want one", len(l.times()))
			}
		})
	}
}

// What was sent before is answered before the authentication begins, to whom it belongs, and a broker that throttles is written
// nothing, that neither.
func TestRenewalWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.SASL = alice
		_, b := inMemory(t, cfg)
		begin := time.Now()
		go func() {
			b.shakeHands()
			b.letIn(time.Minute)
			h, req := b.want()
			time.Sleep(70*time.Second - time.Since(begin))
			resp := req.NewResponse()
			resp.(*protocol.InitProducerIDResponse).ThrottleTime = 5 * time.Second
			b.answer(h, resp)
			h, req = b.want()
			if _, ok := req.(*protocol.SaslHandshakeRequest); !ok || time.Since(begin) != 75*time.Second {
				t.Errorf("%T came after %v, want SaslHandshake after 75s", req, time.Since(begin))
			}
			b.answer(h, &protocol.SaslHandshakeResponse{Mechanisms: []string{"PLAIN"}})
			h, _ = b.want()
			b.answer(h, &protocol.SaslAuthenticateResponse{AuthBytes: []byte{}, SessionLifetime: time.Hour})
			h, req = b.want()
			b.answer(h, req.NewResponse())
		}()
		c, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(nil)
		time.Sleep(45 * time.Second)
		done := make(chan *Call, 2)
		send(t, c, initID(done))
		time.Sleep(15 * time.Second)
		later := initID(done)
		send(t, c, later)
		for range 2 {
			if call := <-done; call.Err != nil {
				t.Error(call.Err)
			}
		}
		if at := later.WrittenAt.Sub(begin); at != 75*time.Second {
			t.Errorf("the later call was written after %v, want 75s", at)
		}
	})
}

// A direct write comes after the authentication, too, however late the process notices that the session is over: it may have
// stood still. What nobody keeps it from is written directly as ever.
func TestDirectWriteAfterTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.SASL = alice
		l := &listener{lifetime: time.Minute}
		c, _ := loggedIn(t, cfg, l)
		w := &window{client: c.sock.(*memConn), room: 1 << 20}
		c.direct = w
		done := make(chan *Call, 1)
		for _, tries := range []int{1, 1, 2} { // before the end, right after it, and then
			send(t, c, small(t, done, "x"))
			if call := <-done; call.Err != nil {
				t.Fatal(call.Err)
			}
			if w.tries != tries {
				t.Errorf("%d direct writes, want %d", w.tries, tries)
			}
			if tries == 1 && len(l.times()) == 1 {
				c.mu.Lock()
				c.timer.Stop() // nobody has noticed
				c.mu.Unlock()
				time.Sleep(2 * time.Minute)
			}
		}
		if len(l.times()) != 2 {
			t.Errorf("%d authentications, want 2", len(l.times()))
		}
	})
}
