package sender

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// run does one command, and then lets the core settle.
//
//	config key=value …            start anew with these settings
//	topic t id leader/epoch …     what the cluster says of a topic from now on
//	topic t [CODE | out]          it is not there any more; it gives an error; answers leave it out
//	want t                        a caller looks the topic up
//	refresh                       ask for metadata now
//	identity id/epoch|CODE        what InitProducerId gets from now on
//	refuse n | accept n           connections to a node
//	silent | vocal                control requests get no answer; get one again
//	append t-0 a b …              records into one batch; a*90 has 90 bytes
//	+100ms                        let time pass, alarm by alarm
//	pause 3s                      let time pass, and the process stand still
//	ok n.m …                      acknowledge requests, with offsets
//	answer n.m [t-0] CODE [leader=n/e] [at=n] [bad=i,j:text] [message=text] [throttle=1h]
//	                              other partitions of the request are acknowledged
//	forget n.m                    an answer that mentions no partition
//	twice n.m CODE                one that mentions each twice: it is acknowledged, and has the code
//	hangup n [unwritten|timeout]  the data connection ends
//	hangupcontrol                 the control connections end
//	faildial n                    a dial for a control request ends in vain
//	break n                       the data connection refuses calls; hangup n follows
//	throttle n d                  the data connection pauses
//	hold | packed                 compressors stop; one batch is compressed
//	urge t-0 | flush g | close g | group g | abort
//	state t-0 | memory | next     print
//	skip t-0 n                    take n sequence numbers
//
// Those of transactions are in runTxn.
func (b *bench) run(args []string) *bench {
	switch cmd, args := args[0], args[1:]; cmd {
	case "config":
		return newBench(args)
	case "topic":
		b.world.topics[args[0]] = worldTopicOf(args[1:])
	case "cluster":
		b.world.cluster = args[0]
	case "want":
		b.c.handle(b.now, wanted{topic: args[0]})
	case "refresh":
		b.c.meta.RequestUpdate()
		b.pass(time.Millisecond)
	case "identity":
		b.identify(args[0])
	case "refuse", "accept":
		b.world.refused[int32(number(args[0]))] = cmd == "refuse"
	case "silent", "vocal":
		b.world.silent = cmd == "silent"
	case "append":
		for _, name := range args[1:] {
			b.append(args[0], name)
		}
	case "ok":
		for _, name := range args {
			b.answer(name, nil)
		}
	case "answer":
		b.answer(args[0], args[1:])
	case "twice":
		b.request(args[0], func(r *benchRequest) {
			b.fill(r, nil)
			b.fill(r, args[1:])
		})
	case "forget":
		b.request(args[0], func(r *benchRequest) {})
	case "hangup":
		b.hangUp(number(args[0]), args[1:])
	case "hangupcontrol":
		for _, bc := range b.conns {
			if bc.which == control && !bc.broken {
				bc.hangUp(errHangUp, true)
			}
		}
	case "faildial":
		b.c.pending++
		n := b.c.nodes.of(int32(number(args[0])))
		b.post(dialed{node: n, dial: &dial{addr: n.addr}, which: control, err: errHangUp})
	case "break":
		b.live(number(args[0]), data).broken = true
	case "throttle":
		b.live(number(args[0]), data).throttled = b.now.Add(duration(args[1]))
	case "hold":
		b.holdPk = true
	case "packed":
		b.finishPacks(1)
	case "skip":
		b.part(args[0]).numbers.Number(int32(number(args[1])))
	default:
		b.inspect(cmd, args)
	}
	b.settle()
	return b
}

// inspect does the commands that end records, or only look.
func (b *bench) inspect(cmd string, args []string) {
	switch cmd {
	case "urge":
		p := b.part(args[0])
		p.head = p.queue.UrgeAll(func(*accumulator.Outcome) {})
		b.c.refresh(p)
	case "flush":
		b.groups[args[0]] = accumulator.NewGroup()
		b.c.handle(b.now, flushing{b.groups[args[0]]})
	case "close":
		b.groups[args[0]] = accumulator.NewGroup()
		b.c.handle(b.now, closing{b.groups[args[0]]})
	case "abort":
		if len(args) > 0 { // of a transaction
			b.runTxn(cmd, args)
			return
		}
		b.c.handle(b.now, aborting{})
	case "group":
		select {
		case <-b.groups[args[0]].Done():
			b.printf("done")
		default:
			b.printf("waiting")
		}
	case "done":
		b.printf("%v", b.c.done())
	case "memory":
		b.printf("%d", b.c.acc.Memory.Used())
	case "next":
		b.settle()
		if b.wakeAt.IsZero() {
			b.printf("never")
		} else {
			b.printf("in %v", b.wakeAt.Sub(b.now))
		}
	case "pause":
		b.standStill(duration(args[0]))
	case "state":
		b.state(b.part(args[0]))
	default:
		if d, ok := strings.CutPrefix(cmd, "+"); ok {
			b.pass(duration(d))
			return
		}
		if b.runTxn(cmd, args) {
			return
		}
		panic("no command " + cmd)
	}
}

// pass lets time go by, stopping wherever the core wants to be called.
func (b *bench) pass(d time.Duration) {
	end := b.now.Add(d)
	for b.settle(); !b.wakeAt.IsZero() && b.wakeAt.Before(end); b.settle() {
		if !b.wakeAt.After(b.now) {
			panic("the core wants to be called again at once")
		}
		b.now = b.wakeAt
	}
	b.now = end
}

func (b *bench) identify(arg string) {
	if id, epoch, ok := strings.Cut(arg, "/"); ok {
		b.world.idError = protocol.NoError
		b.world.identity = idempotent.Identity{ID: int64(number(id)), Epoch: int16(number(epoch))}
		return
	}
	b.world.idError = code(arg)
}

func (b *bench) append(place, name string) {
	value, _, _ := strings.Cut(name, "*")
	e := accumulator.Entry{Record: protocol.Record{Value: []byte(value)}, Timestamp: b.now.UnixMilli(), Callback: value}
	if _, n, ok := strings.Cut(name, "*"); ok {
		e.Value = []byte(strings.Repeat(value, number(n)))
	}
	q := b.part(place).queue
	if b.c.transactor() != nil {
		t := b.c.published.txn.Load()
		if t.Refusal != nil {
			b.printf("%s: not taken: %v", value, t.Refusal)
			return
		}
		e.Txn = t.Number
	}
	b.appendEntry(q, &e, name)
}

func (b *bench) appendEntry(q *accumulator.Queue, e *accumulator.Entry, name string) {
	if q.TryAppend(e, b.now.UnixMilli()) {
		return
	}
	switch err := q.Append(e, b.now, nil); {
	case errors.Is(err, accumulator.ErrNoRoom):
		b.printf("%s: %v", name, err)
	case err != nil:
		b.printf("%s: refused: %v", name, err)
	}
}

// request fills the answer of a request by f and ends its call.
func (b *bench) request(name string, f func(*benchRequest)) {
	r := b.requests[name]
	if r == nil || !slices.Contains(r.conn.calls, r.call) {
		panic("no request " + name + " in flight")
	}
	if r.call.Response != nil {
		f(r)
	}
	r.conn.finish(r.call)
	b.settle()
}

func (b *bench) hangUp(node int, args []string) {
	bc := b.live(node, data)
	switch {
	case len(args) == 0:
		bc.hangUp(errHangUp, true)
	case args[0] == "unwritten":
		bc.hangUp(errHangUp, false)
	case args[0] == "timeout":
		bc.hangUp(wire.ErrTimeout, true)
	case args[0] == "idle":
		bc.hangUp(wire.ErrIdle, false)
	}
}

// live returns the newest connection to a node.
func (b *bench) live(node int, which lane) *benchConn {
	for _, bc := range slices.Backward(b.conns) {
		if bc.node.id == int32(node) && bc.which == which {
			return bc
		}
	}
	panic(fmt.Sprint("no connection to node ", node))
}

// part returns a partition by its name, topic-index.
func (b *bench) part(place string) *partition {
	i := strings.LastIndex(place, "-")
	t := b.c.topics.named(place[:i])
	if t == nil {
		panic("topic of " + place + " is not known")
	}
	return t.parts[number(place[i+1:])]
}

func (b *bench) state(p *partition) {
	var s strings.Builder
	fmt.Fprintf(&s, "leader %d/%d", p.leader, p.epoch)
	if p.numbers.Started() && p.numbers.Identity() != idempotent.None {
		id := p.numbers.Identity()
		fmt.Fprintf(&s, ", numbers %d/%d", id.ID, id.Epoch)
		if p.numbers.Proven(b.now) {
			s.WriteString(" proven")
		}
		if p.numbers.Broken() {
			s.WriteString(" broken")
		}
	}
	fmt.Fprintf(&s, ", in flight %d, retry %d", len(p.inFlight), len(p.retry))
	for _, d := range p.retry {
		if d.unknown {
			s.WriteString(" unknown")
		}
	}
	if p.backoff.After(b.now) {
		fmt.Fprintf(&s, ", backoff %v", p.backoff.Sub(b.now))
	}
	b.printf("%s", s.String())
}
