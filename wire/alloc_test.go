package wire

import (
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/epistle-kafka/epistle/protocol"
)

// acknowledge is a broker that answers each request with the same body, and allocates nothing for it.
func acknowledge(t *testing.T, version int16, resp protocol.Response) func(net.Conn) {
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

// A call allocates its answer's frame, and what the codec needs for one request and one answer (its own state twice, a
// topic, its name, a partition). The connection itself adds nothing to that.
func TestAllocationsOfACall(t *testing.T) {
	cfg := testConfig()
	addr := serve(t, acknowledge(t, 12, &protocol.ProduceResponse{Topics: []protocol.ProduceTopicResponse{{
		Name: "topic", Partitions: []protocol.ProducePartitionResponse{{BaseOffset: 7}},
	}}}))
	conn, err := Dial(t.Context(), cfg, Peer{Addr: addr, NodeID: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		conn.Close(nil)
		<-conn.Closed()
	}()
	done := make(chan *Call, 1)
	call := produce(done, "header", "records")
	allocs := testing.AllocsPerRun(1000, func() {
		conn.Send(call)
		if call := <-done; call.Err != nil {
			t.Fatal(call.Err)
		}
	})
	if allocs > 6 {
		t.Errorf("%v allocations a call, want at most 6", allocs)
	}
}
