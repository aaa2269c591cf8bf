package producer_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// A leader goes silent and another broker takes over, while the connection to the silent one is open and what was sent
// there has most of its time left. The partition goes on with its new leader as soon as metadata says so, which is asked
// for meanwhile; other partitions of the silent broker go on when it does.
func TestRoleMovesFromASilentLeader(t *testing.T) {
	for _, shape := range shapes() {
		for _, idempotent := range []bool{true, false} {
			for _, after := range []time.Duration{2 * time.Second, 6 * time.Second, 9 * time.Second} {
				t.Run(fmt.Sprintf("%s/idempotent=%v/%v", shape.name, idempotent, after), func(t *testing.T) {
					bubble(t, func(t *testing.T) { roleMoves(t, shape, idempotent, after) })
				})
			}
		}
	}
}

func roleMoves(t *testing.T, shape outageShape, idempotent bool, after time.Duration) {
	c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 3))
	p := start(t, c, func(cfg *producer.Config) { cfg.EnableIdempotence = idempotent })
	warm(t, p, "t")
	l := newLoad(t, p, 3)
	time.Sleep(time.Second)
	silent, _ := c.Leader("t", 0)
	shape.begin(c, silent)
	time.Sleep(after)
	next := silent%3 + 1
	if err := c.MoveLeader("t", 0, next); err != nil {
		t.Fatal(err)
	}
	l.forget()
	time.Sleep(backoffInForce + 300*time.Millisecond)
	if took, all := l.last(3); !all {
		t.Errorf("the partition that has moved does not acknowledge within %v", backoffInForce)
	} else {
		t.Logf("after %v", took)
	}
	close(l.stop)
	l.done.Wait()
	shape.end(c, silent)
	if err := p.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if len(l.failed) > 0 {
		t.Errorf("%d records failed: %v", len(l.failed), l.failed[0])
	}
	if !idempotent {
		return // a silent leader may have written what its successor was sent again
	}
	if err := c.Verify(func(r brokertest.Record) string { return string(r.Value) }); err != nil {
		t.Error(err)
	}
}

// The coordinator, of the transaction and of the group, goes silent at a request to it, and another takes over 6 s later.
// The call goes on there as soon as another broker says so, long before the request has had its time.
func TestCoordinatorMovesFromASilentBroker(t *testing.T) {
	for name, api := range coordinatorAPIs {
		if api == brokertest.FindCoordinator {
			continue // anybody answers it
		}
		for _, shape := range shapes() {
			t.Run(name+"/"+shape.name, func(t *testing.T) {
				inEachProtocol(t, func(t *testing.T, s speech) {
					if !s.lacks(api) {
						coordinatorMoves(t, s, api, shape)
					}
				})
			})
		}
	}
}

func coordinatorMoves(t *testing.T, s speech, api int16, shape outageShape) {
	const after = 6 * time.Second
	c := s.cluster(t, brokertest.Brokers(3))
	if err := c.MoveLeader("t", 0, 1); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"tx", "g"} {
		c.MoveCoordinator(key, 3)
	}
	var met sync.Once
	var moved time.Time
	c.Control(func(r *brokertest.Request) *brokertest.Action {
		if r.APIKey == api && r.Broker == 3 {
			met.Do(func() {
				shape.begin(c, 3)
				moved = time.Now().Add(after)
				time.AfterFunc(after, func() {
					for _, key := range []string{"tx", "g"} {
						c.MoveCoordinator(key, 2)
					}
				})
			})
		}
		return nil
	})
	p := uninitialised(t, c)
	if err := p.InitTransactions(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin(t, p)
	send(t, p, record("a"))
	if err := p.SendOffsetsToTransaction(t.Context(), offsets(1), groupG); err != nil {
		t.Fatal(err)
	}
	commit(t, p)
	took := time.Since(moved)
	t.Logf("after %v", took)
	if bound := backoffInForce + 300*time.Millisecond; took > bound {
		t.Errorf("the transaction ends %v after the role has moved, want at most %v", took, bound)
	}
	shape.end(c, 3)
	time.Sleep(time.Minute)
	wantVisible(t, c, "a")
	soundLog(t, c)
}
