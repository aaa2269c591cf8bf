package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// probe says whether the broker at address answers ApiVersions and, asked for the cluster's metadata,
// knows of at least want brokers. Each try is short: a broker that has just opened its port may well
// accept a connection and never answer on it.
func probe(ctx context.Context, address string, want int) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := apiVersions(ctx, address); err != nil {
		return fmt.Errorf("ApiVersions: %w", err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return err
	}
	defer client.Close()
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{} // none; null would be all
	response, err := client.SeedBrokers()[0].Request(ctx, request)
	if err != nil {
		return fmt.Errorf("Metadata: %w", err)
	}
	if known := len(response.(*kmsg.MetadataResponse).Brokers); known < want {
		return fmt.Errorf("it knows of %d brokers of %d", known, want)
	}
	return nil
}

// apiVersions sends ApiVersions version 0 as plain bytes and demands an answer without an error. A
// client library would retry here, out of sight.
func apiVersions(ctx context.Context, address string) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	const key, version, correlationID = 18, 0, 7
	body := binary.BigEndian.AppendUint16(nil, key)
	body = binary.BigEndian.AppendUint16(body, version)
	body = binary.BigEndian.AppendUint32(body, correlationID)
	body = binary.BigEndian.AppendUint16(body, 0xffff) // no client ID
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)); err != nil {
		return err
	}
	var answer [10]byte // length, correlation ID, error code
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return err
	}
	if id, code := binary.BigEndian.Uint32(answer[4:]), int16(binary.BigEndian.Uint16(answer[8:])); id != correlationID || code != 0 {
		return fmt.Errorf("an answer with correlation ID %d and error code %d", id, code)
	}
	return nil
}
