package partition

import "hash/crc32"

// KeyHasher maps a key to a partition in [0, partitions). It returns the same partition for the same arguments. It returns
// [Any] for a key that it counts as none. partitions is at least 1. A KeyHasher must be safe for concurrent use, and must
// neither keep nor change key.
type KeyHasher func(key []byte, partitions int32) int32

// JavaMurmur2 is the hash of the Java client. An empty key is hashed like any other.
func JavaMurmur2(key []byte, partitions int32) int32 {
	return (Murmur2(key) & 0x7fffffff) % partitions
}

// FNV1a is the hash of sarama's NewHashPartitioner, librdkafka's fnv1a and kafka-go's Hash. It drops the sign after it has
// taken the remainder. FNV1aReference does so before, so that about half of the keys go elsewhere.
func FNV1a(key []byte, partitions int32) int32 {
	p := int32(fnv1a(key)) % partitions
	if p < 0 {
		return -p
	}
	return p
}

// FNV1aReference is the hash of sarama's NewReferenceHashPartitioner and kafka-go's ReferenceHash. It drops the sign bit before
// it takes the remainder.
func FNV1aReference(key []byte, partitions int32) int32 {
	return int32(fnv1a(key)&0x7fffffff) % partitions
}

// CRC32 is the hash of librdkafka's consistent and of sarama's NewConsistentCRCHashPartitioner. An empty key hashes to 0.
func CRC32(key []byte, partitions int32) int32 {
	// This is the remainder of the unsigned sum. As an int32, half of the keys would move.
	return int32(crc32.ChecksumIEEE(key) % uint32(partitions))
}

// CRC32NonEmpty is the hash of librdkafka's consistent_random. It returns Any for an empty key, which librdkafka counts as
// none.
func CRC32NonEmpty(key []byte, partitions int32) int32 {
	if len(key) == 0 {
		return Any
	}
	return CRC32(key, partitions)
}

// fnv1a is the 32-bit FNV-1a sum. hash/fnv would cost an allocation or a pool for each key.
func fnv1a(key []byte) uint32 {
	h := uint32(2166136261)
	for _, b := range key {
		h = (h ^ uint32(b)) * 16777619
	}
	return h
}
