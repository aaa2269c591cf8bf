package brokertest

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Whatever a client sends, the broker lives on: it answers, or closes this connection alone.
func FuzzRequests(f *testing.F) {
	c, err := Start(InMemory(), Topic("t", 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(c.Close)
	records := []byte("not a batch, but long enough to have a length and a magic byte in it, and more than that")
	for key, known := range kafka4_4() {
		most := protocol.NewRequest(key).API().Max
		for v := known.min; v <= min(known.max, most); v++ {
			f.Add(protocol.AppendRequest(nil, protocol.RequestHeader{Version: v}, protocol.NewRequest(key)))
		}
	}
	f.Add(protocol.AppendRequest(nil, protocol.RequestHeader{Version: 12}, produceRequestTo("t", records)))
	ping := protocol.AppendRequest(nil, protocol.RequestHeader{}, &protocol.ApiVersionsRequest{})
	f.Fuzz(func(t *testing.T, sent []byte) {
		if len(sent) < 4 {
			return
		}
		sent = bytes.Clone(sent)
		binary.BigEndian.PutUint32(sent, uint32(len(sent)-4)) // else the broker would wait for more
		talk(t, c, append(sent, ping...))                     // answered or not, as it deserves
		if answered := talk(t, c, ping); !answered {
			t.Errorf("after %q the broker answers nobody", sent)
		}
	})
}

// talk sends bytes over a new connection, and reports whether anything comes back.
func talk(t *testing.T, c *Cluster, sent []byte) bool {
	conn, err := c.DialContext(context.Background(), "tcp", c.Bootstrap()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	conn.Write(sent)
	n, _ := conn.Read(make([]byte, 1))
	return n > 0
}

// Whatever bytes stand where a batch should, checking them ends in a verdict, and what it lets through can be read back.
func FuzzBatches(f *testing.F) {
	t := &testing.T{}
	f.Add(plainBatch("a", "b").bytes(t), int16(13))
	for codec := protocol.CodecGzip; codec <= protocol.CodecZstd; codec++ {
		b := plainBatch("a", "b")
		b.codec = codec
		f.Add(b.bytes(t), int16(6))
	}
	f.Fuzz(func(t *testing.T, records []byte, version int16) {
		b := checkBatch(records, version)
		if b.unreadable != "" || either(either(b.shape, b.crc), either(b.offset, b.content)) != protocol.NoError {
			return
		}
		l := newLog()
		l.append(b.header, b.bytes, 0, 0, true)
		if got := l.batches[0].Records(); len(got) != int(b.header.Count) {
			t.Errorf("%d records, the header says %d", len(got), b.header.Count)
		}
	})
}
