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
// # Settings
//
// [Config] has Java's settings by Java's names. [DefaultConfig] gives Java's
// defaults, [AtMostOnce] and [AtLeastOnce] name delivery models, and
// [FromProperties] reads a Java producer.properties as it is.
//
// # Concurrency
//
// All methods of [Producer], [Future] and [Typed] are safe for concurrent use.
// Callbacks run on one goroutine of the producer's, see [Callback].
package producer
