package sender

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/internal/backoff"
	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// A bench is a core with nothing around it but values: its effects come back
// as events when the bench says so, its connections are lists of calls, and
// its cluster answers metadata and producer ids at once from what it was told.
type bench struct {
	c     *core
	now   time.Time
	world world

	events []event
	conns  []*benchConn
	packs  []packing
	holdPk bool
	parked []*benchConn // control connections with unanswered requests

	requests map[string]*benchRequest
	ends     map[string]int64 // by partition: offset of the next record
	out      []string
	sends    []sentLine
	wakeAt   time.Time
	groups   map[string]*accumulator.Group
	produce  int16 // the newest version of Produce that brokers know; 0: ours
	txnBench
}

type sentLine struct {
	node int32
	text string
}

// A world is what the cluster says of itself.
type world struct {
	cluster  string // "": it does not tell its id
	brokers  []int32
	topics   map[string]*worldTopic
	refused  map[int32]bool // nodes that refuse connections
	identity idempotent.Identity
	idError  protocol.ErrorCode
	silent   bool    // control requests get no answer
	mute     []int32 // nodes whose control requests get none
}

type worldTopic struct {
	id    protocol.UUID
	parts []metadata.Partition
	code  protocol.ErrorCode
	out   bool // answers leave it out
}

type benchRequest struct {
	conn *benchConn
	call *wire.Call
}

// A benchConn is a connection without a wire.
type benchConn struct {
	b         *bench
	node      *node
	which     lane
	calls     []*wire.Call
	broken    bool
	throttled time.Time
	count     *int // of produce requests to the node
}

var scriptStart = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// newBench returns a bench with the settings key=value in args.
func newBench(args []string) *bench {
	cfg := &Config{
		Bootstrap: []string{"boot:9092"}, Clock: new(Clock),
		Metadata: metadata.Config{
			MaxAge: time.Hour, MaxIdle: time.Hour, RetryBackoff: time.Millisecond, RetryBackoffMax: time.Millisecond,
			Jitter: func() float64 { return 0.5 },
		},
		BatchSize: 16 << 10, MaxBatchBytes: 1 << 20, MaxRequestSize: 1 << 20, Memory: 32 << 20,
		Acks: -1, Idempotent: true, MaxInFlight: 5, Retries: 1<<31 - 1,
		DeliveryTimeout: 2 * time.Minute, RequestTimeout: 30 * time.Second,
		RetryBackoff:   backoff.Policy{Base: 100 * time.Millisecond, Max: time.Second, Jitter: 0.2},
		Reconnect:      backoff.Policy{Base: 50 * time.Millisecond, Max: time.Second, Jitter: 0.2},
		ConnectTimeout: backoff.Policy{Base: 10 * time.Second, Max: 30 * time.Second, Jitter: 0.2},
		OnTopic:        func(*accumulator.Topic, *metadata.Topic, *metadata.Snapshot) {},
		OnForget:       func(string) {},
		Publish:        func() {},
	}
	b := &bench{
		now: scriptStart,
		world: world{
			brokers: []int32{1, 2, 3}, topics: map[string]*worldTopic{}, refused: map[int32]bool{},
			identity: idempotent.Identity{ID: 7},
		},
		requests: map[string]*benchRequest{}, ends: map[string]int64{}, groups: map[string]*accumulator.Group{},
	}
	b.level = 2
	for _, arg := range args {
		if level, ok := strings.CutPrefix(arg, "level="); ok {
			b.level = int16(number(level))
			continue
		}
		if newest, ok := strings.CutPrefix(arg, "produce="); ok {
			b.produce = int16(number(newest))
			continue
		}
		set(cfg, arg)
	}
	acc := accumulator.New(accumulator.Config{
		BatchSize: cfg.BatchSize, MaxBatchBytes: cfg.MaxBatchBytes, Memory: cfg.Memory,
		SealAge: max(cfg.Linger, cfg.DeliveryTimeout/20), Wake: func() {},
	})
	b.c = newCore(cfg, b, acc, metadata.New(cfg.Metadata), new(published))
	return b
}

// The effects.

func (b *bench) dial(n *node, which lane, at *dial) {
	d := dialed{node: n, which: which, dial: at}
	if b.world.refused[n.id] {
		d.err = fmt.Errorf("node %d: connection refused", n.id)
	} else {
		conn := &benchConn{b: b, node: n, which: which, count: new(int)}
		for _, o := range b.conns {
			if o.node == n && o.which == which {
				conn.count = o.count
			}
		}
		d.conn = conn
		b.conns = append(b.conns, conn)
	}
	if which == data {
		b.sends = append(b.sends, sentLine{n.id, fmt.Sprintf("dial %d: %v", n.id, errorOr(d.err, "connected"))})
	}
	b.post(d)
}

func (b *bench) pack(r *request, d *delivery) { b.packs = append(b.packs, packing{r, d}) }
func (b *bench) post(e event)                 { b.events = append(b.events, e) }
func (b *bench) after(g *accumulator.Group)   { g.Exit() }
func (b *bench) random() float64              { return 0.5 }

func (b *bench) end(o *accumulator.Outcome) {
	select {
	case <-o.Done():
	default:
		panic("callbacks before the future")
	}
	o.Complete(func(o *accumulator.Outcome) {
		o.EachCallback(func(c *accumulator.Callback) {
			offset, _, err := o.Of(c.Index)
			b.printf("%s: %v", c.Fn, errorOr(err, fmt.Sprintf("offset %d", offset)))
		})
	})
}

// The connection.

func (bc *benchConn) Send(call *wire.Call) bool {
	if bc.broken {
		return false
	}
	if len(bc.calls) >= bc.b.c.cfg.MaxInFlight {
		panic("I1: too many requests in flight")
	}
	bc.calls = append(bc.calls, call)
	call.Version, _ = bc.Version(call.Request.API().Key)
	if call.MaxVersion > 0 {
		call.Version = min(call.Version, call.MaxVersion)
	}
	if call.Before != nil {
		call.Before(call.Version)
	}
	if bc.which == control {
		bc.b.parked = append(bc.b.parked, bc)
		return true
	}
	*bc.count++
	name := fmt.Sprintf("%d.%d", bc.node.id, *bc.count)
	bc.b.requests[name] = &benchRequest{bc, call}
	text := name + " <-"
	produce := call.Request.(*protocol.ProduceRequest)
	for _, t := range produce.Topics {
		for _, p := range t.Partitions {
			text += describeBatch(t.Name, p)
		}
	}
	if produce.TransactionalID != nil {
		text += fmt.Sprintf(" v%d", call.Version)
	}
	bc.b.sends = append(bc.b.sends, sentLine{bc.node.id, text})
	return true
}

func describeBatch(topic string, p protocol.ProducePartition) string {
	h, records, err := protocol.DecodeBatch(slices.Concat(p.Records...), 1<<20)
	if err != nil {
		panic(err)
	}
	values := make([]string, len(records))
	for i, r := range records {
		values[i] = string(r.Value)
		if len(values[i]) > 10 {
			values[i] = values[i][:1] + "…"
		}
	}
	if h.ProducerID < 0 {
		return fmt.Sprintf(" %s-%d %v", topic, p.Index, values)
	}
	return fmt.Sprintf(" %s-%d %d/%d+%d %v", topic, p.Index, h.ProducerID, h.ProducerEpoch, h.BaseSequence, values)
}

func (bc *benchConn) Close(err error) {
	if bc.broken {
		return
	}
	if bc.which == data {
		bc.b.sends = append(bc.b.sends, sentLine{bc.node.id, fmt.Sprintf("close %d: %v", bc.node.id, err)})
	}
	bc.hangUp(err, true)
}

func (bc *benchConn) ThrottledUntil() time.Time { return bc.throttled }

func (bc *benchConn) Version(apiKey int16) (int16, bool) {
	if apiKey == produceKey && bc.b.produce > 0 {
		return bc.b.produce, true
	}
	return protocol.NewRequest(apiKey).API().Max, true
}

func (bc *benchConn) Features() (int64, map[string]int16) {
	return bc.b.featuresEpoch, map[string]int16{"transaction.version": bc.b.level}
}

// hangUp ends the connection and all of its calls.
func (bc *benchConn) hangUp(err error, written bool) {
	bc.broken = true
	calls := bc.calls
	bc.calls = nil
	for _, call := range calls {
		call.Err, call.Written = err, written
		call.Done(call)
	}
	bc.b.post(hungUp{bc.node, bc.which, bc, err})
}

// finish ends one call.
func (bc *benchConn) finish(call *wire.Call) {
	bc.calls = slices.DeleteFunc(bc.calls, func(o *wire.Call) bool { return o == call })
	call.Written = true
	if call.Response != nil && call.Response.ThrottleFor() > 0 {
		bc.throttled = bc.b.now.Add(min(call.Response.ThrottleFor(), bc.b.c.cfg.DeliveryTimeout))
	}
	call.Done(call)
}

// settle lets the core run until nothing more happens.
func (b *bench) settle() {
	for round := 0; ; round++ {
		if round == 1000 {
			panic("the core comes to no rest")
		}
		events := b.events
		b.events = nil
		for _, e := range events {
			b.c.handle(b.now, e)
		}
		b.wakeAt = b.c.step(b.now)
		b.flushSends()
		b.answerControl()
		if !b.holdPk {
			b.finishPacks(len(b.packs))
		}
		b.reportCalls()
		if len(b.events) == 0 && (b.wakeAt.IsZero() || b.wakeAt.After(b.now)) {
			return
		}
	}
}

func (b *bench) finishPacks(n int) {
	for _, p := range b.packs[:n] {
		compressor, err := protocol.NewCompressor(b.c.cfg.Codec, b.c.cfg.CodecLevel)
		if err == nil {
			err = p.delivery.Compress(b.c.cfg.Codec, compressor, new(accumulator.Scratch))
		}
		if err != nil {
			panic(err)
		}
		if p.request.packedOne() {
			b.post(packedUp{p.request})
		}
	}
	b.packs = b.packs[n:]
}

// answerControl answers metadata and producer ids from the world.
func (b *bench) answerControl() {
	if b.world.silent {
		return
	}
	parked := b.parked
	b.parked = nil
	for _, bc := range parked {
		if slices.Contains(b.world.mute, bc.node.id) {
			b.parked = append(b.parked, bc)
			continue
		}
		for len(bc.calls) > 0 {
			call := bc.calls[0]
			if b.takesByHand(bc, call) {
				break // the answers of a connection keep their order
			}
			switch resp := call.Response.(type) {
			case *protocol.MetadataResponse:
				b.world.describe(call.Request.(*protocol.MetadataRequest), resp)
			case *protocol.InitProducerIDResponse:
				if b.answerTxn(bc.node, call) {
					break
				}
				resp.ErrorCode = b.world.idError
				resp.ProducerID, resp.ProducerEpoch = b.world.identity.ID, b.world.identity.Epoch
				b.printf("producer id: %v", errorOr(resp.ErrorCode.Err(), fmt.Sprintf("%d/%d", resp.ProducerID, resp.ProducerEpoch)))
			default:
				b.answerTxn(bc.node, call)
			}
			bc.finish(call)
		}
	}
}

func (w *world) describe(req *protocol.MetadataRequest, resp *protocol.MetadataResponse) {
	if w.cluster != "" {
		resp.ClusterID = &w.cluster
	}
	for _, id := range w.brokers {
		resp.Brokers = append(resp.Brokers, protocol.MetadataBroker{NodeID: id, Host: fmt.Sprintf("host%d", id), Port: 9092})
	}
	for _, asked := range req.Topics {
		t := w.topics[*asked.Name]
		if t == nil {
			resp.Topics = append(resp.Topics, protocol.MetadataTopic{Name: asked.Name, ErrorCode: protocol.UnknownTopicOrPartition})
			continue
		}
		if t.out {
			continue
		}
		m := protocol.MetadataTopic{Name: asked.Name, TopicID: t.id, ErrorCode: t.code}
		for i, p := range t.parts {
			m.Partitions = append(m.Partitions, protocol.MetadataPartition{PartitionIndex: int32(i), LeaderID: p.Leader, LeaderEpoch: p.LeaderEpoch})
		}
		resp.Topics = append(resp.Topics, m)
	}
}

func errorOr(err error, text string) string {
	if err != nil {
		return err.Error()
	}
	return text
}

var errHangUp = errors.New("connection reset")
