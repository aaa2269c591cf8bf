package tap

import (
	"encoding/binary"
	"fmt"
	"net"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A conn is a client's connection to a broker, and the tap's behind it. One goroutine reads requests, and one answers.
type conn struct {
	wire           *Wire
	tap            *tap
	client, broker *net.TCPConn

	// The Wire's mu guards the following.
	name    string // the client's, as its first request says
	counts  Counts
	waiting []*asked // requests that were passed on and have no answer, the oldest first
	dead    bool     // nothing is passed on any more
	mute    bool     // nor is, but the connection stays
	closed  bool     // by both
}

// An asked is a request that was passed on.
type asked struct {
	key, version int16
	correlation  int32
	lose         bool
	batches      []*batch // of a request to produce
}

// requests reads what the client writes until it closes the connection, and passes it on while that is wanted.
func (c *conn) requests() {
	for {
		frame, err := c.frame(c.client, func(n int) { c.counts.Written += int64(n) })
		if err != nil {
			c.cut()
			return
		}
		if pass := c.request(frame); pass {
			if _, err := c.broker.Write(frame); err != nil {
				c.cut()
			}
		}
	}
}

// answers reads what the broker writes, and passes it on.
func (c *conn) answers() {
	for {
		frame, err := c.frame(c.broker, func(int) {})
		api := ""
		if err == nil {
			api = c.answer(frame)
		}
		if api == "" {
			c.cut()
			return
		}
		n, err := c.client.Write(frame)
		c.wire.mu.Lock()
		c.counts.Read += int64(n)
		if err == nil {
			c.counts.Answers[api]++
		}
		c.wire.mu.Unlock()
		if err != nil {
			c.cut()
			return
		}
	}
}

// cut ends the connection: the client sees its end, and what it has written by then is read still.
func (c *conn) cut() {
	c.wire.mu.Lock()
	c.dead = true
	c.wire.mu.Unlock()
	_ = c.client.CloseWrite() // it may have ended
	_ = c.broker.Close()
}

// frame reads a frame with its length, and tells of the bytes as they come. Told runs under mu.
func (c *conn) frame(from net.Conn, told func(n int)) ([]byte, error) {
	frame := make([]byte, 4)
	if err := c.fill(from, frame, told); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(frame)
	if size > 128<<20 {
		return nil, fmt.Errorf("a frame of %d bytes", size)
	}
	frame = append(frame, make([]byte, size)...)
	return frame, c.fill(from, frame[4:], told)
}

func (c *conn) fill(from net.Conn, b []byte, told func(n int)) error {
	for len(b) > 0 {
		n, err := from.Read(b)
		c.wire.mu.Lock()
		told(n)
		c.wire.mu.Unlock()
		if b = b[n:]; err != nil && len(b) > 0 {
			return err
		}
	}
	return nil
}

// request counts a request, and says whether it is to be passed on.
func (c *conn) request(frame []byte) bool {
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	b := frame[4:]
	a := &asked{
		key: int16(binary.BigEndian.Uint16(b)), version: int16(binary.BigEndian.Uint16(b[2:])), correlation: int32(binary.BigEndian.Uint32(b[4:])),
	}
	var name string
	if n := int16(binary.BigEndian.Uint16(b[8:])); n >= 0 {
		name, b = string(b[10:10+n]), b[10+n:]
	} else {
		b = b[10:]
	}
	if c.name == "" {
		c.name = name
		c.counts.Connections, c.counts.Open = 1, 1
	}
	api := kmsg.NameForKey(a.key)
	c.counts.Requests[api]++
	c.counts.Sizes[api] = append(c.counts.Sizes[api], len(frame))
	how := Pass
	if a.key == int16(kmsg.Produce) {
		c.produce(a, b)
		if how = c.wire.fateOf(c.name, c.tap.broker); c.dead || c.mute {
			how = Swallow
		}
	}
	switch how {
	case Cut:
		c.dead = true
		go c.cut() // not under mu
	case Swallow:
		c.mute = c.mute || !c.dead
	case Lose:
		a.lose = true
	}
	pass := how != Cut && !c.dead && !c.mute
	if pass {
		c.waiting = append(c.waiting, a)
		for _, each := range a.batches {
			each.passed = true
		}
	}
	return pass
}

// answer looks at what a broker has answered, and says to what. "" means that the client is not to have it.
func (c *conn) answer(frame []byte) string {
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	correlation := int32(binary.BigEndian.Uint32(frame[4:]))
	i := slices.IndexFunc(c.waiting, func(a *asked) bool { return a.correlation == correlation })
	if i < 0 {
		panic(fmt.Sprintf("tap: the broker answers %d, which %s has not asked", correlation, c.name))
	}
	a := c.waiting[i]
	c.waiting = slices.Delete(c.waiting, i, i+1)
	if a.key == int16(kmsg.Produce) {
		c.produced(a, frame[8:])
	}
	if a.lose || c.dead {
		return ""
	}
	return kmsg.NameForKey(a.key)
}
