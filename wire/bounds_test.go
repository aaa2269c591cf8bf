package wire

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Each stage has its bound, from its own beginning, whatever those before it took; the error names the stage, how long that
// was, and the setting that it comes from.
func TestStageBounds(t *testing.T) {
	slowly := func(cfg *Config, client net.Conn) {
		cfg.DialContext = func(context.Context, string, string) (net.Conn, error) {
			time.Sleep(9 * time.Second)
			return client, nil
		}
	}
	for _, c := range []struct {
		stage   Stage
		text    string
		took    time.Duration
		prepare func(*Config, *broker, net.Conn)
	}{
		{StageDial, "10s (socket.connection.setup.timeout.ms)", 10 * time.Second, func(cfg *Config, _ *broker, _ net.Conn) {
			cfg.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		}},
		{StageTLS, "3s (request.timeout.ms)", 12 * time.Second, func(cfg *Config, _ *broker, client net.Conn) {
			slowly(cfg, client)
			cfg.TLS = testTLS.client()
		}},
		{StageApiVersions, "3s (request.timeout.ms)", 12 * time.Second, func(cfg *Config, _ *broker, client net.Conn) { slowly(cfg, client) }},
		{StageSASL, "3s (request.timeout.ms)", 14 * time.Second, func(cfg *Config, b *broker, client net.Conn) {
			slowly(cfg, client)
			go func() {
				h, _, _ := b.read()
				time.Sleep(2 * time.Second)
				b.answer(h, everything())
			}()
			cfg.SASL = alice
		}},
	} {
		t.Run(c.stage.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				cfg.RequestTimeout = 3 * time.Second
				client, b := inMemory(t, cfg)
				c.prepare(cfg, b, client)
				begin := time.Now()
				_, err := DialWithin(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1},
					Bounds{Connect: 10 * time.Second, Stage: 3 * time.Second}, nil)
				var e *Error
				if !errors.As(err, &e) || e.Stage != c.stage || !errors.Is(err, context.DeadlineExceeded) || !TimedOut(err) {
					t.Fatalf("got %v, want the end of its time in stage %v", err, c.stage)
				}
				if want := "no success within " + c.text; !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
				if took := time.Since(begin); took != c.took {
					t.Errorf("it took %v, want %v", took, c.took)
				}
				if c.stage != StageDial && !client.closed.Load() {
					t.Error("the socket was left open")
				}
			})
		})
	}
}

// Stages that are within their bounds are not disturbed by them, nor is the connection afterwards.
func TestStagesWithinTheirBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		client, b := inMemory(t, cfg)
		cfg.DialContext = func(context.Context, string, string) (net.Conn, error) {
			time.Sleep(9 * time.Second)
			return client, nil
		}
		go func() {
			h, _, _ := b.read()
			time.Sleep(2900 * time.Millisecond)
			b.answer(h, everything())
		}()
		c, err := DialWithin(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1},
			Bounds{Connect: 10 * time.Second, Stage: 3 * time.Second}, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if client.closed.Load() {
			t.Error("the connection was closed by the bound of a stage that is over")
		}
		c.Close(nil)
	})
}
