package brokertest

import (
	"fmt"
	"time"
)

// DialFault is what happens to a dial in place of a connection.
type DialFault uint8

const (
	DialWorks   DialFault = iota
	DialRefused           // ECONNREFUSED; over TCP the port is open, so the connection is accepted and reset
	DialReset             // accepted and reset at once
	DialHangs             // in memory, until the dial's context ends; over TCP, accepted and never answered
)

// NextDials scripts what happens to the next dials of a broker, one after the other.
func (c *Cluster) NextDials(brokerID int32, faults ...DialFault) {
	b := c.broker(brokerID)
	c.mu.Lock()
	defer c.mu.Unlock()
	b.dials = append(b.dials, faults...)
}

// StopBroker cuts a broker's connections and refuses new ones, as if its process were killed. Other replicas take over its
// leaderships. A partition without another replica has no leader.
func (c *Cluster) StopBroker(brokerID int32) { c.broker(brokerID).stop() }

// StartBroker starts a stopped broker again, on the same address. It leads the partitions that have no other leader. It fails
// if another process has taken its TCP port.
func (c *Cluster) StartBroker(brokerID int32) error { return c.broker(brokerID).start() }

// Pause freezes a broker as SIGSTOP does. Connections are still accepted, and bytes as far as buffers go, but it reads and
// answers nothing. It keeps its leaderships.
func (c *Cluster) Pause(brokerID int32) {
	b := c.broker(brokerID)
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.up && b.resume == nil {
		b.resume = make(chan struct{})
	}
}

// Resume ends a Pause. The broker first answers what it got before and during the pause.
func (c *Cluster) Resume(brokerID int32) {
	b := c.broker(brokerID)
	c.mu.Lock()
	defer c.mu.Unlock()
	b.wake()
}

// CutConnections closes all connections of a broker, which goes on. With reset clients see ECONNRESET, without it the end of
// the stream.
func (c *Cluster) CutConnections(brokerID int32, reset bool) {
	b := c.broker(brokerID)
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range b.conns {
		k.cut(reset)
	}
}

// Connections returns the number of open connections of a broker.
func (c *Cluster) Connections(brokerID int32) int {
	b := c.broker(brokerID)
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(b.conns)
}

// Throttle makes brokers answer an API's requests with this throttle time, and then leave the connection unread for that time
// (KIP-219). Zero ends it.
func (c *Cluster) Throttle(apiKey int16, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.throttles[apiKey] = d
}

// denial says which operations on a topic are denied to every client.
type denial struct{ describe, write bool }

// DenyTopic denies every operation on a topic, whether the topic exists or not: TOPIC_AUTHORIZATION_FAILED.
func (c *Cluster) DenyTopic(name string) { c.deny(name, denial{describe: true, write: true}) }

// DenyWrite denies writing to a topic, but not describing it: Metadata works, and Produce gets TOPIC_AUTHORIZATION_FAILED.
func (c *Cluster) DenyWrite(name string) { c.deny(name, denial{write: true}) }

// AllowTopic ends what DenyTopic or DenyWrite began.
func (c *Cluster) AllowTopic(name string) { c.deny(name, denial{}) }

func (c *Cluster) deny(name string, d denial) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.denied[name] = d
}

// DropProducerState makes a partition forget all idempotent producers, as a broker does after expiry or loss. From then on it
// takes any first sequence of theirs, as Kafka does.
func (c *Cluster) DropProducerState(topic string, index int32) error {
	return c.change(topic, index, func(p *partition) error {
		p.log.producers, p.log.unverified = map[int64]*producerState{}, map[int64]*unverified{}
		return nil
	})
}

// LoseTail truncates a partition's log before offset, with what it knew of producers from there on, as an unclean election or a
// failover under acks=1 does.
func (c *Cluster) LoseTail(topic string, index int32, offset int64) error {
	return c.change(topic, index, func(p *partition) error {
		if offset < 0 || offset > p.log.end {
			return fmt.Errorf("offset %d of %s-%d, which ends at %d", offset, topic, index, p.log.end)
		}
		p.log.truncate(offset)
		p.epoch++
		return nil
	})
}
