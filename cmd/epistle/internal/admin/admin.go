package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// Client asks the cluster that a producer with the same settings would send to. It holds no connection.
type Client struct {
	wire      wire.Config
	bootstrap []string
	dialing   time.Duration // for one connection
}

// New returns a client. It does no I/O.
func New(cfg producer.Config) *Client {
	return &Client{
		wire: wire.Config{
			ClientID: cfg.ClientID, SoftwareName: "epistle", SoftwareVersion: producer.Version,
			MaxInFlight: 1, RequestTimeout: cfg.RequestTimeout,
			SendBuffer: -1, ReceiveBuffer: -1,
			TLS: cfg.TLS, SASL: cfg.SASL, DialContext: cfg.DialContext, Logger: cfg.Logger,
		},
		bootstrap: cfg.BootstrapServers,
		dialing:   cfg.SocketConnectionSetupTimeout,
	}
}

// maxTopicName is the longest name that a topic can have, in bytes.
const maxTopicName = 249

var errDone = errors.New("all questions are answered")

func (c *Client) anyServer(ctx context.Context) (*wire.Conn, error) {
	var failed []error
	for _, addr := range c.bootstrap {
		conn, err := c.dial(ctx, addr, -1)
		if err == nil {
			return conn, nil
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}

func (c *Client) dial(ctx context.Context, addr string, node int32) (*wire.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.dialing)
	defer cancel()
	return wire.Dial(ctx, &c.wire, wire.Peer{Addr: addr, NodeID: node}, nil)
}

// ask sends one request to a broker and waits for its answer.
func ask(ctx context.Context, conn *wire.Conn, req protocol.Request, resp protocol.Response) error {
	done := make(chan struct{})
	call := &wire.Call{Request: req, Response: resp, Done: func(*wire.Call) { close(done) }}
	if !conn.Send(call) {
		return fmt.Errorf("%s: the broker has hung up", req.API().Name)
	}
	select {
	case <-done:
		return call.Err
	case <-ctx.Done():
		conn.Close(context.Cause(ctx))
		<-done
		return context.Cause(ctx)
	}
}

// Cluster is what a cluster's metadata says.
type Cluster struct {
	brokers    map[int32]string // host:port
	controller int32            // -1 = unknown
}

func (c *Client) describe(ctx context.Context, topics ...string) (*Cluster, *protocol.MetadataResponse, error) {
	conn, err := c.anyServer(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close(errDone)
	for _, name := range topics {
		if len(name) > maxTopicName {
			return nil, nil, &producer.InvalidTopicError{Name: name, Rule: fmt.Sprintf("have at most %d characters, and it has %d", maxTopicName, len(name))}
		}
	}
	req := &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{}}
	for _, name := range topics {
		req.Topics = append(req.Topics, protocol.MetadataRequestTopic{Name: &name})
	}
	resp := new(protocol.MetadataResponse)
	if err := ask(ctx, conn, req, resp); err != nil {
		return nil, nil, err
	}
	if err := resp.ErrorCode.Err(); err != nil {
		return nil, nil, fmt.Errorf("metadata: %w", err)
	}
	cluster := &Cluster{brokers: make(map[int32]string), controller: resp.ControllerID}
	for _, b := range resp.Brokers {
		cluster.brokers[b.NodeID] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	return cluster, resp, nil
}
