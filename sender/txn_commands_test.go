package sender

import (
	"fmt"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
	"github.com/epistle-kafka/epistle/wire"
)

// txnBench is what a bench has for transactions.
type txnBench struct {
	level         int16 // of transaction.version
	featuresEpoch int64
	coordinator   int32 // of everything; 0 for node 3
	byHand        []string
	held          map[string]*heldCall
	calls         []*benchCall
}

// A heldCall is a request that a script answers.
type heldCall struct {
	conn *benchConn
	call *wire.Call
}

// A benchCall is a caller of a transactional method.
type benchCall struct {
	name string
	call *txnCall
}

// transactor returns the manager of a producer with a transactional id; nil without one.
func (c *core) transactor() *transactor {
	t, _ := c.txn.(*transactor)
	return t
}

// runTxn does one command of transactions; it reports whether there is such a command.
//
//	config txn [level=1]          a producer with a transactional id; transaction.version is 2 without level
//	init X | begin X | commit X | abort X      a caller X begins to wait
//	offsets X g t-0=5 …           the same, for offsets of group g
//	leave X                       X waits no longer
//	late n t-0 a                  a record that was admitted to transaction n comes only now
//	spoil n                       a record of transaction n was not taken
//	coordinator n                 what FindCoordinator says from now on; 3 without it, -1 for nobody
//	level n                       what is finalised from now on
//	byhand API …                  requests of these are held, as API.1, API.2, …, until
//	reply API.n CODE [id/epoch]   the broker answers
//	unanswered API.n [unwritten]  its connection ends
//	who                           print the producer id and epoch
func (b *bench) runTxn(cmd string, args []string) bool {
	switch cmd {
	case "init":
		b.start(args[0], txn.CallInit, func(t *transactor, call *txnCall) { t.Init(&call.Op) })
	case "begin":
		b.start(args[0], txn.CallBegin, func(t *transactor, call *txnCall) { t.Begin(&call.Op) })
	case "commit":
		b.start(args[0], txn.CallCommit, func(t *transactor, call *txnCall) { t.Commit(&call.Op) })
	case "abort":
		b.start(args[0], txn.CallAbort, func(t *transactor, call *txnCall) { t.Abort(&call.Op) })
	case "offsets":
		topics := offsetsOf(args[2:])
		b.start(args[0], txn.CallOffsets, func(t *transactor, call *txnCall) {
			call.Group, call.Offsets = txn.Group{ID: args[1], Generation: -1}, topics
			t.SendOffsets(t.c.now, &call.Op)
		})
	case "leave":
		i := slices.IndexFunc(b.calls, func(o *benchCall) bool { return o.name == args[0] })
		e := &leaving{call: b.calls[i].call, left: make(chan struct{})}
		b.calls = slices.Delete(b.calls, i, i+1)
		b.c.handle(b.now, e)
		b.printf("%s: left, %v", args[0], e.how)
	case "late":
		e := accumulator.Entry{Record: protocol.Record{Value: []byte(args[2])}, Timestamp: b.now.UnixMilli(), Callback: args[2], Txn: int64(number(args[0]))}
		b.appendEntry(b.part(args[1]).queue, &e, args[2])
	case "spoil":
		b.c.handle(b.now, spoiled{int64(number(args[0])), errHangUp})
	case "coordinator":
		b.coordinator = int32(number(args[0]))
	case "level":
		b.level = int16(number(args[0]))
		b.featuresEpoch++
	case "byhand":
		b.byHand = args
	case "reply":
		b.reply(args)
	case "unanswered":
		h := b.take(args[0])
		h.conn.hangUp(errHangUp, len(args) == 1)
	case "who":
		b.printf("%d/%d", b.c.transactor().Identity().ID, b.c.transactor().Identity().Epoch)
	default:
		return false
	}
	return true
}

// start lets a caller begin to wait.
func (b *bench) start(name, method string, f func(*transactor, *txnCall)) {
	call := &txnCall{name: method, start: f, ended: make(chan struct{})}
	b.calls = append(b.calls, &benchCall{name, call})
	b.c.handle(b.now, calling{call})
}

// reportCalls prints what callers were told.
func (b *bench) reportCalls() {
	b.calls = slices.DeleteFunc(b.calls, func(o *benchCall) bool {
		select {
		case <-o.call.ended:
			b.printf("%s: %v", o.name, errorOr(o.call.err, "ok"))
			return true
		default:
			return false
		}
	})
}

func offsetsOf(args []string) []protocol.TxnOffsetCommitTopic {
	var topics []protocol.TxnOffsetCommitTopic
	for _, arg := range args {
		place, offset, _ := strings.Cut(arg, "=")
		i := strings.LastIndex(place, "-")
		topics = append(topics, protocol.TxnOffsetCommitTopic{Name: place[:i], Partitions: []protocol.TxnOffsetCommitPartition{
			{PartitionIndex: int32(number(place[i+1:])), CommittedOffset: int64(number(offset))},
		}})
	}
	return topics
}

// takesByHand reports whether a request waits for the script, and keeps it if it is new.
func (b *bench) takesByHand(bc *benchConn, call *wire.Call) bool {
	api := call.Request.API().Name
	for _, h := range b.held {
		if h.call == call {
			return true
		}
	}
	if !slices.Contains(b.byHand, api) {
		return false
	}
	if b.held == nil {
		b.held = map[string]*heldCall{}
	}
	name := api + ".1"
	for n := 2; b.held[name] != nil; n++ {
		name = fmt.Sprintf("%s.%d", api, n)
	}
	b.held[name] = &heldCall{bc, call}
	b.printf("%d: %s = %s", bc.node.id, name, describeTxn(call))
	return true
}

// take takes a held request.
func (b *bench) take(name string) *heldCall {
	h := b.held[name]
	if h == nil || !slices.Contains(h.conn.calls, h.call) {
		panic("no request " + name + " is held")
	}
	h.call, h = nil, &heldCall{h.conn, h.call} // the name stays taken
	return h
}

func (b *bench) reply(args []string) {
	h := b.take(args[0])
	if resp, ok := h.call.Response.(*protocol.MetadataResponse); ok {
		b.world.describe(h.call.Request.(*protocol.MetadataRequest), resp)
	}
	fillTxn(h.call, code(args[1]), b.coordinator)
	if len(args) > 2 {
		id, epoch, _ := strings.Cut(args[2], "/")
		switch resp := h.call.Response.(type) {
		case *protocol.EndTxnResponse:
			resp.ProducerID, resp.ProducerEpoch = int64(number(id)), int16(number(epoch))
		case *protocol.InitProducerIDResponse:
			resp.ProducerID, resp.ProducerEpoch = int64(number(id)), int16(number(epoch))
		}
	}
	h.conn.finish(h.call)
	b.parked = append(b.parked, h.conn)
}

// answerTxn answers a request of transactions as a coordinator does that has nothing against it. It reports whether the
// request is one.
func (b *bench) answerTxn(n *node, call *wire.Call) bool {
	switch req := call.Request.(type) {
	case *protocol.ApiVersionsRequest:
		call.Response.(*protocol.ApiVersionsResponse).FinalizedFeaturesEpoch = b.featuresEpoch
		call.Response.(*protocol.ApiVersionsResponse).FinalizedFeatures = []protocol.FinalizedFeature{{Name: "transaction.version", MaxVersionLevel: b.level}}
		return true
	case *protocol.InitProducerIDRequest:
		if req.TransactionalID == nil {
			return false
		}
		resp := call.Response.(*protocol.InitProducerIDResponse)
		resp.ErrorCode = b.world.idError
		resp.ProducerID, resp.ProducerEpoch = b.world.identity.ID, b.world.identity.Epoch
		if req.ProducerID >= 0 {
			resp.ProducerID, resp.ProducerEpoch = req.ProducerID, req.ProducerEpoch+1
		}
	}
	b.printf("%d: %s", n.id, describeTxn(call))
	if _, ok := call.Request.(*protocol.InitProducerIDRequest); !ok {
		fillTxn(call, protocol.NoError, b.coordinator)
	}
	return true
}

// fillTxn writes the answer to a request of transactions.
func fillTxn(call *wire.Call, code protocol.ErrorCode, coordinator int32) {
	if coordinator == 0 {
		coordinator = 3
	}
	switch resp := call.Response.(type) {
	case *protocol.FindCoordinatorResponse:
		key := call.Request.(*protocol.FindCoordinatorRequest).Key
		resp.Coordinators = []protocol.Coordinator{{Key: key, NodeID: coordinator, Host: fmt.Sprint("host", coordinator), Port: 9092, ErrorCode: code}}
	case *protocol.InitProducerIDResponse:
		resp.ErrorCode, resp.ProducerID, resp.ProducerEpoch = code, -1, -1
	case *protocol.AddPartitionsToTxnResponse:
		for _, t := range call.Request.(*protocol.AddPartitionsToTxnRequest).Topics {
			r := protocol.AddPartitionsToTxnTopicResult{Name: t.Name}
			for _, p := range t.Partitions {
				r.ResultsByPartition = append(r.ResultsByPartition, protocol.AddPartitionsToTxnPartitionResult{PartitionIndex: p, PartitionErrorCode: code})
			}
			resp.ResultsByTopic = append(resp.ResultsByTopic, r)
		}
	case *protocol.AddOffsetsToTxnResponse:
		resp.ErrorCode = code
	case *protocol.TxnOffsetCommitResponse:
		for _, t := range call.Request.(*protocol.TxnOffsetCommitRequest).Topics {
			r := protocol.TxnOffsetCommitTopicResponse{Name: t.Name}
			for _, p := range t.Partitions {
				r.Partitions = append(r.Partitions, protocol.TxnOffsetCommitPartitionResponse{PartitionIndex: p.PartitionIndex, ErrorCode: code})
			}
			resp.Topics = append(resp.Topics, r)
		}
	case *protocol.EndTxnResponse:
		req := call.Request.(*protocol.EndTxnRequest)
		resp.ErrorCode, resp.ProducerID, resp.ProducerEpoch = code, req.ProducerID, req.ProducerEpoch+1
	}
}

// describeTxn says what a request of transactions asks for.
func describeTxn(call *wire.Call) string {
	what, id, epoch := "", int64(-1), int16(-1)
	switch req := call.Request.(type) {
	case *protocol.FindCoordinatorRequest:
		return "FindCoordinator " + req.Key
	case *protocol.InitProducerIDRequest:
		id, epoch = req.ProducerID, req.ProducerEpoch
	case *protocol.AddPartitionsToTxnRequest:
		for _, t := range req.Topics {
			for _, p := range t.Partitions {
				what += fmt.Sprintf(" %s-%d", t.Name, p)
			}
		}
		id, epoch = req.ProducerID, req.ProducerEpoch
	case *protocol.AddOffsetsToTxnRequest:
		what, id, epoch = " "+req.GroupID, req.ProducerID, req.ProducerEpoch
	case *protocol.TxnOffsetCommitRequest:
		what, id, epoch = " "+req.GroupID, req.ProducerID, req.ProducerEpoch
		for _, t := range req.Topics {
			for _, p := range t.Partitions {
				what += fmt.Sprintf(" %s-%d=%d", t.Name, p.PartitionIndex, p.CommittedOffset)
			}
		}
	case *protocol.EndTxnRequest:
		what, id, epoch = " abort", req.ProducerID, req.ProducerEpoch
		if req.Committed {
			what = " commit"
		}
	}
	return fmt.Sprintf("%s v%d%s as %d/%d", call.Request.API().Name, call.Version, what, id, epoch)
}
