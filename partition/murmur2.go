package partition

import "encoding/binary"

// Murmur2 is the 32-bit MurmurHash2 of key with the seed of Kafka's Java client, as Java's Utils.murmur2 returns it: it may be
// negative. [JavaMurmur2] makes a partition of it.
func Murmur2(key []byte) int32 {
	const m = 0x5bd1e995

	h := 0x9747b28c ^ uint32(len(key))
	for len(key) >= 4 {
		k := binary.LittleEndian.Uint32(key) * m
		k = (k ^ k>>24) * m
		h = h*m ^ k
		key = key[4:]
	}
	if len(key) > 0 {
		var tail uint32
		for i, b := range key {
			tail |= uint32(b) << (8 * i)
		}
		h = (h ^ tail) * m
	}
	h = (h ^ h>>13) * m
	return int32(h ^ h>>15)
}
