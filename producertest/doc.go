// Package producertest has a double of producer.Producer for the tests of programs that send: what MockProducer is for Java. It
// has no network, starts no goroutine, and keeps in memory what it is given.
//
//	func TestPlace(t *testing.T) {
//		events := producertest.New(t, producertest.Topic("orders", 3))
//		if err := Place(t.Context(), events, "customer-7", "12.50"); err != nil {
//			t.Fatal(err)
//		}
//		events.Expect(t, "orders", producertest.Key("customer-7").Value("12.50"))
//	}
//
// A program that takes a [producer.Interface], or a smaller interface such as [producer.Sender], takes a [Producer] as it is. A
// Typed works over it, too.
//
// # What is as in a producer
//
// Records are checked, go through Config.Interceptors and get their partitions from Config.Partitioner, which is Java's murmur2
// of the key by default. Records without a key go to the partitions in turn, so that a test sees the same each time; those of a
// producer go where there is least to do. Offsets count up in each partition, and the end of a transaction takes one in each
// partition that it has written to. All errors are those that a producer returns, by type: errors.Is, errors.As and
// producer.MayBeWritten work on them. The rules of transactions are the very code of a producer. What it holds is bounded as a
// record's time is: one that nobody completes fails after Config.DeliveryTimeout.
//
// # What is not
//
// Nothing is batched, compressed, retried or throttled, and buffer.memory is not counted: [BufferRecords] bounds the
// records that wait. No topic is unknown unless [AutoCreate] is off. Where a producer waits for what never comes, such as a topic
// that does not exist, or the answer that [Producer.LoseAnswer] loses, the double says at once what a producer would say in the
// end. What a broker, a connection or a cluster does is for package brokertest.
//
// # When records are completed
//
// By default a record is acknowledged when it is sent: Send returns a future that has ended, and the callback has returned when
// SendFunc returns. With [Delivery] that takes time, and with [Manual] it is up to the test: [Producer.CompleteNext],
// [Producer.FailNext] and [Producer.CompleteAll]. Flush, Close, Wait and commits wait for that, within their ctx. All waits
// work in a testing/synctest bubble, where time is fake.
//
// Callbacks run one after the other, in the order in which the records ended: on the goroutine that has ended the record, by a Send, by
// a CompleteNext, or on that of a timer of package time. If another goroutine is at it, that one goes on with those that come
// meanwhile, as it does with those of records that a callback sends. So a callback must not wait for a lock that its sender holds. A
// producer calls the callback of a record that it does not take in the same way.
//
// # What was sent
//
// [Producer.Expect] and its siblings compare what was sent with what a test expects. [Producer.Committed] is what consumers
// see, [Producer.Uncommitted] what they do not see yet, and [Producer.History] all records, with what became of them.
//
// # Compatibility
//
// This package keeps what package producer's documentation says under that heading. Whatever methods producer.Producer gets,
// the double gets in the same version. The texts with which an expectation fails are no promise.
package producertest
