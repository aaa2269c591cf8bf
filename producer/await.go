package producer

import (
	"context"

	"github.com/epistle-kafka/epistle/internal/await"
)

// The command line waits for a partition before it reads anything that could be sent there.
func init() {
	await.Partition = func(ctx context.Context, p any, topic string, n int32) error {
		return p.(*Producer).awaitPartition(ctx, topic, n)
	}
}

// awaitPartition waits until a topic has partition n, as Send does for a record that names it, for as long as ctx allows.
func (p *Producer) awaitPartition(ctx context.Context, name string, n int32) error {
	have, err := p.Partitions(ctx, name)
	if err != nil || int(n) < have {
		return err
	}
	w := wait{p: p, ctx: ctx, block: true}
	defer w.end()
	lacking := &NoSuchPartitionError{Want: n, Have: int32(have)}
	_, err = p.lookupPartition(&w, &entry{topic: name, partition: OnPartition(n)}, lacking)
	return outward(err)
}
