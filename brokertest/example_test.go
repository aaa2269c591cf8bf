package brokertest_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// A batch is written over a bare connection; the first attempt is refused, as scripted.
func Example() {
	kafka, err := brokertest.Start(brokertest.Topic("orders", 1))
	if err != nil {
		log.Fatal(err)
	}
	defer kafka.Close()
	kafka.On(brokertest.Produce).Topic("orders").Do(brokertest.Error(protocol.NotEnoughReplicas))

	conn, err := net.Dial("tcp", kafka.Bootstrap()[0])
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	for attempt := range int32(2) {
		answer, err := produce(conn, attempt, "orders", "one order")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer.ErrorCode.Name(), "offset", answer.BaseOffset)
	}
	for _, r := range kafka.Records("orders", 0) {
		fmt.Printf("%d: %s\n", r.Offset, r.Value)
	}
	fmt.Println("requests:", kafka.Count(brokertest.Produce), "wrong:", kafka.Verify(nil))
	// Output:
	// NOT_ENOUGH_REPLICAS offset -1
	// NONE offset 0
	// 0: one order
	// requests: 2 wrong: <nil>
}

// produce writes one record to partition 0 of a topic, in version 12 of Produce.
func produce(conn net.Conn, correlationID int32, topic, value string) (answer protocol.ProducePartitionResponse, err error) {
	record := protocol.Record{Value: []byte(value)}
	records := record.Append(nil, record.BodySize())
	header := protocol.BatchHeader{
		Length: int32(protocol.BatchHeaderSize - 12 + len(records)), Count: 1, BaseTimestamp: time.Now().UnixMilli(),
		MaxTimestamp: time.Now().UnixMilli(), ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1,
	}
	batch := make([]byte, protocol.BatchHeaderSize, protocol.BatchHeaderSize+len(records))
	header.Put(batch)
	batch = append(batch, records...)
	protocol.PutBatchCRC([][]byte{batch})

	frame := protocol.AppendRequest(nil, protocol.RequestHeader{Version: 12, CorrelationID: correlationID}, &protocol.ProduceRequest{
		Acks: -1, Timeout: time.Second,
		Topics: []protocol.ProduceTopic{{Name: topic, Partitions: []protocol.ProducePartition{{Records: [][]byte{batch}}}}},
	})
	if _, err := conn.Write(frame); err != nil {
		return answer, err
	}
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return answer, err
	}
	frame = make([]byte, binary.BigEndian.Uint32(length[:]))
	if _, err := io.ReadFull(conn, frame); err != nil {
		return answer, err
	}
	resp := &protocol.ProduceResponse{}
	if _, err := protocol.DecodeResponse(frame, 12, resp); err != nil {
		return answer, err
	}
	return resp.Topics[0].Partitions[0], nil
}
