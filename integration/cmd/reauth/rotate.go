package main

import (
	"context"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// A rotation is a secret that is replaced while records flow, again and again.
type rotation struct {
	name   string
	config producer.Config
	// turn replaces it for the n-th time, from 1 on, and waits until the producer should use the new one. The end of ctx hurries
	// it: it waits no more, and does all that is left to do.
	turn func(ctx context.Context, n int) error
	// takes bounds a turn.
	takes time.Duration
	// shown says that the producer has used the secrets of that many turns, or in an error what speaks against it.
	shown func(turns int) (string, error)
}

// A rotated is what became of one.
type rotated struct {
	*result
	turns int
	shown string
	doubt error // nil if it is shown that the new secrets were used
}

// rotate has a phase in which a secret is replaced, as often as there is time to.
func (s *soak) rotate(ctx context.Context, r *rotation, long time.Duration) (*rotated, error) {
	turned := &rotated{}
	during := func(ctx context.Context, until time.Time) error {
		pause(ctx, lead)
		for n := 1; time.Until(until) > r.takes && ctx.Err() == nil; n++ {
			if err := r.turn(ctx, n); err != nil {
				return fmt.Errorf("turn %d: %w", n, err)
			}
			if ctx.Err() == nil { // else nobody had the time to see what it brought
				turned.turns = n
			}
		}
		return nil
	}
	ran, err := s.run(ctx, phase{name: r.name, config: r.config, long: long, during: during})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	turned.result = ran
	switch {
	case turned.turns > 0:
		turned.shown, turned.doubt = r.shown(turned.turns)
	case ctx.Err() == nil:
		turned.doubt = fmt.Errorf("nothing was replaced: that takes up to %v", r.takes)
	}
	return turned, nil
}

// broken is which promises a rotation breaks.
func (r *rotated) broken() []string {
	var all []string
	if r.doubt != nil {
		all = append(all, fmt.Sprintf("%s: %v", r.name, r.doubt))
	}
	return append(all, r.loss()...)
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
