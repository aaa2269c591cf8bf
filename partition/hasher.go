package partition

import "hash/crc32"

// KeyHasher maps a key to a partition in [0, partitions), always to the same one for the same arguments; or to Any, for a key
// that it counts as none. It must be safe for concurrent use and may not keep key.
type KeyHasher func(key []byte, partitions int32) int32

// JavaMurmur2 is the hash of the Java client.
func JavaMurmur2(key []byte, partitions int32) int32 {
	return (Murmur2(key) & 0x7fffffff) % partitions
}

// FNV1a is the hash of sarama's NewHashPartitioner, librdkafka's fnv1a and kafka-go's Hash. The sign is dropped after the
// remainder is taken.
func FNV1a(key []byte, partitions int32) int32 {
	p := int32(fnv1a(key)) % partitions
	if p < 0 {
		return -p
	}
	return p
}

// FNV1aReference is the hash of sarama's NewReferenceHashPartitioner. The sign bit is dropped before the remainder is taken.
func FNV1aReference(key []byte, partitions int32) int32 {
	return int32(fnv1a(key)&0x7fffffff) % partitions
}

// CRC32 is the hash of librdkafka's consistent and of sarama's NewConsistentCRCHashPartitioner. An empty key hashes to 0.
func CRC32(key []byte, partitions int32) int32 {
	// This is the remainder of the unsigned sum. As an int32, half of the keys would move.
	return int32(crc32.ChecksumIEEE(key) % uint32(partitions))
}

// CRC32NonEmpty is the hash of librdkafka's consistent_random, which counts an empty key as none.
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
