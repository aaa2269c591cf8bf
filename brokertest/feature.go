package brokertest

import "fmt"

// feature is a feature of a cluster: the levels that its brokers support, and the level that is in force.
type feature struct {
	name          string
	min, max, now int16
}

// SetFeature finalises another level of a feature while clients are connected, as kafka-features.sh does. 0 means that the
// feature is not finalised. Each change has a new epoch, which is in the answer to ApiVersions.
func (c *Cluster) SetFeature(name string, level int16) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.features {
		f := &c.features[i]
		if f.name != name {
			continue
		}
		if level < f.min || level > f.max {
			return fmt.Errorf("level %d of %s, want %d to %d", level, name, f.min, f.max)
		}
		f.now = level
		c.finalized++
		return nil
	}
	return fmt.Errorf("no feature %s", name)
}

// transactionVersion is the level of transaction.version. From 2 on the coordinator itself uses the new protocol when it
// aborts. The versions of a client's requests say which protocol the client uses. The caller holds c.mu.
func (c *Cluster) transactionVersion() int16 {
	for _, f := range c.features {
		if f.name == "transaction.version" {
			return f.now
		}
	}
	return 0
}
