package producer_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// bootstrap is a cluster for the examples. A program has its own brokers here.
func bootstrap() (addresses []string, stop func()) {
	c, err := brokertest.Start(brokertest.Topic("orders", 1), brokertest.Topic("invoices", 1), brokertest.Topic("audit", 1))
	if err != nil {
		log.Fatal(err)
	}
	return c.Bootstrap(), c.Close
}

func Example() {
	brokers, stop := bootstrap()
	defer stop()
	ctx := context.Background()

	p, err := producer.New(producer.DefaultConfig(brokers...))
	if err != nil {
		log.Fatal(err)
	}
	f := p.Send(ctx, producer.Record{Topic: "orders", Key: []byte("customer-7"), Value: []byte(`{"total": 12}`)})
	md, err := f.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(md.Topic, md.Partition, md.Offset)
	if err := p.Close(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: orders 0 0
}

func ExampleProducer_SendFunc() {
	brokers, stop := bootstrap()
	defer stop()
	ctx := context.Background()
	p, err := producer.New(producer.DefaultConfig(brokers...))
	if err != nil {
		log.Fatal(err)
	}
	// One callback may serve all records. It may run on the caller's goroutine, too, so what it changes is atomic.
	var failed atomic.Int64
	count := func(_ producer.RecordMetadata, err error) {
		if err != nil {
			failed.Add(1) // err says why, and MayBeWritten(err) whether the record may be in the log
		}
	}
	for i := range 1000 {
		p.SendFunc(ctx, producer.Record{Topic: "orders", Value: fmt.Append(nil, i)}, count)
	}
	if err := p.Close(ctx); err != nil { // waits for the callbacks
		log.Fatal(err)
	}
	fmt.Println(p.Stats().Acknowledged, "acknowledged,", failed.Load(), "failed")
	// Output: 1000 acknowledged, 0 failed
}

func ExampleTopic_SendAllFunc() {
	brokers, stop := bootstrap()
	defer stop()
	ctx := context.Background()
	p, err := producer.New(producer.DefaultConfig(brokers...))
	if err != nil {
		log.Fatal(err)
	}
	orders := p.Topic("orders")
	var sent atomic.Int64
	count := func(_ producer.RecordMetadata, err error) {
		if err == nil {
			sent.Add(1)
		}
	}
	lines := strings.Lines("one\ntwo\nthree\nfour\nfive\n")
	records := make([]producer.KeyValue, 0, 2) // a hundred or more is what pays
	for line := range lines {
		if records = append(records, producer.KeyValue{Value: []byte(line)}); len(records) == cap(records) {
			orders.SendAllFunc(ctx, records, count)
			records = records[:0] // all was copied
		}
	}
	orders.SendAllFunc(ctx, records, count)
	fmt.Println(p.Close(ctx), sent.Load())
	// Output:
	// <nil> 5
}

func ExampleMayBeWritten() {
	brokers, stop := bootstrap()
	defer stop()
	ctx := context.Background()
	cfg := producer.DefaultConfig(brokers...)
	cfg.MaxBlock = time.Second // so long the partition is waited for: somebody may be adding it
	p, err := producer.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)
	_, err = p.SendSync(ctx, producer.Record{Topic: "orders", Partition: producer.OnPartition(7), Value: []byte("v")})
	var none *producer.NoSuchPartitionError
	switch {
	case errors.As(err, &none):
		fmt.Println("wrong partition:", none)
	case errors.Is(err, protocol.TopicAuthorizationFailed):
		fmt.Println("no permission")
	}
	fmt.Println("could it be written?", producer.MayBeWritten(err))
	// Output:
	// wrong partition: partition 7 does not exist: the topic has 1, numbered from 0
	// could it be written? false
}

func ExampleProducer_Transact() {
	brokers, stop := bootstrap()
	defer stop()
	ctx := context.Background()
	p, err := producer.New(producer.ExactlyOnce("billing-1", brokers...))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)

	// Two records and the offset of what they were made from: all of it, or nothing.
	group := producer.ConsumerGroupMetadata{GroupID: "billing"}
	next := map[producer.TopicPartition]producer.OffsetAndMetadata{{Topic: "orders", Partition: 0}: {Offset: 18}}
	err = p.Transact(ctx, func(tx *producer.Tx) error {
		tx.Send(ctx, producer.Record{Topic: "invoices", Key: []byte("customer-7"), Value: []byte("12.50")})
		tx.Send(ctx, producer.Record{Topic: "audit", Value: []byte("customer-7 pays 12.50")})
		return tx.SendOffsets(ctx, next, group)
	})
	fmt.Println("committed:", err == nil)

	// An error of the function aborts, and is returned.
	err = p.Transact(ctx, func(tx *producer.Tx) error {
		tx.Send(ctx, producer.Record{Topic: "invoices", Key: []byte("customer-8"), Value: []byte("-1")})
		return errors.New("the amount is negative")
	})
	fmt.Println("aborted:", err)
	// Output:
	// committed: true
	// aborted: the amount is negative
}

func ExampleProducer_CommitTransaction() {
	brokers, stop := bootstrap()
	defer stop()
	ctx := context.Background()
	p, err := producer.New(producer.ExactlyOnce("billing-1", brokers...))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)
	if err := p.InitTransactions(ctx); err != nil { // once
		log.Fatal(err)
	}
	if err := p.BeginTransaction(ctx); err != nil {
		log.Fatal(err)
	}
	p.Send(ctx, producer.Record{Topic: "invoices", Key: []byte("customer-7"), Value: []byte("12.50")})

	err = p.CommitTransaction(ctx)
	var failure *producer.TransactionError
	for errors.As(err, &failure) && failure.Next == producer.NextRetryCall {
		err = p.CommitTransaction(ctx) // the commit goes on meanwhile, and this asks what has become of it
	}
	switch {
	case err == nil:
		fmt.Println("committed")
	case failure != nil && failure.Next == producer.NextAbort:
		fmt.Println("a record has failed:", p.AbortTransaction(ctx))
	default:
		log.Fatal(err) // fenced, for example: this producer is of no use any more
	}
	// Output: committed
}

func ExampleFromProperties() {
	cfg, notices, err := producer.FromProperties(strings.NewReader(`
bootstrap.servers=localhost:9092
acks=1
key.serializer=org.apache.kafka.common.serialization.StringSerializer
value.serializer=org.apache.kafka.common.serialization.StringSerializer
`))
	fmt.Println(err, cfg.Acks, cfg.EnableIdempotence)
	for _, n := range notices {
		fmt.Println(n.Key)
	}
	_, notices, _ = producer.FromProperties(strings.NewReader("bootstrap.servers=localhost:9092\nlinger.msec=5"))
	fmt.Println(notices[0])
	// Output:
	// <nil> 1 false
	// acks
	// key.serializer
	// value.serializer
	// line 2: linger.msec: has no effect, as in Java: it is not a known setting; did you mean linger.ms?
}

func ExampleNewTyped() {
	brokers, stop := bootstrap()
	defer stop()
	ctx := context.Background()
	p, err := producer.New(producer.DefaultConfig(brokers...))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)
	type order struct {
		Total int `json:"total"`
	}
	orders := producer.NewTyped(p, producer.StringSerializer{}, producer.JSONSerializer[order]{})
	md, err := orders.Topic("orders").Send(ctx, "customer-7", order{Total: 12}).Wait(ctx)
	fmt.Println(md.Offset, err)
	// Output: 0 <nil>
}

func ExampleProducer_TrySend() {
	brokers, stop := bootstrap()
	defer stop()
	ctx := context.Background()
	p, err := producer.New(producer.DefaultConfig(brokers...))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)
	rec := producer.Record{Topic: "orders", Value: []byte("v")}
	for {
		err := p.TrySend(rec, nil)
		if !errors.Is(err, producer.ErrTopicNotLoaded) {
			fmt.Println(err)
			return
		}
		time.Sleep(time.Millisecond) // or do something useful: the look-up is under way
	}
	// Output: <nil>
}
