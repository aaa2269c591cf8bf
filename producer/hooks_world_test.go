package producer_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// Each connection is told of when it is made and when it is over, once, also those that Close ends.
func TestHooksPairConnections(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		w := new(witness)
		cfg := producer.DefaultConfig(c.Bootstrap()...)
		cfg.DialContext, cfg.Hooks = c.DialContext, []producer.Hook{w}
		p, err := producer.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		send(t, p, record("a"))
		c.StopBroker(1)
		time.Sleep(5 * time.Second)
		if err := c.StartBroker(1); err != nil {
			t.Fatal(err)
		}
		send(t, p, record("b"))
		if lost := w.lines("disconnected"); len(lost) == 0 {
			t.Error("no connection was told to be lost when the broker was stopped")
		}
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		open := map[string]int{}
		for _, line := range w.lines("connected", "disconnected") {
			var kind, broker, lane, end string
			if n, err := fmt.Sscanf(line, "%s %s control %s %s", &kind, &broker, &lane, &end); n != 4 || err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			switch {
			case kind == "disconnected":
				open[broker+lane]--
			case end == "-":
				open[broker+lane]++
			}
			if open[broker+lane] < 0 {
				t.Errorf("%q comes before its connection", line)
			}
		}
		for lane, n := range open {
			if n != 0 {
				t.Errorf("after Close %d connections of %s are told to be open", n, lane)
			}
		}
		for _, line := range w.lines("disconnected")[len(w.lines("disconnected"))-1:] {
			if line[len(line)-2:] != " -" {
				t.Errorf("%q: what Close has ended is told to be at fault", line)
			}
		}
	})
}

// Requests are told of with what they took: one behind another that is held has waited, and none is told of twice.
func TestHooksMeasureRequests(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		w := new(witness)
		p := start(t, c, watchedBy(w))
		warm(t, p, "t")
		send(t, p, record("a"))
		w.forget()
		c.On(brokertest.Produce).Do(brokertest.Pass().Delayed(3 * time.Second))
		send(t, p, record("b"))
		synctest.Wait()
		if got := produces(w); !slices.Equal(got, []string{"request Produce 1 -"}) {
			t.Errorf("told were %q, want one Produce", got)
		}
		if e := event[producer.RequestEnded](t, w, "request"); e.Latency != 3*time.Second || e.Queued != 0 || e.Version == 0 || e.Key != 0 {
			t.Errorf("the request is told of as %+v, want a latency of 3 s", e)
		}
		w.forget()
		c.On(brokertest.Produce).Do(brokertest.HandleThenDrop())
		send(t, p, record("c"))
		synctest.Wait()
		if got := produces(w); !slices.Equal(got, []string{"request Produce 1 broker", "request Produce 1 -"}) {
			t.Errorf("told were %q, want a Produce that failed and one that did not", got)
		}
	})
}

// produces returns what was told of requests with records.
func produces(w *witness) []string {
	return slices.DeleteFunc(w.lines("request"), func(line string) bool { return !strings.Contains(line, "Produce") })
}

// A throttling is told of when the answer comes that asks for it.
func TestHooksHearOfAThrottling(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		w := new(witness)
		p := throttledBy(t, c, brokertest.Produce, 1, time.Hour, watchedBy(w))
		warm(t, p, "t")
		send(t, p, record("a"))
		synctest.Wait()
		w.want(t, []string{"throttled"}, "throttled 1 1h0m0s 40s")
	})
}

// A leader moves, and its successor goes and comes again. The first leader is no news.
func TestHooksHearOfLeaders(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(2), brokertest.Topic("t", 1))
		if err := c.MoveLeader("t", 0, 1); err != nil {
			t.Fatal(err)
		}
		w := new(witness)
		p := start(t, c, watchedBy(w), func(cfg *producer.Config) { cfg.MetadataMaxAge = time.Second })
		send(t, p, record("a"))
		w.want(t, []string{"leader"})
		for _, to := range []int32{2, -1, 2} {
			if err := c.MoveLeader("t", 0, to); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
		}
		send(t, p, record("b"))
		w.want(t, []string{"leader"}, "leader t-0 from 1 to 2", "leader t-0 from 2 to -1", "leader t-0 from -1 to 2")
	})
}

// What follows a record that failed for good has a new epoch, which is told.
func TestHooksHearOfANewEpoch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		w := new(witness)
		p := start(t, c, watchedBy(w))
		send(t, p, record("a"))
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.InvalidRequiredAcks))
		if _, err := p.SendSync(t.Context(), record("b")); err == nil {
			t.Fatal("a record succeeded that was refused")
		}
		w.want(t, []string{"epoch"})
		send(t, p, record("c"))
		w.want(t, []string{"epoch"}, "epoch t-0 1")
	})
}

// Transactions are told of once each: one that is committed, one that is aborted, one that is lost by a record, and one that
// Close aborts.
func TestHooksHearOfTransactions(t *testing.T) {
	inEachProtocol(t, func(t *testing.T, s speech) {
		c := s.cluster(t)
		w := new(witness)
		p := transactional(t, c, watchedBy(w))
		ctx := t.Context()
		begin(t, p)
		send(t, p, record("a"))
		w.want(t, ofTransactions, "txn-begun tx 1")
		if err := p.CommitTransaction(ctx); err != nil {
			t.Fatal(err)
		}
		w.want(t, ofTransactions, "txn-begun tx 1", "txn-ended tx 1 committed -")
		w.forget()
		begin(t, p)
		if err := p.AbortTransaction(ctx); err != nil {
			t.Fatal(err)
		}
		begin(t, p)
		c.On(brokertest.Produce).Do(brokertest.Error(protocol.MessageTooLarge))
		if _, err := p.SendSync(ctx, record("b")); err == nil {
			t.Fatal("a record succeeded that was refused")
		}
		if err := p.AbortTransaction(ctx); err != nil {
			t.Fatal(err)
		}
		begin(t, p)
		if err := p.Close(ctx); err != nil {
			t.Fatal(err)
		}
		w.want(t, ofTransactions,
			"txn-begun tx 2", "txn-ended tx 2 aborted -",
			"txn-begun tx 3", "txn-ended tx 3 aborted MESSAGE_TOO_LARGE",
			"txn-begun tx 4", "txn-ended tx 4 aborted -")
	})
}

// Another producer takes over, while a transaction is open: it has ended with that.
func TestHooksHearOfAFencedTransaction(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		w := new(witness)
		p := transactional(t, c, watchedBy(w))
		begin(t, p)
		send(t, p, record("a"))
		transactional(t, c)
		if err := p.CommitTransaction(t.Context()); err == nil {
			t.Fatal("a fenced producer has committed")
		}
		lines := w.lines(ofTransactions...)
		if len(lines) != 2 || lines[1][:len("txn-ended tx 1 aborted")] != "txn-ended tx 1 aborted" {
			t.Errorf("told were %q, want one transaction, aborted", lines)
		}
	})
}

// A caller that holds a lock, sends without linger, and whose hook takes the same lock, is not locked up with itself: what is
// told of batches is told on the producer's own goroutine.
func TestHooksRunOnTheProducersGoroutine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		mine := make(chan struct{}, 1)
		told := make(chan struct{}, 100)
		p := start(t, c, watchedBy(onBatch(func() {
			mine <- struct{}{}
			<-mine
			told <- struct{}{}
		})), func(cfg *producer.Config) { cfg.Linger = 0 })
		send(t, p, record("before")) // so that there is a connection
		mine <- struct{}{}
		f := p.Send(t.Context(), record("a"))
		<-mine
		if _, err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-told
	})
}

// A hook that may run anywhere is told within Send of a batch that goes at once. Beside one that may not, the producer's own
// goroutine tells both.
func TestHooksThatMayRunAnywhere(t *testing.T) {
	for _, beside := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
			within := make(chan bool, 100)
			hooks := []producer.Hook{anywhere{func() {
				stack := make([]byte, 1<<14)
				within <- strings.Contains(string(stack[:runtime.Stack(stack, false)]), "(*Producer).Send(")
			}}}
			if beside {
				hooks = append(hooks, new(witness))
			}
			p := start(t, c, watchedBy(hooks...), func(cfg *producer.Config) { cfg.Linger = 0 })
			send(t, p, record("before")) // so that there is a connection
			<-within
			synctest.Wait()
			f := p.Send(t.Context(), record("a"))
			if got := <-within; got == beside {
				t.Errorf("beside one that may not: %v; told within Send: %v", beside, got)
			}
			if _, err := f.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

type anywhere struct{ onBatch }

func (anywhere) MayRunAnywhere() {}

type onBatch func()

func (f onBatch) OnBatchSent(producer.BatchSent) { f() }

// What is in a context reaches those who are told of the record's end, whatever has become of the caller's.
func TestHooksGetTheirContextBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		w := new(witness)
		p := start(t, c, watchedBy(w))
		warm(t, p, "t")
		ctx, cancel := context.WithCancel(t.Context())
		f := p.Send(ctx, record("a"))
		cancel()
		if _, err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := w.lines("ended"); !slices.Equal(got, []string{"ended a 0 - false"}) {
			t.Errorf("told were %q", got)
		}
	})
}
