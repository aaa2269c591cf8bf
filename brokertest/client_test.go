package brokertest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// client is a connection to a broker and nothing more: what it sends is up to the test.
type client struct {
	t    *testing.T
	conn net.Conn
	next int32
}

func dial(t *testing.T, c *Cluster, nodeID int32) *client {
	t.Helper()
	conn, err := c.DialContext(context.Background(), "tcp", c.Bootstrap()[nodeID-1])
	if err != nil {
		t.Fatalf("dial broker %d: %v", nodeID, err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t: t, conn: conn}
}

// send writes a request and returns its correlation ID.
func (k *client) send(version int16, m protocol.Request) int32 {
	k.t.Helper()
	k.next++
	id := "test"
	frame := protocol.AppendRequest(nil, protocol.RequestHeader{Version: version, CorrelationID: k.next, ClientID: &id}, m)
	if _, err := k.conn.Write(frame); err != nil {
		k.t.Fatalf("write %s v%d: %v", m.API().Name, version, err)
	}
	return k.next
}

// frame reads the next frame, without its length.
func (k *client) frame() ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(k.conn, length[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(length[:]))
	_, err := io.ReadFull(k.conn, frame)
	return frame, err
}

// receive reads the next answer into resp and returns its correlation ID.
func (k *client) receive(version int16, resp protocol.Response) int32 {
	k.t.Helper()
	frame, err := k.frame()
	if err != nil {
		k.t.Fatalf("read the answer to %s v%d: %v", resp.API().Name, version, err)
	}
	id, err := protocol.DecodeResponse(frame, version, resp)
	if err != nil {
		k.t.Fatalf("decode the answer to %s v%d: %v", resp.API().Name, version, err)
	}
	return id
}

// ask sends a request and returns its answer.
func ask[R protocol.Response](k *client, version int16, m protocol.Request, resp R) R {
	k.t.Helper()
	want := k.send(version, m)
	if got := k.receive(version, resp); got != want {
		k.t.Fatalf("answer to %s v%d has correlation ID %d, want %d", m.API().Name, version, got, want)
	}
	return resp
}

// isCut fails the test unless the broker has closed the connection without another byte.
func (k *client) isCut() {
	k.t.Helper()
	k.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	var one [1]byte
	n, err := k.conn.Read(one[:])
	if timeout := net.Error(nil); n > 0 || err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		k.t.Fatalf("read %d bytes and %v, want a closed connection", n, err)
	}
}

// batch describes a record batch to be built.
type batch struct {
	pid      int64
	epoch    int16
	sequence int32
	values   []string
	keyless  bool
	at       time.Time
	codec    protocol.Codec
	change   func(*protocol.BatchHeader)
}

// plainBatch is a batch of a producer that is not idempotent.
func plainBatch(values ...string) batch {
	return batch{pid: -1, epoch: -1, sequence: -1, values: values}
}

func (b batch) bytes(t *testing.T) []byte {
	t.Helper()
	if b.at.IsZero() {
		b.at = time.Now()
	}
	var records []byte
	for i, v := range b.values {
		r := protocol.Record{OffsetDelta: int32(i), Key: []byte("k"), Value: []byte(v)}
		if b.keyless {
			r.Key = nil
		}
		records = r.Append(records, r.BodySize())
	}
	if b.codec != protocol.CodecNone {
		z, err := protocol.NewCompressor(b.codec, protocol.LevelDefault)
		if err != nil {
			t.Fatal(err)
		}
		if records, err = z.Compress(nil, [][]byte{records}); err != nil {
			t.Fatal(err)
		}
	}
	h := protocol.BatchHeader{
		Length: int32(protocol.BatchHeaderSize - 12 + len(records)), PartitionLeaderEpoch: -1, Codec: b.codec,
		LastOffsetDelta: int32(len(b.values) - 1), BaseTimestamp: b.at.UnixMilli(), MaxTimestamp: b.at.UnixMilli(),
		ProducerID: b.pid, ProducerEpoch: b.epoch, BaseSequence: b.sequence, Count: int32(len(b.values)),
	}
	if b.change != nil {
		b.change(&h)
	}
	whole := append(make([]byte, protocol.BatchHeaderSize), records...)
	h.Put(whole)
	protocol.PutBatchCRC([][]byte{whole})
	return whole
}

const newestProduce = 13

// produceRequest is a request for one partition, by name and, for version 13, by ID.
func produceRequest(c *Cluster, topic string, index int32, acks int16, records []byte) *protocol.ProduceRequest {
	return &protocol.ProduceRequest{
		Acks: acks, Timeout: 30 * time.Second,
		Topics: []protocol.ProduceTopic{{
			Name: topic, TopicID: c.TopicID(topic),
			Partitions: []protocol.ProducePartition{{Index: index, Records: [][]byte{records}}},
		}},
	}
}

// produce sends one batch to partition 0 with acks=all and returns the partition's answer.
func (k *client) produce(c *Cluster, topic string, b batch) protocol.ProducePartitionResponse {
	k.t.Helper()
	return k.produceBytes(c, topic, newestProduce, -1, b.bytes(k.t))
}

func (k *client) produceBytes(c *Cluster, topic string, version, acks int16, records []byte) protocol.ProducePartitionResponse {
	k.t.Helper()
	resp := ask(k, version, produceRequest(c, topic, 0, acks, records), &protocol.ProduceResponse{})
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		k.t.Fatalf("answer %+v, want one of one partition", resp)
	}
	return resp.Topics[0].Partitions[0]
}

// wantCode fails the test unless a partition was answered with that code.
func wantCode(t *testing.T, got protocol.ProducePartitionResponse, want protocol.ErrorCode) {
	t.Helper()
	if got.ErrorCode != want {
		t.Fatalf("answered %v, want %v (%+v)", got.ErrorCode, want, got)
	}
}

// wantOffset fails the test unless a batch was appended, or found, at that offset.
func wantOffset(t *testing.T, got protocol.ProducePartitionResponse, want int64) {
	t.Helper()
	if got.ErrorCode != protocol.NoError || got.BaseOffset != want {
		t.Fatalf("answered %v at offset %d, want no error at %d", got.ErrorCode, got.BaseOffset, want)
	}
}

// values returns the values in a partition's log.
func values(c *Cluster, topic string, index int32) string {
	var all []string
	for _, r := range c.Records(topic, index) {
		all = append(all, string(r.Value))
	}
	return fmt.Sprint(all)
}
