package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/admin"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/protocol"
)

// realCluster is a cluster that the user has named.
type realCluster struct {
	admin      *admin.Client
	partitions int32
	before     []admin.Range
}

func (c *realCluster) prepare(ctx context.Context, d *demo) error {
	// It takes a moment until a new topic has leaders and all brokers know it, whoever has made it.
	const pause = 100 * time.Millisecond
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the cluster was not ready within %v", patience))
	defer cancel()
	asked, made, told := false, false, false
	for began := time.Now(); ; {
		before, err := c.admin.Offsets(ctx, d.topic)
		switch {
		case err == nil && len(before) > 0:
			if !made {
				d.say("Topic %s exists; what is sent is added to it.", d.topic)
			}
			c.before = before
			return nil
		case err == nil || asked:
		case errors.Is(err, protocol.UnknownTopicOrPartition):
			asked = true
			if made, err = c.admin.CreateTopic(ctx, d.topic, c.partitions); err != nil {
				return err
			}
			if made {
				d.say("Created topic %s with %s.", d.topic, ui.Number(int64(c.partitions), "partition"))
			}
		case !passes(err):
			return err
		}
		if err != nil && !told && time.Since(began) > cli.Quiet {
			told = true
			d.env.Say("not ready yet: %v; waiting until %s", err, began.Add(patience).Format(time.TimeOnly))
		}
		select {
		case <-ctx.Done():
			if err == nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(pause):
		}
	}
}

// passes reports whether brokers may answer otherwise soon: a topic was made a moment ago, or its leaders move.
func passes(err error) bool {
	code, ok := errors.AsType[protocol.ErrorCode](err)
	return ok && code.Retriable()
}

// written counts by how much the logs have grown.
func (c *realCluster) written(ctx context.Context, d *demo) (n int64, err error) {
	after, err := c.admin.Offsets(ctx, d.topic)
	for partition, r := range after {
		n += r.End
		if partition < len(c.before) {
			n -= c.before[partition].End
		}
	}
	return n, err
}

// check compares offsets: those that the acknowledgements gave, and how far the logs go.
func (c *realCluster) check(ctx context.Context, d *demo, r *report) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	after, err := c.admin.Offsets(ctx, d.topic)
	if err != nil {
		return err
	}
	acknowledged := make([]int64, len(after))
	for _, md := range d.placed {
		if int(md.Partition) >= len(after) {
			r.wrong("partitions: a record was acknowledged in partition %d, and the topic has %d", md.Partition, len(after))
			return nil
		}
		acknowledged[md.Partition]++
	}
	c.checkEnds(acknowledged, after, r)
	if d.verb == cli.Written {
		d.say("  -       offsets, order: with acks=0 brokers do not tell where a record is")
		return nil
	}
	c.checkPlaces(d, after, r)
	return nil
}

// checkEnds compares how much the logs have grown.
func (c *realCluster) checkEnds(acknowledged []int64, after []admin.Range, r *report) {
	var grown, sent int64
	short := false
	for partition, n := range acknowledged {
		g := after[partition].End
		if partition < len(c.before) {
			g -= c.before[partition].End
		}
		if g < n {
			short = true
			r.wrong("count: partition %d has grown by %s, and %s were %s in it", partition, ui.Number(g, "record"), ui.Count(n), r.d.verb)
		}
		grown, sent = grown+g, sent+n
	}
	switch {
	case short:
	case grown == sent:
		r.passed("count: the logs have grown by %s, in each partition by as many as were %s", ui.Number(grown, "record"), r.d.verb)
	default:
		r.passed("count: the logs have grown by %s; %s more than these are somebody else's", ui.Number(grown, "record"), ui.Count(grown-sent))
	}
}

// checkPlaces looks at the offset of each record.
func (c *realCluster) checkPlaces(d *demo, after []admin.Range, r *report) {
	type place struct {
		partition int32
		offset    int64
	}
	taken := make(map[place]bool)
	last := make(map[string]place)
	shared, outside, disorder := 0, 0, 0
	for i, md := range d.placed {
		at := place{md.Partition, md.Offset}
		if taken[at] {
			shared++
		}
		taken[at] = true
		if md.Offset < 0 || md.Offset >= after[md.Partition].End {
			outside++
		}
		key := string(d.events[i].key)
		if before, ok := last[key]; ok && (before.partition != at.partition || before.offset >= at.offset) {
			disorder++
		}
		last[key] = at
	}
	if shared+outside == 0 {
		r.passed("offsets: each record has one of its own, and the logs go beyond it")
	} else {
		r.wrong("offsets: %d records share one, %d have one beyond the end of the log", shared, outside)
	}
	if disorder == 0 {
		r.passed("order: each of the %s has one partition, and offsets that rise in the order of the file", ui.Number(int64(len(last)), "customer"))
	} else {
		r.wrong("order: %s out of order", ui.Number(int64(disorder), "record"))
	}
}
