package wire

import (
	"context"
	"crypto/tls"
	"net"
	"testing"

	"github.com/epistle-kafka/epistle/sasl"
)

// A mechanism is told of TLS, the producer's own or one that DialContext brings, the first time and again: credentials can be
// bound to it. Over TLS it is not said that they can be read.
func TestMechanismKnowsTLS(t *testing.T) {
	for _, own := range []bool{true, false} {
		cfg := testConfig()
		var seen []*tls.ConnectionState
		cfg.SASL = &mechanism{begin: func(_ context.Context, target sasl.Target) error {
			seen = append(seen, target.TLS)
			if target.Again != (len(seen) > 1) {
				t.Errorf("Again is %t in attempt %d", target.Again, len(seen))
			}
			return nil
		}}
		if own {
			cfg.TLS = testTLS.client()
		} else {
			client := testTLS.client() // for the name that it has
			cfg.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				return (&tls.Dialer{Config: client}).DialContext(ctx, network, addr)
			}
		}
		renewed := make(chan error, 1)
		cfg.Renewed = func(err error) { renewed <- err }
		addr := serve(t, func(conn net.Conn) { echo(t)(tls.Server(conn, testTLS.server())) })
		c, err := Dial(t.Context(), cfg, Peer{Addr: addr, NodeID: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.expire()
		if err := <-renewed; err != nil {
			t.Error(err)
		}
		c.Close(nil)
		<-c.Closed()
		if len(seen) != 2 || seen[0] == nil || seen[1] == nil || !seen[0].HandshakeComplete {
			t.Errorf("own %t: the mechanism was told of %v", own, seen)
		}
	}
}
