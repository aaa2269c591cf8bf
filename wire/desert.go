package wire

import (
	"context"
	"net"
	"sync/atomic"
)

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// maxDeserted bounds the calls that were left behind and have not returned. A function that never returns must not cost a
// goroutine for each attempt.
const maxDeserted = 64

var deserted atomic.Int32

// desertable calls a function of the user's. It returns when ctx ends, even if that function does not heed ctx, so that a Close
// need not wait for it. A late result is given to late, unless that is nil.
func desertable[T any](ctx context.Context, do func() (T, error), late func(T, error)) (T, error) {
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
	if deserted.Add(1) > maxDeserted {
		deserted.Add(-1)
		o := <-came
		return o.value, o.err
	}
	go func() {
		o := <-came
		if late != nil {
			late(o.value, o.err)
		}
		deserted.Add(-1)
	}()
	var none T
	return none, context.Cause(ctx)
}

// deserting returns a dial function that ends with its context, even if dial, a user's, does not heed it. A connection that
// comes too late is closed.
func deserting(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		return desertable(ctx, func() (net.Conn, error) { return dial(ctx, network, addr) }, func(sock net.Conn, _ error) {
			if sock != nil {
				sock.Close()
			}
		})
	}
}
