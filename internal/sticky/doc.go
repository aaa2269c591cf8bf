// Package sticky is the uniform sticky partitioner of KIP-794, for records without a key. It fills a batch of one partition
// before it draws the next, and draws partitions with short queues more often.
//
// It reads no clock (milliseconds are arguments), starts no goroutine and knows neither metadata nor queues. The producer
// describes a topic by a [partition.Topic], and queues by a [Load].
package sticky
