package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/internal/await"
	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/producer"
)

// partitionLag is how long a partition that was added may take to be known to all brokers. In a healthy cluster it is less than
// a second, in a busy one more. Whoever has named a wrong partition waits as long to be told.
const partitionLag = 5 * time.Second

// errPartitionLag ends the wait for a partition.
var errPartitionLag = errors.New("the partition has not come")

// AwaitPartition waits until a topic has partition n. One that was added a moment ago is not known to every broker yet, so the
// cluster is asked again for partitionLag, or for most if that is less. A user who waits is told what for.
func AwaitPartition(ctx context.Context, env *Env, p *producer.Producer, topic string, n int32, most time.Duration) error {
	began := time.Now()
	until := began.Add(min(partitionLag, most))
	err := awaitPartition(ctx, p, topic, n, min(Quiet, time.Until(until)))
	lacking, _ := errors.AsType[*producer.NoSuchPartitionError](err)
	if lacking != nil && errors.Is(err, errPartitionLag) && time.Until(until) > 0 {
		env.Say("topic %q has %s, numbered from 0, and not partition %d; if that was added a moment ago, not every broker knows it yet: asking again until %s",
			topic, ui.Number(int64(lacking.Have), "partition"), n, until.Format(time.TimeOnly))
		err = awaitPartition(ctx, p, topic, n, time.Until(until))
		lacking, _ = errors.AsType[*producer.NoSuchPartitionError](err)
	}
	interrupted, stopped := errors.AsType[*Interrupted](context.Cause(ctx))
	switch {
	case err == nil:
		return nil
	case stopped:
		return interrupted
	case lacking == nil || !errors.Is(err, errPartitionLag):
		return fmt.Errorf("topic %q: %w", topic, err)
	}
	err = fmt.Errorf("topic %q: %w, still so after %v", topic, lacking, time.Since(began).Round(100*time.Millisecond))
	if h := p.Health(); h.State == producer.HealthFailing { // so the brokers said it before that
		err = fmt.Errorf("%w; %s", err, h.Reasons[0])
	}
	return err
}

func awaitPartition(ctx context.Context, p *producer.Producer, topic string, n int32, d time.Duration) error {
	ctx, cancel := cause.Within(ctx, d, errPartitionLag)
	defer cancel()
	return patiently(ctx, func() error { return await.Partition(ctx, p, topic, n) })
}
