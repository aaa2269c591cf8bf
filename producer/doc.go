// Package producer sends records to Apache Kafka. It speaks Kafka's protocol itself and needs no other client.
//
//	p, err := producer.New(producer.DefaultConfig("localhost:9092"))
//	…
//	f := p.Send(ctx, producer.Record{Topic: "orders", Key: key, Value: value})
//	…
//	md, err := f.Wait(ctx)
//	…
//	err = p.Close(ctx)
//
// The producer works with brokers of Apache Kafka 0.11 and later; zstd needs 2.1. The tests run on real brokers of 4.4.0,
// 4.0.1 and 3.9.1; for what is older, only the versions of requests are tested, byte for byte against Kafka's own client.
//
// One producer serves a whole process: make it at the start, share it among all goroutines, and close it at the end.
//
// Comments name settings by Java's keys. max.block is max.block.ms, which is [Config].MaxBlock and 1 minute by default.
// delivery.timeout is delivery.timeout.ms, which is Config.DeliveryTimeout and 2 minutes by default.
//
// # Sending
//
// A record is sent by one of four methods. They differ in how the caller learns the outcome:
//
//	Send       returns a Future                 many records at a time, each with a Wait of its own
//	SendFunc   calls a function                 a stream of records: costs the least
//	SendSync   waits                            one record at a time
//	TrySend    calls a function, never waits    a caller that must not be held up
//
// [Producer.Send] copies the record into the open batch of its partition, and returns a [Future]. It waits for two things only:
// for the metadata of a topic that is not known yet, and for room in buffer.memory. Its ctx and max.block bound that wait. ctx
// bounds nothing else: once Send has returned, the record has delivery.timeout to be acknowledged, even if ctx has ended.
//
// The same four methods are on each type that sends:
//
//	                  takes           sends to           use it
//	Producer          Record          any topic          for records with headers, a timestamp or a partition
//	Producer.Topic    key, value      one topic          for all others: it is faster, since it looks up no topic
//	Tx                Record          any topic          as Producer, inside Transact
//	Tx.Topic          key, value      one topic          as Producer.Topic, inside Transact
//	Typed             TypedRecord     any topic          for Go values, with a Serializer for key and value
//	Typed.Topic       key, value      one topic          the same, without headers, timestamp or partition
//
// [Topic.SendAllFunc] sends many records in a call. It is the fastest way for records that come several at a time.
//
// # Errors
//
// An error has one of these types, which errors.As finds:
//
//	*AdmissionError          the record was not taken: it is not in the log
//	*SerializationError      the same, since a Serializer failed
//	*SendError               the record was taken and not acknowledged; MayBeWritten says whether it may be in the log
//	*TransactionError        a transaction method failed; Next says what to do
//	*TransactionStateError   a method was called out of turn, such as Send before BeginTransaction; nothing has changed
//	*LoadError               a topic could not be looked up, of LoadTopics
//	*FlushError, *CloseError they count the records that have no outcome, or were given up
//	*NotReadyError           of Ready
//	*ConfigError             of New: all settings that are wrong
//	*PropertiesError         of FromProperties and FromMap
//
// [Future.Wait] and SendSync also return [ErrOutcomeUnknown], if their ctx ends: the record goes on, and may be delivered.
//
// These types wrap the reason, which errors.Is and errors.As find: a sentinel such as [ErrMaxBlock], a type such as
// [RecordTooLargeError] or [BrokerError], or a broker's [protocol.ErrorCode]. The wrapped types say more: a *ConfigError, for
// example, has a [ViolationError] for each setting.
//
// [MayBeWritten] answers for all errors whether the record may be in the log. If it may not, the program can send the record
// again without writing it twice; the reason says whether that can help. A record that was taken was retried until
// delivery.timeout already, wherever a retry could help.
//
// # What can be relied on
//
// With the defaults a record is written once and in order to every in-sync replica, through lost connections, brokers that
// restart and leaders that move, for as long as this producer lives. Every record that was taken ends within delivery.timeout,
// with metadata or with an error. A record that the program sends again, after an error that says it may be written, may be
// there twice.
//
// Records of one partition are written in the order in which they were sent, if one Send returned before the next began. After
// a record that fails, those behind it are written all the same. Outside of transactions that leaves a gap.
//
// Records with the same key go to the same partition while the number of partitions stays the same: the one that the Java
// client would choose. An empty key is a key, a nil key is none. Records without a key fill batches of one partition after
// another.
//
// # When it does not go well
//
// If Send, [Future.Wait], [Producer.Flush] or [Producer.Close] waits in vain, its error says what it waited for, and what
// failed last: broker, stage, request and code, as a [BrokerError]. errors.Is finds the context's error in it, and the cause
// that was given to context.WithCancelCause. Config.Logger hears of trouble while it lasts.
//
// [Producer.Stats] tells trouble from idleness, [Producer.Brokers] tells which broker it is, and [Producer.Ping] asks the
// cluster now. [Producer.Health] and [Producer.Ready] are for probes. [Diagnose] finds out what keeps a producer with some
// settings from working, and says what to do.
//
// # Transactions
//
// A producer with a transactional id sends every record in a transaction: read_committed consumers see all records of it, each
// once, or none. [ExactlyOnce] sets the id, or transactional.id does. [Producer.Transact] runs a function in a transaction, and
// commits if the function returns nil:
//
//	err := p.Transact(ctx, func(tx *producer.Tx) error {
//		tx.Send(ctx, record)                    // the commit fails if this does
//		return tx.SendOffsets(ctx, next, group) // for a program that consumes
//	})
//
// [Producer.InitTransactions], BeginTransaction, SendOffsetsToTransaction, CommitTransaction and AbortTransaction are the same
// in steps, as in Java. A producer has one transaction open at a time. Only one goroutine at a time may call its transaction
// methods. Any number of goroutines may send its records.
//
// A [TransactionError] says what has become of the transaction ([OutcomeOpen], [OutcomeCommitted], [OutcomeAborted] or
// [OutcomeUnknown]), and what to do next ([NextRetryCall], [NextAbort], [NextNewProducer] or [NextFixConfiguration]).
// OutcomeUnknown means that a commit was asked for, and no answer has come. Call CommitTransaction again until it tells:
// nothing else does. When a transaction is aborted, its records that were not acknowledged yet fail with
// [ErrTransactionAborted]. Acknowledged ones are as invisible as the others.
//
// The id names this instance to the cluster. A restarted instance must have the same id, and that ends what it has left open.
// Two instances must never have the same id at a time: the newer one shuts out the older, which gets [ErrFenced]. What a
// program does outside of Kafka is no part of a transaction.
//
// # Tests
//
// A program that takes an [Interface], or a smaller one such as [Sender], can be given a double: package producertest has one,
// in memory. Package brokertest has a Kafka cluster in the process. [NewTopic], [NewTx] and [NewFuture] are for types of your
// own that wrap a producer or stand in for one.
//
// # Settings
//
// [Config] has Java's settings by Java's names. [DefaultConfig] returns Java's defaults. [AtMostOnce], [AtLeastOnce] and
// [ExactlyOnce] return the settings of a delivery model. [FromProperties] reads a Java producer.properties as it is, with the
// files and variables that its config.providers name. A key that Java's producer would only warn of is a [Notice];
// [RefuseUnknown] makes it an error. Config.TLS and Config.SASL say how to connect to a cluster that asks for them:
//
//	cfg := producer.DefaultConfig("broker.example.com:9093")
//	cfg.TLS, cfg.SASL = &tls.Config{}, sasl.Plain(apiKey, apiSecret)
//
// # Concurrency
//
// All methods of [Producer], [Topic], [Future], [Typed], [TypedTopic] and [Tx] are safe for concurrent use, except that one
// goroutine at a time may call the transaction methods. [Callback] says on which goroutine callbacks run. Partitioners,
// serializers and interceptors of the program are called by all goroutines that send, and [Hook] says where hooks are called.
//
// # Compatibility
//
// This module offers packages producer, producertest, partition, sasl and brokertest, and what they hand out of package
// protocol: ErrorCode, Header, KeyValue and UUID. All other packages serve these, and promise nothing. From version 1 on, a
// program that uses what is offered goes on to compile and to do the same, with these reserves:
//
//   - Structs may get fields, whose zero values mean what was before. So name the fields in literals, and do not compare
//     structs or convert them to others.
//   - Types may get methods, and packages names: do not embed a type of ours beside another one whose methods must win, and do
//     not import with a dot.
//   - Interfaces get no methods, whether you implement them or not. What they are told grows by fields of the structs that
//     their methods take. What they are asked grows by further interfaces, which an implementation may have besides. That goes
//     for [Interface] too: a method that Producer gets comes in an interface of its own, to be embedded beside it, and the
//     double in producertest gets it in the same version.
//   - Errors keep their sentinels and types. They may wrap further reasons. A text begins with what failed, without the name of
//     a package. Texts, log lines, what String and Format return, and the order of callbacks of different partitions may
//     change.
//   - Defaults are those of the Java client whose version [DefaultConfig] names. If that goes on to a later version,
//     CHANGELOG.md says what changes.
//
// What is exported is recorded in testdata/surface, and a test compares: a change is made on purpose or not at all.
package producer
