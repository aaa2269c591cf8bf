package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/admin"
	"github.com/epistle-kafka/epistle/producer"
)

// Open makes a producer and waits until it knows the topic, whose number of partitions it returns. A cluster that cannot
// be reached is waited for, and the reason told at once; one that is not Kafka is an error at once.
func Open(ctx context.Context, env *Env, cfg producer.Config, topic string) (*producer.Producer, int, error) {
	env.Screen.Status("connecting …")
	defer env.Screen.Status("")
	p, err := producer.New(cfg)
	if err != nil {
		return nil, 0, Usagef("%v", err)
	}
	partitions, err := lookUp(ctx, env, p, cfg, topic)
	if err != nil {
		ended, cancel := context.WithCancel(context.Background())
		cancel() // it holds no record
		p.Close(ended)
		return nil, 0, err
	}
	return p, partitions, nil
}

// lookUp is Partitions, with a word to those who wait.
func lookUp(ctx context.Context, env *Env, p *producer.Producer, cfg producer.Config, topic string) (int, error) {
	const quiet = 500 * time.Millisecond // after which the user wants to know what is going on
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	probed := make(chan struct{})
	probe := time.AfterFunc(quiet, func() {
		defer close(probed)
		switch err := admin.New(cfg).Reach(ctx); {
		case err == nil || ctx.Err() != nil:
		case admin.Hopeless(err):
			cancel(err)
		default:
			env.Say("not connected yet, will try for %v: %v", cfg.MaxBlock, err)
		}
	})
	n, err := p.Partitions(ctx, topic)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	cancel(nil)
	if !probe.Stop() {
		<-probed
	}
	if interrupted, ok := errors.AsType[*Interrupted](err); ok {
		return 0, interrupted
	}
	if err != nil {
		return 0, fmt.Errorf("topic %q: %w", topic, err)
	}
	return n, nil
}
