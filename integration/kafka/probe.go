package kafka

import (
	"bytes"
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
	n, err := io.ReadFull(conn, answer[:])
	if size := int32(binary.BigEndian.Uint32(answer[:])); n >= 4 && (size < 4 || size > maxApiVersions) {
		return &foreignError{answer[:n]}
	}
	if err != nil {
		return err
	}
	if id, code := binary.BigEndian.Uint32(answer[4:]), int16(binary.BigEndian.Uint16(answer[8:])); id != correlationID || code != 0 {
		return fmt.Errorf("an answer with correlation ID %d and error code %d", id, code)
	}
	return nil
}

// maxApiVersions is more than any answer to ApiVersions has, in bytes, and less than the first four bytes of TLS, HTTP or SSH
// make as a number.
const maxApiVersions = 1 << 20

// foreignError says that something has answered which is no Kafka, or wants TLS.
type foreignError struct{ first []byte }

func (e *foreignError) Error() string {
	what := "what answers there is no Kafka"
	if bytes.HasPrefix(e.first, []byte{0x15, 3}) {
		what = "what answers there wants TLS, which the programs here do not speak; name a listener without"
	}
	return fmt.Sprintf("%s: its first bytes are %q", what, e.first)
}
