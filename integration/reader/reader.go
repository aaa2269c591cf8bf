package reader

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Record is a record as the independent client decodes it. Key and Value are nil for null;
// ProducerID, ProducerEpoch and Attrs tell of the batch that it came in.
type Record = kgo.Record

// Options say how to read. The zero value reads everything, committed or not.
type Options struct {
	// Committed leaves out the records of transactions that were aborted or are open.
	Committed bool
}

// Topic reads a topic from its first records to the ends that its partitions have now, and returns the
// records of each partition in the order of their offsets. Every partition has an entry.
func Topic(ctx context.Context, bootstrap, topic string, o Options) (map[int32][]*Record, error) {
	client, ends, err := open(ctx, bootstrap, topic, o)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	records := make(map[int32][]*Record)
	for partition := range ends {
		records[partition] = nil
	}
	err = consume(ctx, client, topic, ends, func(r *Record) error {
		records[r.Partition] = append(records[r.Partition], r)
		return nil
	})
	return records, err
}

// Stream reads as Topic does and hands each record to each, of every partition in the order of its
// offsets, without keeping any. An error of each ends it and is returned.
func Stream(ctx context.Context, bootstrap, topic string, o Options, each func(*Record) error) error {
	client, ends, err := open(ctx, bootstrap, topic, o)
	if err != nil {
		return err
	}
	defer client.Close()
	return consume(ctx, client, topic, ends, each)
}

// open makes a client that reads every partition from its start, and finds where they end. Partitions
// without a record left are read too, but have nothing to wait for.
func open(ctx context.Context, bootstrap, topic string, o Options) (*kgo.Client, map[int32]int64, error) {
	isolation := kgo.ReadUncommitted()
	if o.Committed {
		isolation = kgo.ReadCommitted()
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(seeds(bootstrap)...),
		kgo.FetchIsolationLevel(isolation),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		// A partition may end with a commit or abort marker; without them its end is never seen.
		kgo.KeepControlRecords(),
		// Where a leader has just moved it would go on asking the old one for five seconds.
		kgo.MetadataMinAge(50*time.Millisecond),
	)
	if err != nil {
		return nil, nil, err
	}
	ends, err := bounds(ctx, kadm.NewClient(client), topic, o)
	if err != nil {
		client.Close()
		return nil, nil, fmt.Errorf("the end of topic %s: %w", topic, err)
	}
	return client, ends, nil
}

// bounds is the offset after the last record of each partition, or 0 for one that holds none.
func bounds(ctx context.Context, admin *kadm.Client, topic string, o Options) (map[int32]int64, error) {
	list := admin.ListEndOffsets
	if o.Committed {
		list = admin.ListCommittedOffsets
	}
	ends, err := offsets(ctx, list, topic)
	if err != nil {
		return nil, err
	}
	starts, err := offsets(ctx, admin.ListStartOffsets, topic)
	if err != nil {
		return nil, err
	}
	bounds := make(map[int32]int64)
	ends.Each(func(end kadm.ListedOffset) {
		bounds[end.Partition] = 0
		if start, ok := starts.Lookup(topic, end.Partition); !ok || end.Offset > start.Offset {
			bounds[end.Partition] = end.Offset
		}
	})
	return bounds, nil
}

// consume polls until every partition has been read up to its end.
func consume(ctx context.Context, client *kgo.Client, topic string, ends map[int32]int64, each func(*Record) error) error {
	left := 0
	done := make(map[int32]bool)
	for partition, end := range ends {
		if done[partition] = end == 0; !done[partition] {
			left++
		}
	}
	for left > 0 {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("topic %s: %w with %d partitions not read to their end", topic, err, left)
		}
		for _, failed := range fetches.Errors() {
			return fmt.Errorf("topic %s, partition %d: %w", topic, failed.Partition, failed.Err)
		}
		for records := fetches.RecordIter(); !records.Done(); {
			r := records.Next()
			end := ends[r.Partition]
			if r.Offset >= end {
				continue // written after the end was asked for
			}
			if !r.Attrs.IsControl() {
				if err := each(r); err != nil {
					return err
				}
			}
			if r.Offset == end-1 && !done[r.Partition] {
				done[r.Partition] = true
				left--
			}
		}
	}
	return nil
}
