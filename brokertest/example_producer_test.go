package brokertest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// A producer sends to a cluster in memory: the cluster opens its connections. In a test New is in the place of Start.
func ExampleInMemory() {
	ctx := context.Background()
	kafka, err := brokertest.Start(brokertest.InMemory(), brokertest.Topic("orders", 1))
	if err != nil {
		log.Fatal(err)
	}
	defer kafka.Close()
	kafka.On(brokertest.Produce).Do(brokertest.HandleThenDrop()) // the first answer is lost

	cfg := producer.DefaultConfig(kafka.Bootstrap()...)
	cfg.DialContext = kafka.DialContext
	p, err := producer.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)
	md, err := p.SendSync(ctx, producer.Record{Topic: "orders", Value: []byte("one order")})
	fmt.Println("offset", md.Offset, err)
	for _, r := range kafka.Records("orders", 0) {
		fmt.Printf("%d: %s\n", r.Offset, r.Value)
	}
	fmt.Println("wrong:", kafka.Verify(nil))
	// Output:
	// offset 0 <nil>
	// 0: one order
	// wrong: <nil>
}
