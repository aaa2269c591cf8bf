// Package partition decides which partition a record goes to.
//
// A [Partitioner] looks at one record, and returns the record's partition, or [Any]. Any leaves the choice to the producer's
// sticky partitioner (KIP-794), which fills a batch of one partition before it draws the next. It draws partitions with short
// queues more often. A record that names its partition does not reach a Partitioner.
//
// Without a setting, a producer does what Java's does: [Default]([JavaMurmur2]). Config.Partitioner of package producer takes
// another one: those of this package, or one of your own, made with [Func] or as a type. Partitioners of this package are safe
// for concurrent use, and may be shared by producers.
//
// The package starts no goroutine, reads no clock and knows no metadata: the producer describes a topic by a [Topic].
//
// # Coming from another client
//
// A key stays in its partition if the new client hashes it as the old one did:
//
//	Java; librdkafka murmur2_random; sarama NewMurmur2Partitioner   Default(JavaMurmur2)
//	kafka-go Murmur2Balancer{}                                      Default(JavaMurmur2)
//	librdkafka murmur2; kafka-go Murmur2Balancer{Consistent: true}  Consistent(JavaMurmur2)
//	sarama NewHashPartitioner; librdkafka fnv1a_random              Default(FNV1a)
//	kafka-go Hash{}                                                 Default(FNV1a)
//	librdkafka fnv1a                                                Consistent(FNV1a)
//	sarama NewReferenceHashPartitioner; kafka-go ReferenceHash{}    Default(FNV1aReference)
//	librdkafka consistent_random (its default)                      Default(CRC32NonEmpty)
//	kafka-go CRC32Balancer{}                                        Default(CRC32NonEmpty)
//	librdkafka consistent; kafka-go CRC32Balancer{Consistent: true} Consistent(CRC32)
//	sarama NewConsistentCRCHashPartitioner                          Default(CRC32)
//
// For records without a key, those clients take a random partition where Epistle takes the sticky one.
//
// # Compatibility
//
// This package keeps what package producer's documentation says under that heading. [Partitioner] gets no further methods. What
// it is told grows by fields of [Record] and [Topic]. What it is asked grows by new interfaces, which a partitioner may
// implement besides.
package partition
