package wire

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/sasl"
)

// Config holds what all connections of one client have in common. It is read only: connections share it.
type Config struct {
	ClientID string // sent with each request; what quotas and the broker's log go by
	// SoftwareName and SoftwareVersion tell the broker which library this is (KIP-511): letters, digits, '.' and '-', beginning
	// and ending with a letter or digit.
	SoftwareName, SoftwareVersion string

	MaxInFlight        int           // unanswered requests of a connection; at least 1
	RequestTimeout     time.Duration // from the beginning of a call's write to its answer; 0 or less = for ever
	ConnectionsMaxIdle time.Duration // closes a connection without calls for so long; 0 or less = never

	// MaxThrottle bounds how long nothing is sent at a time, if a broker asks for that. After it the next request is sent, and
	// the broker may ask again. 0 or less = no bound.
	MaxThrottle time.Duration

	// MaxVersions caps the version of requests, by API key, whatever the broker offers: something between us and the broker may
	// not know them.
	MaxVersions map[int16]int16

	// SendBuffer and ReceiveBuffer are the socket's SO_SNDBUF and SO_RCVBUF in bytes. -1 (and 0) leaves the choice to the
	// operating system.
	SendBuffer, ReceiveBuffer int

	// TLS is nil for plaintext. An empty ServerName is filled from the host that is dialled.
	TLS *tls.Config

	// Certificates, if not nil, is called before each TLS handshake. It puts certificates into own, a copy of TLS that belongs
	// to this connection alone. It returns who is trusted, in words for errors; "" = nothing to say. It must return when ctx
	// ends, and is called concurrently.
	Certificates func(ctx context.Context, own *tls.Config) (trusted string)

	// DialContext replaces net.Dialer, which resolves the name on each dial and tries all its addresses. It must heed ctx.
	// Close of what it returns must not block, and must end a Read and a Write in progress.
	//
	// What it returns may be wrapped around a TCP connection. It then should have a method NetConn() net.Conn, as tls.Conn has.
	// The buffers are set on what that returns, and a call is not timed out while its answer lies in the socket. Bytes go
	// through the wrapper's own Read and Write, copied. If the wrapper also has Transparent() bool, and that returns true, its
	// Read and Write do nothing but call the inner ones, which are then called instead.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// LogSocketOnce makes the log line about a socket that cannot be seen one for all connections. nil: each dial logs it.
	LogSocketOnce *sync.Once

	// SASL authenticates each connection after the versions are known and before Dial returns, and again before its session
	// ends (KIP-368). nil for none.
	SASL sasl.Mechanism
	// LogReadableOnce makes the log line about readable credentials one for all connections. nil: each dial logs it.
	LogReadableOnce *sync.Once
	// Deserted counts the calls of DialContext and of SASL that have not returned though their context has ended. Past a bound
	// they are not called. nil: one for all clients that have none.
	Deserted *Deserted
	// Renewed is called after each attempt to authenticate a connection again, with nil if it has succeeded. It runs on a
	// goroutine of the connection and must not block. It may be nil.
	Renewed func(err error)

	Logger *slog.Logger // what goes wrong is returned; this is for the rest. nil = silent
}

// maxResponse bounds a response, in bytes: 100 MiB, the size that Kafka's own brokers allow a request. Java's client has no
// setting for it.
const maxResponse = 100 << 20

func (cfg *Config) logger() *slog.Logger {
	if cfg.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return cfg.Logger
}

// Peer is the broker at the other end.
type Peer struct {
	Addr   string // host:port
	NodeID int32  // -1 = a bootstrap server, whose node id is not known

	// ClusterID is the cluster that the address was learned from, "" if unknown. With a NodeID it lets a broker of version 4.4
	// notice that the connection has ended up elsewhere (KIP-1242).
	ClusterID string

	// HungUp is how often in a row it has hung up on ApiVersions without an answer: see Error.Unheard. After some of them older
	// versions of ApiVersions are tried.
	HungUp int

	// Answered is when somebody at Addr last gave us an answer; zero if nobody ever did. Hints differ: an address that has
	// never answered may be wrong, one that has answered was right.
	Answered time.Time

	// Served says that somebody at Addr has answered a request after the handshake: the listener is for clients.
	Served bool

	// Counters count what goes to the peer and comes from it, on all connections that have them. nil: nobody wants to know.
	Counters *Counters
}
