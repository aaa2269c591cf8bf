// Transform reads a topic, turns each record's value into upper case, and writes it to another topic, exactly once:
//
//	transform --bootstrap HOST:PORT,… --from TOPIC --to TOPIC --group GROUP --transactional-id ID [--until-idle DURATION]
//
// It shows consume-transform-produce with Epistle as the producer and franz-go as the consumer, to be copied. What is
// read together is written in one transaction, with the group's new offsets in it: either the output is there and the
// input counts as read, or neither. Whatever becomes of this process, of the brokers or of the network, a reader of the
// output that is read_committed finds each record of the input once, those of a key in the order of the input.
//
// Several instances share the work if they have the same --group, and each a --transactional-id of its own. That is the
// instance's name: the same after each restart, and no other's. It is the consumer's group.instance.id, too, so that an
// instance that is started again takes its old place in the group at once.
//
// What this rests on:
//
//   - InitTransactions comes before the consumer asks for the group's offsets. It ends what an earlier run of this
//     instance has left open, and shuts that run out should it still be alive.
//   - The offsets go with the consumer's member id and generation. So an instance that the group has moved on without
//     cannot commit: its transaction is aborted, and whoever has the partitions now does the work.
//   - After a transaction that was aborted the consumer goes back to where the group stands. A consumer goes on from what
//     it has read last, and knows nothing of transactions: without that the records of an aborted one would be lost.
//   - After one of which it is not known whether it was committed, nothing is sent again before that is known.
//   - The consumer is read_committed, so that the input may come from such a program as well.
//
// An interrupt ends the program after the transaction that it is at. The exit status is 0 then, as it is when nothing
// has come for --until-idle; otherwise it is 1, and standard error says why.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/epistle-kafka/epistle/producer"
)

// options are the flags.
type options struct {
	bootstrap       []string
	from, to, group string
	transactionalID string
	untilIdle       time.Duration // 0: never
}

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	log.SetPrefix("transform: ")
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(2) // package flag has said why
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once, which does no harm but to leave work undone
	if err := o.run(ctx); err != nil {
		log.Fatal(err)
	}
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("transform", flag.ContinueOnError)
	bootstrap := flags.String("bootstrap", os.Getenv("KAFKA_BOOTSTRAP"), "`addresses` of the brokers (default: KAFKA_BOOTSTRAP)")
	flags.StringVar(&o.from, "from", "", "the `topic` to read")
	flags.StringVar(&o.to, "to", "", "the `topic` to write")
	flags.StringVar(&o.group, "group", "", "the consumer `group`")
	flags.StringVar(&o.transactionalID, "transactional-id", "", "the name of this instance, an `id` that no other has")
	flags.DurationVar(&o.untilIdle, "until-idle", 0, "end when nothing has come for this `duration` (default: never)")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *bootstrap == "" || o.from == "" || o.to == "" || o.group == "" || o.transactionalID == "" || flags.NArg() > 0 {
		flags.Usage()
		return nil, errors.New("a flag is missing, or there is an argument")
	}
	o.bootstrap = strings.Split(*bootstrap, ",")
	return o, nil
}

// A startOver is why a session cannot go on, though another one can: with a new producer, and with a consumer that asks
// anew where the group stands.
type startOver struct{ error }

func (e startOver) Unwrap() error { return e.error }

// run holds sessions until one has nothing left to do, or fails for good.
func (o *options) run(ctx context.Context) error {
	for {
		err := o.session(ctx)
		if _, ok := errors.AsType[startOver](err); !ok || ctx.Err() != nil {
			return err
		}
		log.Printf("starting over: %v", err)
		if !pause(ctx, time.Second) {
			return nil
		}
	}
}

// session has one producer and one consumer, and transforms until ctx ends or nothing comes any more.
func (o *options) session(ctx context.Context) error {
	p, err := producer.New(producer.ExactlyOnce(o.transactionalID, o.bootstrap...))
	if err != nil {
		return err
	}
	defer closeProducer(p)
	for err = p.InitTransactions(ctx); err != nil; err = p.InitTransactions(ctx) {
		if ctx.Err() != nil {
			return nil
		}
		if e, ok := errors.AsType[*producer.TransactionError](err); !ok || e.Next != producer.NextRetryCall {
			return err
		}
		log.Print(err)
		pause(ctx, time.Second)
	}
	c, err := kgo.NewClient(
		kgo.SeedBrokers(o.bootstrap...),
		kgo.ConsumerGroup(o.group),
		kgo.InstanceID(o.transactionalID),
		kgo.ConsumeTopics(o.from),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.DisableAutoCommit(),
		// From a poll to AllowRebalance no partition is taken away from us. Should it take us too long nevertheless, the
		// group goes on without us, and refuses our offsets.
		kgo.BlockRebalanceOnPoll(),
		kgo.WithLogger(kgo.BasicLogger(os.Stderr, kgo.LogLevelWarn, nil)),
	)
	if err != nil {
		return err
	}
	defer c.CloseAllowingRebalance()
	log.Printf("%s: from %s to %s", o.transactionalID, o.from, o.to)
	return (&worker{options: o, producer: p, consumer: c}).run(ctx)
}

// closeProducer aborts what is open.
func closeProducer(p *producer.Producer) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		log.Printf("closing the producer: %v", err)
	}
}

// pause waits, and reports whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
