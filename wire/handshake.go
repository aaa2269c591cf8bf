package wire

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/epistle-kafka/epistle/protocol"
)

// handshake is a connection that is not yet established: one request at a time, on the goroutine of Dial.
type handshake struct {
	cfg           *Config
	peer          Peer
	sock          net.Conn // what was dialled
	conn          net.Conn // sock, or TLS over it
	frames        *frameReader
	versions      versions // nil during ApiVersions
	scratch       []byte
	correlationID int32 // of the next request
	asked         int16 // the version of ApiVersions that was asked last
	refused       bool  // a version of ApiVersions was refused
}

// A response of the handshake is small. A tighter bound than later on makes garbage stand out.
const maxHandshakeResponse = 4 << 20

// tlsState returns the TLS state of a connection; nil if it has none. The TLS may be the user's: DialContext may have done the
// handshake already.
func tlsState(conn net.Conn) *tls.ConnectionState {
	for range mostWraps {
		switch c := conn.(type) {
		case *tls.Conn:
			state := c.ConnectionState()
			return &state
		case wrapper:
			conn = c.NetConn()
		default:
			return nil
		}
	}
	return nil
}

// roundTrip sends req, waits for its answer and decodes it into resp. If ctx ends first, or anything goes wrong, the connection
// is of no use any more. An error code inside resp is not an error here.
func (hs *handshake) roundTrip(ctx context.Context, version int16, req protocol.Request, resp protocol.Response) error {
	frame, err := hs.frame(ctx, version, req)
	if err != nil {
		return err
	}
	_, err = protocol.DecodeResponse(frame, version, resp)
	return err
}

// frame sends req and returns its answer, not decoded.
func (hs *handshake) frame(ctx context.Context, version int16, req protocol.Request) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { hs.sock.Close() })
	frame, err := hs.exchange(version, req)
	if !stop() {
		return nil, context.Cause(ctx) // whatever came: the socket is closed
	}
	if err != nil {
		return nil, err
	}
	return frame, checkCorrelation(frame, hs.correlationID-1, req)
}

// exchange writes one request and reads one frame.
func (hs *handshake) exchange(version int16, req protocol.Request) ([]byte, error) {
	header := protocol.RequestHeader{
		APIKey: req.API().Key, Version: version, CorrelationID: hs.correlationID, ClientID: &hs.cfg.ClientID,
	}
	hs.correlationID++
	hs.scratch = protocol.AppendRequest(hs.scratch[:0], header, req)
	n, err := writeWhole(hs.conn, hs.scratch)
	hs.peer.Counters.wrote(n)
	if err != nil {
		return nil, hs.lastWord(err)
	}
	return hs.frames.next()
}

// lastWord returns the alert with which the other end of TLS has closed the connection, if that is why a write has failed. In
// TLS 1.3 a client certificate is refused when the client takes the handshake for done already.
func (hs *handshake) lastWord(failed error) error {
	if _, ok := hs.conn.(*tls.Conn); ok && hungUp(failed) {
		if _, err := hs.frames.next(); isAlert(err) {
			return err
		}
	}
	return failed
}
