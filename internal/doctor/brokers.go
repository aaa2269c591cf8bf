package doctor

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// broker is one of the cluster, at the address that it advertises.
type broker struct {
	about    Server
	link     Link // nil: it cannot be used
	settings map[string]string
	checks   []Check
}

// samples is how often the time of a round trip is measured.
const samples = 5

// reachBrokers connects to every address that the cluster advertises: a producer has no other way to a leader.
func (r *run) reachBrokers(metadata *protocol.MetadataResponse) {
	if metadata == nil || r.over() {
		r.blocked(Brokers, "")
		return
	}
	known := metadata.Brokers[:min(mostBrokers, len(metadata.Brokers))]
	inOrder(len(known), func(i int) *broker { return r.reachBroker(&known[i]) }, func(_ int, b *broker) {
		for _, c := range b.checks {
			r.add(c)
		}
		if b.link != nil {
			r.links = append(r.links, b.link)
		}
		if b.settings != nil && r.settings == nil {
			r.settings = b.settings
		}
		r.brokers[b.about.ID] = b
		r.report.Brokers = append(r.report.Brokers, b.about)
	})
	if more := len(metadata.Brokers) - len(known); more > 0 {
		r.skip(Brokers, "", fmt.Sprintf("%s more: %d at most are looked at", count(more, "broker"), mostBrokers))
	}
}

// reachBroker connects to one, measures, and looks whether it is the one that it is said to be.
func (r *run) reachBroker(at *protocol.MetadataBroker) *broker {
	b := &broker{about: Server{ID: at.NodeID, Addr: addrOf(at)}}
	if at.Rack != nil {
		b.about.Rack = *at.Rack
	}
	of := brokerAt(at.NodeID, b.about.Addr)
	began := r.t.Now()
	var passed []Check
	link, err := r.t.Connect(r.ctx, b.about.Addr, at.NodeID, r.takenFor(), func(p wire.Passed) {
		r.note(&b.about, p)
		c := Check{Of: of, Took: p.Took}
		switch p.Stage {
		case wire.StageTLS:
			passed = append(passed, judgeTLS(c, p.TLS, r.t.Now()))
		case wire.StageApiVersions:
			passed = append(passed, judgeVersions(c, p.Offered, p.Features, r.o))
		}
	})
	c := Check{Stage: Brokers, Of: of, Took: r.since(began)}
	if errors.Is(err, protocol.RebootstrapRequired) {
		c.Err = err
		b.checks = append(b.checks, strayed(c, "another broker answers there, or one of another cluster: "+textOf(err)))
		return b
	}
	if err != nil {
		c.Verdict, c.Err = Failed, err
		c.Text, c.Advice = judgeListener(listener{b.about.Addr, err, r.answered(), r.reachedAt(), r.o.Bootstrap})
		b.checks = append(b.checks, c)
		return b
	}
	b.link = link
	b.checks = append(b.checks, r.measure(b, c))
	for _, c := range passed {
		if c.Verdict != OK {
			b.checks = append(b.checks, c)
		}
	}
	return b
}

// takenFor is the cluster that brokers are told to be taken for, "" if they are not told.
func (r *run) takenFor() string {
	if r.o.ClusterCheck {
		return r.cluster
	}
	return ""
}

// answered lists the bootstrap servers that can be used.
func (r *run) answered() (addrs []string) {
	for _, s := range r.servers {
		if s.link != nil {
			addrs = append(addrs, s.addr)
		}
	}
	return addrs
}

// reachedAt lists the addresses that these lead to.
func (r *run) reachedAt() (addresses []string) {
	for _, s := range r.servers {
		if s.link == nil {
			continue
		}
		if host, _, err := net.SplitHostPort(s.about.Remote); err == nil {
			addresses = append(addresses, host)
		}
	}
	return addresses
}

// measure asks a broker some times, and judges whether it is the one that it is said to be.
func (r *run) measure(b *broker, c Check) Check {
	for range samples {
		resp := new(protocol.MetadataResponse)
		began := r.t.Now()
		err := b.link.Ask(r.ctx, &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{}}, resp)
		if err != nil {
			c.Verdict, c.Err, c.Text, c.Advice = Failed, err, textOf(err), adviceOf(err)
			return c
		}
		b.about.RoundTrips = append(b.about.RoundTrips, r.since(began))
		if id := clusterID(resp); id != r.cluster {
			return strayed(c, fmt.Sprintf("another cluster answers there: its id is %s, not %s", quotedOr(id, "none"), quotedOr(r.cluster, "none")))
		}
	}
	b.about.Reached, b.about.Median = true, median(b.about.RoundTrips)
	c.Verdict, c.Text = OK, fmt.Sprintf("reached, as %s", b.about.Software)
	if !r.describeBroker(b) {
		b.about.Reached = false
		return strayed(c, fmt.Sprintf("another broker than %d answers there", b.about.ID))
	}
	if host, _, _ := net.SplitHostPort(b.about.Addr); loopback(host) && !anyLoopback(r.answered()) {
		c.Verdict = Notice
		c.Text += "; it advertises localhost, which leads to the broker from this machine alone"
		c.Advice = setAdvertised
	}
	return c
}

// strayed is the check of an address that leads somewhere else.
func strayed(c Check, what string) Check {
	c.Verdict = Failed
	c.Text = "it advertises this address, and " + what
	c.Advice = "advertised.listeners of the broker must lead to itself: look at what the name and the port lead to from here (DNS, hosts file, load balancer, mapped ports)"
	return c
}

// brokerKeys are the settings of a broker that say whether a producer can do what it is set to.
var brokerKeys = []string{"auto.create.topics.enable", "transaction.max.timeout.ms"}

// describeBroker reads some settings of a broker, where the client may. It reports whether it is the one that it is taken for:
// a broker tells of nobody but itself.
func (r *run) describeBroker(b *broker) bool {
	resp := new(protocol.DescribeConfigsResponse)
	err := b.link.Ask(r.ctx, &protocol.DescribeConfigsRequest{Resources: []protocol.DescribeConfigsResource{{
		ResourceType: protocol.ResourceBroker, ResourceName: strconv.Itoa(int(b.about.ID)), ConfigurationKeys: brokerKeys,
	}}}, resp)
	if err != nil || len(resp.Results) != 1 {
		return true // which nobody can tell
	}
	if resp.Results[0].ErrorCode == protocol.NoError {
		b.settings = valuesOf(resp.Results[0].Configs)
	}
	return resp.Results[0].ErrorCode != protocol.InvalidRequest
}

// valuesOf returns settings by their names.
func valuesOf(configs []protocol.DescribeConfigsResourceResult) map[string]string {
	values := make(map[string]string, len(configs))
	for _, c := range configs {
		if c.Value != nil && !c.IsSensitive {
			values[c.Name] = *c.Value
		}
	}
	return values
}

// roundTrips is the stage RoundTrip.
func (r *run) roundTrips() {
	measured := slices.DeleteFunc(slices.Clone(r.report.Brokers), func(s Server) bool { return !s.Reached })
	if len(measured) == 0 {
		r.blocked(RoundTrip, "")
		return
	}
	r.add(judgeRoundTrips(measured))
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}
