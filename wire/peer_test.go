package wire

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// broker is the other end of a connection, as a test plays it: one request, one answer, by hand.
type broker struct {
	t    testing.TB
	conn net.Conn
}

// testConfig has values that tests can tell apart.
func testConfig() *Config {
	return &Config{
		ClientID: "test", SoftwareName: "epistle", SoftwareVersion: "1.0",
		MaxInFlight: 5, RequestTimeout: 30 * time.Second, ConnectionsMaxIdle: 9 * time.Minute,
		SendBuffer: -1, ReceiveBuffer: -1,
	}
}

// inMemory makes cfg dial a fresh connection in memory, whose other end it returns.
func inMemory(t *testing.T, cfg *Config) (client *memConn, b *broker) {
	client, server := newMemPair()
	cfg.DialContext = func(context.Context, string, string) (net.Conn, error) { return client, nil }
	return client, &broker{t, server}
}

// end is what a connection ended with, and when.
type end struct {
	err error
	at  time.Time
}

// connect dials a broker in memory that speaks all that we speak. The channel gets the connection's end.
func connect(t *testing.T, cfg *Config) (*Conn, *broker, chan end) {
	t.Helper()
	_, b := inMemory(t, cfg)
	return dialed(t, cfg, b)
}

// dialed dials with cfg; b answers the handshake.
func dialed(t *testing.T, cfg *Config, b *broker) (*Conn, *broker, chan end) {
	t.Helper()
	go b.shakeHands()
	ended := make(chan end, 1)
	c, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: 1}, func(_ *Conn, err error) {
		ended <- end{err, time.Now()}
	})
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	t.Cleanup(func() {
		c.Close(nil)
		b.conn.Close()
	})
	return c, b, ended
}

// everything is what a broker says that speaks the same versions as we.
func everything() *protocol.ApiVersionsResponse {
	resp := &protocol.ApiVersionsResponse{FinalizedFeaturesEpoch: -1}
	for _, api := range protocol.APIs() {
		resp.APIKeys = append(resp.APIKeys, protocol.ApiVersion{APIKey: api.Key, MinVersion: api.Min, MaxVersion: api.Max})
	}
	return resp
}

func (b *broker) shakeHands() {
	if h, _, err := b.read(); err == nil {
		b.answer(h, everything())
	}
}

// read returns the next request.
func (b *broker) read() (protocol.RequestHeader, protocol.Request, error) {
	var size [4]byte
	if _, err := io.ReadFull(b.conn, size[:]); err != nil {
		return protocol.RequestHeader{}, nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(b.conn, frame); err != nil {
		return protocol.RequestHeader{}, nil, err
	}
	return protocol.DecodeRequest(frame)
}

// want returns the next request, which must come.
func (b *broker) want() (protocol.RequestHeader, protocol.Request) {
	b.t.Helper()
	h, req, err := b.read()
	if err != nil {
		b.t.Errorf("broker: reading a request: %v", err)
	}
	return h, req
}

func (b *broker) answer(h protocol.RequestHeader, resp protocol.Response) {
	b.conn.Write(protocol.AppendResponse(nil, h.Version, h.CorrelationID, resp))
}

// produce returns a call with one batch of the given bytes, cut into chunks. Its Done sends it to done.
func produce(done chan *Call, chunks ...string) *Call {
	p := protocol.ProducePartition{}
	for _, chunk := range chunks {
		p.Records = append(p.Records, []byte(chunk))
	}
	req := &protocol.ProduceRequest{
		Acks: -1, Timeout: time.Second,
		Topics: []protocol.ProduceTopic{{Name: "t", Partitions: []protocol.ProducePartition{p}}},
	}
	return &Call{Request: req, Response: new(protocol.ProduceResponse), MaxVersion: 12, Done: func(c *Call) { done <- c }}
}

// initID returns a small call that an InitProducerIDResponse answers.
func initID(done chan *Call) *Call {
	return &Call{
		Request: &protocol.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1}, Response: new(protocol.InitProducerIDResponse),
		Done: func(c *Call) { done <- c },
	}
}

func send(t *testing.T, c *Conn, calls ...*Call) {
	t.Helper()
	for i, call := range calls {
		if !c.Send(call) {
			t.Fatalf("Send of call %d: got false, want true", i)
		}
	}
}
