package metadata

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
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
	scripts.Run(t, *update, func(*testing.T) func([]string) string { return newScript().run })
}

// epoch is when scripts begin.
var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func testConfig() Config {
	return Config{
		MaxAge: 5 * time.Minute, MaxIdle: 5 * time.Minute,
		RetryBackoff: 100 * time.Millisecond, RetryBackoffMax: time.Second,
		AutoCreate: true, UnknownTopicGrace: 5 * time.Second, UnknownTopicMemory: time.Second,
		Rebootstrap: true, RebootstrapTrigger: 5 * time.Minute,
		Jitter: func() float64 { return 0.5 }, // none
	}
}

// A cut is all that is known at one moment: a snapshot, and every topic that is there.
type cut struct {
	*Snapshot
	Topics map[string]*Topic
}

func whole(c *Cluster) cut {
	all := cut{c.Snapshot(), make(map[string]*Topic)}
	for name := range c.topics {
		if t := c.Topic(name); t != nil {
			all.Topics[name] = t
		}
	}
	return all
}

type script struct {
	c    *Cluster
	now  time.Time
	node int32
	req  *protocol.MetadataRequest
	last map[string]*Topic // of the snapshot printed last, to see which pointers are new
}

func newScript() *script {
	return &script{c: New(testConfig()), now: epoch, last: make(map[string]*Topic)}
}

// run does the command in lines: its first line, less comments, and for answer a line for each topic.
//
//	config no-auto-create no-rebootstrap      start anew
//	+100ms                                    let time pass
//	want T | unwant T | touch T | update      as the methods
//	next                                      what is planned
//	ask N                                     Next and Sent to node N
//	answer [brokers=1,2] [cluster=C] [error=CODE]
//	  T [id=a] [error=CODE] [leader/epoch[!CODE] ...] [N@leader/epoch]
//	fail N | hint T partition leader epoch [host] | prefer N... | unknown T | waiting T
//	snapshot                                  a * marks a *Topic that is not the one printed last
func (s *script) run(lines []string) string {
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "#") })
	args := strings.Fields(lines[0])
	if after, ok := strings.CutPrefix(args[0], "+"); ok {
		d, err := time.ParseDuration(after)
		if err != nil {
			panic(err)
		}
		s.now = s.now.Add(d)
		return "t=" + s.now.Sub(epoch).String()
	}
	switch args[0] {
	case "config":
		cfg := testConfig()
		cfg.AutoCreate = !slices.Contains(args, "no-auto-create")
		cfg.Rebootstrap = !slices.Contains(args, "no-rebootstrap")
		s.c = New(cfg)
	case "want":
		s.c.Want(s.now, args[1])
	case "unwant":
		s.c.Unwant(args[1])
	case "touch":
		s.c.Touch(s.now, args[1])
	case "update":
		s.c.RequestUpdate()
	case "next":
		return s.next()
	case "ask":
		return s.ask(number(args[1]))
	case "answer":
		return s.changes(s.c.Answer(s.now, s.node, s.req, response(args[1:], lines[1:])))
	case "fail":
		return s.changes(s.c.Failed(s.now, number(args[1]), s.req))
	case "hint":
		return s.hint(args[1:])
	case "prefer":
		var nodes []int32
		for _, arg := range args[1:] {
			nodes = append(nodes, number(arg))
		}
		return fmt.Sprint(s.c.Prefer(nodes))
	case "unknown":
		if a, b := s.c.UnknownTopic(s.now, args[1]), whole(s.c).Failure(s.now, args[1]); !errors.Is(a, b) {
			return fmt.Sprintf("UnknownTopic %v, Snapshot.Failure %v", a, b)
		}
		return errorText(s.c.UnknownTopic(s.now, args[1]))
	case "waiting":
		return errorText(whole(s.c).Waiting(args[1]))
	case "snapshot":
		return s.snapshot()
	default:
		panic("unknown command " + lines[0])
	}
	return ""
}

func (s *script) next() string {
	req, at := s.c.Next(s.now)
	switch {
	case req != nil:
		return "now: " + requestText(req)
	case at.IsZero():
		return "nothing planned"
	default:
		return "in " + at.Sub(s.now).String()
	}
}

func (s *script) ask(node int32) string {
	req, _ := s.c.Next(s.now)
	if req == nil {
		return "not due: " + s.next()
	}
	s.c.Sent()
	s.req, s.node = req, node
	return requestText(req)
}

func requestText(req *protocol.MetadataRequest) string {
	names := []string{"topics"}
	for _, t := range req.Topics {
		names = append(names, *t.Name)
	}
	if req.Topics == nil {
		return "all topics"
	}
	if req.AllowAutoTopicCreation {
		names = append(names, "(create)")
	}
	return strings.Join(names, " ")
}

func (s *script) hint(args []string) string {
	leader := protocol.LeaderIDAndEpoch{LeaderID: number(args[2]), LeaderEpoch: number(args[3])}
	var endpoints []protocol.NodeEndpoint
	if len(args) > 4 {
		endpoints = append(endpoints, protocol.NodeEndpoint{NodeID: leader.LeaderID, Host: args[4], Port: 9092})
	}
	if s.c.Hint(s.now, args[0], number(args[1]), leader, endpoints) {
		return "applied"
	}
	return "ignored"
}

func (s *script) changes(ch Changes) string {
	var out []string
	if len(ch.Changed) > 0 {
		out = append(out, "changed "+strings.Join(ch.Changed, " "))
	}
	for _, f := range ch.Failed {
		out = append(out, "failed "+f.Topic+": "+f.Err.Error())
	}
	if len(ch.Forgotten) > 0 {
		out = append(out, "forgotten "+strings.Join(ch.Forgotten, " "))
	}
	if ch.Rebootstrap {
		out = append(out, "rebootstrap")
	}
	return strings.Join(out, "\n")
}

func (s *script) snapshot() string {
	snap := whole(s.c)
	brokers := []string{fmt.Sprintf("cluster=%q brokers:", snap.ClusterID)}
	for _, id := range slices.Sorted(maps.Keys(snap.Brokers)) {
		b := snap.Brokers[id]
		text := fmt.Sprintf("%d=%s", id, b.Addr())
		if b.Rack != "" {
			text += "/" + b.Rack
		}
		brokers = append(brokers, text)
	}
	out := []string{strings.Join(brokers, " ")}
	for _, name := range slices.Sorted(maps.Keys(snap.Topics)) {
		t := snap.Topics[name]
		line := []string{t.Name, "id=" + idText(t.ID)}
		for _, p := range t.Partitions {
			line = append(line, fmt.Sprintf("%d/%d", p.Leader, p.LeaderEpoch))
		}
		if s.last[name] != t {
			line = append(line, "*")
		}
		out = append(out, strings.Join(line, " "))
	}
	s.last = snap.Topics
	return strings.Join(out, "\n")
}

// response makes an answer. Brokers are 1, 2 and 3 unless told otherwise.
func response(args, topics []string) *protocol.MetadataResponse {
	resp := &protocol.MetadataResponse{ControllerID: 1}
	brokers := "1,2,3"
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "brokers":
			brokers = value
		case "cluster":
			resp.ClusterID = &value
		case "error":
			resp.ErrorCode = codeOf(value)
		default:
			panic(arg)
		}
	}
	for id := range strings.SplitSeq(brokers, ",") {
		if id == "" {
			continue
		}
		rack := "r" + id
		resp.Brokers = append(resp.Brokers, protocol.MetadataBroker{NodeID: number(id), Host: "b" + id, Port: 9092, Rack: &rack})
	}
	for _, line := range topics {
		resp.Topics = append(resp.Topics, topicAnswer(strings.Fields(line)))
	}
	return resp
}

func topicAnswer(fields []string) protocol.MetadataTopic {
	t := protocol.MetadataTopic{Name: &fields[0]}
	for _, field := range fields[1:] {
		switch {
		case strings.HasPrefix(field, "id="):
			t.TopicID[15] = field[3]
		case strings.HasPrefix(field, "error="):
			t.ErrorCode = codeOf(field[6:])
		default:
			p := protocol.MetadataPartition{PartitionIndex: int32(len(t.Partitions))}
			if index, rest, ok := strings.Cut(field, "@"); ok {
				p.PartitionIndex, field = number(index), rest
			}
			field, code, _ := strings.Cut(field, "!")
			p.ErrorCode = codeOf(code)
			leader, leaderEpoch, _ := strings.Cut(field, "/")
			p.LeaderID, p.LeaderEpoch = number(leader), number(leaderEpoch)
			t.Partitions = append(t.Partitions, p)
		}
	}
	return t
}

func codeOf(name string) protocol.ErrorCode {
	if name == "" {
		return protocol.NoError
	}
	for code := protocol.ErrorCode(-1); code < 200; code++ {
		if code.Name() == name {
			return code
		}
	}
	panic("no error code " + name)
}

func idText(id protocol.UUID) string {
	if id == (protocol.UUID{}) {
		return "-"
	}
	return string(id[15])
}

func errorText(err error) string {
	if err == nil {
		return "nil"
	}
	return err.Error()
}

func number(s string) int32 {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		panic(err)
	}
	return int32(n)
}
