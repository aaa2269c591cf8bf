package producertest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/producertest"
	"github.com/epistle-kafka/epistle/protocol"
)

// A notebook is what callbacks have been told, in their order.
type notebook struct {
	mu    sync.Mutex
	lines []string
}

func (n *notebook) callback(what string) producer.Callback {
	return func(md producer.RecordMetadata, err error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		line := fmt.Sprintf("%s@%d", what, md.Offset)
		if err != nil {
			line = what + " failed"
		}
		n.lines = append(n.lines, line)
	}
}

func (n *notebook) want(t *testing.T, want ...string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.lines, want) {
		t.Errorf("callbacks were told %q, want %q", n.lines, want)
	}
}

// With Manual the test says when records end, the oldest first, and which of them fail.
func TestTheTestCompletesRecords(t *testing.T) {
	p := producertest.New(t, producertest.Manual())
	var told notebook
	for _, v := range []string{"a", "b", "c", "d"} {
		p.SendFunc(t.Context(), one(v), told.callback(v))
	}
	f := p.Send(t.Context(), one("e"))
	told.want(t)
	if n := p.Pending(); n != 5 {
		t.Errorf("%d records wait, want 5", n)
	}
	if !p.CompleteNext() || !p.FailNext(producertest.MayBeWritten(producer.ErrDeliveryTimeout)) {
		t.Error("no record waits")
	}
	told.want(t, "a@0", "b failed")
	p.FailNth(1, producertest.NotWritten(protocol.NotLeaderOrFollower)) // of those taken from now on
	p.SendFunc(t.Context(), one("f"), told.callback("f"))
	if n := p.CompleteAll(); n != 4 {
		t.Errorf("CompleteAll completes %d records, want 4", n)
	}
	told.want(t, "a@0", "b failed", "c@1", "d@2", "f failed")
	if md, err := f.Wait(t.Context()); err != nil || md.Offset != 3 {
		t.Errorf("the future has %+v, %v, want offset 3", md, err)
	}
	if p.CompleteNext() || p.FailNext(errOwn) || p.CompleteAll() != 0 {
		t.Error("a record is completed where none waits")
	}
}

// Whoever waits goes on when the test completes what it waits for.
func TestWaitsEndWithCompletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := producertest.New(t, producertest.Manual(), producertest.Transactional("tx"))
		if err := p.InitTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.BeginTransaction(t.Context()); err != nil {
			t.Fatal(err)
		}
		waits(t, p, "Flush", func() error { return p.Flush(context.Background()) })
		waits(t, p, "SendSync", func() error { _, err := p.SendSync(t.Context(), one("b")); return err })
		waits(t, p, "CommitTransaction", func() error { return p.CommitTransaction(t.Context()) })
		p.ExpectAmong(t, "one", producertest.Value("a"))
	})
}

func waits(t *testing.T, p *producertest.Producer, what string, wait func() error) {
	t.Helper()
	p.Send(t.Context(), one("a"))
	returned := make(chan error, 1)
	go func() { returned <- wait() }()
	synctest.Wait()
	select {
	case err := <-returned:
		t.Fatalf("%s returns %v before the record is completed", what, err)
	default:
	}
	p.CompleteAll()
	if err := <-returned; err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// A commit returns when the callbacks of its records have, whoever calls them.
func TestACommitWaitsForCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := producertest.New(t, producertest.Manual(), producertest.Transactional("tx"))
		for _, err := range []error{p.InitTransactions(t.Context()), p.BeginTransaction(t.Context())} {
			if err != nil {
				t.Fatal(err)
			}
		}
		held, returned := make(chan struct{}), make(chan error, 1)
		p.SendFunc(t.Context(), one("a"), func(producer.RecordMetadata, error) { <-held })
		go p.CompleteAll()
		synctest.Wait()
		go func() { returned <- p.CommitTransaction(t.Context()) }()
		synctest.Wait()
		select {
		case err := <-returned:
			t.Errorf("CommitTransaction returns %v before the callback has", err)
		default:
			close(held)
			if err := <-returned; err != nil {
				t.Error(err)
			}
		}
	})
}

// Delivery takes time, as a cluster does: records that are sent in the meantime go along, and keep their order.
func TestDeliveryTakesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := producertest.New(t, producertest.Delivery(100*time.Millisecond))
		var told notebook
		p.FailNth(2, producertest.NotWritten(protocol.InvalidRecord))
		for _, v := range []string{"a", "b", "c"} {
			p.SendFunc(t.Context(), one(v), told.callback(v))
			time.Sleep(40 * time.Millisecond)
		}
		told.want(t, "a@0")
		began := time.Now()
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d != 60*time.Millisecond {
			t.Errorf("Flush takes %v, want the 60ms that the last record has left", d)
		}
		told.want(t, "a@0", "b failed", "c@1")
		began = time.Now()
		if _, err := p.SendSync(t.Context(), one("d")); err != nil || time.Since(began) != 100*time.Millisecond {
			t.Errorf("SendSync takes %v, and says %v, want 100ms", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		md, err := p.SendSync(ctx, one("e"))
		if !errors.Is(err, producer.ErrOutcomeUnknown) || md.Topic != "one" || md.Partition != 0 || md.Offset != -1 {
			t.Errorf("SendSync says %+v, %v, want the partition, and that the outcome is unknown", md, err)
		}
	})
}

// What takes longer than delivery.timeout fails, as it would on a cluster.
func TestDeliveryThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := producertest.New(t, producertest.Delivery(time.Hour))
		began := time.Now()
		_, err := p.SendSync(t.Context(), one("a"))
		if !errors.Is(err, producer.ErrDeliveryTimeout) || !producer.MayBeWritten(err) || time.Since(began) != 2*time.Minute {
			t.Errorf("after %v: %v, want the end of delivery.timeout", time.Since(began), err)
		}
	})
}

// A buffer that is full holds Send up until there is room, for max.block at most, and TrySend does not wait.
func TestABufferThatIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := producertest.New(t, producertest.Manual(), producertest.BufferRecords(2))
		p.Send(t.Context(), one("a"))
		p.Send(t.Context(), one("b"))
		if err := p.TrySend(one("c"), nil); !errors.Is(err, producer.ErrBufferFull) {
			t.Errorf("TrySend: %v, want ErrBufferFull", err)
		}
		began := time.Now()
		_, err := p.Send(t.Context(), one("c")).Wait(t.Context())
		if !errors.Is(err, producer.ErrBufferFull) || !errors.Is(err, producer.ErrMaxBlock) || time.Since(began) != time.Minute {
			t.Errorf("after %v Send says %v, want both reasons after a minute", time.Since(began), err)
		}
		taken := make(chan struct{})
		go func() {
			p.Send(t.Context(), one("d"))
			close(taken)
		}()
		synctest.Wait()
		p.CompleteNext()
		<-taken
		if n := p.Pending(); n != 2 {
			t.Errorf("%d records wait, want 2", n)
		}
	})
}

// A callback may send. If it panics, or ends its goroutine, the others are called all the same.
func TestCallbacksThatDoMuch(t *testing.T) {
	p := producertest.New(t, producertest.Manual())
	var told notebook
	p.SendFunc(t.Context(), one("a"), func(md producer.RecordMetadata, err error) {
		told.callback("a")(md, err)
		if err := p.TrySend(one("c"), told.callback("c")); err != nil {
			t.Error(err)
		}
		p.CompleteAll() // b and c, whose callbacks come when this one has returned
		told.want(t, "a@0")
	})
	p.SendFunc(t.Context(), one("b"), told.callback("b"))
	p.CompleteNext()
	told.want(t, "a@0", "b@1", "c@2")

	p.SendFunc(t.Context(), one("d"), func(producer.RecordMetadata, error) { panic("on purpose") })
	p.SendFunc(t.Context(), one("e"), told.callback("e"))
	func() {
		defer func() { _ = recover() }()
		p.CompleteAll()
		t.Error("the panic is not passed on")
	}()
	if err := p.Flush(t.Context()); err != nil {
		t.Errorf("Flush: %v", err)
	}
	told.want(t, "a@0", "b@1", "c@2", "e@4")
}

// Records of many goroutines, with everything else that can be done to a double at once: it is for the race detector.
func TestAllAtOnce(t *testing.T) {
	p := producertest.New(t, producertest.Topic("orders", 3), producertest.Delivery(time.Microsecond), producertest.BufferRecords(16))
	var wg sync.WaitGroup
	var told notebook
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				p.SendFunc(t.Context(), producer.Record{Topic: "orders", Key: fmt.Append(nil, g), Value: fmt.Append(nil, i)}, told.callback(""))
				_ = p.TrySend(one("tried"), nil)
				_, _ = p.Pending(), p.Stats()
				_ = p.Committed("orders")
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			p.FailNth(3, errOwn)
			stop := p.RejectOn(func(producer.Record) error { return nil })
			_ = p.Flush(t.Context())
			stop()
			_ = fmt.Sprint(p)
		}
	})
	wg.Wait()
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(p.History("orders")); n != 400 {
		t.Errorf("%d records were handed over, want 400", n)
	}
	if len(told.lines) != 400 {
		t.Errorf("%d callbacks were called, want 400", len(told.lines))
	}
	next := map[string]int{}
	for _, s := range p.History("orders") {
		key := string(s.Record.Key)
		if want := fmt.Sprint(next[key]); string(s.Record.Value) != want {
			t.Errorf("goroutine %s: record %s comes where %s should", key, s.Record.Value, want)
		}
		next[key]++
	}
}

// Texts say what to do where a test waits for what only it can bring about.
func TestWhatIsToldOfRecordsThatNobodyCompletes(t *testing.T) {
	p := producertest.New(t, producertest.Manual())
	p.Send(t.Context(), one("a"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for what, err := range map[string]error{"Flush": p.Flush(ended), "Close": p.Close(ended)} {
		if err == nil || !strings.Contains(err.Error(), "CompleteNext") {
			t.Errorf("%s says %v, want a word of CompleteNext", what, err)
		}
	}
	_, err := p.SendSync(t.Context(), one("b"))
	if !errors.Is(err, producer.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
