package wire

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
)

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// maxDeserted bounds the calls of one client that were left behind and have not returned. A function that never returns must
// not cost a goroutine for each attempt.
const maxDeserted = 64

// A Deserted counts the calls of a client that were left behind and have not returned.
type Deserted struct{ n atomic.Int32 }

// deserted is for clients that have none of their own.
var deserted Deserted

func (cfg *Config) deserted() *Deserted {
	if cfg.Deserted == nil {
		return &deserted
	}
	return cfg.Deserted
}

// errDeserted ends an attempt that would be one too many.
var errDeserted = fmt.Errorf("%d earlier calls of it have not returned, though their context has ended: it must heed its context", maxDeserted)

// desertable calls a function of the user's. It returns when ctx ends, even if that function does not heed ctx, so that a Close
// need not wait for it. A late result is given to late, unless that is nil. If too many calls are left behind already, it is
// not called.
func desertable[T any](ctx context.Context, left *Deserted, do func() (T, error), late func(T, error)) (T, error) {
	var none T
	if left.n.Load() >= maxDeserted {
		return none, errDeserted
	}
	type outcome struct {
		value T
		err   error
	}
	came := make(chan outcome, 1)
	go func() {
		value, err := do()
		came <- outcome{value, err}
	}()
	select {
	case o := <-came:
		return o.value, o.err
	case <-ctx.Done():
	}
	left.n.Add(1)
	go func() {
		o := <-came
		if late != nil {
			late(o.value, o.err)
		}
		left.n.Add(-1)
	}()
	return none, context.Cause(ctx)
}

// deserting returns a dial function that ends with its context, even if dial, a user's, does not heed it. A connection that
// comes too late is closed.
func deserting(left *Deserted, dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		return desertable(ctx, left, func() (net.Conn, error) { return dial(ctx, network, addr) }, func(sock net.Conn, _ error) {
			if sock != nil {
				sock.Close()
			}
		})
	}
}
