package producer_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// Several records are on their way at a time, and each has a future.
func ExampleProducer_Send() {
	brokers, stop := bootstrap()
	defer stop()
	ctx := context.Background()
	p, err := producer.New(producer.DefaultConfig(brokers...))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)
	var futures []producer.Future
	for _, value := range []string{"one", "two", "three"} {
		futures = append(futures, p.Send(ctx, producer.Record{Topic: "orders", Value: []byte(value)}))
	}
	for _, f := range futures {
		md, err := f.Wait(ctx)
		fmt.Println(md.Offset, err)
	}
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 2 <nil>
}

// The end of a Wait is not the end of the record: a later Wait learns the outcome.
func ExampleFuture_Wait() {
	kafka, err := brokertest.Start(brokertest.Topic("orders", 1))
	if err != nil {
		log.Fatal(err)
	}
	defer kafka.Close()
	answer := make(chan struct{})
	kafka.On(brokertest.Produce).Do(brokertest.Pass().Held(answer))
	p, err := producer.New(producer.DefaultConfig(kafka.Bootstrap()...))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(context.Background())

	f := p.Send(context.Background(), producer.Record{Topic: "orders", Value: []byte("one")})
	impatient, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = f.Wait(impatient)
	fmt.Println(errors.Is(err, producer.ErrOutcomeUnknown), errors.Is(err, context.Canceled), producer.MayBeWritten(err))

	close(answer)
	md, err := f.Wait(context.Background())
	fmt.Println(md.Offset, err)
	// Output:
	// true true true
	// 0 <nil>
}

// What a program has to tell apart: why a record failed, and whether it may be in the log all the same.
func Example_errors() {
	kafka, err := brokertest.Start(brokertest.Topic("orders", 1))
	if err != nil {
		log.Fatal(err)
	}
	defer kafka.Close()
	ctx := context.Background()
	p, err := producer.New(producer.DefaultConfig(kafka.Bootstrap()...))
	if err != nil {
		log.Fatal(err)
	}
	send := func(value []byte) {
		_, err := p.SendSync(ctx, producer.Record{Topic: "orders", Value: value})
		var (
			tooLarge *producer.RecordTooLargeError
			failed   *producer.SendError
			code     protocol.ErrorCode
		)
		switch {
		case err == nil:
			fmt.Println("written")
			return
		case errors.Is(err, producer.ErrClosed):
			fmt.Print("the producer is closed")
		case errors.Is(err, producer.ErrOutcomeUnknown): // ctx ended: the record goes on
			fmt.Print("nobody waits any longer")
		case errors.Is(err, producer.ErrMaxBlock): // no room, or no metadata: it was not taken
			fmt.Print("the cluster cannot keep up: slow down, then send it again")
		case errors.Is(err, producer.ErrDeliveryTimeout): // all retries were in vain
			fmt.Print("the cluster did not answer: send it again, if twice does no harm")
		case errors.As(err, &tooLarge):
			fmt.Printf("%s allows %d bytes", tooLarge.Key, tooLarge.Limit)
		case errors.Is(err, protocol.TopicAuthorizationFailed):
			fmt.Print("this client may not write")
		case errors.As(err, &failed) && errors.As(err, &code):
			fmt.Printf("%s after %d attempts", code.Name(), failed.Attempts)
		default:
			fmt.Print(err)
		}
		fmt.Println("; may be in the log:", producer.MayBeWritten(err))
	}
	send([]byte("one order"))
	send(make([]byte, 2<<20))
	kafka.On(brokertest.Produce).Do(brokertest.Error(protocol.TopicAuthorizationFailed))
	send([]byte("another order"))
	kafka.On(brokertest.Produce).Do(brokertest.AppendThenError(protocol.UnknownServerError))
	send([]byte("a third order"))
	if err := p.Close(ctx); err != nil {
		log.Fatal(err)
	}
	send([]byte("a late order"))
	// Output:
	// written
	// max.request.size allows 1048576 bytes; may be in the log: false
	// this client may not write; may be in the log: false
	// UNKNOWN_SERVER_ERROR after 1 attempts; may be in the log: true
	// the producer is closed; may be in the log: false
}

// What to do after a transaction that was not committed, its error says. The answer to this commit is lost at first.
func ExampleTransactionError() {
	ctx := context.Background()
	p, err := producertest.Start(producertest.Transactional("billing-1")) // a producer.New in a program
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)
	p.LoseAnswer(producertest.CallCommitTransaction)
	bill := func(tx *producer.Tx) error {
		tx.Send(ctx, producer.Record{Topic: "invoices", Value: []byte("12.50")})
		return nil
	}

	err = p.Transact(ctx, bill)
	failed, _ := errors.AsType[*producer.TransactionError](err)
	for failed != nil && failed.Next == producer.NextRetryCall && ctx.Err() == nil {
		fmt.Println(failed.Call, failed.Outcome)
		if failed.Outcome == producer.OutcomeUnknown {
			err = p.CommitTransaction(ctx) // not Transact: the records may be committed
		} else {
			err = p.Transact(ctx, bill)
		}
		failed, _ = errors.AsType[*producer.TransactionError](err)
	}
	switch {
	case err == nil:
		fmt.Println("committed")
	case failed == nil: // an error of bill itself
		fmt.Println("aborted:", err)
	case failed.Next == producer.NextAbort && failed.Outcome != producer.OutcomeAborted: // CommitTransaction does not abort
		fmt.Println("to be aborted:", err, p.AbortTransaction(ctx))
	case failed.Next == producer.NextAbort: // Transact does
		fmt.Println("aborted:", err)
	default: // NextNewProducer, such as for ErrFenced, or NextFixConfiguration
		fmt.Println("this producer can do no more:", err)
	}
	// Output:
	// CommitTransaction unknown
	// committed
}
