package reader

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Follow reads a topic while it is written: it hands each record to each, of every partition in the order of its offsets, and
// keeps none. When end is closed it reads on to the ends that the partitions have then, and returns; if committed records are
// read, it waits for the end of transactions that are open then. An error of each ends it and is returned. What was deleted
// before it was read is skipped without a word.
func Follow(ctx context.Context, bootstrap, topic string, o Options, end <-chan struct{}, each func(*Record) error) error {
	client, _, err := open(ctx, bootstrap, topic, o)
	if err != nil {
		return err
	}
	defer client.Close()
	f := follower{client: client, topic: topic, next: make(map[int32]int64), each: each}
	written, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-end:
			stop()
		case <-written.Done():
		}
	}()
	for written.Err() == nil {
		if err := f.poll(written); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("topic %s: %w", topic, err)
	}
	// The ends of all records, also if committed ones are read: a commit is acknowledged before its markers are written.
	ends, err := bounds(ctx, kadm.NewClient(client), topic, Options{})
	if err != nil {
		return fmt.Errorf("the end of topic %s: %w", topic, err)
	}
	for !f.reached(ends) {
		if err := f.poll(ctx); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("topic %s: %w before it was read to its end", topic, err)
		}
	}
	return nil
}

// A follower reads what is written.
type follower struct {
	client *kgo.Client
	topic  string
	next   map[int32]int64 // the offset after the last record that was read, by partition
	each   func(*Record) error
}

// poll waits for records and hands them on. The end of ctx ends it without an error.
func (f *follower) poll(ctx context.Context) error {
	fetches := f.client.PollFetches(ctx)
	for _, failed := range fetches.Errors() {
		if ctx.Err() == nil {
			return fmt.Errorf("topic %s, partition %d: %w", f.topic, failed.Partition, failed.Err)
		}
	}
	for records := fetches.RecordIter(); !records.Done(); {
		r := records.Next()
		f.next[r.Partition] = r.Offset + 1
		if r.Attrs.IsControl() {
			continue
		}
		if err := f.each(r); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) reached(ends map[int32]int64) bool {
	for partition, end := range ends {
		if f.next[partition] < end {
			return false
		}
	}
	return true
}
