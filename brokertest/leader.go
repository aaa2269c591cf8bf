package brokertest

import (
	"fmt"
	"slices"

	"github.com/epistle-kafka/epistle/protocol"
)

// MoveLeader makes a broker the leader of a partition, under a new leader epoch. The broker becomes a replica if it was none.
// If to is -1, the partition has no leader.
func (c *Cluster) MoveLeader(topic string, index, to int32) error {
	return c.change(topic, index, func(p *partition) error {
		if to >= 0 {
			b := c.broker(to)
			if !b.up {
				return fmt.Errorf("broker %d is stopped, it cannot lead %s-%d", to, topic, index)
			}
			if !slices.Contains(p.replicas, to) {
				p.replicas = append(p.replicas, to)
			}
			if !slices.Contains(p.isr, to) {
				p.isr = append(p.isr, to)
			}
		}
		p.lead(to)
		return nil
	})
}

// Leader returns a partition's leader, -1 for none, and the leader epoch.
func (c *Cluster) Leader(topic string, index int32) (nodeID, epoch int32) {
	nodeID, epoch = -1, -1
	c.change(topic, index, func(p *partition) error {
		nodeID, epoch = p.leader, p.epoch
		return nil
	})
	return nodeID, epoch
}

func (p *partition) lead(id int32) { p.leader, p.epoch = id, p.epoch+1 }

// leave takes a broker that has stopped out of every partition. The caller holds c.mu.
func (c *Cluster) leave(id int32) {
	c.eachPartition(func(p *partition) {
		if len(p.isr) > 1 {
			// The last in-sync replica stays although it is down: nobody else has all of the log.
			p.isr = slices.DeleteFunc(p.isr, func(r int32) bool { return r == id })
		}
		if p.leader != id {
			return
		}
		if next := slices.IndexFunc(p.isr, func(r int32) bool { return c.broker(r).up }); next >= 0 {
			p.lead(p.isr[next])
		} else {
			p.lead(-1)
		}
	})
}

// rejoin brings a broker that has started back into its partitions. The caller holds c.mu.
func (c *Cluster) rejoin(id int32) {
	c.eachPartition(func(p *partition) {
		if !slices.Contains(p.replicas, id) {
			return
		}
		if p.leader < 0 && (len(p.isr) == 0 || slices.Contains(p.isr, id)) {
			p.lead(id)
		}
		if p.leader >= 0 && !slices.Contains(p.isr, id) {
			p.isr = append(p.isr, id)
		}
	})
}

func (c *Cluster) eachPartition(f func(*partition)) {
	for _, t := range c.topics {
		for _, p := range t.partitions {
			f(p)
		}
	}
}

// hint returns the leader that a Produce answer names since version 10 (KIP-951). The caller holds c.mu.
func (p *partition) hint() protocol.LeaderIDAndEpoch {
	return protocol.LeaderIDAndEpoch{LeaderID: p.leader, LeaderEpoch: p.epoch}
}
