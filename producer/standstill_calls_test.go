package producer_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/internal/overdue"
	"github.com/epistle-kafka/epistle/producer"
)

// lateContext hears of its deadline later than it should, as in a process that stood still meanwhile.
type lateContext struct {
	context.Context
	deadline time.Time
}

func (l lateContext) Deadline() (time.Time, bool) { return l.deadline, true }

// The process stands still while a call waits, for longer than the call may. Its answer has come meanwhile, and is read a
// moment after the process goes on. Every call takes it, and does not say that it has waited in vain.
func TestCallsTakeAnAnswerThatCameInAPause(t *testing.T) {
	// These have to wait again, behind the answer, and their ctx is over by then.
	again := []string{"Send of a topic that is not known", "InitTransactions, without a coordinator", "Transact"}
	for _, call := range waitingCalls {
		if slices.Contains(again, call.name) {
			continue
		}
		t.Run(call.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Topic("u", 1))
				do := call.prepare(t, c)
				const pause = 20 * time.Second
				release := make(chan struct{})
				c.On(call.api).Always().Do(brokertest.Pass().Held(release))
				time.AfterFunc(pause+overdue.Moment/2, func() { close(release) })
				ctx, cancel := context.WithTimeout(t.Context(), pause)
				defer cancel()
				if err := do(lateContext{ctx, time.Now().Add(time.Second)}); err != nil {
					t.Errorf("the answer was there, and the call says: %v", err)
				}
			})
		})
	}
}

// A caller who waits for memory takes what an answer has freed that came in a pause.
func TestSendTakesMemoryThatAPauseHasFreed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) {
			cfg.BufferMemory, cfg.BatchSize, cfg.MaxBlock = 64<<10, 1000, time.Hour
		})
		warm(t, p, "t")
		const pause = 20 * time.Second
		release := make(chan struct{})
		c.On(brokertest.Produce).Always().Do(brokertest.Pass().Held(release))
		time.AfterFunc(pause+overdue.Moment/2, func() { close(release) })
		ctx, cancel := context.WithTimeout(t.Context(), pause)
		defer cancel()
		var failed error
		for range 100 {
			p.SendFunc(lateContext{ctx, time.Now().Add(time.Second)}, record(string(make([]byte, 1000))),
				func(_ producer.RecordMetadata, err error) {
					if err != nil {
						failed = err
					}
				})
			if ctx.Err() != nil {
				break // the one that has waited
			}
		}
		p.Flush(t.Context())
		if failed != nil {
			t.Errorf("there was room again, and a record failed: %v", failed)
		}
	})
}
