package send_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
)

// TestEveryWayToSend sends a record in each way and expects the same outcome from all.
func TestEveryWayToSend(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 3)
	p := start(t, c)
	ways := []struct {
		name string
		send func(producer.Record) (producer.RecordMetadata, error)
	}{
		{"SendSync", func(r producer.Record) (producer.RecordMetadata, error) { return p.SendSync(soon(t), r) }},
		{"Send and Wait", func(r producer.Record) (producer.RecordMetadata, error) { return p.Send(soon(t), r).Wait(soon(t)) }},
		{"Send and Done", func(r producer.Record) (producer.RecordMetadata, error) {
			f := p.Send(soon(t), r)
			<-f.Done()
			return f.Wait(soon(t))
		}},
		{"SendFunc", func(r producer.Record) (producer.RecordMetadata, error) {
			o := newOutcome()
			p.SendFunc(soon(t), r, o.set)
			return o.wait()
		}},
		{"TrySend", func(r producer.Record) (producer.RecordMetadata, error) {
			o := newOutcome()
			if err := p.TrySend(r, o.set); err != nil {
				return producer.RecordMetadata{}, err
			}
			return o.wait()
		}},
	}
	s := newSending(t, p)
	for n := range 3 {
		for _, way := range ways {
			rec := producer.Record{Topic: topic, Partition: producer.OnPartition(int32(n)), Key: []byte(way.name), Value: fmt.Append(nil, n)}
			md, err := way.send(rec)
			if err != nil {
				t.Errorf("%s: %v", way.name, err)
			}
			s.all = append(s.all, &delivery{rec: rec, outcomes: 1, md: md, err: err})
		}
	}
	s.arrives(c, topic)
}

// An outcome is what a callback gets.
type outcome struct {
	done chan struct{}
	md   producer.RecordMetadata
	err  error
}

func newOutcome() *outcome { return &outcome{done: make(chan struct{})} }

func (o *outcome) set(md producer.RecordMetadata, err error) {
	o.md, o.err = md, err
	close(o.done) // panics the second time
}

func (o *outcome) wait() (producer.RecordMetadata, error) {
	<-o.done
	return o.md, o.err
}

// TestOneCallbackForAll gives one function to every record of several goroutines.
func TestOneCallbackForAll(t *testing.T) {
	c := kafka.Shared(t)
	const goroutines, each = 8, 2000
	topic := newTopic(t, c, 4)
	p := start(t, c)
	type place struct {
		partition int32
		offset    int64
	}
	var mu sync.Mutex
	seen := make(map[place]int)
	callback := func(md producer.RecordMetadata, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Error(err)
		}
		seen[place{md.Partition, md.Offset}]++
	}
	ctx := soon(t)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for n := range each {
				p.SendFunc(ctx, producer.Record{Topic: topic, Key: fmt.Append(nil, g), Value: fmt.Append(nil, n)}, callback)
			}
		})
	}
	wg.Wait()
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	for at, times := range seen {
		if times != 1 {
			t.Errorf("partition %d, offset %d was reported %d times", at.partition, at.offset, times)
		}
	}
	if len(seen) != goroutines*each {
		t.Errorf("%d places were reported, want %d", len(seen), goroutines*each)
	}
	next := make(map[string]int)
	for partition, records := range read(t, c, topic) {
		for _, r := range records {
			if want := fmt.Sprint(next[string(r.Key)]); string(r.Value) != want {
				t.Fatalf("partition %d, offset %d: goroutine %s's record %s, want %s", partition, r.Offset, r.Key, r.Value, want)
			}
			next[string(r.Key)]++
			if seen[place{partition, r.Offset}] != 1 {
				t.Fatalf("partition %d, offset %d was never reported", partition, r.Offset)
			}
		}
	}
	for g := range goroutines {
		if n := next[fmt.Sprint(g)]; n != each {
			t.Errorf("%d records of goroutine %d arrived, want %d", n, g, each)
		}
	}
}

// TestTrySendNeverBlocks fills the buffer: what TrySend has taken arrives, and nothing else.
func TestTrySendNeverBlocks(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 1)
	p := start(t, c, func(cfg *producer.Config) {
		cfg.BufferMemory = 64 << 10
		cfg.Linger = time.Minute
		cfg.BatchSize = 32 << 10
	})
	if err := p.TrySend(producer.Record{Topic: topic}, nil); !errors.Is(err, producer.ErrTopicNotLoaded) {
		t.Errorf("on a topic not yet known: %v, want ErrTopicNotLoaded", err)
	}
	for known := false; !known; { // that call has started the look-up
		err := p.TrySend(producer.Record{Topic: topic, Value: []byte("first")}, nil)
		if known = err == nil; !known {
			pause(t, soon(t), err.Error())
		}
	}
	s := newSending(t, p)
	full := 0
	for n := range 5000 {
		d := &delivery{rec: producer.Record{Topic: topic, Value: prose(n, 500)}}
		began := time.Now()
		err := p.TrySend(d.rec, func(md producer.RecordMetadata, err error) { s.end(d, md, err) })
		if took := time.Since(began); took > time.Second {
			t.Errorf("TrySend took %v", took)
		}
		switch {
		case err == nil:
			s.all = append(s.all, d)
		case errors.Is(err, producer.ErrBufferFull) && !producer.MayBeWritten(err):
			full++
		default:
			t.Fatalf("record %d: %v, want ErrBufferFull and that it is not written", n, err)
		}
	}
	if full == 0 {
		t.Error("buffer.memory was never full: the test shows nothing")
	}
	s.flush()
	got := read(t, c, topic)[0]
	compare(t, got[1:], s.all)
}

// TestFlushEndsLinger sends with a linger of minutes.
func TestFlushEndsLinger(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 8)
	s := newSending(t, start(t, c, func(cfg *producer.Config) { cfg.Linger = time.Minute }))
	began := time.Now()
	for round := range 5 {
		for n := range 20 {
			s.send(producer.Record{Topic: topic, Key: fmt.Append(nil, n), Value: fmt.Append(nil, round)})
		}
		s.flush() // checks that each has its outcome
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("five flushes took %v", took)
	}
	s.arrives(c, topic)
}

// TestCloseDrains closes a producer whose records would linger for a minute still.
func TestCloseDrains(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 3)
	p := start(t, c, func(cfg *producer.Config) { cfg.Linger = time.Minute })
	s := newSending(t, p)
	var futures []producer.Future
	for n := range 1000 {
		s.send(producer.Record{Topic: topic, Key: fmt.Append(nil, n), Value: prose(n, 100)})
		futures = append(futures, p.Send(s.ctx, producer.Record{Topic: topic, Value: prose(n, 100)}))
	}
	began := time.Now()
	if err := p.Close(s.ctx); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("Close took %v", took)
	}
	total := len(s.all)
	for _, f := range futures {
		select {
		case <-f.Done():
		default:
			t.Fatal("a future has no outcome after Close")
		}
		if _, err := f.Wait(s.ctx); err != nil {
			t.Fatal(err)
		}
		total++
	}
	arrived := 0
	for _, records := range read(t, c, topic) {
		arrived += len(records)
	}
	if arrived != total {
		t.Errorf("%d records arrived, want %d", arrived, total)
	}
	for n, d := range s.all {
		if d.outcomes != 1 || d.err != nil {
			t.Fatalf("record %d has %d outcomes, the last is %v", n, d.outcomes, d.err)
		}
	}
	if _, err := p.SendSync(s.ctx, producer.Record{Topic: topic}); !errors.Is(err, producer.ErrClosed) {
		t.Errorf("SendSync after Close: %v, want ErrClosed", err)
	}
	if err := p.TrySend(producer.Record{Topic: topic}, nil); !errors.Is(err, producer.ErrClosed) {
		t.Errorf("TrySend after Close: %v, want ErrClosed", err)
	}
	if err := p.Close(s.ctx); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

// TestEndedContextTakesNothing sends with a context that has ended, and waits with one.
func TestEndedContextTakesNothing(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 1)
	p := start(t, c, func(cfg *producer.Config) { cfg.Linger = time.Minute })
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.SendSync(ended, producer.Record{Topic: topic, Value: []byte("never")}); !errors.Is(err, context.Canceled) || producer.MayBeWritten(err) {
		t.Errorf("SendSync: %v, want Canceled and that it is not written", err)
	}
	f := p.Send(soon(t), producer.Record{Topic: topic, Value: []byte("kept")})
	if _, err := f.Wait(ended); !errors.Is(err, producer.ErrOutcomeUnknown) || !producer.MayBeWritten(err) {
		t.Errorf("Wait: %v, want ErrOutcomeUnknown and that it may be written", err)
	}
	if md, err := f.Wait(soon(t)); err != nil || md.Offset != 0 {
		t.Errorf("Wait again: %+v, %v; want offset 0", md, err)
	}
	if got := read(t, c, topic)[0]; len(got) != 1 || string(got[0].Value) != "kept" {
		t.Errorf("the topic holds %v, want the one record", got)
	}
}

// TestTypedProducers sends values of several types, and reads their bytes.
func TestTypedProducers(t *testing.T) {
	c := kafka.Shared(t)
	topic := newTopic(t, c, 1)
	p := start(t, c)
	type order struct {
		ID    int64
		Items []string
	}
	ctx := soon(t)
	orders := producer.NewTyped(p, producer.StringSerializer{}, producer.Nullable(producer.JSONSerializer[order]{}))
	numbers := producer.NewTyped(p, producer.Int64Serializer{}, producer.Float64Serializer{})
	nothing := producer.NewTyped(p, producer.VoidSerializer{}, producer.UUIDSerializer{})
	type pair struct{ key, value []byte }
	var want []pair
	sent := func(err error, key, value []byte) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		want = append(want, pair{key, value})
	}
	_, err := orders.Topic(topic).Send(ctx, "anna", &order{7, []string{"pear <3"}}).Wait(ctx)
	sent(err, []byte("anna"), []byte(`{"ID":7,"Items":["pear <3"]}`))
	_, err = orders.Topic(topic).Send(ctx, "anna", nil).Wait(ctx)
	sent(err, []byte("anna"), nil)
	_, err = numbers.SendSync(ctx, producer.TypedRecord[int64, float64]{Topic: topic, Key: -2, Value: 1.5})
	sent(err, []byte("\xff\xff\xff\xff\xff\xff\xff\xfe"), []byte("\x3f\xf8\x00\x00\x00\x00\x00\x00"))
	_, err = nothing.SendSync(ctx, producer.TypedRecord[producer.Void, [16]byte]{Topic: topic, Value: [16]byte{0xab, 15: 1}})
	sent(err, nil, []byte("ab000000-0000-0000-0000-000000000001"))

	_, err = producer.NewTyped(p, producer.StringSerializer{}, producer.JSONSerializer[func()]{}).Topic(topic).Send(ctx, "k", nil).Wait(ctx)
	as[*producer.SerializationError](t, err)

	got := read(t, c, topic)[0]
	if !slices.EqualFunc(got, want, func(r *reader.Record, w pair) bool { return same(r.Key, w.key) && same(r.Value, w.value) }) {
		for _, r := range got {
			t.Errorf("the topic holds %s: %s", show(r.Key), show(r.Value))
		}
		t.Errorf("want %q", want)
	}
}
