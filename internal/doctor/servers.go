package doctor

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// server is a bootstrap server. Until checks is closed it belongs to the goroutine that reaches for it.
type server struct {
	addr   string
	first  bool // of all: it tells of what is not set, too
	about  Server
	link   Link       // nil: it cannot be used
	checks chan Check // room for all that one server can bring
}

// mostChecks is how many one server can bring: its stages, and a second of what it speaks.
const mostChecks = 8

// reachServers goes the way to each bootstrap server, as far as it leads. One that cannot be used is a failure only if no
// other one can.
func (r *run) reachServers() {
	next := make(chan *server, len(r.o.Bootstrap))
	for i, addr := range r.o.Bootstrap {
		s := &server{addr: addr, first: i == 0, about: Server{ID: -1, Addr: addr}, checks: make(chan Check, mostChecks)}
		r.servers = append(r.servers, s)
		next <- s
	}
	close(next)
	up, over := make(chan struct{}), make(chan struct{})
	var first sync.Once
	var working sync.WaitGroup
	for range min(parallel, len(r.servers)) {
		working.Go(func() {
			for s := range next {
				r.reach(s)
				if s.link != nil {
					first.Do(func() { close(up) })
				}
				close(s.checks)
			}
		})
	}
	go func() { working.Wait(); close(over) }()
	reached := map[Stage]bool{}
	for _, s := range r.servers {
		for c := range s.checks {
			reached[c.Stage] = true
			if c.Verdict == Failed && c.Err != nil {
				c = spared(c, up, over)
			}
			r.add(c)
		}
		if s.link != nil {
			r.links = append(r.links, s.link)
		}
	}
	<-over
	r.unreached(reached)
}

// spared makes a notice of a failure to reach a server, where another one can be reached.
func spared(c Check, up, over <-chan struct{}) Check {
	select {
	case <-up:
	case <-over:
	}
	select {
	case <-up:
		c.Verdict = Notice
		c.Text += "; another one of bootstrap.servers answers"
	default:
	}
	return c
}

// unreached says of the stages of a connection that no server got to why that is.
func (r *run) unreached(reached map[Stage]bool) {
	for _, stage := range []Stage{Dial, TLS, Versions, SASL} {
		switch {
		case reached[stage]:
		case stage == TLS && !r.o.TLS:
			r.skip(stage, "", noTLS)
		case stage == SASL && r.o.Mechanism == "":
			r.skip(stage, "", noSASL)
		default:
			r.blocked(stage, "")
		}
	}
}

// reach goes the way to one server.
func (r *run) reach(s *server) {
	addresses, err := r.lookUp(s.addr, s.checks)
	if err != nil {
		return
	}
	s.about.Addresses = addresses
	link, err := r.t.Connect(r.ctx, s.addr, -1, "", func(p wire.Passed) {
		r.passed(s, p)
	})
	if err != nil {
		s.checks <- r.unconnected(s.addr, s.addr, err)
		return
	}
	s.link = link
}

// lookUp is the stage Resolve.
func (r *run) lookUp(addr string, checks chan<- Check) (addresses []string, err error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	c := Check{Stage: Resolve, Of: addr}
	switch {
	case r.o.OwnDialer:
		c.Verdict, c.Text = Skipped, "Config.DialContext does it"
	case isAddress(host):
		c.Verdict, c.Text = OK, "it is an address"
		addresses = []string{host}
	default:
		began := r.t.Now()
		addresses, err = r.t.Resolve(r.ctx, host)
		c.Took = r.since(began)
		c.Verdict, c.Text = OK, shownList(addresses, 4)
		if err != nil {
			failed := &wire.Error{Stage: wire.StageResolve, Addr: addr, NodeID: -1, Err: err}
			c.Verdict, c.Text, c.Err = Failed, textOf(failed), failed
			c.Advice = "check the host name in bootstrap.servers, and the resolver of this machine (hosts file, DNS servers, VPN)"
			checks <- c
			return nil, err
		}
	}
	checks <- c
	return addresses, nil
}

// passed takes a stage that has ended well, of a bootstrap server.
func (r *run) passed(s *server, p wire.Passed) {
	r.note(&s.about, p)
	c := Check{Of: s.addr, Verdict: OK, Took: p.Took}
	switch p.Stage {
	case wire.StageDial:
		c.Stage, c.Text = Dial, "connected to "+s.about.Remote
	case wire.StageTLS:
		c = judgeTLS(c, p.TLS, r.t.Now())
	case wire.StageApiVersions:
		c = judgeVersions(c, p.Offered, p.Features, r.o)
	case wire.StageSASL:
		c = judgeLogin(c, r.o.Mechanism, s.about.TLS != nil, p.Session)
	default:
		return
	}
	s.checks <- c
	switch {
	case !s.first:
	case p.Stage == wire.StageDial && !r.o.TLS:
		s.checks <- Check{Stage: TLS, Verdict: Skipped, Text: noTLS}
	case p.Stage == wire.StageApiVersions && r.o.Mechanism == "":
		s.checks <- Check{Stage: SASL, Verdict: Skipped, Text: noSASL}
	}
}

// What is said of stages that the settings do without.
const (
	noTLS  = "none is set (security.protocol PLAINTEXT or SASL_PLAINTEXT)"
	noSASL = "none is set (security.protocol PLAINTEXT or SSL)"
)

// note keeps what a stage has shown.
func (r *run) note(s *Server, p wire.Passed) {
	switch p.Stage {
	case wire.StageDial:
		if p.Remote != nil {
			s.Remote = protocol.Shown(p.Remote.String())
		}
		s.TLS = p.TLS
	case wire.StageTLS:
		s.TLS = p.TLS
	case wire.StageApiVersions:
		s.Software, s.Features = softwareOf(p.Offered), p.Features
		s.Lacks = lacksOf(p.Offered, p.Features)
	case wire.StageSASL:
		s.Session = p.Session
	}
}

// unconnected is the check of an attempt to connect that has failed, with what the server does instead where that can be seen.
func (r *run) unconnected(of, addr string, err error) Check {
	c := Check{Stage: stageOf(err), Of: of, Verdict: Failed, Text: textOf(err), Advice: adviceOf(err), Err: err}
	e, ok := errors.AsType[*wire.Error](err)
	if !ok || r.over() {
		return c
	}
	quiet := e.HungUp() || wire.TimedOut(err)
	switch {
	case r.isWeb(e, addr):
		c.Advice = "it answers a request of HTTP: this is a web server and no Kafka broker: check the port"
	case e.Stage == wire.StageTLS && quiet && r.t.OtherWay(r.ctx, addr):
		c.Advice = fmt.Sprintf("it answers without TLS: set security.protocol to %s, or use the port of its TLS listener", protocolName(false, r.o.Mechanism))
	case e.Stage == wire.StageApiVersions && !r.o.TLS && quiet && r.t.OtherWay(r.ctx, addr):
		c.Advice = fmt.Sprintf("it answers to TLS: set security.protocol to %s, or use the port of its plaintext listener", protocolName(true, r.o.Mechanism))
	}
	return c
}

// isWeb reports whether a server that has let the time of a stage pass is a web server.
func (r *run) isWeb(e *wire.Error, addr string) bool {
	switch {
	case !wire.TimedOut(e):
	case e.Stage == wire.StageTLS:
		return r.t.Web(r.ctx, addr, false)
	case e.Stage == wire.StageApiVersions:
		return r.t.Web(r.ctx, addr, r.o.TLS)
	}
	return false
}

// protocolName is the security.protocol with or without TLS and SASL.
func protocolName(tls bool, mechanism string) string {
	switch {
	case tls && mechanism != "":
		return "SASL_SSL"
	case tls:
		return "SSL"
	case mechanism != "":
		return "SASL_PLAINTEXT"
	}
	return "PLAINTEXT"
}

// isAddress reports whether a host is an IP address.
func isAddress(host string) bool {
	bare, _, _ := strings.Cut(host, "%")
	return net.ParseIP(bare) != nil
}

// shownList lists some of what came from elsewhere.
func shownList(all []string, most int) string {
	var shown []string
	for _, s := range all[:min(most, len(all))] {
		shown = append(shown, protocol.Shown(s))
	}
	text := strings.Join(shown, ", ")
	if more := len(all) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// shownTime writes a duration as people read it.
func shownTime(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	}
	return d.Round(10 * time.Millisecond).String()
}
