package wire

import (
	"context"
	"net"
	"sync/atomic"
)

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// maxDeserted bounds the dials that were left behind and have not returned: a function that never does must not cost a
// goroutine for each attempt.
const maxDeserted = 64

var deserted atomic.Int32

// deserting returns a dial function that ends with its context, though the one that it calls, a user's, may not heed it: else a
// Close would wait for that. A connection that comes too late is closed.
func deserting(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		type outcome struct {
			sock net.Conn
			err  error
		}
		came := make(chan outcome, 1)
		go func() {
			sock, err := dial(ctx, network, addr)
			came <- outcome{sock, err}
		}()
		select {
		case o := <-came:
			return o.sock, o.err
		case <-ctx.Done():
		}
		if deserted.Add(1) > maxDeserted {
			deserted.Add(-1)
			o := <-came
			return o.sock, o.err
		}
		go func() {
			if o := <-came; o.sock != nil {
				o.sock.Close()
			}
			deserted.Add(-1)
		}()
		return nil, context.Cause(ctx)
	}
}
