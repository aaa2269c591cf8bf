package protocol_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// One exchange, seen from both ends.
func Example() {
	clientID, transactionalID := "example", "orders"
	request := protocol.AppendRequest(nil,
		protocol.RequestHeader{Version: 5, CorrelationID: 1, ClientID: &clientID},
		&protocol.InitProducerIDRequest{
			TransactionalID:    &transactionalID,
			TransactionTimeout: time.Minute,
			ProducerID:         -1,
			ProducerEpoch:      -1,
		})

	// The broker has read the length and then as many bytes.
	header, m, err := protocol.DecodeRequest(request[4:])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.API().Name, header.Version, *m.(*protocol.InitProducerIDRequest).TransactionalID)
	response := protocol.AppendResponse(nil, header.Version, header.CorrelationID,
		&protocol.InitProducerIDResponse{ProducerID: 4000, ProducerEpoch: 0})

	var answer protocol.InitProducerIDResponse
	correlationID, err := protocol.DecodeResponse(response[4:], 5, &answer)
	fmt.Println(correlationID, answer.ProducerID, answer.ErrorCode.Err(), err)
	// Output:
	// InitProducerId 5 orders
	// 1 4000 <nil> <nil>
}

func ExampleErrorCode() {
	err := fmt.Errorf("topic orders, partition 3: %w", protocol.MessageTooLarge)
	fmt.Println(err)

	var code protocol.ErrorCode
	if errors.As(err, &code) {
		fmt.Println("again:", code.Retriable(), "written:", code.MayBeWritten(), "ends:", code.Reach())
	}
	fmt.Println(errors.Is(err, protocol.MessageTooLarge))
	// Output:
	// topic orders, partition 3: MESSAGE_TOO_LARGE (10): the batch is larger than the topic's max.message.bytes; send smaller records, or raise that limit
	// again: false written: false ends: batch
	// true
}
