package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// sizes sums up the produce requests that a cluster got: batches within limit bytes, and those that are larger.
type sizes struct{ taken, refused, bytesTaken, bytesRefused, largest int }

func sizesOf(requests []brokertest.Request, limit int) (s sizes) {
	for _, r := range requests {
		for _, b := range r.Batches {
			if s.largest = max(s.largest, b.Size); b.Size > limit {
				s.refused++
				s.bytesRefused += b.Size
				continue
			}
			s.taken++
			s.bytesTaken += b.Size
		}
	}
	return s
}

// A burst had to wait for its broker, so its batches are large, and the topic takes small ones. The first refusals teach
// what is to become of all that waits.
func TestABurstForATopicOfSmallBatches(t *testing.T) {
	for _, limit := range []int{10_000, 100_000} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const partitions, records, size = 4, 64_000, 100
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", partitions), brokertest.KeepRequests(10_000))
				if err := c.SetTopicMaxBytes("t", limit); err != nil {
					t.Fatal(err)
				}
				p := start(t, c)
				warm(t, p, "t")
				slow := make(chan struct{})
				c.On(brokertest.Produce).Do(brokertest.Pass().Held(slow))
				value := make([]byte, size)
				for i := range records {
					rec := producer.Record{Topic: "t", Partition: producer.OnPartition(int32(i % partitions)), Value: value}
					p.SendFunc(t.Context(), rec, func(_ producer.RecordMetadata, err error) {
						if err != nil {
							t.Errorf("a record failed: %v", err)
						}
					})
				}
				close(slow)
				if err := p.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				s := sizesOf(c.Requests(), limit)
				// Each partition sends one batch of 1 MiB before it can know better, and the cap is found in halves.
				if s.refused > 12*partitions || s.bytesRefused > 2*s.bytesTaken {
					t.Errorf("%+v, want few batches to be refused", s)
				}
				if s.taken > 3*s.bytesTaken/limit {
					t.Errorf("%d batches for %d bytes, want no more than three times as many as fit", s.taken, s.bytesTaken)
				}
				if err := c.Verify(nil); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A limit that is too small for a moment makes batches small for a minute or two, not for ever.
func TestALimitThatIsLowForAMoment(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1), brokertest.KeepRequests(10_000))
		p := start(t, c, func(cfg *producer.Config) { cfg.Linger, cfg.BatchSize = 10*time.Millisecond, 100_000 })
		warm(t, p, "t")
		burst := func() {
			for i := range 500 {
				p.Send(t.Context(), record(fmt.Sprintf("%100d", i)))
			}
			if err := p.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		burst()
		if err := c.SetTopicMaxBytes("t", 250); err != nil {
			t.Fatal(err)
		}
		burst()
		if err := c.SetTopicMaxBytes("t", 1<<20); err != nil {
			t.Fatal(err)
		}
		for range 30 {
			time.Sleep(5 * time.Second)
			burst()
		}
		c.ForgetRequests()
		burst()
		if s := sizesOf(c.Requests(), 1<<20); s.taken > 2 || s.largest < 30_000 {
			t.Errorf("two minutes later 500 records go in %+v, want one large batch or two", s)
		}
		if err := c.Verify(func(r brokertest.Record) string { return fmt.Sprint(r.Offset) }); err != nil {
			t.Error(err)
		}
	})
}

// While the limit stays low, no more than one batch a minute is refused.
func TestOneProbeAMinute(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const limit = 10_000
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3), brokertest.KeepRequests(100_000))
		if err := c.SetTopicMaxBytes("t", limit); err != nil {
			t.Fatal(err)
		}
		p := start(t, c)
		warm(t, p, "t")
		burst := func() {
			for i := range 600 {
				p.Send(t.Context(), producer.Record{Topic: "t", Partition: producer.OnPartition(int32(i % 3)), Value: make([]byte, 100)})
			}
			if err := p.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			burst()
		}
		c.ForgetRequests()
		const minutes = 5
		for range minutes * 12 {
			time.Sleep(5 * time.Second)
			burst()
		}
		s := sizesOf(c.Requests(), limit)
		if s.refused == 0 || s.refused > minutes+1 {
			t.Errorf("in %d minutes %+v, want one refused in each", minutes, s)
		}
	})
}

// inDoubt is how many records loseAnswer sends.
const inDoubt = 20

// loseAnswer is sendInDoubt by a producer without transactions.
func loseAnswer(t *testing.T, fault *brokertest.Action, spoil func(*brokertest.Cluster) error, invalid ...int) (*brokertest.Cluster, []error) {
	c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
	p := start(t, c, func(cfg *producer.Config) { cfg.Linger = 10 * time.Millisecond })
	errs := sendInDoubt(t, c, p, fault, spoil, invalid...)
	if err := c.Verify(func(r brokertest.Record) string { return string(r.Value) }); err != nil {
		t.Error(err)
	}
	return c, errs
}

// sendInDoubt sends a batch whose first attempt ends in fault, and then spoils its topic. It returns how its records ended;
// those that are invalid have no key.
func sendInDoubt(
	t *testing.T, c *brokertest.Cluster, p *producer.Producer, fault *brokertest.Action, spoil func(*brokertest.Cluster) error, invalid ...int,
) []error {
	warm(t, p, "t")
	first := record("first")
	first.Key = []byte("k")
	send(t, p, first)
	c.On(brokertest.Produce).Do(fault)
	var futures []producer.Future
	for i := range inDoubt {
		rec := record(fmt.Sprintf("%05d%100s", i, ""))
		if !slices.Contains(invalid, i) {
			rec.Key = []byte("k")
		}
		futures = append(futures, p.Send(t.Context(), rec))
	}
	time.Sleep(20 * time.Millisecond) // the first attempt is over
	if err := spoil(c); err != nil {
		t.Fatal(err)
	}
	errs := make([]error, inDoubt)
	for i, f := range futures {
		_, errs[i] = f.Wait(t.Context())
	}
	return errs
}

func shrink(c *brokertest.Cluster) error  { return c.SetTopicMaxBytes("t", 1000) }
func compact(c *brokertest.Cluster) error { return c.SetCompacted("t", true) }

// One answer is lost, and then the batch is refused for good: too large, or some of its records invalid. What is in no log
// is sent, or fails as what is not written.
func TestRefusedForGoodAfterALostAnswer(t *testing.T) {
	t.Run("too large, and in no log", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			c, errs := loseAnswer(t, brokertest.Drop(), shrink)
			for i, err := range errs {
				if err != nil {
					t.Errorf("record %d: %v", i, err)
				}
			}
			if got := len(logged(c)); got != inDoubt+1 {
				t.Errorf("the log holds %d records, want %d", got, inDoubt+1)
			}
		})
	})
	t.Run("too large, and in the log", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			c, errs := loseAnswer(t, brokertest.HandleThenDrop(), shrink)
			for i, err := range errs {
				if err != nil && !producer.MayBeWritten(err) {
					t.Errorf("record %d is in the log, and failed with %v", i, err)
				}
			}
			if got := len(logged(c)); got != inDoubt+1 {
				t.Errorf("the log holds %d records, want %d", got, inDoubt+1)
			}
		})
	})
	t.Run("two invalid, and in no log", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			c, errs := loseAnswer(t, brokertest.Drop(), compact, 0, 7)
			for i, err := range errs {
				if i == 0 || i == 7 {
					if !errors.Is(err, protocol.InvalidRecord) || producer.MayBeWritten(err) {
						t.Errorf("record %d without a key: %v, want INVALID_RECORD and not in the log", i, err)
					}
				} else if err != nil {
					t.Errorf("record %d: %v", i, err)
				}
			}
			if got := len(logged(c)); got != inDoubt-1 {
				t.Errorf("the log holds %d records, want %d", got, inDoubt-1)
			}
		})
	})
	t.Run("two invalid by now, and in the log", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			c, errs := loseAnswer(t, brokertest.HandleThenDrop(), compact, 0, 7)
			for i, err := range errs {
				if err != nil && !producer.MayBeWritten(err) {
					t.Errorf("record %d is in the log, and failed with %v", i, err)
				}
			}
			if got := len(logged(c)); got != inDoubt+1 {
				t.Errorf("the log holds %d records, want %d", got, inDoubt+1)
			}
		})
	})
}

// The same in a transaction. One that is too large and in no log goes on in pieces, and all of it is committed. If records are at
// fault, or if the batch is in the log after all, the transaction can only be aborted, and nobody sees any part of it.
func TestRefusedForGoodInATransaction(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fault   *brokertest.Action
		spoil   func(*brokertest.Cluster) error
		invalid []int
		logged  int // of the records, in the end
		commits bool
	}{
		{"too large, and in no log", brokertest.Drop(), shrink, nil, inDoubt, true},
		{"too large, and in the log", brokertest.HandleThenDrop(), shrink, nil, inDoubt, false},
		{"two invalid, and in no log", brokertest.Drop(), compact, []int{0, 7}, 0, false},
		{"two invalid by now, and in the log", brokertest.HandleThenDrop(), compact, []int{0, 7}, inDoubt, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inEachProtocol(t, func(t *testing.T, s speech) {
				c := s.cluster(t)
				p := transactional(t, c, func(cfg *producer.Config) { cfg.Linger = 10 * time.Millisecond })
				begin(t, p)
				errs := sendInDoubt(t, c, p, tt.fault, tt.spoil, tt.invalid...)
				if got := len(logged(c)); got != tt.logged+1 {
					t.Errorf("the log holds %d records, want %d", got, tt.logged+1)
				}
				if tt.commits {
					for i, err := range errs {
						if err != nil {
							t.Errorf("record %d: %v", i, err)
						}
					}
					commit(t, p)
					if got := c.Committed("t", 0); len(got) != inDoubt+1 {
						t.Errorf("%d records are to be seen, want %d", len(got), inDoubt+1)
					}
					soundLog(t, c)
					return
				}
				for i, err := range errs {
					switch {
					case err == nil, tt.logged > 0 && !producer.MayBeWritten(err):
						t.Errorf("record %d ended with %v, and %d of %d are in the log", i, err, tt.logged, inDoubt)
					case slices.Contains(tt.invalid, i) && !errors.Is(err, protocol.InvalidRecord):
						t.Errorf("record %d without a key: %v, want INVALID_RECORD", i, err)
					}
				}
				wantTold(t, "CommitTransaction", p.CommitTransaction(t.Context()), openAbort)
				abort(t, p)
				wantVisible(t, c, "")
				if err := c.SetCompacted("t", false); err != nil {
					t.Fatal(err)
				}
				transaction(t, p, "next")
				wantVisible(t, c, "next")
				soundLog(t, c)
			})
		})
	}
}
