package wire

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// sendFromAll sends calls of all kinds from as many goroutines as there may be calls, until the end, which comes in the midst
// if closing. Then it waits for the end of the connection.
func sendFromAll(t *testing.T, conn *Conn, closing bool) {
	var senders sync.WaitGroup
	for i := range conn.cfg.MaxInFlight {
		senders.Go(func() {
			for n := range 150 {
				if closing && i == 0 && n == 100 {
					conn.Close(nil)
				}
				if !sendAny(t, conn, i) {
					if !closing {
						t.Error("the connection has ended")
					}
					return
				}
			}
		})
	}
	senders.Wait()
	conn.Close(nil)
	<-conn.Closed()
}

// stingy lets a part of the direct writes through only in part.
type stingy struct {
	to       trySink
	cut, all atomic.Int64 // writes
}

func (s *stingy) try(b []byte) (int, error) {
	if s.all.Add(1); rand.IntN(3) == 0 {
		s.cut.Add(1)
		b = b[:rand.IntN(len(b))]
		if len(b) == 0 {
			return 0, nil
		}
	}
	return s.to.try(b)
}

// echo is a broker that answers a Produce request with the length of its records, whose bytes must all be the same, and that
// demands correlation ids without a gap. It lets everybody in, and minds what comes in the middle of that.
func echo(t testing.TB) func(net.Conn) {
	return func(conn net.Conn) {
		b := &broker{t, conn}
		b.shakeHands()
		inside := false // an authentication
		for next := int32(1); ; next++ {
			h, req, err := b.read()
			if err != nil {
				return
			}
			if h.CorrelationID != next {
				t.Errorf("broker: correlation id %d, want %d", h.CorrelationID, next)
				return
			}
			switch req.(type) {
			case *protocol.SaslHandshakeRequest:
				inside = true
				b.answer(h, req.NewResponse())
				continue
			case *protocol.SaslAuthenticateRequest:
				inside = false
				b.answer(h, &protocol.SaslAuthenticateResponse{AuthBytes: []byte{}, SessionLifetime: time.Hour})
				continue
			}
			if inside {
				t.Errorf("broker: %s in the middle of an authentication", req.API().Name)
			}
			produce, ok := req.(*protocol.ProduceRequest)
			if !ok {
				b.answer(h, req.NewResponse())
				continue
			}
			records := recordsOf(req)
			if strings.Count(records, records[:1]) != len(records) {
				t.Errorf("broker: records of %d bytes are mixed up", len(records))
			}
			if produce.Acks != 0 {
				b.answer(h, &protocol.ProduceResponse{Topics: []protocol.ProduceTopicResponse{{Name: "t",
					Partitions: []protocol.ProducePartitionResponse{{BaseOffset: int64(len(records))}}}}})
			}
		}
	}
}

// Many goroutines send calls of all kinds and sizes over a socket that takes them whole, in part or not at once. The stream
// stays whole, each call gets its own answer, and each is done once, also when the connection is closed in the midst.
func TestDirectWritesAmongOthers(t *testing.T) {
	for _, closing := range []bool{false, true} {
		t.Run(fmt.Sprint("closing ", closing), func(t *testing.T) {
			cfg := testConfig()
			cfg.MaxInFlight = 8
			cfg.SendBuffer = 8 << 10 // so that a larger write waits
			conn, err := Dial(t.Context(), cfg, Peer{Addr: serve(t, echo(t)), NodeID: 1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			s := &stingy{to: conn.direct}
			if s.to != nil {
				conn.direct = s
			}
			sendFromAll(t, conn, closing)
			t.Logf("%d direct writes, %d cut", s.all.Load(), s.cut.Load())
			if s.to != nil && (s.cut.Load() == 0 || s.all.Load() == s.cut.Load()) {
				t.Error("direct writes were all cut or none: this proves little")
			}
		})
	}
}

// sendAny sends a random call and waits for its end. It reports whether the connection lives.
func sendAny(t *testing.T, conn *Conn, sender int) bool {
	done := make(chan *Call, 2)
	size := 1 + rand.IntN(1<<(2+rand.IntN(16)))
	records := []byte(strings.Repeat(string(rune('a'+sender)), size))
	call := small(t, done, "")
	req := call.Request.(*protocol.ProduceRequest)
	req.Topics[0].Partitions[0].Records = [][]byte{records[:size/2], records[size/2:]}
	call.SizeHint = size + 100
	switch rand.IntN(8) {
	case 0:
		call.SizeHint = 0
	case 1:
		call.Response, req.Acks = nil, 0
	case 2:
		call.Request, call.Response = new(protocol.EndTxnRequest), new(protocol.EndTxnResponse)
	}
	if !conn.Send(call) {
		return false
	}
	<-done
	clear(records) // the caller's again
	resp, produced := call.Response.(*protocol.ProduceResponse)
	switch {
	case len(done) > 0:
		t.Error("a call was done twice")
	case errors.Is(call.Err, ErrClosed):
		return false
	case call.Err != nil || !call.Written:
		t.Errorf("call: %v, written %v", call.Err, call.Written)
	case produced && resp.Topics[0].Partitions[0].BaseOffset != int64(size):
		t.Errorf("call of %d bytes got the answer of another", size)
	}
	return true
}
