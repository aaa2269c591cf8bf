package wire

import (
	"fmt"
	"net"
	"strings"
)

// A wrapper is a connection around another one, such as a tls.Conn or one that counts bytes. The other is its way to the
// socket, whose options may be set and which may be asked what lies in it. That its bytes go there unchanged is not said.
type wrapper interface{ NetConn() net.Conn }

// A transparent connection is a wrapper whose Read and Write do nothing but call those of NetConn. Where it says so, bytes
// are read from and written to that directly.
type transparent interface {
	wrapper
	Transparent() bool
}

// mostWraps bounds how deep a socket is looked for: a wrapper may name itself.
const mostWraps = 8

// socketOf returns the TCP socket that conn is, or is wrapped around; nil if there is none to be seen.
func socketOf(conn net.Conn) *net.TCPConn {
	for range mostWraps {
		switch c := conn.(type) {
		case *net.TCPConn:
			return c
		case wrapper:
			conn = c.NetConn()
		default:
			return nil
		}
	}
	return nil
}

// carrierOf returns the connection that bytes go to: conn, or what it is a transparent wrapper of.
func carrierOf(conn net.Conn) net.Conn {
	for range mostWraps {
		c, ok := conn.(transparent)
		if !ok || !c.Transparent() {
			break
		}
		inner := c.NetConn()
		if inner == nil {
			break
		}
		conn = inner
	}
	return conn
}

// setBuffers sets the socket's buffers, as far as there is a way to them. That is a wish: the system has its own bounds, and
// the connection works without. What a wrapper costs is logged, once.
func (cfg *Config) setBuffers(sock net.Conn) {
	options := sock
	if tcp := socketOf(sock); tcp != nil {
		options = tcp
	}
	var lost []string
	if own, ok := options.(interface{ SetWriteBuffer(int) error }); ok && cfg.SendBuffer > 0 {
		own.SetWriteBuffer(cfg.SendBuffer)
	} else if cfg.SendBuffer > 0 {
		lost = append(lost, "send.buffer.bytes is not set on it")
	}
	if own, ok := options.(interface{ SetReadBuffer(int) error }); ok && cfg.ReceiveBuffer > 0 {
		own.SetReadBuffer(cfg.ReceiveBuffer)
	} else if cfg.ReceiveBuffer > 0 {
		lost = append(lost, "receive.buffer.bytes is not set on it")
	}
	if _, bare := carrierOf(sock).(*net.TCPConn); !bare && cfg.TLS == nil {
		lost = append(lost, "requests are copied before they are written, and none is written without the write loop")
	}
	if len(lost) > 0 {
		cfg.tellOnce("not all of a socket can be had of what DialContext returned", "conn", fmt.Sprintf("%T", sock),
			"lost", strings.Join(lost, "; "),
			"remedy", "give it NetConn() net.Conn, and Transparent() bool if its Read and Write only pass bytes on")
	}
}

func (cfg *Config) tellOnce(message string, args ...any) {
	if cfg.Told == nil {
		cfg.logger().Info(message, args...)
		return
	}
	cfg.Told.Do(func() { cfg.logger().Info(message, args...) })
}
