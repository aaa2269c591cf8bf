package sender

import (
	"errors"
	"hash/crc32"
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/txn"
	"github.com/epistle-kafka/epistle/wire"
)

// A modelConn is a connection to one of the model's brokers. A broker works at the requests of a connection one after the
// other, and answers in that order.
type modelConn struct {
	h         *history
	node      *node
	broker    int32
	addr      string // where it leads to
	which     lane
	flights   []*flight
	broken    bool
	older     bool // see restart
	deaf      bool // nobody answers any more: see outlive
	throttled time.Time
}

// A flight is a request on its way.
type flight struct {
	conn      *modelConn
	call      *wire.Call
	sent      time.Time
	number    int64 // of the client's last transaction then
	processed bool  // answered, and the answer is on its way
	attempts  []*modelAttempt
	spoils    []int64 // producer ids whose epochs the answer calls old
}

// A modelAttempt is a batch in a Produce request.
type modelAttempt struct {
	part    *modelPart
	place   int // in the request: index of the topic, and of the partition in it
	inTopic int
	records []*modelRecord
	txn     bool
	id      int64
	epoch   int16
	seq     int32
	size    int
	sum     uint32
	life    int   // of the topic that was named by its id; -1: by its name
	cluster int   // as in history.epochs
	heard   int32 // the leader epoch that the client knew of
	fate    attemptFate
	acked   bool // the answer says that it is written
	vague   bool // the client cannot know that it is not written
}

type attemptFate uint8

const (
	pending attemptFate = iota // no broker has seen it yet, and one may still
	written
	refused // or lost on the way: it will not be written any more
)

func (mc *modelConn) ThrottledUntil() time.Time { return mc.throttled }

func (mc *modelConn) Version(apiKey int16) (int16, bool) { return mc.newest(apiKey), true }

func (mc *modelConn) Features() (int64, map[string]int16) {
	return mc.h.featureEpoch, map[string]int16{"transaction.version": mc.h.level}
}

// newest is the last version of a request that the broker knew when the connection was made.
func (mc *modelConn) newest(apiKey int16) int16 {
	newest := mc.h.newest(apiKey)
	if last, ok := map[int16]int16{produceKey: lastVersionOldTxn, endTxnKey: firstNewEndTxn - 1, offsetCommitKey: firstNewOffsetCommit - 1}[apiKey]; ok && mc.older {
		newest = min(newest, last)
	}
	return newest
}

// newest is the last version of a request that the brokers know.
func (h *history) newest(apiKey int16) int16 {
	newest := protocol.NewRequest(apiKey).API().Max
	if h.mode == modeOldest && apiKey == produceKey {
		return lastVersionOfOne
	}
	if h.oldBrokers {
		switch newestOld := map[int16]int16{0: 11, 22: 5, 24: 4, 25: 3, 26: 4, 28: 4}; {
		case newestOld[apiKey] > 0:
			return min(newest, newestOld[apiKey])
		}
	}
	return newest
}

func (mc *modelConn) Send(call *wire.Call) bool {
	h := mc.h
	if mc.broken {
		return false
	}
	if len(mc.flights) >= h.cfg.MaxInFlight {
		h.fail("I1: a connection to node %d has more than %d requests in flight", mc.node.id, h.cfg.MaxInFlight)
	}
	call.Version = mc.newest(call.Request.API().Key)
	if call.MaxVersion > 0 {
		call.Version = min(call.Version, call.MaxVersion)
	}
	if call.Before != nil {
		call.Before(call.Version)
	}
	f := &flight{conn: mc, call: call, sent: h.now, processed: mc.deaf}
	if h.core.transactor() != nil {
		f.number = h.core.transactor().Last()
	}
	mc.flights = append(mc.flights, f)
	if req, ok := call.Request.(*protocol.ProduceRequest); ok {
		h.readProduce(f, req)
	}
	h.checkSent(f)
	if mc.deaf {
		f.lose()
	}
	return true
}

// readProduce finds out what the batches of a request are.
func (h *history) readProduce(f *flight, req *protocol.ProduceRequest) {
	for i := range req.Topics {
		t := &req.Topics[i]
		topic := h.topic(t.Name)
		for j := range t.Partitions {
			p := &t.Partitions[j]
			bytes := slices.Concat(p.Records...)
			header, records, err := protocol.DecodeBatch(bytes, 1<<20)
			if err != nil {
				h.fail("a batch for %s-%d that no broker can read: %v", t.Name, p.Index, err)
			}
			a := &modelAttempt{
				part: topic.parts[p.Index], place: i, inTopic: j, txn: header.Transactional,
				id: header.ProducerID, epoch: header.ProducerEpoch, seq: header.BaseSequence,
				size: len(bytes), sum: crc32.ChecksumIEEE(bytes), life: -1, cluster: h.epochs,
			}
			a.heard = h.core.topics.named(t.Name).parts[p.Index].epoch
			if f.call.Version > lastVersionByName {
				a.life = h.lives[t.TopicID]
			}
			for k := range records {
				a.records = append(a.records, h.recordOf(records[k].Value))
			}
			f.attempts = append(f.attempts, a)
		}
	}
	// The order of partitions in a request is that of a map in some places, and must not matter here.
	slices.SortFunc(f.attempts, func(a, b *modelAttempt) int { return a.records[0].id - b.records[0].id })
}

// checkBytes demands that nobody has written into the batches of a request that is not over (I5).
func (h *history) checkBytes(f *flight) {
	req, ok := f.call.Request.(*protocol.ProduceRequest)
	if !ok {
		return
	}
	for _, a := range f.attempts {
		if sum := crc32.ChecksumIEEE(slices.Concat(req.Topics[a.place].Partitions[a.inTopic].Records...)); sum != a.sum {
			h.fail("I5: the bytes of %v changed while a connection could write them", a)
		}
	}
}

func (mc *modelConn) Close(err error) {
	if errors.Is(err, errMoved) {
		mc.h.counts[tallyLeft]++
	}
	mc.hangUp(err, hangKeep)
}

// hangWay is what becomes of the requests that a connection ends with and no broker has worked at yet.
type hangWay uint8

const (
	hangDrop    hangWay = iota // they are lost, and the client cannot know that
	hangKeep                   // a broker has read them, and may work at them later
	hangUnsent                 // they were never written, and the client knows that
	hangTimeout                // as hangKeep, after request.timeout
)

var errReset = errors.New("connection reset")

// hangUp ends the connection and all of its calls.
func (mc *modelConn) hangUp(err error, way hangWay) {
	h := mc.h
	if mc.broken && len(mc.flights) == 0 {
		return
	}
	mc.broken = true
	h.counts[tallyBroken]++
	flights := mc.flights
	mc.flights = nil
	var late []*flight
	for _, f := range flights {
		h.checkBytes(f)
		switch {
		case f.processed: // whatever the answer says, the client does not hear it
			for _, a := range f.attempts {
				a.vague = true
			}
		case (way == hangKeep || way == hangTimeout) && h.mayBeLate(f):
			late = append(late, f)
		default:
			f.lose()
		}
	}
	if len(late) > 0 {
		h.late = append(h.late, late)
	}
	for _, f := range flights {
		written := f.processed || way != hangUnsent
		if !written {
			h.undone(f)
			for _, a := range f.attempts {
				a.vague = false
			}
		}
		call := f.call
		f.keep()
		call.Err, call.Written = err, written
		call.Done(call)
	}
	h.conns = slices.DeleteFunc(h.conns, func(o *modelConn) bool { return o == mc })
	h.post(hungUp{mc.node, mc.which, mc, err})
}

// lose says that no broker will ever see the request.
func (f *flight) lose() {
	for _, a := range f.attempts {
		if a.fate == pending {
			a.fate, a.vague = refused, true
		}
	}
}

// keep makes the request independent of the call, which the core may use again.
func (f *flight) keep() {
	call := *f.call
	f.call = &call
	if req, ok := call.Request.(*protocol.ProduceRequest); ok {
		// Its batches were read when it was sent.
		copied := *req
		copied.Topics = slices.Clone(req.Topics)
		for i := range copied.Topics {
			t := &copied.Topics[i]
			t.Partitions = make([]protocol.ProducePartition, len(t.Partitions))
		}
		f.call.Request = &copied
	}
}

// deliver brings the answer of the connection's first request.
func (mc *modelConn) deliver() {
	f := mc.flights[0]
	mc.h.checkBytes(f)
	mc.flights = slices.Delete(mc.flights, 0, 1)
	f.call.Written = true
	for _, a := range f.attempts {
		if a.acked {
			a.part.successes++
		}
	}
	if resp, ok := f.call.Response.(*protocol.EndTxnResponse); ok && resp.ErrorCode == protocol.TransactionalIDAuthorizationFailed {
		mc.h.undone(f)
	}
	f.call.Done(f.call)
	if mc.h.core.transactor() == nil {
		mc.h.spoils = append(mc.h.spoils, f.spoils...)
	}
}

// mayBeLate says whether a request may reach its broker after its connection has ended. What neither protocol can defend
// the producer against is left out: without idempotence anything late is written again; the old protocol takes a late
// EndTxn for one of the next transaction, which has the same epoch (KAFKA-17754), and late offsets, too; and offsets have
// no numbers, so that late ones overwrite newer ones of the same transaction in both. See playLate.
func (h *history) mayBeLate(f *flight) bool {
	switch f.call.Request.(type) {
	case *protocol.ProduceRequest:
		return h.cfg.Idempotent
	case *protocol.InitProducerIDRequest:
		return h.core.transactor() != nil && h.core.transactor().State() != txn.Initializing
	case *protocol.AddPartitionsToTxnRequest, *protocol.AddOffsetsToTxnRequest, *protocol.EndTxnRequest:
		return true
	}
	return false
}

// playLate lets a broker work at a request whose connection is gone.
func (h *history) playLate(i int) {
	f := h.late[i][0]
	if h.late[i] = h.late[i][1:]; len(h.late[i]) == 0 {
		h.late = slices.Delete(h.late, i, i+1)
	}
	h.counts[tallyLate]++
	switch f.call.Request.(type) {
	case *protocol.ProduceRequest:
		// In the old protocol a partition remembers the number of a late duplicate as one that has to come first in the
		// next transaction, which so fails.
		h.hurt = true
		if h.core.transactor() == nil && f.attempts[0].id != h.core.identity.current.ID {
			return // it had run out of epochs, and nothing fences an id that is followed by another
		}
	case *protocol.AddPartitionsToTxnRequest, *protocol.AddOffsetsToTxnRequest:
		// One that begins a transaction which its producer does not know of leads to its timing out.
		h.mayDie = "a late request may have begun a transaction"
		if h.core.transactor().Last() > f.number {
			return
		}
	case *protocol.InitProducerIDRequest:
		h.mayDie = "a late InitProducerId has raised the epoch"
	}
	if h.tracing {
		h.tracef("late: %v", describe(f))
	}
	h.process(f, f.call.Request.NewResponse(), false)
}
