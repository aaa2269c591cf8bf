package sender

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/protocol"
)

// ended returns the outcomes of n batches of one record each.
func ended(t *testing.T, n int) ([]*accumulator.Outcome, *accumulator.Accumulator) {
	t.Helper()
	a := accumulator.New(accumulator.Config{BatchSize: 1, MaxBatchBytes: 1 << 20, Memory: 1 << 20, SealAge: time.Hour, Wake: func() {}})
	q := a.Topic("t", 1).Queues()[0]
	var outcomes []*accumulator.Outcome
	for i := range n {
		e := &accumulator.Entry{Record: protocol.Record{Value: []byte("v")}, Callback: i}
		if err := q.Append(e, time.Now(), nil); err != nil {
			t.Fatal(err)
		}
		b, _ := q.Drain()
		o := b.Outcome()
		b.Resolve(int64(i), -1, nil)
		o.End()
		outcomes = append(outcomes, o)
	}
	return outcomes, a
}

// Callbacks run in the order in which batches ended; a group that was put
// behind some of them ends with these; and the bytes of a batch no longer count
// once its callbacks have begun (I5).
func TestCompletionsRunInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outcomes, a := ended(t, 3)
		before := a.Memory.Used()
		var order []int
		release := make(chan struct{})
		cs := newCompletions(func(o *accumulator.Outcome, next func()) {
			o.EachCallback(func(c *accumulator.Callback) {
				next()
				order = append(order, c.Fn.(int))
			})
			<-release
		})
		go cs.run()
		group := accumulator.NewGroup()
		cs.hold(completion{outcome: outcomes[0]})
		cs.hold(completion{outcome: outcomes[1]})
		cs.hold(completion{group: group})
		cs.hold(completion{outcome: outcomes[2]})
		cs.handOver()
		synctest.Wait()
		if got, want := a.Memory.Used(), before/3*2; got != want {
			t.Errorf("with the first callback running %d bytes are reserved, want %d", got, want)
		}
		if n := cs.running.Load(); n != 1 {
			t.Errorf("running = %d, want 1", n)
		}
		release <- struct{}{}
		synctest.Wait()
		select {
		case <-group.Done():
			t.Error("the group ended before the callbacks in front of it")
		default:
		}
		release <- struct{}{}
		synctest.Wait()
		select {
		case <-group.Done():
		default:
			t.Error("the group waits for callbacks that are behind it")
		}
		release <- struct{}{}
		cs.close()
		if want := []int{0, 1, 2}; !slices.Equal(order, want) {
			t.Errorf("callbacks ran in the order %v, want %v", order, want)
		}
		if n := a.Memory.Used(); n != 0 {
			t.Errorf("%d bytes are reserved at the end, want 0", n)
		}
	})
}
