//go:build unix

package producer_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// While nobody can be asked, a topic more costs no more than the one before it.
func TestLookUpsInAnOutageCostLittle(t *testing.T) {
	cost := func(n int) (used time.Duration) {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory())
			p := start(t, c)
			c.Break(1, brokertest.Refusing)
			begin := processorTime()
			for i := range n {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				p.SendSync(ctx, producer.Record{Topic: fmt.Sprint("t", i)})
				cancel()
			}
			used = processorTime() - begin
			c.Mend(1)
		})
		return used
	}
	few, many := cost(1000), cost(8000)
	if many > 24*few {
		t.Errorf("1,000 topics cost %v, and 8,000 cost %v: more than three times as much each", few, many)
	}
}

func processorTime() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
