// Package producer sends records to Apache Kafka. It speaks Kafka's protocol
// itself and needs no other client.
//
//	p, err := producer.New(producer.DefaultConfig("localhost:9092"))
//	…
//	f := p.Send(ctx, producer.Record{Topic: "orders", Key: key, Value: value})
//	…
//	md, err := f.Wait(ctx)
//	…
//	err = p.Close(ctx)
//
// # Sending
//
// [Producer.Send] copies the record into the open batch of its partition and
// returns a [Future]. [Producer.SendFunc] takes a callback instead,
// [Producer.SendSync] waits, [Producer.TrySend] never blocks. Send waits only
// for the metadata of a topic not yet known and for room in buffer.memory; its
// ctx and max.block bound that, and nothing else. From then on the record has
// delivery.timeout to be acknowledged, whatever becomes of ctx. A [Topic] takes
// keys and values alone, with less work for each, and many in a call.
//
// # What can be relied on
//
// With the defaults a record is written once and in order to every in-sync
// replica, through lost connections, brokers that restart and leaders that
// move, for as long as this producer lives. Every record ends, with metadata
// or with an error, within delivery.timeout. An error says whether the record
// may be in the log all the same, see [MayBeWritten]: a record that is sent
// anew after such an error may be there twice.
//
// Records of one partition are written in the order in which they were sent.
// Records with the same key go to the same partition, the one that the Java
// client would choose, while the number of partitions stays the same.
//
// # When it does not go well
//
// Whatever ends a wait, of Send, [Future.Wait], [Producer.Flush] or Close, says
// what it waited for and the last failure: broker, stage, request and code, as a
// [wire.Error] that errors.As finds. errors.Is finds the context's error and its
// cause. [Producer.Stats] tells trouble from idleness, [Producer.Brokers] which
// broker it is, and [Producer.Ping] asks the cluster now.
//
// # Transactions
//
// With a transactional id, from [ExactlyOnce] or transactional.id, every record
// is part of a transaction: read_committed consumers see all of it, once, or
// nothing. [Producer.Transact] runs a function in one, and commits if it returns
// nil:
//
//	err := p.Transact(ctx, func(tx *producer.Tx) error {
//		tx.Send(ctx, record)                    // the commit fails if this does
//		return tx.SendOffsets(ctx, next, group) // for a program that consumes
//	})
//
// [Producer.InitTransactions] and the four methods after it are the same in
// steps. One transaction is open at a time, and its methods are not to be called
// from several goroutines at once; its records may be sent from any.
//
// A [TransactionError] says what has become of the transaction (Open, Committed,
// Aborted or Unknown) and what may be done next (RetryCall, AbortIt, NewProducer
// or FixConfiguration). Unknown is a commit that was asked for and not answered:
// CommitTransaction again takes it up, and nothing else will do. A record of a
// transaction that was aborted fails with [ErrTransactionAborted], if it was not
// acknowledged before; one that was is as invisible as the others.
//
// The id names this instance to the cluster. It has to be the same after a
// restart, which ends what the instance before has left open, and no other
// instance's, which would be shut out: [ErrFenced]. What a program does outside
// of Kafka is no part of a transaction.
//
// # Settings
//
// [Config] has Java's settings by Java's names. [DefaultConfig] gives Java's
// defaults, [AtMostOnce], [AtLeastOnce] and [ExactlyOnce] name delivery models,
// and [FromProperties] reads a Java producer.properties as it is, with the files
// and variables that its config.providers name. A key that Java's producer would
// only warn of is a [Notice]; [RefuseUnknown] makes it an error.
//
// # Concurrency
//
// All methods of [Producer], [Future] and [Typed] are safe for concurrent use.
// Callbacks run on one goroutine of the producer's, see [Callback].
package producer
