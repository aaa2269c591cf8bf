package wire

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Whatever an established peer sends, the call in flight ends at once, as one that may be written, with an error that says what
// came; nothing panics, hangs or is taken for an answer.
func TestHostilePeer(t *testing.T) {
	response := func(id int32) string {
		return string(protocol.AppendResponse(nil, 5, id, &protocol.InitProducerIDResponse{}))
	}
	for _, c := range []struct {
		name string
		sent string
		want string
	}{
		{"garbage", "\xff\xfe\xfd\xfc garbage", "its first bytes are"},
		{"zero", "\x00\x00\x00\x00", "cannot have 0 bytes"},
		{"a frame without a correlation id", "\x00\x00\x00\x03abc", "cannot have 3 bytes"},
		{"a huge length", "\x7f\xff\xff\xff", "cannot have 2147483647 bytes (4 to 104857600)"},
		{"one byte more than is taken", "\x06\x40\x00\x01", "cannot have 104857601 bytes"},
		{"TLS alert", "\x15\x03\x03\x00\x02\x02\x46", "speak TLS"},
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", `speak HTTP: its first bytes are "HTTP/1.1 400 Bad"`},
		{"SSH", "SSH-2.0-OpenSSH_9.6\r\n", "speak SSH"},
		{"half a length", "\x00\x00", "2 bytes into a response"},
		{"half a frame", response(1)[:9], "5 bytes into a response of"},
		{"half a large frame", "\x00\x40\x00\x00" + strings.Repeat("x", 3<<20), "3145728 bytes into a response of 4194304"},
		{"a wrong correlation id", response(77), "correlation id 77, want 1 for InitProducerId"},
		{"a body that is too short", "\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00", "InitProducerId v5 response: truncated"},
		{"nothing", "", "EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, b, ended := connect(t, testConfig())
				done := make(chan *Call, 1)
				send(t, conn, initID(done))
				b.want()
				begin := time.Now()
				b.conn.Write([]byte(c.sent))
				if c.sent == "" || strings.HasPrefix(c.name, "half") {
					b.conn.Close()
				}
				call := <-done
				if !errors.Is(call.Err, ErrClosed) || !call.Written || !strings.Contains(call.Err.Error(), c.want) {
					t.Errorf("call: %v, written %v, want closed, %q, true", call.Err, call.Written, c.want)
				}
				if err := (<-ended).err; !strings.Contains(err.Error(), c.want) {
					t.Errorf("onClose: %v, want %q", err, c.want)
				}
				if took := time.Since(begin); took != 0 {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// A response that nothing had asked for is not kept for the next request.
func TestUnaskedResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, b, ended := connect(t, testConfig())
		b.conn.Write(protocol.AppendResponse(nil, 5, 1, &protocol.InitProducerIDResponse{}))
		if err := (<-ended).err; !errors.Is(err, errUnasked) {
			t.Errorf("onClose: %v, want %v", err, errUnasked)
		}
	})
}

// An answer to the second call before the first cannot be told from a stream that is out of step.
func TestAnswersInTheWrongOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, _ := connect(t, testConfig())
		done := make(chan *Call, 2)
		send(t, conn, initID(done), initID(done))
		b.want()
		h, _ := b.want()
		b.answer(h, &protocol.InitProducerIDResponse{})
		for range 2 {
			if call := <-done; !errors.Is(call.Err, ErrClosed) || !call.Written {
				t.Errorf("call: %v, written %v, want closed, true", call.Err, call.Written)
			}
		}
	})
}

// A peer that has the dial's handshake wrong fails the dial, with the stage and a word of advice.
func TestHostilePeerInHandshake(t *testing.T) {
	for _, c := range []struct {
		name string
		sent string
		want []string
		is   error
	}{
		{"hangs up", "", []string{"EOF", "may want TLS (security.protocol SSL or SASL_SSL)", "a proxy that reaches none"}, io.EOF},
		{"TLS", "\x15\x03\x03\x00\x02\x02\x46", []string{"speak TLS", "set TLS"}, nil},
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", []string{"speak HTTP", "no Kafka broker"}, nil},
		{"SSH", "SSH-2.0-OpenSSH_9.6\r\n", []string{"speak SSH", "no Kafka broker"}, nil},
		{"SMTP", "220 mail ESMTP\r\n", []string{`"220 mail ESMTP\r\n"`, "no Kafka broker"}, nil},
		{"garbage that could be a length", "\x00\x50\x00\x00", []string{"cannot have 5242880 bytes"}, nil},
		{"a wrong correlation id", string(protocol.AppendResponse(nil, 5, 9, everything())), []string{"correlation id 9, want 0"}, nil},
		{"half an answer", string(protocol.AppendResponse(nil, 5, 0, everything())[:30]), []string{"26 bytes into a response", "in the middle of its answer"}, io.ErrUnexpectedEOF},
		{"knows nothing", string(protocol.AppendResponse(nil, 5, 0, &protocol.ApiVersionsResponse{})), []string{"no request at all"}, nil},
		{"an error", string(protocol.AppendResponse(nil, 5, 0, &protocol.ApiVersionsResponse{ErrorCode: protocol.InvalidRequest})),
			[]string{"SoftwareName"}, protocol.InvalidRequest},
		{"an unknown error", string(protocol.AppendResponse(nil, 5, 0, &protocol.ApiVersionsResponse{ErrorCode: 9999})),
			[]string{"9999"}, protocol.ErrorCode(9999)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				_, b := inMemory(t, cfg)
				go func() {
					b.want()
					b.conn.Write([]byte(c.sent))
					if c.sent == "" || strings.HasPrefix(c.name, "half") {
						b.conn.Close()
					}
				}()
				_, err := Dial(t.Context(), cfg, Peer{Addr: "kafka:9092", NodeID: -1}, nil)
				var e *Error
				if !errors.As(err, &e) || e.Stage != StageApiVersions || e.Addr != "kafka:9092" || e.NodeID != -1 {
					t.Fatalf("got %v, want an *Error of the ApiVersions stage", err)
				}
				if c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("got %v, want one that matches %v", err, c.is)
				}
				for _, want := range c.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("got %q, want %q in it", err, want)
					}
				}
			})
		})
	}
}
