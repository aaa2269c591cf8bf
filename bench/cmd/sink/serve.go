package main

import (
	"encoding/binary"
	"errors"
	"log"
	"net"
	"time"

	"github.com/epistle-kafka/epistle/bench/internal/nap"
	"github.com/epistle-kafka/epistle/protocol"
)

// answers are whole responses, and the time when they may leave.
type answers struct {
	frames []byte
	at     time.Time
}

// maxFrame is more than any client here sends: sarama's requests are of up to 100 MiB.
const maxFrame = 128 << 20

// A conn is one connection of a client. Requests are read into one buffer and decoded where they lie there, so that a record
// costs the sink little more than its way through the kernel.
type conn struct {
	*sink
	net.Conn
	buf      []byte
	from, to int // the bytes of buf that are not decoded yet

	clientID string
	counter  *counter // of clientID
}

func (s *sink) serve(nc net.Conn) {
	defer nc.Close()
	c := &conn{sink: s, Conn: nc, buf: make([]byte, 2<<20)}
	var late chan answers
	if s.options.Delay > 0 {
		late = make(chan answers, 1024)
		defer close(late)
		go c.writeLate(late)
	}
	var frames []byte
	for {
		// All that one read brought is answered by one write.
		if err := c.read(); err != nil {
			return
		}
		for {
			frame, ok := c.next()
			if !ok {
				break
			}
			var err error
			if frames, err = c.answerFrame(frames, frame); err != nil {
				log.Print(err)
				return
			}
		}
		switch {
		case len(frames) == 0:
		case late != nil:
			late <- answers{frames, time.Now().Add(s.options.Delay)}
			frames = nil
		default:
			if _, err := c.Write(frames); err != nil {
				return
			}
			frames = frames[:0]
		}
	}
}

var errFrame = errors.New("a request has an impossible length")

// read reads what has come, and makes room for the rest of a request that has come in part.
func (c *conn) read() error {
	need := 4
	if c.to-c.from >= 4 {
		n := binary.BigEndian.Uint32(c.buf[c.from:])
		if n > maxFrame {
			return errFrame
		}
		need = 4 + int(n)
	}
	if c.from == c.to {
		c.from, c.to = 0, 0
	}
	if c.from+need > len(c.buf) {
		buf := c.buf
		if need > len(buf) {
			buf = make([]byte, need+need/2)
		}
		c.to = copy(buf, c.buf[c.from:c.to])
		c.from, c.buf = 0, buf
	}
	n, err := c.Read(c.buf[c.to:])
	c.to += n
	return err
}

// next cuts the next whole request off the buffer.
func (c *conn) next() ([]byte, bool) {
	have := c.buf[c.from:c.to]
	if len(have) < 4 {
		return nil, false
	}
	size := 4 + int64(binary.BigEndian.Uint32(have))
	if size > int64(len(have)) {
		return nil, false
	}
	c.from += int(size)
	return have[4:size], true
}

// writeLate writes each answer when its time has come.
func (c *conn) writeLate(late <-chan answers) {
	for a := range late {
		nap.Until(a.at)
		if _, err := c.Write(a.frames); err != nil {
			c.Close()
		}
	}
}

// answerFrame appends the answer to a request, if it has one.
func (c *conn) answerFrame(dst, frame []byte) ([]byte, error) {
	h, req, err := protocol.DecodeRequest(frame)
	if errors.Is(err, protocol.UnsupportedVersion) && h.APIKey == new(protocol.ApiVersionsRequest).API().Key {
		resp := c.versions()
		resp.ErrorCode = protocol.UnsupportedVersion
		return protocol.AppendResponse(dst, 0, h.CorrelationID, resp), nil
	}
	if err != nil {
		return dst, err
	}
	var resp protocol.Response
	if p, ok := req.(*protocol.ProduceRequest); ok {
		resp = c.produce(h.ClientID, p)
	} else {
		resp = c.answer(req)
	}
	if resp == nil {
		return dst, nil
	}
	return protocol.AppendResponse(dst, h.Version, h.CorrelationID, resp), nil
}
