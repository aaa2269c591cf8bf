// Package brokertest is a Kafka cluster in the process, for tests: what net/http/httptest is for HTTP.
//
//	func TestOrders(t *testing.T) {
//		kafka := brokertest.New(t, brokertest.Topic("orders", 3))
//		send(kafka.Bootstrap())
//		for _, r := range kafka.Records("orders", 0) { … }
//	}
//
// Any Kafka producer can talk to it over TCP on 127.0.0.1. With [InMemory] connections never leave the process, and a producer
// needs [Cluster.DialContext] to connect. Such a cluster works in a testing/synctest bubble, where time is fake: a test of an
// hour's outage takes no time.
//
// The cluster is as strict as Kafka 4.4.0. It checks the CRC, the format and the sequence of every batch, and remembers the
// last five batches of each idempotent producer. It refuses requests with Kafka's codes, texts and hints. A test compares a
// long conversation with one that was held with a real Kafka. [Kafka3_9] makes the cluster look older.
//
// A test changes the cluster while clients run: StopBroker, Pause, Break, MoveLeader, RecreateTopic and others. It also scripts
// faults: On says which requests are concerned, and an Action what happens to them.
//
//	kafka.On(brokertest.Produce).Topic("orders").Times(2).Do(brokertest.HandleThenDrop())
//
// [SASL] makes brokers that let nobody in without credentials, and refuse wrong ones in Kafka's words. SessionLifetime makes
// sessions end. SetPassword and RemoveUser change who may come in.
//
// Afterwards Records returns what is in the logs, and Requests what was asked. Verify says whether anything was written twice,
// is out of sequence, or is missing in between.
//
// With [Telemetry] brokers take metrics of their clients. SubscribeMetrics says which they want, and MetricsPushes returns what
// has come.
//
// Transactions work in both of Kafka's protocols. A client chooses the protocol by the versions of its requests; the finalised
// level of transaction.version tells it which to choose. Committed returns what a read_committed consumer reads, Transaction
// what the coordinator knows, and GroupOffsets what was committed for a group. Transactions time out by the cluster's clock,
// when the next request or call comes. MoveCoordinator, HoldMarkers and SetFeature change the coordinator's side.
//
// The cluster is for tests alone. Nothing is on disk, all replicas of a partition are one log, and there is nothing to consume
// with. Groups exist as far as a producer commits offsets for them.
//
// # Compatibility
//
// This package keeps what package producer's documentation says under that heading, for its own names. It follows Kafka: what
// brokers answer, and which versions of requests they know, changes when the newest Kafka changes. The messages of package
// protocol that [Edit] and [Request] show get the fields of new versions.
package brokertest

// Everything but the bytes in the pipes is owned by Cluster under one mutex, which is never held while anything blocks. A
// broker over TCP has a goroutine that accepts. A connection has two, see conn. They end with Close, which waits for them.
