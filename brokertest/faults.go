package brokertest

import (
	"math"
	"slices"

	"github.com/epistle-kafka/epistle/protocol"
)

// faults are what a test has scripted. Guarded by Cluster.mu.
type faults struct {
	control func(*Request) *Action
	rules   []*Rule
}

// Rule is a scripted fault: which requests it meets, how many of them, and what happens to them. It takes effect with Do, and
// ends after its number of times. The rules are tried in the order of their Do; the first that matches a request decides.
type Rule struct {
	c       *Cluster
	apiKey  int16
	broker  int32 // 0: all brokers
	topic   string
	index   int32 // -1: all partitions
	when    func(*Request) bool
	skip    int
	left    int
	action  Action
	started bool
}

// On begins a rule for the next request of an API.
func (c *Cluster) On(apiKey int16) *Rule { return &Rule{c: c, apiKey: apiKey, index: -1, left: 1} }

// Broker restricts the rule to requests that reach that broker.
func (r *Rule) Broker(nodeID int32) *Rule { r.broker = nodeID; return r }

// Topic restricts the rule to requests that name that topic. An error code then goes to this topic alone.
func (r *Rule) Topic(name string) *Rule { r.topic = name; return r }

// Partition restricts the rule to Produce requests with a batch for that partition of the topic. An error code then goes to
// this partition alone, also one in an answer to Metadata.
func (r *Rule) Partition(index int32) *Rule { r.index = index; return r }

// When restricts the rule to requests for which f returns true. f must not call the cluster.
func (r *Rule) When(f func(*Request) bool) *Rule { r.when = f; return r }

// Skip lets n matching requests pass first.
func (r *Rule) Skip(n int) *Rule { r.skip = n; return r }

// Times sets how many requests the rule meets before it ends. The default is 1.
func (r *Rule) Times(n int) *Rule { r.left = n; return r }

// Always makes the rule meet every request, until Stop or ClearFaults.
func (r *Rule) Always() *Rule { r.left = math.MaxInt; return r }

// Do puts the rule in force.
func (r *Rule) Do(a *Action) *Rule {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.started {
		panic("brokertest: a rule has one action")
	}
	r.started = true
	r.action = *a
	r.action.topic, r.action.index = r.topic, r.index
	r.c.faults.rules = append(r.c.faults.rules, r)
	return r
}

// Stop ends the rule.
func (r *Rule) Stop() {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.left = 0
	r.c.faults.drop()
}

// Left returns how many requests the rule has yet to meet.
func (r *Rule) Left() int {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.left
}

// Control calls f for every request before it is handled, and before any rule. If f returns nil, the rules decide. f is called
// on the connections' goroutines, several at a time, and may change the cluster. Control(nil) ends it.
func (c *Cluster) Control(f func(*Request) *Action) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.control = f
}

// ClearFaults ends all rules and Control.
func (c *Cluster) ClearFaults() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.faults.rules {
		r.left = 0
	}
	c.faults = faults{}
}

// PendingFaults returns the number of rules that are in force, without those of Always. A test that wants all its faults to
// have happened demands 0.
func (c *Cluster) PendingFaults() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.faults.rules {
		if r.left < math.MaxInt/2 {
			n++
		}
	}
	return n
}

func (f *faults) drop() {
	f.rules = slices.DeleteFunc(f.rules, func(r *Rule) bool { return r.left <= 0 })
}

// scripted notes a request in the history and returns what is to happen to it.
func (c *Cluster) scripted(r *Request) *Action {
	c.mu.Lock()
	c.seen.add(*r)
	control := c.faults.control
	c.mu.Unlock()
	if control != nil {
		if a := control(r); a != nil {
			return a
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rule := range c.faults.rules {
		if !rule.meets(r) {
			continue
		}
		if rule.skip > 0 {
			rule.skip--
			continue
		}
		rule.left--
		c.faults.drop()
		return &rule.action
	}
	return &Action{handle: true}
}

func (r *Rule) meets(q *Request) bool {
	return r.apiKey == q.APIKey && (r.broker == 0 || r.broker == q.Broker) &&
		(r.topic == "" || q.names(r.topic, r.index)) && (r.when == nil || r.when(q))
}

// codeFor returns the code for a partition, whether it is answered after the batch was appended, and whether there is a code at
// all.
func (a *Action) codeFor(topic string, index int32) (code protocol.ErrorCode, after, scripted bool) {
	if a.code == protocol.NoError || a.topic != "" && (a.topic != topic || a.index >= 0 && a.index != index) {
		return protocol.NoError, false, false
	}
	return a.code, a.after, true
}
