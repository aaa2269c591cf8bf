package producer_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/producer"
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
