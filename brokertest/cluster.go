package brokertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Cluster is one or more Kafka brokers in this process. Its methods may be called at any time and from any goroutine, also
// while clients are connected. Methods that take a brokerID panic if there is no such broker: IDs are 1 to the number of
// brokers.
type Cluster struct {
	opts    options
	brokers []*broker     // by node ID less 1; the slice never changes
	done    chan struct{} // closed by Close
	running sync.WaitGroup

	mu           sync.Mutex // guards the following, and all fields that say so; never held while blocking
	id           string
	closed       bool
	random       *rand.Rand
	topics       map[string]*topic
	topicIDs     map[protocol.UUID]*topic
	denied       map[string]denial
	rights       rights
	throttles    map[int16]time.Duration
	features     []feature
	finalized    int64 // the epoch of the features' levels
	nextProducer int64
	transactions map[string]*transaction // by transactional ID
	groups       map[string]*group
	nextOffset   int64 // the next offset in the offsets topic
	holdMarkers  bool
	coordinators map[int8]bool    // key types whose internal topic exists
	moved        map[string]int32 // coordinators that MoveCoordinator has set, by key
	faults       faults
	accounts     accounts
	telemetry    telemetry
	seen         history
	connections  int
}

// TB is what New needs of a *testing.T or *testing.B.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// New starts a cluster that ends with the test. An option that is not valid fails the test.
func New(t TB, opts ...Option) *Cluster {
	t.Helper()
	c, err := Start(opts...)
	if err != nil {
		t.Fatalf("brokertest: %v", err)
		return nil
	}
	t.Cleanup(c.Close)
	return c
}

// Start starts a cluster outside of a test. The caller must Close it.
func Start(opts ...Option) (*Cluster, error) {
	o := defaults()
	for _, opt := range opts {
		opt(&o)
	}
	if o.brokers < 1 || o.brokers > 254 {
		return nil, fmt.Errorf("%d brokers, want 1 to 254", o.brokers)
	}
	c := &Cluster{
		opts: o, done: make(chan struct{}), random: rand.New(rand.NewPCG(o.seed, 0)),
		topics: map[string]*topic{}, topicIDs: map[protocol.UUID]*topic{}, denied: map[string]denial{},
		throttles: map[int16]time.Duration{}, nextProducer: o.firstProducer(), coordinators: map[int8]bool{},
		transactions: map[string]*transaction{}, groups: map[string]*group{}, moved: map[string]int32{},
		features: o.features, finalized: 1, seen: newHistory(o.keep),
	}
	c.id = c.newID().String()
	c.openAccounts()
	c.telemetry.instances = map[instanceKey]*instance{}
	c.SubscribeMetrics(MetricsSubscription{})
	for i := range o.brokers {
		b, err := c.newBroker(int32(i + 1))
		if err != nil {
			c.Close()
			return nil, err
		}
		c.brokers = append(c.brokers, b)
	}
	for _, t := range o.topics {
		if err := c.CreateTopic(t.name, t.partitions); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// Close cuts every connection, and waits until every goroutine of the cluster has ended. Records and the like can still be
// read. Further calls do nothing.
func (c *Cluster) Close() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	close(c.done)
	c.mu.Unlock()
	for _, b := range c.brokers {
		b.stop()
	}
	c.running.Wait()
}

// Bootstrap returns the brokers' addresses, host:port, also those of brokers that are stopped.
func (c *Cluster) Bootstrap() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	addrs := make([]string, len(c.brokers))
	for i, b := range c.brokers {
		addrs[i] = b.addr()
	}
	return addrs
}

// Format prints the addresses of the brokers, whatever the verb, so that no password of a user gets into the output of a test.
func (c *Cluster) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "brokertest.Cluster at %v", c.Bootstrap())
}

// ClusterID returns the cluster's ID, as Metadata tells it.
func (c *Cluster) ClusterID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id
}

// DialContext connects to the broker that listens on addr. It has the signature of net.Dialer.DialContext, and is for
// producer.Config.DialContext. A cluster in memory can be reached by it alone; any other can be dialled by other means, too.
func (c *Cluster) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if !c.opts.memory {
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}
	return c.dialMemory(ctx, addr)
}

// broker returns the broker with that node ID, or panics: node IDs are 1 to the number of brokers.
func (c *Cluster) broker(id int32) *broker {
	if id < 1 || int(id) > len(c.brokers) {
		panic("brokertest: no broker " + strconv.Itoa(int(id)) + " of " + strconv.Itoa(len(c.brokers)))
	}
	return c.brokers[id-1]
}

// newID returns a new topic or cluster ID. The caller holds c.mu, or is Start.
func (c *Cluster) newID() (id protocol.UUID) {
	for i := 0; i < len(id); i += 8 {
		v := c.random.Uint64()
		for j := range 8 {
			id[i+j] = byte(v >> (8 * j))
		}
	}
	// As java.util.UUID.randomUUID makes it: version 4, variant 1.
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}
