package producer_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// While nobody can be asked, a topic more costs no more than the one before it: no request is made for all that wait.
func TestLookUpsInAnOutageCostLittle(t *testing.T) {
	cost := func(n int) (bytes uint64) {
		bubble(t, func(t *testing.T) {
			c := brokertest.New(t, brokertest.InMemory())
			p := start(t, c)
			c.Break(1, brokertest.Refusing)
			before := allocated()
			for i := range n {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				p.SendSync(ctx, producer.Record{Topic: fmt.Sprint("t", i)})
				cancel()
			}
			bytes = allocated() - before
			c.Mend(1)
		})
		return bytes
	}
	few, many := cost(500), cost(4000)
	t.Logf("500 topics: %d bytes, 4,000: %d", few, many)
	if many > 20*few {
		t.Errorf("500 topics allocate %d bytes, and 4,000 allocate %d: more than twice as much each", few, many)
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
