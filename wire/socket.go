package wire

import (
	"fmt"
	"net"
	"strings"
)

// A wrapper is a connection around another one, such as a tls.Conn or one that counts bytes. The inner one leads to the socket,
// to set its options and to ask what lies in it. Whether the wrapper changes the bytes is not known.
type wrapper interface{ NetConn() net.Conn }

// A transparent connection is a wrapper whose Read and Write only call those of NetConn. If it says so, bytes are read from and
// written to the inner one directly.
type transparent interface {
	wrapper
	Transparent() bool
}

// mostWraps bounds how deep a socket is looked for: a wrapper may name itself.
const mostWraps = 8

// socketOf returns the TCP socket that conn is or wraps; nil if it is not known.
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

// carrierOf returns the connection to which bytes are written: conn, or what it wraps if it is transparent.
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

// setBuffers sets the socket's buffers, if the socket is known. That is a wish: the system has bounds of its own, and the
// connection works without. What is lost with a wrapper is logged, once.
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
		cfg.logSocketOnce("not all of a socket can be had of what DialContext returned", "conn", fmt.Sprintf("%T", sock),
			"lost", strings.Join(lost, "; "),
			"remedy", "give it NetConn() net.Conn, and Transparent() bool if its Read and Write only pass bytes on")
	}
}

func (cfg *Config) logSocketOnce(message string, args ...any) {
	if cfg.LogSocketOnce == nil {
		cfg.logger().Info(message, args...)
		return
	}
	cfg.LogSocketOnce.Do(func() { cfg.logger().Info(message, args...) })
}
