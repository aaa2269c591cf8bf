package sender

import (
	"fmt"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/protocol"
)

// answer lets a broker answer a produce request.
func (b *bench) answer(name string, args []string) {
	b.request(name, func(r *benchRequest) { b.fill(r, args) })
}

// fill adds an answer for each partition of a request.
func (b *bench) fill(r *benchRequest, args []string) {
	req, resp := r.call.Request.(*protocol.ProduceRequest), r.call.Response.(*protocol.ProduceResponse)
	where := ""
	if len(args) > 0 && strings.Contains(args[0], "-") {
		where, args = args[0], args[1:]
	}
	for _, t := range req.Topics {
		answer := protocol.ProduceTopicResponse{Name: t.Name, TopicID: t.TopicID}
		for _, p := range t.Partitions {
			place := fmt.Sprintf("%s-%d", t.Name, p.Index)
			a := protocol.ProducePartitionResponse{
				Index: p.Index, BaseOffset: -1, LogAppendTime: -1,
				CurrentLeader: protocol.LeaderIDAndEpoch{LeaderID: -1, LeaderEpoch: -1},
			}
			if len(args) > 0 && (where == "" || where == place) {
				a.ErrorCode = code(args[0])
				embellish(&a, resp, args[1:])
			}
			if a.ErrorCode == protocol.NoError {
				h, _, err := protocol.DecodeBatch(slices.Concat(p.Records...), 1<<20)
				if err != nil {
					panic(err)
				}
				a.BaseOffset = b.ends[place]
				b.ends[place] += int64(h.Count)
			}
			answer.Partitions = append(answer.Partitions, a)
		}
		resp.Topics = append(resp.Topics, answer)
	}
}

// embellish adds what comes with an error.
func embellish(a *protocol.ProducePartitionResponse, resp *protocol.ProduceResponse, args []string) {
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "leader":
			p := leaderOf(value)
			a.CurrentLeader = protocol.LeaderIDAndEpoch{LeaderID: p.Leader, LeaderEpoch: p.LeaderEpoch}
		case "at":
			n := number(value)
			resp.NodeEndpoints = append(resp.NodeEndpoints, protocol.NodeEndpoint{NodeID: int32(n), Host: "host" + value, Port: 9092})
		case "offset":
			a.BaseOffset = int64(number(value))
		case "time":
			a.LogAppendTime = int64(number(value))
		case "message":
			a.ErrorMessage = &value
		case "throttle":
			resp.ThrottleTime = duration(value)
		case "bad":
			list, text, _ := strings.Cut(value, ":")
			for i := range strings.SplitSeq(list, ",") {
				e := protocol.RecordError{BatchIndex: int32(number(i))}
				if text != "" {
					e.Message = &text
				}
				a.RecordErrors = append(a.RecordErrors, e)
			}
		default:
			panic("no argument " + arg)
		}
	}
}
