package producer_test

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

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// Close delivers what it has, and returns when all callbacks have.
func TestCloseDrains(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Delay(time.Second))
		p := start(t, c, func(cfg *producer.Config) { cfg.Linger = time.Minute })
		warm(t, p, "t")
		var got outcomes
		for i := range 100 {
			p.SendFunc(t.Context(), record(fmt.Sprint(i)), func(md producer.RecordMetadata, err error) {
				time.Sleep(10 * time.Millisecond)
				got.of(fmt.Sprint(i))(md, err)
			})
		}
		if err := p.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		for i, o := range got.all() {
			if o.err != nil || o.name != fmt.Sprint(i) || o.md.Offset != int64(i) {
				t.Errorf("outcome %d = %+v, want record %d at its offset", i, o, i)
			}
		}
		if n, in := len(got.all()), len(logged(c)); n != 100 || in != 100 {
			t.Errorf("%d callbacks and %d records in the log, want 100 of each", n, in)
		}
		if s := p.Stats(); s.BufferedBytes != 0 || s.InFlight != 0 || s.Acknowledged != 100 {
			t.Errorf("stats = %+v, want nothing left", s)
		}
	})
}

// When its context ends first, Close fails what is left with ErrClosed, and
// returns at once. Each of these records has its one outcome.
func TestCloseGivesUpInTime(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*brokertest.Cluster)
		maybe bool
	}{
		{"a frozen broker", func(c *brokertest.Cluster) { c.Pause(1) }, true},
		{"a broker that is down", func(c *brokertest.Cluster) { c.StopBroker(1) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
				p := start(t, c, func(cfg *producer.Config) { cfg.Linger, cfg.BufferMemory = 0, 64<<10 })
				send(t, p, record("first"))
				tt.spoil(c)
				time.Sleep(time.Second)
				var got outcomes
				f := p.Send(t.Context(), record("a"))
				p.SendFunc(t.Context(), record("b"), got.of("b"))
				blocked := make(chan error, 1)
				go func() { // one that waits for memory is let go, too
					_, err := p.Send(t.Context(), record(string(make([]byte, 60_000)))).Wait(t.Context())
					blocked <- err
				}()
				synctest.Wait()
				begin := time.Now()
				err := closeWithin(p, 5*time.Second)
				if took := time.Since(begin); took != 5*time.Second {
					t.Errorf("Close returned after %v, want 5 s", took)
				}
				if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "2 records") {
					t.Errorf("Close: %v, want the cause and the 2 records that were not acknowledged", err)
				}
				if _, err := f.Wait(t.Context()); !errors.Is(err, producer.ErrClosed) || producer.MayBeWritten(err) != tt.maybe {
					t.Errorf("error = %v, want ErrClosed, may be written %v", err, tt.maybe)
				}
				if err := <-blocked; !errors.Is(err, producer.ErrClosed) || producer.MayBeWritten(err) {
					t.Errorf("one who waited for memory got %v, want ErrClosed", err)
				}
				synctest.Wait()
				if all := got.all(); len(all) != 1 || !errors.Is(all[0].err, producer.ErrClosed) {
					t.Errorf("callbacks = %+v, want ErrClosed once", all)
				}
				if n := p.Stats().BufferedBytes; n != 0 {
					t.Errorf("%d bytes are reserved, want 0", n)
				}
			})
		})
	}
}

// Close may come twice, at once, and after the end; nothing is taken afterwards.
func TestAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		f := p.Send(t.Context(), record("a"))
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := p.Close(t.Context()); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
		}
		wg.Wait()
		if !finished(f) {
			t.Error("Close returned before the record ended")
		}
		if err := p.Close(t.Context()); err != nil {
			t.Errorf("Close again: %v", err)
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Errorf("Flush: %v", err)
		}
		var got outcomes
		p.SendFunc(t.Context(), record("b"), got.of("b"))
		_, one := p.Send(t.Context(), record("b")).Wait(t.Context())
		_, two := p.SendSync(t.Context(), producer.Record{Topic: "unheard-of"})
		_, three := p.Partitions(t.Context(), "unheard-of")
		for i, err := range []error{one, two, three, p.TrySend(record("b"), nil), got.all()[0].err} {
			if !errors.Is(err, producer.ErrClosed) || i != 3 && producer.MayBeWritten(err) && i != 2 {
				t.Errorf("way %d: %v, want ErrClosed", i, err)
			}
		}
		if got := logged(c); !slices.Equal(got, []string{"a"}) {
			t.Errorf("the log holds %v, want a alone", got)
		}
	})
}

// Flush inside a callback waits for itself. It ends after max.block with an
// error that says so; the producer goes on.
func TestFlushInACallbackEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 7 * time.Second })
		warm(t, p, "t")
		done := make(chan error, 1)
		begin := time.Now()
		p.SendFunc(t.Context(), record("a"), func(producer.RecordMetadata, error) {
			begin = time.Now()
			done <- p.Flush(t.Context())
		})
		err := <-done
		if took := time.Since(begin); !errors.Is(err, producer.ErrCallback) || took != 7*time.Second {
			t.Errorf("Flush: %v after %v, want ErrCallback after max.block, 7 s", err, took)
		}
		send(t, p, record("b"))
		if err := p.Flush(t.Context()); err != nil {
			t.Errorf("Flush outside: %v", err)
		}
	})
}

// If ctx ends first, the error is that of ctx, and says the same.
func TestFlushInACallbackSaysSoWhenItsContextEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 7 * time.Second })
		warm(t, p, "t")
		done := make(chan error, 1)
		p.SendFunc(t.Context(), record("a"), func(producer.RecordMetadata, error) { done <- p.Flush(endsIn(t, time.Second)) })
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "one that calls Flush or Close waits for itself") {
			t.Errorf("Flush: %v, want the end of ctx, and that a callback waits for itself", err)
		}
	})
}

// So does Close: it has delivered what there was, but for its own callback.
func TestCloseInACallbackEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 7 * time.Second })
		warm(t, p, "t")
		done := make(chan error, 1)
		var got outcomes
		p.SendFunc(t.Context(), record("a"), func(producer.RecordMetadata, error) { done <- p.Close(t.Context()) })
		p.SendFunc(t.Context(), record("b"), got.of("b"))
		if err := <-done; !errors.Is(err, producer.ErrCallback) {
			t.Errorf("Close: %v, want ErrCallback", err)
		}
		synctest.Wait()
		if all := got.all(); len(all) != 1 || all[0].err != nil {
			t.Errorf("the other record ended with %+v, want it delivered", all)
		}
	})
}

// Flush waits for callbacks, however long each of many takes.
func TestFlushWaitsForSlowCallbacks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.MaxBlock = 7 * time.Second })
		warm(t, p, "t")
		ended := 0
		for range 20 { // all in one batch
			p.SendFunc(t.Context(), record("a"), func(producer.RecordMetadata, error) { time.Sleep(3 * time.Second); ended++ })
		}
		one := func(producer.RecordMetadata, error) { time.Sleep(4 * time.Second); ended++ }
		for range 6 { // one function for neighbouring records
			p.SendFunc(t.Context(), record("a"), one)
		}
		if err := p.Flush(t.Context()); err != nil || ended != 26 {
			t.Errorf("Flush: %v after %d callbacks, want all 26", err, ended)
		}
	})
}

// Flush ends with its context, and what is under way goes on.
func TestFlushEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c)
		send(t, p, record("first"))
		c.Pause(1)
		f := p.Send(t.Context(), record("a"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush: %v, want the end of its context", err)
		}
		c.Resume(1)
		if _, err := f.Wait(t.Context()); err != nil {
			t.Errorf("the record ended with %v, want it delivered", err)
		}
	})
}

// A ctx that has ended is no error where there is nothing to wait for: nothing was left undone.
func TestNothingIsLeftToWaitFor(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	calls := map[string]func(*producer.Producer) error{
		"Flush": func(p *producer.Producer) error { return p.Flush(ended) },
		"Close": func(p *producer.Producer) error { return p.Close(ended) },
	}
	for name, call := range calls {
		for _, tt := range []struct {
			name   string
			before func(*testing.T, *brokertest.Cluster, *producer.Producer)
			left   producer.Undelivered
			ok     bool
			within time.Duration
		}{
			{"never used", func(*testing.T, *brokertest.Cluster, *producer.Producer) {}, producer.Undelivered{}, true, 0},
			{"all delivered", func(t *testing.T, _ *brokertest.Cluster, p *producer.Producer) { send(t, p, record("a")) }, producer.Undelivered{}, true, 0},
			{"a record is left", func(t *testing.T, c *brokertest.Cluster, p *producer.Producer) {
				warm(t, p, "t")
				c.Pause(1)
				p.SendFunc(t.Context(), record("a"), nil)
				time.Sleep(time.Second)
			}, producer.Undelivered{NotWritten: 1}, false, 0},
			{"a callback runs", func(t *testing.T, _ *brokertest.Cluster, p *producer.Producer) {
				p.SendFunc(t.Context(), record("a"), func(producer.RecordMetadata, error) { time.Sleep(10 * time.Second) })
				time.Sleep(time.Second)
			}, producer.Undelivered{}, false, time.Second},
		} {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
					p := start(t, c)
					tt.before(t, c, p)
					began := time.Now()
					err := call(p)
					c.Resume(1)
					if took := time.Since(began); took > tt.within+10*time.Millisecond {
						t.Errorf("it took %v, want %v", took, tt.within)
					}
					var left producer.Undelivered
					if e, ok := errors.AsType[*producer.FlushError](err); ok {
						left = e.Waiting
					}
					if e, ok := errors.AsType[*producer.CloseError](err); ok {
						left = e.Lost
					}
					if (err == nil) != tt.ok || left != tt.left || err != nil && !errors.Is(err, context.Canceled) {
						t.Errorf("%v, with %+v left, want no error: %v, and %+v left", err, left, tt.ok, tt.left)
					}
					for range 20 {
						if err := call(p); tt.ok && err != nil {
							t.Fatalf("the same call again: %v", err)
						}
					}
				})
			})
		}
	}
}
