package telemetry

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	scripts "github.com/epistle-kafka/epistle/internal/script"
	"github.com/epistle-kafka/epistle/protocol"
)

var update = flag.Bool("update", false, "write the output of the scripts in testdata as the expected one")

// TestScripts runs the scripts of testdata. What the commands are, script.run says.
func TestScripts(t *testing.T) {
	scripts.Run(t, *update, func(t *testing.T) func([]string) string { return newScript(t).run })
}

// began is when scripts begin, and their counters.
var began = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// A script drives a Reporter through fake time.
type script struct {
	t      *testing.T
	r      *Reporter
	now    time.Time
	random float64
	push   *Push
}

func newScript(t *testing.T) *script {
	s := &script{t: t, now: began, random: 0.5}
	s.r = NewReporter(began, func() float64 { return s.random })
	return s
}

// run executes one command:
//
//	start, hurry, end         the methods of that name
//	random 0.25               what random numbers are from now on
//	+10s                      lets time pass, and tells what is due
//	due                       tells what is due
//	subscribe                 the request that is due is sent
//	subscribed A sub=7 every=10s codecs=4,3 max=1000 delta wants=a,b
//	                          its answer: the instance id is all A
//	subscribed CODE           its answer is an error
//	collect                   a push begins
//	encode, then metrics      it is made, sent and shown: group/name{tag=value} 1.5, or total 1.5
//	pushed CODE               its answer
//	lost [written]            the request that is under way has no answer
//	status
func (s *script) run(lines []string) string {
	command := strings.Fields(lines[0])
	switch name := command[0]; {
	case name[0] == '+':
		d, err := time.ParseDuration(name[1:])
		s.must(err)
		s.now = s.now.Add(d)
		return s.due()
	case name == "due":
		return s.due()
	case name == "start":
		s.r.Start(s.now)
		return s.due()
	case name == "hurry":
		s.r.Hurry(s.now)
		return s.due()
	case name == "end":
		return fmt.Sprintf("to be pushed: %t\n%s", s.r.End(s.now), s.due())
	case name == "random":
		var err error
		s.random, err = strconv.ParseFloat(command[1], 64)
		s.must(err)
		return ""
	case name == "subscribe":
		request := s.r.SubscribeRequest()
		s.r.Subscribing()
		s.push = nil
		return fmt.Sprintf("as %s, %s", who(request.ClientInstanceID), s.due())
	case name == "subscribed":
		s.r.Subscribed(s.now, s.subscription(command[1:]))
		return s.due()
	case name == "collect":
		s.push = s.r.Collect(s.now)
		return s.due()
	case name == "encode":
		s.push.Encode(Source{}, s.metrics(lines[1:]))
		s.r.Pushing(s.push)
		return s.pushed()
	case name == "pushed":
		s.r.Pushed(s.now, s.push, codeOf(command[1]))
		return s.due()
	case name == "lost":
		s.r.Failed(s.now, s.push, len(command) > 1)
		s.push = nil
		return s.due()
	case name == "status":
		return fmt.Sprintf("%s every %v, %d prefixes, refused: %v", who(s.r.Status().Instance), s.r.Status().Every, s.r.Status().Wanted, s.r.Status().Refused)
	}
	s.t.Fatalf("no such command: %q", lines[0])
	return ""
}

func (s *script) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *script) due() string {
	duty, at := s.r.Due(s.now)
	text := [...]string{"nothing", "subscribe", "collect"}[duty]
	if !at.IsZero() {
		text += fmt.Sprintf(" until %v", at.Sub(began))
	}
	if s.r.Over() {
		text += ", over"
	}
	return fmt.Sprintf("t=%v: %s", s.now.Sub(began), text)
}

// who is an instance id, of which all bytes are alike.
func who(id protocol.UUID) string {
	if id == (protocol.UUID{}) {
		return "nobody"
	}
	return string(id[0])
}

func codeOf(name string) protocol.ErrorCode {
	for code := protocol.UnknownServerError; code < 200; code++ {
		if code.Name() == name {
			return code
		}
	}
	return 199 // unknown to all
}

func (s *script) subscription(words []string) *protocol.GetTelemetrySubscriptionsResponse {
	resp := &protocol.GetTelemetrySubscriptionsResponse{TelemetryMaxBytes: 1 << 20}
	if len(words[0]) > 1 {
		resp.ErrorCode = codeOf(words[0])
		return resp
	}
	for i := range resp.ClientInstanceID {
		if words[0] != "-" {
			resp.ClientInstanceID[i] = words[0][0]
		}
	}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		var err error
		var n int
		switch key {
		case "sub":
			n, err = strconv.Atoi(value)
			resp.SubscriptionID = int32(n)
		case "every":
			resp.PushInterval, err = time.ParseDuration(value)
		case "max":
			n, err = strconv.Atoi(value)
			resp.TelemetryMaxBytes = int32(n)
		case "delta":
			resp.DeltaTemporality = true
		case "codecs":
			for number := range strings.SplitSeq(value, ",") {
				n, err = strconv.Atoi(number)
				s.must(err)
				resp.AcceptedCompressionTypes = append(resp.AcceptedCompressionTypes, int8(n))
			}
		case "wants":
			resp.RequestedMetrics = strings.Split(value, ",")
		default:
			s.t.Fatalf("no such word: %q", word)
		}
		s.must(err)
	}
	return resp
}

// metrics reads lines such as: producer-metrics/record-send-total{topic=a} total 1.5
func (s *script) metrics(lines []string) (metrics []Metric) {
	for _, line := range lines {
		if prefix, n, many := strings.Cut(line, " x "); many { // so many of them, by their tag n
			count, err := strconv.Atoi(n)
			s.must(err)
			for i := range count {
				m := s.metrics([]string{prefix})[0]
				m.Tags = map[string]string{"n": strconv.Itoa(i)}
				metrics = append(metrics, m)
			}
			continue
		}
		words := strings.Fields(line)
		name, tags, _ := strings.Cut(words[0], "{")
		var m Metric
		m.Group, m.Name, _ = strings.Cut(name, "/")
		m.Tags = map[string]string{}
		for pair := range strings.SplitSeq(strings.TrimSuffix(tags, "}"), ",") {
			if key, value, ok := strings.Cut(pair, "="); ok {
				m.Tags[key] = value
			}
		}
		m.Total = len(words) > 2
		var err error
		m.Value, err = strconv.ParseFloat(words[len(words)-1], 64)
		s.must(err)
		metrics = append(metrics, m)
	}
	return metrics
}
