package producer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder keeps what it is given as a producer does: key and value are copied before Send returns.
type recorder struct {
	mu      sync.Mutex
	records []Record
}

func (r *recorder) take(rec Record) RecordMetadata {
	rec.Key, rec.Value = bytes.Clone(rec.Key), bytes.Clone(rec.Value)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, rec)
	return RecordMetadata{Topic: rec.Topic, Offset: int64(len(r.records) - 1)}
}

func (r *recorder) Send(_ context.Context, rec Record) Future {
	r.take(rec)
	return failedFuture(errRecorded)
}

func (r *recorder) SendFunc(_ context.Context, rec Record, done Callback) { done(r.take(rec), nil) }

func (r *recorder) SendSync(_ context.Context, rec Record) (RecordMetadata, error) {
	return r.take(rec), nil
}

func (r *recorder) TrySend(rec Record, done Callback) error {
	done(r.take(rec), nil)
	return nil
}

// errRecorded tells the recorder's futures from those of records that never reached it.
var errRecorded = errors.New("recorded")

func TestTypedSendsBytes(t *testing.T) {
	var got recorder
	orders := NewTyped(&got, StringSerializer{}, JSONSerializer[map[string]int]{})
	when := time.UnixMilli(1700000000000)
	headers := []Header{{Key: "trace", Value: []byte{1}}}
	rec := TypedRecord[string, map[string]int]{Topic: "orders", Key: "k2", Value: map[string]int{"n": 2}, Headers: headers, Timestamp: when}
	ctx := context.Background()

	if _, err := orders.Topic("orders").Send(ctx, "k1", map[string]int{"n": 1}).Wait(ctx); !errors.Is(err, errRecorded) {
		t.Errorf("Send: %v", err)
	}
	if _, err := orders.Send(ctx, rec).Wait(ctx); !errors.Is(err, errRecorded) {
		t.Errorf("Send: %v", err)
	}
	if md, err := orders.SendSync(ctx, rec); err != nil || md.Offset != 2 {
		t.Errorf("SendSync: got %+v, %v, want offset 2", md, err)
	}
	called := 0
	count := func(_ RecordMetadata, err error) {
		if err == nil {
			called++
		}
	}
	orders.SendFunc(ctx, rec, count)
	if err := orders.TrySend(rec, count); err != nil || called != 2 {
		t.Errorf("SendFunc and TrySend: got error %v, %d callbacks, want none, 2", err, called)
	}

	if len(got.records) != 5 {
		t.Fatalf("got %d records, want 5", len(got.records))
	}
	if r := got.records[0]; string(r.Key) != "k1" || string(r.Value) != `{"n":1}` || r.Topic != "orders" || r.Headers != nil || !r.Timestamp.IsZero() {
		t.Errorf("Send: got %+v", r)
	}
	for _, r := range got.records[1:] {
		if string(r.Key) != "k2" || string(r.Value) != `{"n":2}` || r.Topic != "orders" || len(r.Headers) != 1 || !r.Timestamp.Equal(when) {
			t.Errorf("a whole record: got %+v", r)
		}
	}
}

// Null and empty are different things to a compacted topic, and the scratch buffers must not blur them.
func TestTypedTellsNullFromEmpty(t *testing.T) {
	var got recorder
	p := NewTyped(&got, BytesSerializer{}, Nullable[string](StringSerializer{}))
	ctx, empty := context.Background(), ""
	p.Topic("t").Send(ctx, nil, nil)
	p.Topic("t").Send(ctx, []byte{}, &empty)
	if r := got.records[0]; r.Key != nil || r.Value != nil {
		t.Errorf("got %#v, %#v, want null, null", r.Key, r.Value)
	}
	if r := got.records[1]; r.Key == nil || r.Value == nil || len(r.Key)+len(r.Value) != 0 {
		t.Errorf("got %#v, %#v, want empty, empty", r.Key, r.Value)
	}
}

// What cannot be serialized is not sent, and every way of sending says which part it was.
func TestTypedSerializationErrors(t *testing.T) {
	var got recorder
	cause := errors.New("not today")
	fail := SerializerFunc[string](func(context.Context, []byte, *Serialization, string) ([]byte, error) { return nil, cause })
	ctx := context.Background()
	for part, p := range map[string]*Typed[string, string]{
		"key":   NewTyped(&got, fail, StringSerializer{}),
		"value": NewTyped(&got, StringSerializer{}, fail),
	} {
		rec := TypedRecord[string, string]{Topic: "orders", Key: "k", Value: "v"}
		_, errSend := p.Send(ctx, rec).Wait(ctx)
		_, errSync := p.SendSync(ctx, rec)
		var errFunc error
		p.SendFunc(ctx, rec, func(md RecordMetadata, err error) {
			errFunc = err
			if md.Topic != "orders" || md.Offset != -1 || md.Partition != -1 {
				t.Errorf("SendFunc: got %+v, want topic orders, offset -1, partition -1", md)
			}
		})
		errTry := p.TrySend(rec, func(RecordMetadata, error) { t.Error("TrySend: called back although it returned an error") })
		for way, err := range map[string]error{"Send": errSend, "SendSync": errSync, "SendFunc": errFunc, "TrySend": errTry} {
			var failed *SerializationError
			if !errors.As(err, &failed) || failed.Topic != "orders" || failed.Part != part || !errors.Is(err, cause) {
				t.Errorf("%s: got %v, want a *SerializationError of the %s", way, err, part)
			}
		}
		p.SendFunc(ctx, rec, nil)
	}
	if len(got.records) != 0 {
		t.Errorf("got %d records sent, want none", len(got.records))
	}
}

// Scratch buffers pass from record to record and goroutine to goroutine; contents must not.
func TestTypedFromManyGoroutines(t *testing.T) {
	var got recorder
	p := NewTyped(&got, Int32Serializer{}, SerializerFunc[int](func(_ context.Context, dst []byte, _ *Serialization, n int) ([]byte, error) {
		return append(dst, bytes.Repeat([]byte{byte(n)}, n)...), nil
	}))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				n := (g*200 + i*37) % 1000 // below and above the first scratch
				if _, err := p.SendSync(context.Background(), TypedRecord[int32, int]{Topic: "t", Key: int32(n), Value: n}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, r := range got.records {
		n := int(r.Key[2])<<8 | int(r.Key[3])
		if want := bytes.Repeat([]byte{byte(n)}, n); !bytes.Equal(r.Value, want) {
			t.Fatalf("key %d: got %d bytes %v, want %d of %d", n, len(r.Value), r.Value, n, byte(n))
		}
	}
	if len(got.records) != 1600 {
		t.Errorf("got %d records, want 1600", len(got.records))
	}
}

// A serializer may return memory of its own. The next record must not be written over it.
func TestTypedLeavesTheSerializersMemoryAlone(t *testing.T) {
	var got recorder
	own := slices.Repeat([]byte("own"), 1000)
	before := bytes.Clone(own)
	calls := 0
	p := NewTyped(&got, VoidSerializer{}, SerializerFunc[string](func(_ context.Context, dst []byte, _ *Serialization, v string) ([]byte, error) {
		if calls++; calls == 1 {
			return own, nil
		}
		return append(dst, v...), nil
	}))
	for i := range 3 {
		p.Topic("t").Send(context.Background(), Void{}, fmt.Sprint("record ", i))
	}
	if !bytes.Equal(own, before) {
		t.Errorf("the serializer's own bytes were overwritten: %q…", own[:20])
	}
	if !bytes.Equal(got.records[0].Value, before) || string(got.records[2].Value) != "record 2" {
		t.Errorf("got %q…, %q", got.records[0].Value[:6], got.records[2].Value)
	}
}

func TestTypedAllocatesNothing(t *testing.T) {
	p := NewTyped(nothing{}, StringSerializer{}, StringSerializer{})
	ctx := context.Background()
	// The value is larger than a scratch buffer is at first.
	rec := TypedRecord[string, string]{Topic: "t", Key: "a key of ordinary length", Value: strings.Repeat("v", 4*firstScratch)}
	got := testing.AllocsPerRun(1000, func() { _, _ = p.SendSync(ctx, rec) })
	// The race detector makes sync.Pool drop things at random, and a collection empties it.
	if got > 0.1 && !raceEnabled {
		t.Errorf("got %v allocations a record, want 0", got)
	}
}

type nothing struct{}

func (nothing) Send(context.Context, Record) Future        { return Future{} }
func (nothing) SendFunc(context.Context, Record, Callback) {}
func (nothing) SendSync(context.Context, Record) (RecordMetadata, error) {
	return RecordMetadata{}, nil
}
func (nothing) TrySend(Record, Callback) error { return nil }
