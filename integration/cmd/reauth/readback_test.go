package main

import (
	"context"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// A process reads a real topic while it is written, finds what is wrong in it, and ends at its end.
func TestReadBack(t *testing.T) {
	cluster := kafka.Shared(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	admin, err := reader.NewAdmin(cluster.Bootstrap())
	do(t, err)
	defer admin.Close()
	const topic, partitions, each = "read-back", 3, 5000
	do(t, admin.CreateTopic(ctx, topic, partitions, -1, nil))
	defer admin.Client().DeleteTopic(context.WithoutCancel(ctx), topic)
	back, err := startReadBack(cluster.Bootstrap(), topic, partitions, false)
	do(t, err)
	defer back.stop()

	p, err := producer.New(producer.DefaultConfig(cluster.Bootstrap()))
	do(t, err)
	defer p.Close(ctx)
	failed := make(chan error, partitions*each+10)
	send := func(partition int32, n int64) {
		value := make([]byte, leastSize)
		putNumber(value, partition, n, false)
		p.SendFunc(ctx, producer.Record{Topic: topic, Partition: producer.OnPartition(partition), Value: value}, func(_ producer.RecordMetadata, err error) { failed <- err })
	}
	for n := range int64(each) {
		for i := range int32(partitions) {
			if i != 1 || n != 100 { // which is missing
				send(i, n)
			}
		}
		if n == 200 {
			send(2, n) // doubled
		}
	}
	do(t, p.Flush(ctx))
	close(failed)
	for err := range failed {
		do(t, err)
	}
	for back.now().Read == 0 { // it tells what it has found while it reads
		if pause(ctx, 10*time.Millisecond); ctx.Err() != nil {
			t.Fatal(ctx.Err())
		}
	}
	found, err := back.finish(ctx, []int64{each, each, each})
	do(t, err)
	if found.Read != partitions*each || found.Missing != 1 || found.Doubled != 1 || found.wrong() != 2 {
		t.Errorf("%+v, want one missing and one doubled", found)
	}
}

// It ends with the process that has started it.
func TestReadBackIsStopped(t *testing.T) {
	cluster := kafka.Shared(t)
	back, err := startReadBack(cluster.Bootstrap(), "nowhere", 1, false)
	do(t, err)
	back.stop()
	<-back.ended
}
