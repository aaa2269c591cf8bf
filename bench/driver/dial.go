package driver

import (
	"context"
	"net"
)

// DialWithBuffer dials for clients that take a function for it, and have no setting for the socket's SO_SNDBUF: n bytes.
func DialWithBuffer(n int) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if err := c.(*net.TCPConn).SetWriteBuffer(n); err != nil {
			c.Close()
			return nil, err
		}
		return c, nil
	}
}
