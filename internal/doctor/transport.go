package doctor

import (
	"context"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// Options is what of a producer's settings is judged, and what is asked about.
type Options struct {
	Bootstrap []string
	Topics    []string
	Send      bool          // a test record to the first of Topics
	Within    time.Duration // all stages together

	Acks               int16
	Idempotent         bool
	TransactionalID    string
	TransactionTimeout time.Duration
	MaxRequestSize     int
	BatchSize          int
	Codec              protocol.Codec
	AutoCreate         bool
	ClusterCheck       bool // brokers are told whom they are taken for
	MaxVersions        map[int16]int16

	TLS       bool
	Mechanism string // "": none
	OwnDialer bool   // resolves names, too
}

// Transport is the way to servers. Its methods are called concurrently, and return when ctx ends.
type Transport interface {
	// Resolve looks up the addresses of a host name.
	Resolve(ctx context.Context, host string) ([]string, error)

	// Connect makes a connection, within bounds of its own for each stage, and tells passed of each stage that has ended well,
	// before it returns. Its errors are those of package wire. The cluster is that of the broker, "" where it is not known.
	Connect(ctx context.Context, addr string, node int32, cluster string, passed func(wire.Passed)) (Link, error)

	// OtherWay reports whether the server answers without TLS where the settings have TLS, or to TLS where they have none.
	OtherWay(ctx context.Context, addr string) bool

	// Web reports whether the server answers a request of HTTP, over TLS if that is asked for.
	Web(ctx context.Context, addr string, overTLS bool) bool

	// Send writes the test record, by the settings.
	Send(ctx context.Context, topic string) (Landed, error)

	// Now is the time.
	Now() time.Time
}

// Link is a connection to one server.
type Link interface {
	// Ask sends a request and waits for its answer, within a bound of its own. After an error resp must not be looked at: the
	// answer may still come.
	Ask(ctx context.Context, req protocol.Request, resp protocol.Response) error
	Close()
}
