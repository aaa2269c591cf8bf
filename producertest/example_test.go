package producertest_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// Greet is a function of a program: it sends by whatever it is given.
func Greet(ctx context.Context, p producer.Sender, name string) error {
	_, err := p.SendSync(ctx, producer.Record{Topic: "greetings", Key: []byte(name), Value: []byte("hello, " + name)})
	return err
}

// A function that sends is given a double. In a test New is in the place of Start, and Expect looks at what was sent.
func Example() {
	ctx := context.Background()
	p, err := producertest.Start(producertest.Topic("greetings", 2))
	if err != nil {
		log.Fatal(err)
	}
	if err := Greet(ctx, p, "Ada"); err != nil {
		log.Fatal(err)
	}
	for _, sent := range p.Committed("greetings") {
		fmt.Println(sent)
	}

	p.FailNth(1, producertest.NotWritten(protocol.TopicAuthorizationFailed))
	err = Greet(ctx, p, "Ada")
	fmt.Println(errors.Is(err, protocol.TopicAuthorizationFailed), producer.MayBeWritten(err))
	// Output:
	// key "Ada", value "hello, Ada", partition 1, offset 0
	// true false
}

// With Manual nothing is acknowledged before the test says so.
func ExampleManual() {
	p, err := producertest.Start(producertest.Manual())
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"Ada", "Grace"} {
		p.SendFunc(context.Background(), producer.Record{Topic: "greetings", Value: []byte(name)}, func(md producer.RecordMetadata, err error) {
			fmt.Println(name, md.Offset, err == nil)
		})
	}
	fmt.Println(p.Pending(), "wait")
	p.CompleteNext()
	p.FailNext(producertest.MayBeWritten(producer.ErrDeliveryTimeout))
	// Output:
	// 2 wait
	// Ada 0 true
	// Grace -1 false
}

// A transaction that is aborted leaves nothing for consumers to see.
func ExampleTransactional() {
	ctx := context.Background()
	p, err := producertest.Start(producertest.Transactional("greeter-1"))
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"Ada", ""} {
		err := p.Transact(ctx, func(tx *producer.Tx) error {
			if err := Greet(ctx, tx, name); err != nil {
				return err
			}
			if name == "" {
				return errors.New("nobody is greeted")
			}
			return nil
		})
		fmt.Println(err)
	}
	for _, sent := range p.History() {
		fmt.Println(sent)
	}
	// Output:
	// <nil>
	// nobody is greeted
	// key "Ada", value "hello, Ada", partition 0, offset 0
	// key "", value "hello, ", partition 0, offset 2, aborted
}
