package wire

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Pitfall 11: a batch's memory goes back to a pool at Done, and then holds another batch's bytes. So Done must wait for
// a write that still reads them, whatever happens to the connection in the meantime. Here the socket keeps a write for an
// hour, even after it was closed, and reads the bytes only then.
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

// The memory that encodes requests does not hold on to their batches.
func TestWriterKeepsNoReferenceToAWrittenBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writer{bufs: make([][]byte, 0, 8)}
		w.bufs = append(w.bufs, []byte("header"), []byte("batch"))
		w.size, w.ends = 11, append(w.ends, 11)
		w.reset()
		for i, b := range w.bufs[:8] {
			if b != nil {
				t.Errorf("buffer %d is still referred to", i)
			}
		}
		if w.size != 0 || len(w.ends) != 0 {
			t.Errorf("size %d and %d ends, want 0 and 0", w.size, len(w.ends))
		}
	})
}
