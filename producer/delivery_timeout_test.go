package producer_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A record ends at delivery.timeout: not a millisecond before, and at most 10
// after, whatever it waits for (I4). Its error says whether it may be written.
func TestDeliveryTimeoutIsKept(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*brokertest.Cluster)
		maybe bool
		code  error // that the error tells, too
	}{
		{"never connected", func(c *brokertest.Cluster) { c.StopBroker(1) }, false, nil},
		{"no leader", func(c *brokertest.Cluster) { _ = c.MoveLeader("t", 0, -1) }, true, protocol.NotLeaderOrFollower},
		{"in flight", func(c *brokertest.Cluster) { c.On(brokertest.Produce).Always().Do(brokertest.HandleThenSwallow()) }, true, nil},
		{"frozen", func(c *brokertest.Cluster) { c.Pause(1) }, true, nil},
		{"retrying", func(c *brokertest.Cluster) {
			c.On(brokertest.Produce).Always().Do(brokertest.Error(protocol.NotEnoughReplicas))
		}, false, protocol.NotEnoughReplicas},
		{"retrying, in doubt", func(c *brokertest.Cluster) {
			c.On(brokertest.Produce).Always().Do(brokertest.Error(protocol.RequestTimedOut))
		}, true, protocol.RequestTimedOut},
		{"hung up on, in doubt", func(c *brokertest.Cluster) { c.On(brokertest.Produce).Always().Do(brokertest.Drop()) }, true, nil},
		{"no producer id", func(c *brokertest.Cluster) {
			c.On(brokertest.InitProducerID).Always().Do(brokertest.Error(protocol.CoordinatorNotAvailable))
		}, false, nil},
	}
	const timeout = 41_234 * time.Millisecond
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				p := start(t, c, func(cfg *producer.Config) { cfg.DeliveryTimeout, cfg.Linger = timeout, 0 })
				if tt.name != "no producer id" {
					send(t, p, record("first"))
				}
				tt.spoil(c)
				time.Sleep(time.Second)
				if tt.name == "no producer id" {
					warm(t, p, "t")
				}
				f := p.Send(t.Context(), record("late"))
				admitted := time.Now()
				time.Sleep(timeout - time.Millisecond)
				synctest.Wait()
				if finished(f) {
					_, err := f.Wait(t.Context())
					t.Fatalf("ended 1 ms too soon, or sooner: %v", err)
				}
				<-f.Done()
				if took := time.Since(admitted); took < timeout || took > timeout+10*time.Millisecond {
					t.Errorf("ended after %v, want %v, and 10 ms more at most", took, timeout)
				}
				_, err := f.Wait(t.Context())
				var failure *producer.SendError
				if !errors.Is(err, producer.ErrDeliveryTimeout) || !errors.As(err, &failure) {
					t.Fatalf("error = %v, want a SendError for delivery.timeout", err)
				}
				if failure.Topic != "t" || failure.Partition != 0 || failure.Elapsed < timeout {
					t.Errorf("error = %+v, want it of t-0 after %v", failure, timeout)
				}
				if tt.code != nil && !errors.Is(err, tt.code) {
					t.Errorf("error = %v, want it to tell %v, too", err, tt.code)
				}
				if got := producer.MayBeWritten(err); got != tt.maybe {
					t.Errorf("MayBeWritten = %v, want %v: %v", got, tt.maybe, err)
				}
				c.ClearFaults()
				c.Resume(1)
				_ = c.StartBroker(1)
				_ = c.MoveLeader("t", 0, 1)
				send(t, p, record("afterwards"))
			})
		})
	}
}

// A batch that expires in flight keeps its memory until its connection is
// through with it, and not longer.
func TestAnExpiredBatchKeepsItsBytes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) {
			cfg.DeliveryTimeout, cfg.RequestTimeout, cfg.Linger = 20*time.Second, 20*time.Second, 0
		})
		send(t, p, record("first"))
		release := make(chan struct{})
		c.On(brokertest.Produce).Do(brokertest.Pass().Held(release))
		time.Sleep(time.Second)
		f := p.Send(t.Context(), record("late"))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if !finished(f) {
			t.Fatal("not expired")
		}
		close(release)
		synctest.Wait()
		time.Sleep(time.Second)
		if n := p.Stats().BufferedBytes; n != 0 {
			t.Errorf("%d bytes are reserved after the late answer, want 0", n)
		}
		send(t, p, record("afterwards"))
		if err := c.Verify(nil); err != nil {
			t.Error(err)
		}
	})
}

// Send waits for metadata and for memory, for max.block in all.
func TestMaxBlockIsKept(t *testing.T) {
	const block = 7 * time.Second
	tests := []struct {
		name  string
		setup func(*testing.T, *brokertest.Cluster, *producer.Producer)
		full  bool
	}{
		{"metadata", func(t *testing.T, c *brokertest.Cluster, _ *producer.Producer) { c.StopBroker(1) }, false},
		{"memory", func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) {
			warm(t, p, "t")
			c.Pause(1)
			for p.TrySend(record(string(make([]byte, 1000))), nil) == nil {
			}
		}, true},
		{"one after the other", func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) {
			warm(t, p, "u")
			c.On(brokertest.Produce).Always().Do(brokertest.Swallow())
			for p.TrySend(producer.Record{Topic: "u", Value: make([]byte, 1000)}, nil) == nil {
			}
			c.On(brokertest.Metadata).Do(brokertest.Pass().Delayed(4 * time.Second))
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Topic("u", 1))
				p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock, cfg.BufferMemory = block, 32<<10 })
				tt.setup(t, c, p)
				begin := time.Now()
				f := p.Send(t.Context(), record(string(make([]byte, 3000)))) // too large for what may be left
				if took := time.Since(begin); took != block {
					t.Errorf("Send returned after %v, want %v", took, block)
				}
				_, err := f.Wait(t.Context())
				var admission *producer.AdmissionError
				if !errors.As(err, &admission) || !errors.Is(err, producer.ErrMaxBlock) || producer.MayBeWritten(err) {
					t.Errorf("error = %v, want an AdmissionError for max.block", err)
				}
				if got := errors.Is(err, producer.ErrBufferFull); got != tt.full {
					t.Errorf("ErrBufferFull = %v, want %v: %v", got, tt.full, err)
				}
				c.ClearFaults()
				c.Resume(1)
				if err := c.StartBroker(1); err != nil && tt.name == "metadata" {
					t.Error(err)
				}
			})
		})
	}
}

// The context of Send bounds its admission, nothing else; that of Wait bounds
// the wait, and leaves the record alone.
func TestContexts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		reason := errors.New("the caller has left")

		c.Pause(1)
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(reason) })
		begin := time.Now()
		_, err := p.Send(ctx, record("lost")).Wait(t.Context())
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("Send returned after %v, want 3 s", took)
		}
		var admission *producer.AdmissionError
		if !errors.As(err, &admission) || !errors.Is(err, reason) || producer.MayBeWritten(err) {
			t.Errorf("error = %v, want an AdmissionError with the cause", err)
		}
		// An ended context admits nothing, even if there is nothing to wait for.
		c.Resume(1)
		send(t, p, record("first"))
		if _, err := p.Send(ctx, record("lost")).Wait(t.Context()); !errors.As(err, &admission) || !errors.Is(err, reason) {
			t.Errorf("error = %v, want an AdmissionError with the cause", err)
		}

		c.On(brokertest.Produce).Do(brokertest.Pass().Delayed(10 * time.Second))
		ctx, cancel = context.WithCancelCause(t.Context())
		f := p.Send(ctx, record("kept"))
		cancel(reason) // the record was admitted
		waiting, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		md, err := f.Wait(waiting)
		if !errors.Is(err, producer.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) || !producer.MayBeWritten(err) {
			t.Errorf("error = %v, want ErrOutcomeUnknown with the cause, and MayBeWritten", err)
		}
		if md.Topic != "t" || md.Partition != 0 || md.Offset != -1 {
			t.Errorf("metadata = %+v, want t-0 without an offset", md)
		}
		if md, err = f.Wait(t.Context()); err != nil || md.Offset != 1 {
			t.Errorf("the second wait: %+v, %v; want offset 1", md, err)
		}
	})
}
