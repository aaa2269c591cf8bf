package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/producer"
)

// pause is between two calls of a method that ends at once, since max.block.ms is next to nothing.
const pause = 100 * time.Millisecond

// InitTransactions calls Producer.InitTransactions until it succeeds, within patience.
func InitTransactions(ctx context.Context, env *Env, p *producer.Producer, patience time.Duration) error {
	env.Screen.Status("starting transactions …")
	defer env.Screen.Status("")
	ctx, cancel := cause.Within(ctx, patience, fmt.Errorf("%w (%v)", producer.ErrMaxBlock, patience))
	defer cancel()
	return patiently(ctx, func() error { return p.InitTransactions(ctx) })
}

// Insist calls a transactional method until it succeeds or fails for good. When patience ends it closes the producer, and the
// method then returns what it knows.
func Insist(env *Env, p *producer.Producer, patience time.Duration, what string, call func(context.Context) error) error {
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

// CloseNow closes a producer and waits for callbacks only.
func CloseNow(p *producer.Producer) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = Close(ended, p) // records that this cuts off fail, and are reported
}
