package brokertest

import (
	"fmt"
	"net"
	"slices"
	"strconv"
)

// Again says what MakeAgain keeps.
type Again struct {
	ClusterID bool // keep the cluster's ID; if false, it gets a new one
	TopicIDs  bool // keep the IDs of topics; if false, they get new ones
}

// MakeAgain makes the cluster anew at the same addresses, as when its disks were wiped or its name leads to another cluster.
// All connections break. The topics are the same, with empty logs. Producers, transactions and groups are forgotten, and leader
// epochs begin at 0. Producer IDs begin anew, so new ones equal those of the old cluster's producers.
func (c *Cluster) MakeAgain(same Again) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.brokers {
		for k := range b.conns {
			k.cut(false)
		}
	}
	if !same.ClusterID {
		c.id = c.newID().String()
	}
	c.nextProducer = c.opts.firstProducer()
	clear(c.transactions)
	clear(c.groups)
	clear(c.coordinators)
	clear(c.moved)
	for _, old := range c.sortedTopics() {
		delete(c.topicIDs, old.id)
		t := c.create(old.name, len(old.partitions), len(old.partitions[0].replicas), old.config)
		if same.TopicIDs {
			delete(c.topicIDs, t.id)
			t.id = old.id
			c.topicIDs[t.id] = t
		}
	}
}

// formerPlace is an address that a broker has left. The broker still listens there, and leads nothing.
type formerPlace struct {
	addr     string
	listener net.Listener // nil in memory
}

// MoveBroker gives a broker another address, which Metadata has from now on. The old address goes on accepting connections,
// keeps its open ones, and answers, but it leads and coordinates nothing.
func (c *Cluster) MoveBroker(brokerID int32) error {
	b := c.broker(brokerID)
	var l net.Listener
	if !c.opts.memory {
		var err error
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return fmt.Errorf("broker %d: %w", brokerID, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !b.up {
		if l != nil {
			l.Close()
		}
		return fmt.Errorf("broker %d is stopped, it cannot move", brokerID)
	}
	b.former = append(b.former, formerPlace{b.addr(), b.listener})
	b.listener = l
	if l == nil {
		b.port++
		return nil
	}
	b.port = int32(l.Addr().(*net.TCPAddr).Port)
	c.running.Go(func() { b.accept(l) })
	return nil
}

// CloseFormer closes the addresses that a broker had before MoveBroker.
func (c *Cluster) CloseFormer(brokerID int32) {
	b := c.broker(brokerID)
	c.mu.Lock()
	defer c.mu.Unlock()
	b.closeFormer()
	for k := range b.conns {
		if k.at != b.addr() {
			k.cut(false)
		}
	}
}

// closeFormer stops listening at the former addresses. The caller holds c.mu.
func (b *broker) closeFormer() {
	for _, f := range b.former {
		if f.listener != nil {
			f.listener.Close()
		}
	}
	b.former = nil
}

// place returns the address that the broker is to listen on.
func (b *broker) place() string {
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	return b.addr()
}

// at returns the broker that is, or was, at an address; nil if there is none. The caller holds c.mu.
func (c *Cluster) at(addr string) *broker {
	for _, b := range c.brokers {
		if b.addr() == addr || slices.ContainsFunc(b.former, func(f formerPlace) bool { return f.addr == addr }) {
			return b
		}
	}
	return nil
}

// addr is host:port. The caller holds c.mu.
func (b *broker) addr() string { return net.JoinHostPort(b.host, strconv.Itoa(int(b.port))) }
