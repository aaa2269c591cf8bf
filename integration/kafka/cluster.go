package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Cluster is a running Kafka. Its methods may be called from several goroutines, but no two of them
// at once for the same broker. Brokers are counted from 0; broker i has the node ID i+1.
type Cluster struct {
	// Kind says what it took: "bootstrap", "docker" or "jvm".
	Kind string
	// Version is the version asked for, or "" for an existing cluster.
	Version string

	addresses []string            // of each broker, host:port, as clients reach it
	further   []map[string]string // of each broker, the same of Options.Listeners by their names
	nodes     nodes               // nil for an existing cluster
	close     sync.Once
	closeErr  error
}

// nodes is where brokers run: as processes of this machine or as containers.
type nodes interface {
	start(ctx context.Context, i int) error // returns once it was launched, long before it is ready
	kill(i int) error                       // returns once it is gone, as stop does
	stop(i int) error
	pause(i int) error
	resume(i int) error
	exited(i int) bool // says whether it has ended by itself or by kill or stop
	logs(i int) string
	close() error
}

// Bootstrap is the list of the brokers' addresses, as a client's bootstrap setting wants it.
func (c *Cluster) Bootstrap() string { return strings.Join(c.addresses, ",") }

// Brokers is the number of brokers, or of bootstrap addresses for an existing cluster.
func (c *Cluster) Brokers() int { return len(c.addresses) }

// Address is where broker i is reached, also while it is down.
func (c *Cluster) Address(i int) string { return c.addresses[i] }

// Listener is where broker i is reached by one of Options.Listeners. It panics if there is none of that name.
func (c *Cluster) Listener(i int, name string) string {
	address, ok := c.further[i][name]
	if !ok {
		panic("kafka: no listener " + name + " was asked for")
	}
	return address
}

// NodeID is the node ID of broker i.
func (c *Cluster) NodeID(i int) int32 { return int32(i + 1) }

// Index is the broker that has a node ID: the inverse of NodeID.
func (c *Cluster) Index(nodeID int32) int { return int(nodeID - 1) }

// CanKill says whether brokers may be killed, stopped and paused.
func (c *Cluster) CanKill() bool { return c.nodes != nil }

// CanConfigure says whether the brokers run with the configuration asked for.
func (c *Cluster) CanConfigure() bool { return c.nodes != nil }

// Kill ends broker i at once, as a power cut would, and returns when it is gone.
func (c *Cluster) Kill(i int) error { return c.control(i, "kill", nodes.kill) }

// Stop asks broker i to shut down, which moves its leaders first, and returns when it is gone.
func (c *Cluster) Stop(i int) error { return c.control(i, "stop", nodes.stop) }

// Pause freezes broker i: its connections stay open, and nothing answers.
func (c *Cluster) Pause(i int) error { return c.control(i, "pause", nodes.pause) }

// Resume ends a Pause.
func (c *Cluster) Resume(i int) error { return c.control(i, "resume", nodes.resume) }

func (c *Cluster) control(i int, verb string, do func(nodes, int) error) error {
	if c.nodes == nil {
		return fmt.Errorf("kafka: %s broker %d: KAFKA_BOOTSTRAP names a cluster that is not ours", verb, i)
	}
	if err := do(c.nodes, i); err != nil {
		return fmt.Errorf("kafka: %s broker %d: %w", verb, i, err)
	}
	return nil
}

// Start launches broker i again after Kill or Stop, with its data, and returns when it serves clients.
func (c *Cluster) Start(ctx context.Context, i int) error {
	if err := c.Launch(ctx, i); err != nil {
		return err
	}
	return c.ready(ctx, i, 1)
}

// Launch is Start that does not wait: a broker that is the majority's missing vote cannot be ready
// before the others are launched too.
func (c *Cluster) Launch(ctx context.Context, i int) error {
	return c.control(i, "start", func(n nodes, i int) error { return n.start(ctx, i) })
}

// Ready waits until broker i serves clients.
func (c *Cluster) Ready(ctx context.Context, i int) error { return c.ready(ctx, i, 1) }

// Logs is what broker i has written since the cluster was made, or "" for an existing cluster.
func (c *Cluster) Logs(i int) string {
	if c.nodes == nil {
		return ""
	}
	return c.nodes.logs(i)
}

// Close ends the brokers and removes their data. An existing cluster is left alone.
func (c *Cluster) Close() error {
	c.close.Do(func() {
		if c.nodes != nil {
			c.closeErr = c.nodes.close()
		}
	})
	return c.closeErr
}

// startTimeout is how long a broker may take from launch to its first answer on a machine whose
// cores are busy with other things. It takes about four seconds on one that is idle.
const startTimeout = 5 * time.Minute

// startAll launches every broker and waits until each knows of all.
func (c *Cluster) startAll(ctx context.Context) error {
	for i := range c.addresses {
		if err := c.nodes.start(ctx, i); err != nil {
			return fmt.Errorf("broker %d: %w", i, err)
		}
	}
	for i := range c.addresses {
		if err := c.ready(ctx, i, len(c.addresses)); err != nil {
			return err
		}
	}
	return nil
}

// ready waits until broker i answers and knows of at least want brokers, itself among them.
func (c *Cluster) ready(ctx context.Context, i, want int) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := probe(ctx, c.addresses[i], want)
		if err == nil {
			return nil
		}
		if c.nodes != nil && c.nodes.exited(i) {
			return fmt.Errorf("broker %d ended before it was ready; the end of its log:\n%s", i, tail(c.Logs(i), 30))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("broker %d at %s is not ready: %w; the end of its log:\n%s",
				i, c.addresses[i], errors.Join(err, ctx.Err()), tail(c.Logs(i), 30))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// tail is the last n lines of s.
func tail(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
