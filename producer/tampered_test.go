package producer_test

import (
	"context"
	"encoding/binary"
	"net"
	"sync"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// An answerEditor changes an answer on its way: a frame with its length, of a request of that API and version.
type answerEditor func(apiKey, version int16, frame []byte) []byte

// tampered is a connection whose answers an editor gets to see first.
type tampered struct {
	net.Conn
	edit answerEditor

	mu    sync.Mutex
	out   []byte             // written, and no whole request yet
	asked map[int32][2]int16 // API key and version, by correlation id

	in   []byte // read, and no whole answer yet
	next []byte // edited, and not read yet
}

// tamper makes a dialer of a cluster whose answers edit changes.
func tamper(c *brokertest.Cluster, edit answerEditor) func(ctx context.Context, network, addr string) (net.Conn, error) {
	var mu sync.Mutex // connections share the editor
	one := func(apiKey, version int16, frame []byte) []byte {
		mu.Lock()
		defer mu.Unlock()
		return edit(apiKey, version, frame)
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := c.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &tampered{Conn: conn, edit: one, asked: map[int32][2]int16{}}, nil
	}
}

func (c *tampered) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.out = append(c.out, b...)
	for frame := cutFrame(&c.out); frame != nil; frame = cutFrame(&c.out) {
		id := int32(binary.BigEndian.Uint32(frame[8:]))
		c.asked[id] = [2]int16{int16(binary.BigEndian.Uint16(frame[4:])), int16(binary.BigEndian.Uint16(frame[6:]))}
	}
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *tampered) Read(b []byte) (int, error) {
	for len(c.next) == 0 {
		piece := make([]byte, 4096)
		n, err := c.Conn.Read(piece)
		c.in = append(c.in, piece[:n]...)
		for frame := cutFrame(&c.in); frame != nil; frame = cutFrame(&c.in) {
			c.mu.Lock()
			asked := c.asked[int32(binary.BigEndian.Uint32(frame[4:]))]
			c.mu.Unlock()
			c.next = append(c.next, c.edit(asked[0], asked[1], frame)...)
		}
		if err != nil && len(c.next) == 0 {
			return 0, err
		}
	}
	n := copy(b, c.next)
	c.next = c.next[n:]
	return n, nil
}

// cutFrame takes a whole frame off the stream, or returns nil.
func cutFrame(stream *[]byte) []byte {
	s := *stream
	if len(s) < 4 {
		return nil
	}
	size := 4 + int(binary.BigEndian.Uint32(s))
	if len(s) < size {
		return nil
	}
	*stream = s[size:]
	return append([]byte(nil), s[:size]...)
}

// reworded decodes an answer, has change change it, and encodes it.
func reworded(apiKey, version int16, frame []byte, change func(protocol.Response)) []byte {
	resp := protocol.NewRequest(apiKey).NewResponse()
	id, err := protocol.DecodeResponse(frame[4:], version, resp)
	if err != nil {
		panic(err)
	}
	change(resp)
	return protocol.AppendResponse(nil, version, id, resp)
}
