package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/admin"
	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/producer"
)

// Quiet is the time after which a user who waits wants to know what for.
const Quiet = 500 * time.Millisecond

// StartPatience is how long a command waits for the cluster before it begins: max.block.ms. Where that is 0, sending is never to
// wait, and the command waits for as long as by default.
func StartPatience(cfg *producer.Config) time.Duration {
	if cfg.MaxBlock > 0 {
		return cfg.MaxBlock
	}
	return producer.DefaultConfig().MaxBlock
}

// Open makes a producer, waits until it knows the topic, for StartPatience at most, and returns the topic's number of
// partitions. It waits for a cluster that cannot be reached, and says the reason at once. A server that is not Kafka, or not as
// the settings say, is an error at once. After that, unless max.block.ms is given, records may wait for memory as long as their
// delivery may take: a program that reads a file has nothing better to do, and delivery.timeout.ms frees memory in the end.
func (s *Settings) Open(ctx context.Context, env *Env, cfg producer.Config, topic string) (*producer.Producer, int, error) {
	env.Screen.Status("connecting …")
	defer env.Screen.Status("")
	patient := cfg
	if !s.Has("max.block.ms") && !s.HasFile() {
		patient.MaxBlock = max(cfg.MaxBlock, cfg.DeliveryTimeout+time.Second)
	}
	p, err := producer.New(patient)
	if err != nil {
		return nil, 0, &UsageError{err.Error()}
	}
	patience := StartPatience(&cfg)
	ctx, cancel := cause.Within(ctx, patience, fmt.Errorf("%w (%v)", producer.ErrMaxBlock, patience))
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

// lookUp is Partitions, with a message for a user who waits.
func lookUp(ctx context.Context, env *Env, p *producer.Producer, cfg producer.Config, topic string) (int, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	final := make(chan error, 1)
	go func() {
		err := watchReach(ctx, env, cfg)
		if err != nil {
			cancel(err)
		}
		final <- err
	}()
	n := 0
	err := patiently(ctx, func() (err error) {
		n, err = p.Partitions(ctx, topic)
		return err
	})
	interrupted, stopped := errors.AsType[*Interrupted](context.Cause(ctx))
	cancel(nil)
	shown := <-final
	switch {
	case err == nil:
		return n, nil
	case stopped:
		return 0, interrupted
	case shown != nil:
		err = shown
	}
	return 0, &over{err}
}

// over is the error of a look-up with which a command ends, so that nothing goes on.
type over struct{ err error }

func (e *over) Error() string {
	return strings.Replace(e.err.Error(), ", and the look-up goes on", "", 1)
}

func (e *over) Unwrap() error { return e.err }

// patiently calls what max.block.ms bounds, again and again while it is that which ends the call, and ctx has not ended: where
// max.block.ms is 0, a call ends at once, and what it has begun goes on.
func patiently(ctx context.Context, call func() error) error {
	for {
		err := call()
		if !errors.Is(err, producer.ErrMaxBlock) || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			if err = call(); err == nil || errors.Is(err, context.Cause(ctx)) {
				return err
			}
			return fmt.Errorf("%w: %w", err, context.Cause(ctx))
		}
	}
}

// watchReach checks whether the cluster can be reached, until it can or ctx ends. It tells the user of the first failure, and
// returns a failure that no waiting will mend.
func watchReach(ctx context.Context, env *Env, cfg producer.Config) error {
	const again = 5 * time.Second
	told := false
	for pause := Quiet; ; pause = again {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		switch final, err := admin.New(cfg).Reach(ctx); {
		case err == nil || ctx.Err() != nil:
			return nil
		case final:
			return err
		case !told:
			told = true
			env.Say("not connected yet: %v; or it is still starting: waiting until %s (%s); `%s doctor` with the same settings looks for the cause",
				err, untilWhen(ctx), patienceOf(&cfg), env.Command())
		}
	}
}

// patienceOf says how long StartPatience is, and why.
func patienceOf(cfg *producer.Config) string {
	if cfg.MaxBlock > 0 {
		return fmt.Sprintf("max.block.ms is %v", cfg.MaxBlock)
	}
	return fmt.Sprintf("%v in all, as max.block.ms is 0", StartPatience(cfg))
}

// untilWhen says when ctx ends.
func untilWhen(ctx context.Context) string {
	end, _ := ctx.Deadline()
	if time.Until(end) > 12*time.Hour {
		return end.Format(time.DateTime)
	}
	return end.Format(time.TimeOnly)
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
