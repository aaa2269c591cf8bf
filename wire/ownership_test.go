package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Pitfall 11: a batch's memory goes back to a pool at Done, and then holds another batch's bytes. So Done must wait for a write
// that still reads them, whatever happens to the connection in the meantime. Here the socket keeps a write for an hour, even
// after it was closed, and reads the bytes only then.
func TestDoneWaitsForTheWriteThatReadsTheBytes(t *testing.T) {
	for _, c := range []struct {
		name    string
		disturb func(*Conn, *broker)
	}{
		{"close", func(c *Conn, _ *broker) { c.Close(nil) }},
		{"timeout", func(*Conn, *broker) { time.Sleep(31 * time.Second) }},
		{"garbage", func(_ *Conn, b *broker) { b.conn.Write([]byte("garbage")) }},
		{"hang-up", func(_ *Conn, b *broker) { b.conn.(*memConn).out.close(errors.New("reset")) }},
		// A broker that has seen nothing yet can still guess what it will be asked.
		{"early answer", func(_ *Conn, b *broker) {
			b.answer(protocol.RequestHeader{Version: 12, CorrelationID: 1}, &protocol.ProduceResponse{})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, b, _ := connect(t, testConfig())
				client := conn.sock.(*memConn)
				release := client.hold(true)

				// One chunk of a size to be copied on the way, and one that is not.
				small, large := bytes.Repeat([]byte("s"), 100), bytes.Repeat([]byte("L"), 3*copySize)
				done := make(chan *Call, 1)
				call := produce(done)
				call.Request.(*protocol.ProduceRequest).Topics[0].Partitions[0].Records = [][]byte{small, large}
				call.Done = func(call *Call) {
					clear(small) // as the next user of the pool's memory does
					clear(large)
					done <- call
				}
				send(t, conn, call)
				synctest.Wait()
				c.disturb(conn, b)
				time.Sleep(time.Hour)
				if len(done) != 0 {
					t.Error("Done was called while the write was still reading the bytes")
				}
				release()
				<-done
				if bytes.Contains(client.sent, make([]byte, 64)) {
					t.Error("bytes were sent that are not the batch's any more")
				}
				if bytes.Count(client.sent, []byte("s")) < 100 {
					t.Error("nothing of the batch was sent: this proves nothing")
				}
			})
		})
	}
}

// Several calls go out in one write. The broker may answer the first while the last is still being written: the answer is kept,
// and counts when the write has returned.
func TestAnswerDuringTheWriteOfItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, _ := connect(t, testConfig())
		client := conn.sock.(*memConn)
		done := make(chan *Call, 3)
		release := client.hold(false)
		send(t, conn, initID(done))
		synctest.Wait() // so that the next two wait for this one, and then go together
		first, second := initID(done), produce(done, strings.Repeat("x", 2*copySize))
		send(t, conn, first, second)
		client.out.setLimit(1000)
		release()

		h, _ := b.want()
		b.answer(h, &protocol.InitProducerIDResponse{})
		<-done
		h, _ = b.want()
		b.answer(h, &protocol.InitProducerIDResponse{ProducerID: 7})
		synctest.Wait()
		if len(done) != 0 {
			t.Error("done while the write has not returned")
		}
		h, _ = b.want() // which lets the write go on
		if call := <-done; call != first || call.Err != nil || call.Response.(*protocol.InitProducerIDResponse).ProducerID != 7 {
			t.Errorf("first call: %v, %+v, want the producer id 7", call.Err, call.Response)
		}
		b.answer(h, &protocol.ProduceResponse{})
		if call := <-done; call != second || call.Err != nil {
			t.Errorf("second call: %v", call.Err)
		}
		if got := first.WrittenAt; !got.Equal(second.WrittenAt) {
			t.Error("the two were not written together: this proves nothing")
		}
	})
}

// failingSink lets so many bytes through and then breaks.
type failingSink struct{ bytes int }

func (s failingSink) write([][]byte) (int, error) { return s.bytes, errors.New("broken pipe") }

// Of calls that went out in one write that failed, those of which no byte was taken are known not to be written.
func TestWrittenAfterAFailedWrite(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes func(size int) int // taken by the socket, size being that of one call
		want  []bool
	}{
		{"nothing", func(int) int { return 0 }, []bool{false, false, false}},
		{"one byte", func(int) int { return 1 }, []bool{true, false, false}},
		{"one call", func(size int) int { return size }, []bool{true, false, false}},
		{"one call and a byte", func(size int) int { return size + 1 }, []bool{true, true, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, b, ended := connect(t, testConfig())
				release := conn.sock.(*memConn).hold(false)
				done := make(chan *Call, 4)
				leading := initID(done)
				send(t, conn, leading)
				synctest.Wait() // so that the next three wait for this one, and then go together
				conn.out = failingSink{c.bytes(leading.RequestSize)}
				calls := []*Call{initID(done), initID(done), initID(done)}
				calls[1].Response = nil // makes no difference
				send(t, conn, calls...)
				release()
				b.want()
				<-ended
				for i, call := range calls {
					if call.Written != c.want[i] || !errors.Is(call.Err, ErrClosed) {
						t.Errorf("call %d: written %v, %v, want %v, closed", i, call.Written, call.Err, c.want[i])
					}
				}
			})
		})
	}
}

// An answer that refers to its frame has it for good; one that does not leaves the memory to the next.
func TestAnswerKeepsItsFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, b, _ := connect(t, testConfig())
		done := make(chan *Call, 1)
		var kept []*protocol.SaslAuthenticateResponse
		for _, token := range []string{"first", "other"} {
			send(t, conn, produce(done, "x"))
			h, _ := b.want()
			b.answer(h, &protocol.ProduceResponse{Topics: make([]protocol.ProduceTopicResponse, 20)})
			<-done
			resp := new(protocol.SaslAuthenticateResponse)
			send(t, conn, &Call{Request: new(protocol.SaslAuthenticateRequest), Response: resp, Done: func(c *Call) { done <- c }})
			h, _ = b.want()
			b.answer(h, &protocol.SaslAuthenticateResponse{AuthBytes: []byte(token)})
			<-done
			kept = append(kept, resp)
		}
		if first, other := string(kept[0].AuthBytes), string(kept[1].AuthBytes); first != "first" || other != "other" {
			t.Errorf("got %q and %q, want first and other", first, other)
		}
	})
}

// peekingSink keeps what it was given to write.
type peekingSink struct{ bufs [][]byte }

func (s *peekingSink) write(bufs [][]byte) (size int, err error) {
	s.bufs = bufs
	for _, b := range bufs {
		size += len(b)
	}
	return size, nil
}

// The memory that encodes requests, which is used again and again, holds on to no batch that is done.
func TestNothingRefersToABatchThatIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _, _ := connect(t, testConfig())
		sink := new(peekingSink)
		conn.out = sink
		done := make(chan int, 1)
		call := produce(nil, "batch", "more of it")
		call.Response = nil
		call.Done = func(*Call) {
			held := 0
			for _, b := range sink.bufs {
				held += len(b)
			}
			done <- held
		}
		send(t, conn, call)
		if held := <-done; held != 0 || len(sink.bufs) < 3 {
			t.Errorf("%d bytes in %d buffers are still referred to, want none of at least 3", held, len(sink.bufs))
		}
	})
}
