package doctor

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// listener is an address that a broker advertises, and that could not be used.
type listener struct {
	addr string
	err  error
	// answered are the bootstrap servers that answer, host:port, and addresses what all of their names lead to.
	answered, addresses []string
	// bootstrap are all bootstrap servers, host:port, also those that do not answer.
	bootstrap []string
}

// containerID is how Docker names a machine that nobody has named.
var containerID = regexp.MustCompile(`^[0-9a-f]{12}$`)

const setAdvertised = "set advertised.listeners of the broker to an address that clients can reach"

// judgeListener says what is the matter with the address: it is the broker that has told it, to everybody, and a producer has no
// other way to a leader than that.
func judgeListener(l listener) (text, advice string) {
	host, port, err := net.SplitHostPort(l.addr)
	if err != nil {
		host = l.addr
	}
	text = "it advertises this address, which cannot be used from here: " + textOf(l.err)
	ip := net.ParseIP(host)
	e, _ := errors.AsType[*wire.Error](l.err)
	stage := wire.StageDial
	if e != nil {
		stage = e.Stage
	}
	unreached := stage == wire.StageResolve || stage == wire.StageDial
	switch {
	case loopback(host) && !anyLoopback(l.answered):
		return text, fmt.Sprintf("the broker advertises localhost (%s): each client looks for it on its own machine, and only those beside the broker find it; %s", protocol.Shown(host), setAdvertised)
	case host == "" || ip != nil && ip.IsUnspecified():
		return text, "the broker advertises no address, but all of them; " + setAdvertised
	case stage == wire.StageResolve:
		return text, nameAdvice(host)
	case unreached && ip != nil && private(ip) && !anyPrivate(l.addresses):
		return text, fmt.Sprintf("%s is a private address: it leads to the broker inside of its own network (a VPC, Docker, Kubernetes) alone, and the bootstrap servers are reached from outside; %s, or connect from inside (VPN, peering)", host, setAdvertised)
	}
	if errors.Is(l.err, errWithin) { // so nothing can be told by how it failed
		return text, "give all stages together more time (--timeout, DiagnoseWithin); if it is not reached then, look at what the name and the port lead to from here"
	}
	named := slices.ContainsFunc(l.bootstrap, func(addr string) bool { return strings.EqualFold(addr, l.addr) }) // by who is asking
	if other := samePlace(host, port, l.answered); other != "" && !named && (unreached || notKafka(l.err)) {
		return text, fmt.Sprintf("the bootstrap server answers at port %s of the same host, and the broker advertises port %s, which maps elsewhere or nowhere: where ports are mapped (docker run -p, a load balancer, kubectl port-forward), advertised.listeners must have the port that clients use", other, protocol.Shown(port))
	}
	if unreached && ip != nil && private(ip) {
		return text, adviceOf(l.err) + "; it is a private address: is this machine in the broker's network"
	}
	return text, adviceOf(l.err)
}

// nameAdvice is for a name that does not resolve here.
func nameAdvice(host string) string {
	what := "the name is not known to the resolver of this machine"
	switch {
	case containerID.MatchString(host):
		what = "it looks like the id of a container, which is a name inside of its Docker network alone"
	case strings.HasSuffix(host, ".svc") || strings.Contains(host, ".svc.") || strings.HasSuffix(host, ".cluster.local"):
		what = "it is a name of Kubernetes, which is known inside of that cluster alone"
	case !strings.Contains(host, "."):
		what = "it looks like the name of a container or a machine, which is known inside of the broker's own network alone"
	}
	return what + "; " + setAdvertised + ", or make the name known here (DNS, hosts file)"
}

// loopback reports whether a host is this machine, whoever says it.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func anyLoopback(addrs []string) bool {
	for _, addr := range addrs {
		if host, _, err := net.SplitHostPort(addr); err == nil && loopback(host) {
			return true
		}
	}
	return false
}

// private reports whether an address leads somewhere in its own network alone.
func private(ip net.IP) bool {
	shared := net.IPNet{IP: net.IPv4(100, 64, 0, 0), Mask: net.CIDRMask(10, 32)} // of carriers, and of some clouds
	return ip.IsPrivate() || ip.IsLinkLocalUnicast() || shared.Contains(ip)
}

func anyPrivate(addresses []string) bool {
	for _, address := range addresses {
		if ip := net.ParseIP(address); ip != nil && (private(ip) || ip.IsLoopback()) {
			return true
		}
	}
	return len(addresses) == 0 // nobody knows
}

// samePlace returns the port of a bootstrap server that answers at the same host under another port, "" if there is none.
func samePlace(host, port string, answered []string) string {
	for _, addr := range answered {
		h, p, err := net.SplitHostPort(addr)
		if err == nil && (strings.EqualFold(h, host) || loopback(h) && loopback(host)) && p != port {
			return p
		}
	}
	return ""
}

// notKafka reports whether something else than a broker answers.
func notKafka(err error) bool { return errors.As(err, new(*wire.FrameError)) }
