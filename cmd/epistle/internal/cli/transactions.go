package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/producer"
)

// InitTransactions makes the producer the only one of its transactional id, within patience.
func InitTransactions(ctx context.Context, env *Env, p *producer.Producer, patience time.Duration) error {
	env.Screen.Status("starting transactions …")
	defer env.Screen.Status("")
	ctx, cancel := cause.Within(ctx, patience, fmt.Errorf("%w (%v)", producer.ErrMaxBlock, patience))
	defer cancel()
	return p.InitTransactions(ctx)
}

// Insist calls a transactional method until it does what it is to, or tells that it never will. When patience ends the
// producer is closed, as whoever has lost his own may close it, which makes the method tell what it knows.
func Insist(env *Env, p *producer.Producer, patience time.Duration, what string, call func(context.Context) error) error {
	const pause = 100 * time.Millisecond // where max.block.ms is next to nothing
	giveUp := time.AfterFunc(patience, func() { CloseNow(p) })
	defer giveUp.Stop()
	var doubt error
	for {
		err := call(context.Background())
		failure, ok := errors.AsType[*producer.TransactionError](err)
		switch {
		case err == nil:
			return nil
		case ok && failure.Next == producer.NextRetryCall:
			if doubt == nil {
				env.Say("still waiting to %s: %v", what, failure.Err)
			}
			doubt = err
			time.Sleep(pause)
		case !ok && doubt != nil:
			return doubt // it was closed between two calls
		default:
			return err
		}
	}
}

// Patience is how long Insist waits: what a record may take, and as much again for the coordinator.
func Patience(cfg *producer.Config) time.Duration { return 2 * cfg.DeliveryTimeout }

// CloseNow closes a producer without waiting for anything but callbacks.
func CloseNow(p *producer.Producer) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = Close(ended, p) // what this cuts off fails, and says so itself
}
