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
// delivery.timeout to be acknowledged, whatever becomes of ctx.
//
// The same four methods are on each type that sends. What differs is what they
// take, and what a record costs the caller:
//
//	                  takes           belongs to            the fast way
//	Producer          Record          any topic             no: it finds the topic for each record
//	Producer.Topic    key, value      one topic             yes, and SendAllFunc for many in a call
//	Tx                Record          its transaction       no, as Producer
//	Tx.Topic          key, value      its transaction       yes, as Producer.Topic
//	Typed             TypedRecord     what it was made of   no: to serialize costs more
//	Typed.Topic       key, value      what it was made of   no, as Typed
//
// A key and a value alone have no partition, headers or timestamp of their own:
// what needs them is a Record. SendAllFunc is a [Topic]'s alone: its records share
// the look at their topic, and neighbours without a key the append. Records of
// several topics have nothing to share.
//
// # Errors
//
// The type of an error says what failed: [AdmissionError] for a record that was not
// taken, [SendError] for one that was taken and not acknowledged,
// [SerializationError], [LoadError], [TransactionError], [TransactionStateError],
// [FlushError], [CloseError], [ConfigError] and [PropertiesError]. A wait that ended
// is [ErrOutcomeUnknown] or [ErrMaxBlock]. All of them wrap the reasons: sentinels
// and other types of this package, such as [BrokerError], and a broker's
// protocol.ErrorCode. So use errors.Is and errors.As. A text begins with what failed, and has no name of a
// package before it; what it says may change.
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
// [BrokerError] that errors.As finds. errors.Is finds the context's error and its
// cause. [Producer.Stats] tells trouble from idleness, [Producer.Brokers] which
// broker it is, and [Producer.Ping] asks the cluster now. [Diagnose] finds out what
// keeps a producer with some settings from working, and says what to do.
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
// A [TransactionError] says what has become of the transaction ([OutcomeOpen],
// [OutcomeCommitted], [OutcomeAborted] or [OutcomeUnknown]) and what may be done
// next ([NextRetryCall], [NextAbort], [NextNewProducer] or [NextFixConfiguration]).
// OutcomeUnknown is a commit that was asked for and not answered:
// CommitTransaction again takes it up, and nothing else will do. A record of a
// transaction that was aborted fails with [ErrTransactionAborted], if it was not
// acknowledged before; one that was is as invisible as the others.
//
// The id names this instance to the cluster. It has to be the same after a
// restart, which ends what the instance before has left open, and no other
// instance's, which would be shut out: [ErrFenced]. What a program does outside
// of Kafka is no part of a transaction.
//
// # Tests
//
// A program that asks for an [Interface], or for a smaller one such as [Sender], can be
// given a double: package producertest has one, in memory. Package brokertest has a cluster
// in the process. [NewTopic], [NewTx] and [NewFuture] are for types that stand around a
// producer, or in its place.
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
// All methods of [Producer], [Topic], [Future] and [Typed] are safe for concurrent
// use. Callbacks run on one goroutine of the producer's, see [Callback].
//
// # Compatibility
//
// Packages producer, producertest, partition, sasl and brokertest are what this module offers.
// All others serve them, and promise nothing, but for what the five hand out of
// package protocol: ErrorCode, Header, KeyValue and UUID. From version 1 on, what a
// program uses of these goes on to compile and to do the same, with these reserves:
//
//   - Structs may get fields, whose zero values mean what was before. So name the
//     fields in literals, and do not compare structs or convert them to others.
//   - Types may get methods, and packages names: do not embed a type of ours beside
//     another one whose methods must win, and do not import with a dot.
//   - Interfaces get no methods, whether you implement them or not. What they are
//     told grows by fields of the structs that their methods take; what they are
//     asked grows by interfaces of their own, which an implementation may have
//     besides. That goes for [Interface], too, which a Producer implements: a method that
//     Producer gets comes in an interface of its own, to be embedded beside it, and the double
//     in producertest gets it in the same version.
//   - Errors keep their sentinels and types. Reasons that they wrap may become more.
//     Texts, log lines and the order of callbacks of different partitions are no
//     promise, nor is what String and Format return.
//   - Defaults are those of the Java client whose version [DefaultConfig] names.
//     If that goes on to a later version, CHANGELOG.md says what changes.
//
// What is exported is recorded in testdata/surface, and a test compares: a change is
// made on purpose or not at all.
package producer
