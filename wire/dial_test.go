package wire

import (
	"context"
	"errors"
	"maps"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// ApiVersions goes out in v5, with who we are and whom we mean to reach; what the broker answers is kept.
func TestNegotiation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		_, b := inMemory(t, cfg)
		go func() {
			h, req := b.want()
			got := req.(*protocol.ApiVersionsRequest)
			if h.Version != 5 || got.ClientSoftwareName != "epistle" || got.ClientSoftwareVersion != "1.0" ||
				got.ClusterID == nil || *got.ClusterID != "cluster" || got.NodeID != 3 {
				t.Errorf("request v%d %+v", h.Version, got)
			}
			resp := everything()
			resp.ThrottleTime = time.Second
			resp.FinalizedFeaturesEpoch = 42
			resp.FinalizedFeatures = []protocol.FinalizedFeature{{Name: "transaction.version", MaxVersionLevel: 2, MinVersionLevel: 1}}
			b.answer(h, resp)
		}()
		begin := time.Now()
		c, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: 3, ClusterID: "cluster"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(nil)
		epoch, features := c.Features()
		if want := map[string]int16{"transaction.version": 2}; epoch != 42 || !maps.Equal(features, want) {
			t.Errorf("features %v in epoch %d, want %v in 42", features, epoch, want)
		}
		if v, ok := c.Version(0); v != 13 || !ok {
			t.Errorf("Version(Produce) = %d, %v, want 13, true", v, ok)
		}
		if _, ok := c.Version(999); ok {
			t.Error("Version(999): ok, want not")
		}
		if got := c.ThrottledUntil().Sub(begin); got != time.Second {
			t.Errorf("throttled for %v, want 1s", got)
		}
	})
}

// A broker takes a cluster id only with a node id.
func TestNegotiationWithABootstrapServer(t *testing.T) {
	for _, peer := range []Peer{{NodeID: -1, ClusterID: "cluster"}, {NodeID: 3}} {
		synctest.Test(t, func(t *testing.T) {
			cfg := testConfig()
			_, b := inMemory(t, cfg)
			go func() {
				h, req := b.want()
				if got := req.(*protocol.ApiVersionsRequest); got.ClusterID != nil || got.NodeID != -1 {
					t.Errorf("request %+v, want neither cluster nor node", got)
				}
				b.answer(h, everything())
			}()
			c, err := Dial(t.Context(), cfg, peer, nil)
			if err != nil {
				t.Fatal(err)
			}
			c.Close(nil)
		})
	}
}

// KIP-511: an older broker answers in v0 that it does not know our version; since 2.4 it says which it does know.
func TestNegotiationWithOlderBrokers(t *testing.T) {
	for _, c := range []struct {
		name string
		max  int16 // what the refusal names; -1 = nothing
		want []int16
	}{
		{"3.9", 4, []int16{5, 4}},
		{"2.4", 3, []int16{5, 3}},
		{"before 2.4", -1, []int16{5, 0}},
		{"one that does not know what it says", 7, []int16{5, 4, 3, 2, 1, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				_, b := inMemory(t, cfg)
				last := c.want[len(c.want)-1]
				go func() {
					for _, want := range c.want {
						h, _ := b.want()
						if h.Version != want {
							t.Errorf("ApiVersions in v%d, want v%d", h.Version, want)
						}
						if h.Version == last {
							b.answer(h, everything())
							continue
						}
						refusal := &protocol.ApiVersionsResponse{ErrorCode: protocol.UnsupportedVersion, FinalizedFeaturesEpoch: -1}
						if c.max >= 0 {
							refusal.APIKeys = []protocol.ApiVersion{{APIKey: 18, MaxVersion: c.max}}
						}
						h.Version = 0
						b.answer(h, refusal)
					}
				}()
				conn, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil)
				if err != nil {
					t.Fatal(err)
				}
				conn.Close(nil)
			})
		})
	}
}

// A broker that refuses every version does not keep us busy for ever.
func TestNegotiationEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		_, b := inMemory(t, cfg)
		go func() {
			for {
				h, _, err := b.read()
				if err != nil {
					return
				}
				h.Version = 0
				b.answer(h, &protocol.ApiVersionsResponse{ErrorCode: protocol.UnsupportedVersion})
			}
		}()
		_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil)
		if !errors.Is(err, protocol.UnsupportedVersion) {
			t.Errorf("got %v, want UNSUPPORTED_VERSION", err)
		}
	})
}

// KIP-1242: the address belongs to another broker now.
func TestMisroutedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		_, b := inMemory(t, cfg)
		go func() {
			h, _ := b.want()
			b.answer(h, &protocol.ApiVersionsResponse{ErrorCode: protocol.RebootstrapRequired, FinalizedFeaturesEpoch: -1})
		}()
		_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: 3, ClusterID: "cluster"}, nil)
		if !errors.Is(err, protocol.RebootstrapRequired) || !strings.Contains(err.Error(), "another one than the metadata said") {
			t.Errorf("got %v, want REBOOTSTRAP_REQUIRED and what it means", err)
		}
	})
}

// Whatever the dial waits for, the end of its context ends it at that moment, with the stage and the socket closed.
func TestDialEndsWithItsContext(t *testing.T) {
	for _, c := range []struct {
		stage   Stage
		prepare func(*Config, *broker)
	}{
		{StageDial, func(cfg *Config, _ *broker) {
			cfg.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		}},
		{StageTLS, func(cfg *Config, _ *broker) { cfg.TLS = testTLS.client() }},
		{StageApiVersions, func(*Config, *broker) {}},
		{StageSASL, func(cfg *Config, b *broker) {
			go b.shakeHands()
			cfg.SASL = alice
		}},
	} {
		t.Run(c.stage.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				client, b := inMemory(t, cfg)
				c.prepare(cfg, b)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				begin := time.Now()
				_, err := Dial(ctx, cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil)
				var e *Error
				if !errors.As(err, &e) || e.Stage != c.stage || !errors.Is(err, context.DeadlineExceeded) || e.Hint == "" && c.stage != StageSASL {
					t.Errorf("got %v, want the deadline in stage %v, with a hint", err, c.stage)
				}
				if got := time.Since(begin); got != 10*time.Second {
					t.Errorf("it took %v, want 10s", got)
				}
				if c.stage == StageDial {
					return
				}
				if !client.closed.Load() {
					t.Error("the socket was left open")
				}
			})
		})
	}
}

// A cancelled dial says so, and not that a socket was closed.
func TestDialCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		inMemory(t, cfg)
		reason := errors.New("not needed any more")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(reason) })
		if _, err := Dial(ctx, cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil); !errors.Is(err, reason) {
			t.Errorf("got %v, want the cause of the cancelling", err)
		}
	})
}

// A context that ends at the very last moment has closed the socket: such a connection is not handed out.
func TestDialCancelledAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		_, b := inMemory(t, cfg)
		ctx, cancel := context.WithCancel(t.Context())
		cfg.SASL = &mechanism{next: func(_ context.Context, challenge []byte) ([]byte, bool, error) {
			if challenge == nil {
				return []byte("who I am"), false, nil
			}
			cancel()
			return nil, true, nil
		}}
		go func() {
			b.shakeHands()
			b.letIn(0)
		}()
		if _, err := Dial(ctx, cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
}
