package producer_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// The bootstrap server answers, and the address that the cluster gives cannot be reached, as with a mapped port and
// advertised.listeners by default. Attempts to connect keep to reconnect.backoff.ms, and the bootstrap server, which answers well,
// is not dialled again and again.
func TestAnAdvertisedAddressThatCannotBeReached(t *testing.T) {
	for _, there := range []bool{true, false} { // the topic; else it is created
		for _, hangsUp := range []time.Duration{0, 20 * time.Millisecond, time.Second} { // the bootstrap server, so long after each connection; 0: never
			t.Run(fmt.Sprintf("topic there %v, hang-ups %v", there, hangsUp), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					options := []brokertest.Option{brokertest.InMemory()}
					if there {
						options = append(options, brokertest.Topic("t", 1))
					}
					c := brokertest.New(t, options...)
					var bootstrap, refused atomic.Int32 // two connections may be dialled at once
					p := start(t, c, func(cfg *producer.Config) {
						cfg.BootstrapServers = []string{"bootstrap:9092"}
						cfg.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
							if addr != "bootstrap:9092" {
								refused.Add(1)
								return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
							}
							bootstrap.Add(1)
							select {
							case <-time.After(3 * time.Millisecond):
							case <-ctx.Done(): // a Close
								return nil, ctx.Err()
							}
							sock, err := c.DialContext(ctx, network, c.Bootstrap()[0])
							if hangsUp > 0 && err == nil {
								time.AfterFunc(hangsUp, func() { sock.Close() })
							}
							return sock, err
						}
					})
					p.SendFunc(t.Context(), record("x"), nil)
					time.Sleep(time.Minute)
					most, mostRefused := int32(1), int32(300) // two lanes, each once in the longest backoff in the end
					if hangsUp > 0 {
						most, mostRefused = 720, 1440 // it is there each time, so the backoff does not grow
					}
					if b, r := bootstrap.Load(), refused.Load(); b > most || r > mostRefused {
						t.Errorf("in a minute the bootstrap server was dialled %d times, and the broker %d times; want %d and %d at most", b, r, most, mostRefused)
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					if err := p.Close(ctx); err == nil {
						t.Error("the record was delivered")
					}
				})
			})
		}
	}
}
