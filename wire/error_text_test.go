package wire

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

// An error says each address, and each stage, once: package net says them, too.
func TestAnErrorSaysEachThingOnce(t *testing.T) {
	at := func(addr string) net.Addr {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		return tcp
	}
	refused := os.NewSyscallError("connect", syscall.ECONNREFUSED)
	reset := os.NewSyscallError("read", syscall.ECONNRESET)
	for _, c := range []struct {
		err  Error
		want string
	}{
		{Error{Stage: StageDial, Addr: "127.0.0.1:9092", NodeID: 1, Err: &net.OpError{Op: "dial", Net: "tcp", Addr: at("127.0.0.1:9092"), Err: refused}},
			"broker 1 at 127.0.0.1:9092: dial: connect: " + syscall.ECONNREFUSED.Error()},
		{Error{Stage: StageDial, Addr: "localhost:9092", NodeID: -1, Err: &net.OpError{Op: "dial", Net: "tcp", Addr: at("127.0.0.1:9092"), Err: refused}},
			"bootstrap server localhost:9092: dial: 127.0.0.1:9092: connect: " + syscall.ECONNREFUSED.Error()},
		{Error{Stage: StageResolve, Addr: "kafka:9092", NodeID: -1, Err: &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "kafka"}}},
			"bootstrap server kafka:9092: resolve: lookup kafka: no such host"},
		{Error{Stage: StageRequest, Addr: "127.0.0.1:9092", NodeID: 1, API: "Produce", Err: fmt.Errorf("%w: %w", ErrClosed,
			&net.OpError{Op: "read", Net: "tcp", Source: at("127.0.0.1:1024"), Addr: at("127.0.0.1:9092"), Err: reset})},
			"broker 1 at 127.0.0.1:9092: request Produce: connection closed: read: " + syscall.ECONNRESET.Error()},
		{Error{Stage: StageRequest, Addr: "127.0.0.1:9092", NodeID: 1, Err: &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}},
			"broker 1 at 127.0.0.1:9092: request: write: " + syscall.EPIPE.Error()},
		{Error{Stage: StageApiVersions, API: "ApiVersions", Addr: "a:1", NodeID: 1, Err: errors.New("EOF")}, "broker 1 at a:1: ApiVersions: EOF"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("the text is\n%s\nwant\n%s", got, c.want)
		}
	}
}
