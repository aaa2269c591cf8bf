package producer_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/sasl"
)

// A DialContext that does not heed its context keeps nobody: neither Close, nor a goroutine of the producer. What it returns in
// the end is closed.
func TestCloseLeavesADialBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		let := sync.OnceFunc(func() { close(goOn) })
		defer time.AfterFunc(time.Hour, let).Stop()
		near, far := net.Pipe()
		cfg := producer.DefaultConfig()
		cfg.BootstrapServers, cfg.TransactionalID, cfg.MaxBlock = []string{"stuck:9092"}, "tx", time.Second
		cfg.DialContext = func(context.Context, string, string) (net.Conn, error) {
			<-goOn
			return near, nil
		}
		p, err := producer.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.InitTransactions(t.Context()); !errors.Is(err, producer.ErrMaxBlock) {
			t.Errorf("InitTransactions = %v, want that max.block has passed", err)
		}
		at := time.Now()
		if err := p.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if took := time.Since(at); took > 0 {
			t.Errorf("Close took %v, want nothing", took)
		}
		let()
		synctest.Wait()
		if _, err := far.Write([]byte("x")); err == nil {
			t.Error("the connection that came too late is open")
		}
	})
}

// Calls that never return are left behind up to a bound. After it none is begun, so Close waits for none, and who waits is told.
func TestCloseLeavesManyCallsBehind(t *testing.T) {
	for _, what := range []string{"DialContext", "SASL"} {
		synctest.Test(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 1), brokertest.SASL(brokertest.Plain("alice", "secret")))
			never, calls := make(chan struct{}), atomic.Int32{}
			defer close(never)
			cfg := producer.DefaultConfig(c.Bootstrap()...)
			cfg.DialContext = c.DialContext
			if what == "SASL" {
				cfg.SASL = deafMechanism(func() { calls.Add(1); <-never })
			} else {
				cfg.DialContext = func(context.Context, string, string) (net.Conn, error) {
					calls.Add(1)
					<-never
					return nil, net.ErrClosed
				}
			}
			p, err := producer.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			for range 60 { // half an hour
				p.TrySend(record("x"), nil)
				time.Sleep(30 * time.Second)
			}
			if n := calls.Load(); n < 64 || n > 80 {
				t.Errorf("%s: %d calls, want that no more are begun after 64 have not returned", what, n)
			}
			if err := p.Ping(within(t, time.Minute)); err == nil || !strings.Contains(err.Error(), "earlier calls of it have not returned") {
				t.Errorf("%s: Ping = %v, want what keeps it", what, err)
			}
			p.TrySend(record("x"), nil)
			time.Sleep(time.Second)
			at := time.Now()
			closed := make(chan error, 1)
			go func() { closed <- p.Close(context.Background()) }()
			select {
			case err := <-closed:
				if took := time.Since(at); err != nil || took > 0 {
					t.Errorf("%s: Close = %v after %v, want nil at once", what, err, took)
				}
			case <-time.After(time.Hour):
				t.Errorf("%s: Close did not return within an hour", what)
			}
		})
	}
}

// A deafMechanism is one of SASL that heeds no context.
type deafMechanism func()

func (f deafMechanism) Name() string { return "PLAIN" }

func (f deafMechanism) Begin(context.Context, sasl.Target) (sasl.Exchange, error) {
	f()
	return nil, errors.New("never")
}
