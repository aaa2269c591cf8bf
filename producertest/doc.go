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
// A program that takes a producer.Interface, or a smaller interface such as producer.Sender, takes a [Producer] as it is. A
// Typed works over it, too. Take package brokertest instead for a test of what brokers, connections and clusters do.
//
// # What is as in a producer
//
// Records are checked, go through Config.Interceptors, and get their partitions from Config.Partitioner: Java's murmur2 of the
// key by default. Records without a key go to the partitions in turn, so that a test sees the same each time; a producer sends
// them where there is least to do. Offsets count up in each partition. The end of a transaction takes an offset in each
// partition that it has written to.
//
// All errors have the types of a producer's: errors.Is, errors.As and producer.MayBeWritten work on them. The rules of
// transactions are a producer's own code. A record that nobody completes fails after Config.DeliveryTimeout. A transaction that
// takes longer than Config.TransactionTimeout is aborted, from its first record or offset on.
//
// # What is not
//
// Nothing is batched, compressed, retried or throttled. Config.Hooks are told of nothing. buffer.memory is not counted:
// [BufferRecords] bounds the records that wait. Every topic exists unless [AutoCreate] is off. Where a producer waits for what
// never comes, the double says at once what a producer says in the end: for a topic that does not exist, for example, or for
// the answer that [Producer.LoseAnswer] loses. TrySend waits for nothing, so it says at first that such a topic is not loaded
// yet, and what brokers answer.
//
// # When records are completed
//
// By default a record is acknowledged when it is sent. Then Send returns a future that has ended, and the callback has returned
// when SendFunc returns. With [Delivery] that takes time. With [Manual] the test completes records: by [Producer.CompleteNext],
// [Producer.FailNext] and [Producer.CompleteAll]. Flush, Close, Wait and commits wait for that, within their ctx. All waits
// work in a testing/synctest bubble, where time is fake.
//
// Callbacks run one after the other, in the order in which the records ended. They run on the goroutine that has ended the
// record: that of a Send, of a CompleteNext, or of a timer of package time. While one goroutine runs callbacks, it also runs
// those of records that end meanwhile, on other goroutines or in a callback. So a callback must not wait for a lock that its
// sender holds. A producer calls the callback of a record that it does not take in the same way.
//
// # What was sent
//
// [Producer.Expect] and its siblings compare what was sent with what a test expects. [Producer.Committed] returns what
// consumers see, [Producer.Uncommitted] what they do not see yet, and [Producer.History] all records, with what became of them.
//
// # Compatibility
//
// This package keeps what package producer's documentation says under that heading. Whatever methods producer.Producer gets,
// the double gets in the same version. The texts with which an expectation fails may change.
package producertest
