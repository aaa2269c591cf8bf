package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/admin"
	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/producer"
)

// Open makes a producer and waits until it knows the topic, whose number of partitions it returns, within cfg.MaxBlock. A
// cluster that cannot be reached is waited for, and the reason told at once; one that is not Kafka is an error at once.
// Records may then wait for room as long as their delivery may take, unless max.block.ms is given: a program that reads a
// file has nothing better to do, and delivery.timeout.ms makes some room at last.
func (s *Settings) Open(ctx context.Context, env *Env, cfg producer.Config, topic string) (*producer.Producer, int, error) {
	env.Screen.Status("connecting …")
	defer env.Screen.Status("")
	patient := cfg
	if !s.Has("max.block.ms") && !s.HasFile() {
		patient.MaxBlock = max(cfg.MaxBlock, cfg.DeliveryTimeout+time.Second)
	}
	p, err := producer.New(patient)
	if err != nil {
		return nil, 0, Usagef("%v", err)
	}
	ctx, cancel := cause.Within(ctx, cfg.MaxBlock, fmt.Errorf("%w (%v)", producer.ErrMaxBlock, cfg.MaxBlock))
	defer cancel()
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
	var hopeless error
	probed := make(chan struct{}) // guards hopeless
	probe := time.AfterFunc(quiet, func() {
		defer close(probed)
		switch err := admin.New(cfg).Reach(ctx); {
		case err == nil || ctx.Err() != nil:
		case admin.Hopeless(err):
			hopeless = err
			cancel(err)
		default:
			env.Say("not connected yet, will try for %v: %v", cfg.MaxBlock, err)
		}
	})
	n, err := p.Partitions(ctx, topic)
	interrupted, stopped := errors.AsType[*Interrupted](context.Cause(ctx))
	cancel(nil)
	if !probe.Stop() {
		<-probed
	}
	switch {
	case err == nil:
		return n, nil
	case stopped:
		return 0, interrupted
	case hopeless != nil:
		err = hopeless
	}
	return 0, err
}

// Close ends a producer. It waits for the outcomes until ctx ends, and gives up the rest then; the callbacks of all records
// have returned in either case.
func Close(ctx context.Context, p *producer.Producer) error {
	err := p.Close(ctx)
	if err != nil {
		p.Close(context.Background()) // which has nothing to wait for but callbacks
	}
	return err
}
