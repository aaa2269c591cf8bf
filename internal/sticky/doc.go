// Package sticky is the uniform sticky partitioner of KIP-794: where records without a key go. It fills a batch of one
// partition before it draws the next, and draws partitions with short queues more often.
//
// It reads no clock (milliseconds are arguments), starts no goroutine and knows neither metadata nor queues: the producer
// describes a topic by a [partition.Topic], and queues by a [Load].
package sticky
