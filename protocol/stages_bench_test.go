package protocol

import (
	"fmt"
	"testing"
	"time"
)

// batchChunks is about size bytes of records with JSON-like values, in chunks as a batch has them, a header's room in front.
func batchChunks(size int) [][]byte {
	const chunk = 64 << 10
	chunks := [][]byte{make([]byte, BatchHeaderSize, chunk)}
	for i, n := 0, BatchHeaderSize; n < size; i++ {
		value := fmt.Appendf(nil, `{"id":%d,"user":"u%06d","kind":"view","country":"FR","amount":%d.%02d,"at":%d,"offer":"garden-%x"}`,
			i, i*7919%200_000, i%500, i%100, 1_790_000_000_000+int64(i)*7, uint32(i)*2654435761)
		r := Record{OffsetDelta: int32(i), Value: value}
		body := r.BodySize()
		last := &chunks[len(chunks)-1]
		if len(*last)+RecordSize(body) > cap(*last) {
			chunks = append(chunks, make([]byte, 0, chunk))
			last = &chunks[len(chunks)-1]
		}
		*last = r.Append(*last, body)
		n += RecordSize(body)
	}
	return chunks
}

func sizeOf(chunks [][]byte) (n int64) {
	for _, c := range chunks {
		n += int64(len(c))
	}
	return n
}

// BenchmarkCompress is the compression of a batch, at Java's default levels.
func BenchmarkCompress(b *testing.B) {
	levels := []struct {
		codec Codec
		level int
	}{{CodecLZ4, 9}, {CodecZstd, 3}, {CodecSnappy, LevelDefault}, {CodecGzip, LevelDefault}}
	for _, l := range levels {
		for _, size := range []int{16 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("%v of %d KiB", l.codec, size>>10), func(b *testing.B) {
				c, err := NewCompressor(l.codec, l.level)
				if err != nil {
					b.Fatal(err)
				}
				src := batchChunks(size)
				src[0] = src[0][BatchHeaderSize:]
				out, err := c.Compress(nil, src) // makes the encoder
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(sizeOf(src))
				b.ReportAllocs()
				for b.Loop() {
					if out, err = c.Compress(out[:0], src); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(sizeOf(src))/float64(len(out)), "ratio")
			})
		}
	}
}

// BenchmarkBatchCRC is the checksum of a batch.
func BenchmarkBatchCRC(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%d KiB", size>>10), func(b *testing.B) {
			chunks := batchChunks(size)
			b.SetBytes(sizeOf(chunks))
			b.ReportAllocs()
			for b.Loop() {
				PutBatchCRC(chunks)
			}
		})
	}
}

const benchPartitions = 12

// BenchmarkFrameProduce is the frame around the batches of a request, one for each of 12 partitions.
func BenchmarkFrameProduce(b *testing.B) {
	req := &ProduceRequest{Acks: -1, Timeout: 30 * time.Second, Topics: []ProduceTopic{{TopicID: UUID{1}}}}
	for i := range int32(benchPartitions) {
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, ProducePartition{Index: i, Records: batchChunks(16 << 10)})
	}
	id := "bench"
	var scratch []byte
	var bufs [][]byte
	b.ReportAllocs()
	for b.Loop() {
		scratch, bufs, _ = FrameRequest(scratch[:0], bufs[:0], RequestHeader{Version: 13, ClientID: &id}, req)
	}
	if len(bufs) < 2*benchPartitions {
		b.Errorf("a frame of %d pieces: the batches are not referred to", len(bufs))
	}
}

// BenchmarkDecodeProduceResponse is the answer to such a request.
func BenchmarkDecodeProduceResponse(b *testing.B) {
	resp := &ProduceResponse{Topics: []ProduceTopicResponse{{TopicID: UUID{1}}}}
	for i := range int32(benchPartitions) {
		resp.Topics[0].Partitions = append(resp.Topics[0].Partitions, ProducePartitionResponse{
			Index: i, BaseOffset: 1 << 40, LogAppendTime: -1, CurrentLeader: LeaderIDAndEpoch{LeaderID: -1, LeaderEpoch: -1},
		})
	}
	frame := AppendResponse(nil, 13, 1, resp)[4:]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeResponse(frame, 13, resp); err != nil {
			b.Fatal(err)
		}
	}
}
