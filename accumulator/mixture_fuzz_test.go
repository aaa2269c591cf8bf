package accumulator

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// A mixture is what its bytes tell to do with two queues: append, drain, compress, split, end, and let time pass, in any order.
// It keeps which records each batch must have.
type mixture struct {
	t      *testing.T
	script []byte
	acc    *Accumulator
	queues []*Queue
	now    time.Time
	n      int         // records so far
	waits  [2][]*mixed // by queue, what has not been drained
	open   []*portion
	codecs map[protocol.Codec]*protocol.Compressor
	room   Scratch
}

// A mixed is a record of a mixture.
type mixed struct {
	record protocol.Record
	time   int64
	txn    int64
}

// A portion is a drained batch, or a piece of one, and what has to be in it.
type portion struct {
	*Batch
	want   []*mixed
	packed bool
}

// FuzzMixtures demands that whatever is appended, drained, compressed and split, in whatever order, can be read from the
// batches as it was appended, and that all memory comes back.
func FuzzMixtures(f *testing.F) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		script := make([]byte, 1+dice.IntN(400))
		for i := range script {
			script[i] = byte(dice.Uint32())
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		m := newMixture(t, script)
		for len(m.script) > 0 {
			m.act()
		}
		m.finish()
	})
}

func newMixture(t *testing.T, script []byte) *mixture {
	m := &mixture{t: t, script: script, now: noon, codecs: map[protocol.Codec]*protocol.Compressor{}}
	kind := m.next()
	m.acc = New(Config{
		BatchSize: []int{1, 300, 3000, 16 << 10}[kind%4], MaxBatchBytes: []int{500, 8000, 100_000}[kind/4%3],
		Memory: []int64{8 << 10, 256 << 10}[kind/16%2], SealAge: 50 * time.Millisecond, Compressed: kind/32%2 == 0, Wake: func() {},
	})
	m.queues = m.acc.Topic("t", 2).Queues()
	return m
}

// next returns the script's next byte; 0 after its end.
func (m *mixture) next() int {
	if len(m.script) == 0 {
		return 0
	}
	b := m.script[0]
	m.script = m.script[1:]
	return int(b)
}

func (m *mixture) act() {
	what := m.next()
	i := what / 16 % 2
	switch what % 16 {
	default:
		m.append(i)
	case 10:
		m.drain(i)
	case 11:
		m.withOne(m.compress)
	case 12, 13:
		m.withOne(m.split)
	case 14:
		m.withOne(m.end)
	case 15:
		m.now = m.now.Add(time.Duration(m.next()) * time.Millisecond)
	}
}

// append appends a record, or a run of equal size, unless there is no room.
func (m *mixture) append(i int) {
	m.n++
	shape, size := m.next(), m.next()
	value := fmt.Appendf(nil, "%d:", m.n)
	if shape&1 != 0 {
		size *= 20
	}
	for len(value) < size {
		if shape&2 != 0 { // it cannot be compressed
			value = binary.BigEndian.AppendUint64(value, uint64(m.n*1000+len(value))*0x9e3779b97f4a7c15)
		} else {
			value = append(value, 'x')
		}
	}
	r := &mixed{record: protocol.Record{Value: value}, time: m.now.UnixMilli() - int64(shape/4%3)*1000, txn: int64(shape / 16 % 2)}
	if shape&32 != 0 {
		r.record.Key = []byte("key")
	}
	if shape&64 != 0 {
		r.record.Headers = []protocol.Header{{Key: "h", Value: value[:1]}, {Key: "h"}}
	}
	e := &Entry{Record: r.record, Timestamp: r.time, Txn: r.txn, Detached: shape&128 != 0}
	if shape%5 == 0 {
		e.Callback = func() {}
	}
	q := m.queues[i]
	if !q.TryAppend(e, m.acc.Millis(m.now)) {
		err := q.Append(e, m.now, nil)
		if tooLarge := (*TooLargeError)(nil); errors.Is(err, ErrNoRoom) || errors.As(err, &tooLarge) {
			return
		} else if err != nil {
			m.t.Fatal(err)
		}
	}
	m.waits[i] = append(m.waits[i], r)
}

// drain takes a batch, which must have the oldest records.
func (m *mixture) drain(i int) {
	b := drain(m.queues[i])
	if b == nil {
		if n := len(m.waits[i]); n > 0 {
			m.t.Fatalf("queue %d is empty, and %d records wait", i, n)
		}
		return
	}
	n := int(b.Count())
	if n > len(m.waits[i]) {
		m.t.Fatalf("a batch has %d records, and %d were appended", n, len(m.waits[i]))
	}
	p := &portion{Batch: b, want: m.waits[i][:n]}
	m.waits[i] = m.waits[i][n:]
	m.read(p)
	m.open = append(m.open, p)
}

// withOne does something with one of the batches that were drained.
func (m *mixture) withOne(do func(p *portion)) {
	if len(m.open) > 0 {
		do(m.open[m.next()%len(m.open)])
	}
}

func (m *mixture) compress(p *portion) {
	codec := protocol.Codec(1 + m.next()%4)
	if p.packed {
		return
	}
	if m.codecs[codec] == nil {
		c, err := protocol.NewCompressor(codec, protocol.LevelDefault)
		if err != nil {
			m.t.Fatal(err)
		}
		m.codecs[codec] = c
	}
	p.packed = true
	if err := p.Compress(codec, m.codecs[codec], &m.room); err != nil {
		m.t.Fatal(err)
	}
	m.read(p)
}

// split splits a batch at random places; of some pieces the records end at once. Or it is split to a size.
func (m *mixture) split(p *portion) {
	var ranges []Range
	how := m.next()
	if how%4 == 0 {
		pieces, err := p.SplitTo(how * 8)
		m.replace(p, pieces, err)
		return
	}
	left := p.want[:0:0]
	for first := int32(0); first < p.Count(); {
		r := Range{first, min(1+int32(m.next()%8), p.Count()-first)}
		if first += r.Count; how%4 == 1 && m.next()%3 == 0 {
			if p.ResolveRange(r.First, r.Count, -1, -1, errors.New("refused")) {
				m.over(p)
				return
			}
			continue
		}
		ranges = append(ranges, r)
		left = append(left, p.want[r.First:r.First+r.Count]...)
	}
	if len(ranges) == 0 { // the others of its outcome go on
		m.forget(p)
		return
	}
	pieces, err := p.Split(ranges)
	p.want = left
	m.replace(p, pieces, err)
}

// replace puts pieces in the place of p, whose records they must have.
func (m *mixture) replace(p *portion, pieces []*Batch, err error) {
	if err != nil {
		m.t.Fatal(err)
	}
	m.forget(p)
	want := p.want
	for _, b := range pieces {
		o := &portion{Batch: b, want: want[:b.Count()]}
		want = want[b.Count():]
		m.read(o)
		m.open = append(m.open, o)
	}
	if len(want) > 0 {
		m.t.Fatalf("%d records are in none of the pieces", len(want))
	}
}

func (m *mixture) end(p *portion) {
	m.read(p)
	if p.Resolve(0, -1, nil) {
		m.over(p)
		return
	}
	m.forget(p)
}

// over ends the outcome of p.
func (m *mixture) over(p *portion) {
	m.forget(p)
	if o := p.Outcome(); o.End() {
		o.Complete(callNothing)
	}
}

func (m *mixture) forget(p *portion) {
	for i, o := range m.open {
		if o == p {
			m.open = append(m.open[:i], m.open[i+1:]...)
			return
		}
	}
}

// read reads a batch as a broker would, by the checksum that the sender would send.
func (m *mixture) read(p *portion) {
	h := p.Header()
	p.PutHeader(&h)
	p.PutCRC()
	whole := bytes.Join(p.Bytes(nil), nil)
	if len(whole) != p.Size() {
		m.t.Fatalf("a batch has %d bytes, and its Size is %d", len(whole), p.Size())
	}
	header, records, err := protocol.DecodeBatch(whole, 1<<24)
	if err != nil {
		m.t.Fatalf("a batch cannot be read: %v", err)
	}
	if len(records) != len(p.want) {
		m.t.Fatalf("a batch has %d records, want %d", len(records), len(p.want))
	}
	latest := int64(0)
	for i, want := range p.want {
		got := &records[i]
		at := header.Timestamp(got)
		latest = max(latest, at)
		same := bytes.Equal(got.Value, want.record.Value) && bytes.Equal(got.Key, want.record.Key) && len(got.Headers) == len(want.record.Headers)
		if !same || got.OffsetDelta != int32(i) || at != want.time || p.Txn() != want.txn {
			m.t.Fatalf("record %d of a batch is %.20q at %d of transaction %d, want %.20q at %d of %d",
				i, got.Value, at, p.Txn(), want.record.Value, want.time, want.txn)
		}
	}
	if header.MaxTimestamp != latest {
		m.t.Fatalf("a batch's latest time is %d, and it says %d", latest, header.MaxTimestamp)
	}
}

// finish ends everything that is left, the youngest first.
func (m *mixture) finish() {
	for i := range m.queues {
		for len(m.waits[i]) > 0 {
			m.drain(i)
		}
	}
	for len(m.open) > 0 {
		m.end(m.open[len(m.open)-1])
	}
	used(m.t, m.acc, 0, "at the end")
}
