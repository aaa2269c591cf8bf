package brokertest

import (
	"io"
	"net"
	"time"
)

// Outage is a way in which the network to a broker fails, or something in between does. [Cluster.Pause] freezes the broker
// itself.
type Outage uint8

const (
	_ Outage = iota // none

	// Refusing resets connections and refuses dials: nobody listens. The broker keeps its leaderships, unlike with StopBroker.
	Refusing
	// Resetting resets connections, accepts dials, and resets these connections too: a balancer without a backend.
	Resetting
	// Silent accepts dials, takes all bytes and passes none on. A connection that was open during the outage is lost for good,
	// also after its end, and nobody closes it: a proxy or NAT has forgotten it.
	Silent
	// Dropping loses every packet. It is like Silent, but dials hang.
	Dropping
	// Dripping lets answers through one byte in each DripEvery. Connections survive it.
	Dripping
)

// DripEvery is the time that Dripping takes for each byte of an answer.
const DripEvery = 200 * time.Millisecond

// Break begins an outage of the network to a broker, in place of one that is in force. Mend ends it.
func (c *Cluster) Break(brokerID int32, how Outage) {
	b := c.broker(brokerID)
	c.mu.Lock()
	defer c.mu.Unlock()
	b.outage.end()
	b.outage = outage{how: how, over: make(chan struct{})}
	for k := range b.conns {
		switch how {
		case Refusing, Resetting:
			k.cut(true)
		case Silent, Dropping:
			k.lost = true
		}
	}
}

// Mend ends the outage that Break began.
func (c *Cluster) Mend(brokerID int32) {
	b := c.broker(brokerID)
	c.mu.Lock()
	defer c.mu.Unlock()
	b.outage.end()
	b.outage = outage{}
}

// outage is the state of a broker's network. Guarded by Cluster.mu.
type outage struct {
	how  Outage
	over chan struct{} // closed at its end
}

func (o *outage) end() {
	if o.over != nil {
		close(o.over)
	}
}

// dialFault returns what the outage does to a dial.
func (o *outage) dialFault() DialFault {
	switch o.how {
	case Refusing:
		return DialRefused
	case Resetting:
		return DialReset
	case Dropping:
		return DialHangs
	}
	return DialWorks
}

// swallow reads and drops what comes on a lost connection, until the client closes it. The caller holds c.mu.
func (b *broker) swallow(nc net.Conn) {
	c := b.c
	c.connections++
	k := newConn(b, nc, c.connections)
	k.lost = true
	b.conns[k] = true
	c.running.Go(func() {
		io.Copy(io.Discard, nc)
		k.cut(false)
		c.mu.Lock()
		delete(b.conns, k)
		c.mu.Unlock()
	})
}

// isLost reports whether nothing gets through the connection any more.
func (k *conn) isLost() bool {
	k.b.c.mu.Lock()
	defer k.b.c.mu.Unlock()
	return k.lost
}

// drip writes a frame byte by byte while the broker's network drips.
func (k *conn) drip(frame []byte) error {
	for len(frame) > 0 {
		k.b.c.mu.Lock()
		o := k.b.outage
		k.b.c.mu.Unlock()
		if o.how != Dripping {
			break
		}
		if _, err := k.nc.Write(frame[:1]); err != nil {
			return err
		}
		frame = frame[1:]
		timer := time.NewTimer(DripEvery)
		select {
		case <-timer.C:
		case <-o.over:
		case <-k.done:
		}
		timer.Stop()
	}
	_, err := k.nc.Write(frame)
	return err
}

// Dials returns how often a broker was dialled. Over TCP only dials count that the broker could notice.
func (c *Cluster) Dials(brokerID int32) int {
	b := c.broker(brokerID)
	c.mu.Lock()
	defer c.mu.Unlock()
	return b.dialled
}
