package doctor

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// mostBrokers bounds how many brokers are looked at.
const mostBrokers = 200

// told is what one server has answered to Metadata.
type told struct {
	resp *protocol.MetadataResponse
	err  error
}

// describeCluster is the stage Metadata: every bootstrap server that can be used is asked. It returns the answer of the first
// that has given one, nil if none has.
func (r *run) describeCluster() *protocol.MetadataResponse {
	var up []*server
	for _, s := range r.servers {
		if s.link != nil {
			up = append(up, s)
		}
	}
	if len(up) == 0 || r.over() {
		r.blocked(Metadata, "")
		return nil
	}
	began := r.t.Now()
	answers := make([]told, len(up))
	inOrder(len(up), func(i int) told {
		resp := new(protocol.MetadataResponse)
		err := up[i].link.Ask(r.ctx, r.metadataRequest(), resp)
		if err == nil {
			err = resp.ErrorCode.Err()
		}
		return told{resp, err}
	}, func(i int, t told) { answers[i] = t })
	c := Check{Stage: Metadata, Took: r.since(began)}
	first := slices.IndexFunc(answers, func(t told) bool { return t.err == nil && len(t.resp.Brokers) > 0 })
	if first < 0 {
		r.add(withoutMetadata(c, up[0].addr, answers[0], r.o))
		return nil
	}
	for i, t := range answers {
		up[i].about.Reached = t.err == nil
		if t.err != nil {
			r.add(Check{Stage: Metadata, Of: up[i].addr, Verdict: Notice, Text: textOf(t.err) + "; another server answers", Advice: adviceOf(t.err), Err: t.err})
		}
	}
	resp := answers[first].resp
	r.cluster, r.report.Controller = clusterID(resp), resp.ControllerID
	r.report.ClusterID = r.cluster
	r.add(judgeCluster(c, resp, r.standing(up[first].link)))
	for i, t := range answers {
		if t.err == nil && clusterID(t.resp) != r.cluster {
			r.add(otherCluster(Check{Stage: Metadata, Of: up[i].addr}, up[first].addr, r.cluster, clusterID(t.resp)))
		}
	}
	return resp
}

// metadataRequest asks for the topics, and what may be done with them. It creates none.
func (r *run) metadataRequest() *protocol.MetadataRequest {
	req := &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{}, IncludeTopicAuthorizedOperations: true}
	for _, name := range r.o.Topics {
		req.Topics = append(req.Topics, protocol.MetadataRequestTopic{Name: &name})
	}
	return req
}

// withoutMetadata is the check where no server has told what the cluster is.
func withoutMetadata(c Check, addr string, t told, o *Options) Check {
	c.Verdict, c.Of = Failed, addr
	if t.err == nil {
		c.Text = "the server says that the cluster has no broker"
		c.Advice = "it may be starting: look at its log, and try again"
		return c
	}
	c.Err, c.Text, c.Advice = t.err, textOf(t.err), adviceOf(t.err)
	if e, ok := errors.AsType[*wire.Error](t.err); ok && e.Hint == "" && o.Mechanism == "" && errors.Is(t.err, errHungUp) {
		c.Advice = fmt.Sprintf("the listener may want SASL (security.protocol %s, and sasl.mechanism); or it may not be meant for clients", protocolName(o.TLS, "SASL"))
	}
	return c
}

// standing asks for what Metadata does not tell: which brokers are registered and do not serve, and what this client may do with
// the cluster. Older brokers do not tell that either; then it is nothing.
func (r *run) standing(link Link) (fenced []int32) {
	resp := new(protocol.DescribeClusterResponse)
	err := link.Ask(r.ctx, &protocol.DescribeClusterRequest{
		IncludeClusterAuthorizedOperations: true, IncludeFencedBrokers: true, EndpointType: protocol.EndpointBrokers,
	}, resp)
	if err != nil || resp.ErrorCode != protocol.NoError {
		return nil
	}
	if resp.ClusterAuthorizedOperations != protocol.NoAuthorizedOperations {
		r.rights = resp.ClusterAuthorizedOperations
	}
	for _, b := range resp.Brokers {
		if b.IsFenced {
			fenced = append(fenced, b.BrokerID)
		}
	}
	return fenced
}

// judgeCluster says which cluster it is.
func judgeCluster(c Check, resp *protocol.MetadataResponse, fenced []int32) Check {
	c.Verdict = OK
	c.Text = fmt.Sprintf("cluster %s, %s", quotedOr(clusterID(resp), "without an id"), count(len(resp.Brokers), "broker"))
	if resp.ControllerID >= 0 {
		c.Text += fmt.Sprintf(", controller %d", resp.ControllerID)
	}
	if len(fenced) > 0 {
		c.Verdict = Notice
		c.Text += fmt.Sprintf("; %s more, which the controller does not let serve: %s", count(len(fenced), "broker"), numbers(fenced))
		c.Advice = "they are down, or starting: look at their logs"
	}
	return c
}

// otherCluster is the check of two servers that are not of one cluster.
func otherCluster(c Check, addr, one, other string) Check {
	c.Verdict = Failed
	c.Text = fmt.Sprintf("it is of another cluster than %s: its id is %s, not %s", addr, quotedOr(other, "none"), quotedOr(one, "none"))
	c.Advice = "bootstrap.servers must be those of one cluster: take this one out, or those of the other"
	return c
}

// clusterID is the id that an answer has, "" if it has none.
func clusterID(resp *protocol.MetadataResponse) string {
	if resp.ClusterID == nil {
		return ""
	}
	return *resp.ClusterID
}

func quotedOr(name, none string) string {
	if name == "" {
		return none
	}
	return protocol.Quoted(name)
}

// count writes a number with what it is of.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// addrOf is the address that a broker advertises.
func addrOf(b *protocol.MetadataBroker) string {
	return net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
}
