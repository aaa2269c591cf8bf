package protocol

import (
	"encoding/binary"
	"hash/crc32"
)

// castagnoli selects CRC32C, for which hash/crc32 uses the processor's own
// instructions.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// SumBatch returns the CRC32C of a batch that is held as a chain of chunks: of
// everything from the attributes on. The whole header must be in the first
// chunk.
func SumBatch(chunks [][]byte) uint32 {
	sum := crc32.Update(0, castagnoli, chunks[0][batchFirstSummed:])
	for _, c := range chunks[1:] {
		sum = crc32.Update(sum, castagnoli, c)
	}
	return sum
}

// PutBatchCRC computes SumBatch and writes it to its place in the header. What
// comes before the attributes (offset, length, leader epoch) is not covered and
// may change afterwards.
func PutBatchCRC(chunks [][]byte) {
	binary.BigEndian.PutUint32(chunks[0][batchCRCAt:], SumBatch(chunks))
}
