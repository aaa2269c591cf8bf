// Package partition decides which partition a record goes to.
//
// A [Partitioner] looks at one record and either names its partition or answers [Any], which leaves the choice to the
// topic's [Sticky]: the uniform sticky partitioner of KIP-794, which fills a batch of one partition before it draws the
// next, and draws partitions with short queues more often. A record that carries a partition of its own never gets here.
//
// The package keeps no clock (milliseconds are arguments), starts no goroutine and knows neither metadata nor queues: the
// producer describes a topic by a [Topic], and queues by a [Load]. Partitioners and Sticky are safe for concurrent use.
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
// Where those clients take a random partition, for records without a key, Epistle takes the sticky one.
package partition
