package producer_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

const linger = 250 * time.Millisecond

// A linger is kept to the millisecond, and cut short only by what says so.
func TestLinger(t *testing.T) {
	big := string(make([]byte, 20_000)) // more than batch.size
	tests := []struct {
		name string
		do   func(*testing.T, *producer.Producer, producer.Future)
		want time.Duration // from the record to its request
	}{
		{"nobody waits", func(t *testing.T, p *producer.Producer, f producer.Future) {}, linger},
		{"Done does not hurry it", func(t *testing.T, p *producer.Producer, f producer.Future) { <-f.Done() }, linger},
		{"more records", func(t *testing.T, p *producer.Producer, f producer.Future) {
			p.Send(t.Context(), record("b"))
		}, linger},
		{"Wait", func(t *testing.T, p *producer.Producer, f producer.Future) { f.Wait(t.Context()) }, 100 * time.Millisecond},
		{"SendSync of another record", func(t *testing.T, p *producer.Producer, f producer.Future) {
			p.SendSync(t.Context(), record("b"))
		}, 100 * time.Millisecond},
		{"Flush", func(t *testing.T, p *producer.Producer, f producer.Future) { p.Flush(t.Context()) }, 100 * time.Millisecond},
		{"Close", func(t *testing.T, p *producer.Producer, f producer.Future) { p.Close(t.Context()) }, 100 * time.Millisecond},
		{"a full batch", func(t *testing.T, p *producer.Producer, f producer.Future) {
			p.Send(t.Context(), record(big))
		}, 100 * time.Millisecond},
		{"somebody waits for memory", func(t *testing.T, p *producer.Producer, f producer.Future) {
			p.Send(t.Context(), producer.Record{Topic: "u", Value: make([]byte, 39_000)})
		}, 100 * time.Millisecond},
		{"another partition's full batch", func(t *testing.T, p *producer.Producer, f producer.Future) {
			p.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(1), Value: []byte(big)})
		}, linger},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2), brokertest.Topic("u", 1))
				p := start(t, c, func(cfg *producer.Config) { cfg.Linger, cfg.BufferMemory = linger, 64<<10 })
				warm(t, p, "t", "u")
				send(t, p, record("first"))
				time.Sleep(time.Second)
				c.ForgetRequests()
				begin := time.Now()
				f := p.Send(t.Context(), record("a"))
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
				if n := len(produced(c)); n != 0 {
					t.Fatalf("%d requests were sent before anybody asked for it", n)
				}
				tt.do(t, p, f)
				<-f.Done()
				for _, r := range c.Requests() {
					if r.APIKey == brokertest.Produce && r.Batches[0].Topic == "t" && r.Batches[0].Partition == 0 {
						if took := r.At.Sub(begin); took != tt.want {
							t.Errorf("sent after %v, want %v", took, tt.want)
						}
						return
					}
				}
				t.Error("never sent")
			})
		})
	}
}

// Without linger a record goes at once, and those that come while it is under
// way go together.
func TestBatchesGrowBehindABusyBroker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.Delay(100*time.Millisecond))
		p := start(t, c, func(cfg *producer.Config) { cfg.Linger, cfg.MaxInFlightRequestsPerConnection = 0, 1 })
		warm(t, p, "t")
		var last producer.Future
		for range 2000 {
			last = p.Send(t.Context(), record(string(make([]byte, 100))))
			time.Sleep(100 * time.Microsecond)
		}
		if _, err := last.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(c.Batches("t", 0)); n > 6 {
			t.Errorf("%d batches for 2000 records in 200 ms at a delay of 100 ms, want some 3", n)
		}
		if n := c.MaxUnanswered(); n != 1 {
			t.Errorf("%d requests in flight, want 1", n)
		}
	})
}

// TrySend never waits: for a topic that is not known, nor for memory.
func TestTrySend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		p := start(t, c, func(cfg *producer.Config) { cfg.BufferMemory = 32 << 10 })
		begin := time.Now()
		never := func(producer.RecordMetadata, error) {
			t.Error("the callback of a record that was not taken was called")
		}
		if err := p.TrySend(record("a"), never); !errors.Is(err, producer.ErrTopicNotLoaded) {
			t.Errorf("error = %v, want ErrTopicNotLoaded", err)
		}
		if !time.Now().Equal(begin) {
			t.Error("it waited for metadata")
		}
		time.Sleep(time.Second) // the look-up has been started
		var got outcomes
		if err := p.TrySend(record("b"), got.of("b")); err != nil {
			t.Errorf("the topic is known by now, and it says %v", err)
		}
		time.Sleep(time.Second)
		if all := got.all(); len(all) != 1 || all[0].err != nil || all[0].md.Offset != 0 {
			t.Errorf("outcomes = %+v, want offset 0", all)
		}
		c.Pause(1)
		begin = time.Now()
		var err error
		for range 100 {
			if err = p.TrySend(record(string(make([]byte, 1000))), nil); err != nil {
				break
			}
		}
		if !errors.Is(err, producer.ErrBufferFull) || producer.MayBeWritten(err) || !time.Now().Equal(begin) {
			t.Errorf("error = %v after %v, want ErrBufferFull at once", err, time.Since(begin))
		}
		if err := p.TrySend(producer.Record{Topic: "a/b"}, nil); err == nil || errors.Is(err, producer.ErrTopicNotLoaded) {
			t.Errorf("error = %v, want that the name is illegal", err)
		}
		c.Resume(1)
	})
}

// A linger that is short goes on while somebody waits for memory, as long as
// something is in flight whose answer will bring some. With nothing in flight
// only sending can.
func TestAShortLingerIsSatOut(t *testing.T) {
	const linger = 80 * time.Millisecond
	for name, tt := range map[string]struct {
		inFlight bool
		want     time.Duration
	}{
		"something is in flight": {true, linger},
		"nothing is":             {false, 10 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 2), brokertest.Delay(20*time.Millisecond))
				p := start(t, c, func(cfg *producer.Config) { cfg.Linger, cfg.BufferMemory = linger, 128<<10 })
				warm(t, p, "t")
				send(t, p, record("first"))
				send(t, p, producer.Record{Topic: "t", Partition: producer.OnPartition(1)})
				c.ForgetRequests()
				begin := time.Now()
				f := p.Send(t.Context(), record("a"))
				size := 39_000
				if tt.inFlight {
					p.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(1), Value: make([]byte, size)})
				} else {
					size = 129_500 // beside the open batch there is no room for it
				}
				time.Sleep(10 * time.Millisecond)
				p.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(1), Value: make([]byte, size)}) // waits
				<-f.Done()
				for _, r := range c.Requests() {
					if r.APIKey == brokertest.Produce && r.Batches[0].Partition == 0 {
						if took := r.At.Sub(begin); took != tt.want {
							t.Errorf("sent after %v, want %v", took, tt.want)
						}
						return
					}
				}
				t.Error("never sent")
			})
		})
	}
}
