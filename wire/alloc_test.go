package wire

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/protocol"
)

// acknowledge is a broker that answers each request with the same body, and allocates nothing for it.
func acknowledge(t testing.TB, version int16, resp protocol.Response) func(net.Conn) {
	return func(conn net.Conn) {
		(&broker{t, conn}).shakeHands()
		answer := protocol.AppendResponse(nil, version, 0, resp)
		var buf [64 << 10]byte
		for {
			if _, err := io.ReadFull(conn, buf[:4]); err != nil {
				return
			}
			size := binary.BigEndian.Uint32(buf[:])
			if _, err := io.ReadFull(conn, buf[:size]); err != nil {
				return
			}
			copy(answer[4:8], buf[4:8]) // the correlation id
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}
}

// In the steady state a Produce call costs no allocation, from Send to Done, whoever writes it. Its answer's frame, the
// answer's slices and the topic's name are those of the last.
func TestAProduceCallAllocatesNothing(t *testing.T) {
	for _, version := range []int16{8, 12, 13} {
		for name, hint := range map[string]int{"by the write loop": 0, "directly": 500} {
			t.Run(fmt.Sprintf("v%d %s", version, name), func(t *testing.T) {
				addr := serve(t, acknowledge(t, version, &protocol.ProduceResponse{Topics: []protocol.ProduceTopicResponse{{
					Name: "topic", Partitions: []protocol.ProducePartitionResponse{{BaseOffset: 7}, {Index: 1}},
				}}}))
				conn, err := Dial(t.Context(), testConfig(), Peer{Addr: addr, NodeID: 1}, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					conn.Close(nil)
					<-conn.Closed()
				}()
				done := make(chan *Call, 1)
				call := produce(done, "header", "records")
				call.MaxVersion, call.SizeHint = version, hint
				allocs := testing.AllocsPerRun(1000, func() {
					conn.Send(call)
					if call := <-done; call.Err != nil {
						t.Fatal(call.Err)
					}
				})
				if allocs != 0 {
					t.Errorf("%v allocations a call, want 0", allocs)
				}
			})
		}
	}
}

// BenchmarkPingPong is a small Produce call and its answer, one after the other, over loopback.
func BenchmarkPingPong(b *testing.B) {
	for _, c := range []struct {
		name string
		hint int
	}{{"by the write loop", 0}, {"directly", 500}} {
		b.Run(c.name, func(b *testing.B) {
			addr := serve(b, acknowledge(b, 13, &protocol.ProduceResponse{Topics: []protocol.ProduceTopicResponse{{
				Partitions: []protocol.ProducePartitionResponse{{BaseOffset: 7}},
			}}}))
			conn, err := Dial(b.Context(), testConfig(), Peer{Addr: addr, NodeID: 1}, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close(nil)
			done := make(chan *Call, 1)
			call := produce(done, strings.Repeat("r", 300))
			call.MaxVersion, call.SizeHint = 13, c.hint
			b.ReportAllocs()
			for b.Loop() {
				conn.Send(call)
				if call := <-done; call.Err != nil {
					b.Fatal(call.Err)
				}
			}
		})
	}
}
