package protocol

import (
	"encoding/binary"
	"hash/crc32"
)

// castagnoli selects CRC32C, for which hash/crc32 uses the processor's own instructions.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// SumBatch returns the CRC32C of a batch that is held as a chain of chunks. It covers everything from the attributes on. The
// whole header must be in the first chunk.
func SumBatch(chunks [][]byte) uint32 {
	sum := crc32.Update(0, castagnoli, chunks[0][batchFirstSummed:])
	for _, c := range chunks[1:] {
		sum = crc32.Update(sum, castagnoli, c)
	}
	return sum
}

// PutBatchCRC computes SumBatch and writes it to its place in the header. What comes before the attributes (offset, length,
// leader epoch) is not covered and may change afterwards.
func PutBatchCRC(chunks [][]byte) {
	binary.BigEndian.PutUint32(chunks[0][batchCRCAt:], SumBatch(chunks))
}

// UpdateCRC extends a CRC-32C by the bytes that follow; the CRC of none is 0.
func UpdateCRC(sum uint32, b []byte) uint32 { return crc32.Update(sum, castagnoli, b) }

// PutBatchCRCOf is PutBatchCRC where the CRC of the records is known already. header is the batch's header, and records is the
// CRC of the size bytes behind it. So records can be summed as they are appended, while they are in the processor's cache,
// although the header comes last.
func PutBatchCRCOf(header []byte, records uint32, size int) {
	sum := crc32.Update(0, castagnoli, header[batchFirstSummed:BatchHeaderSize])
	binary.BigEndian.PutUint32(header[batchCRCAt:], joinCRC(sum, records, size))
}

// joinCRC returns the CRC of two consecutive pieces from the CRC of each. The second has size bytes.
//
// A CRC is a polynomial over the field of two elements, modulo one of degree 32. To append n zero bits is to multiply by x^n.
// The one bits with which a CRC begins and ends cancel out.
func joinCRC(first, second uint32, size int) uint32 {
	for i := 0; size > 0; i, size = i+1, size>>1 {
		if size&1 != 0 {
			first = timesCRC(first, zeroBytes[i])
		}
	}
	return first ^ second
}

// zeroBytes[i] is x to the power of 8·2^i, by which 2^i zero bytes multiply. Bits are in the CRC's order: the highest is the
// coefficient of x^0.
var zeroBytes = func() (powers [31]uint32) {
	power := uint32(1) << (31 - 8)
	for i := range powers {
		powers[i] = power
		power = timesCRC(power, power)
	}
	return powers
}()

// timesCRC returns the product of two polynomials modulo the CRC's.
func timesCRC(a, b uint32) uint32 {
	product := uint32(0)
	for ; a != 0; a <<= 1 {
		product ^= b & uint32(int32(a)>>31) // without a branch, since the bits are as good as random
		b = b>>1 ^ crc32.Castagnoli&-(b&1)
	}
	return product
}
