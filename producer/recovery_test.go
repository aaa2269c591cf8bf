package producer_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// An outage is a shape of docs/recovery.md: how it begins and ends for one broker, and what a client may wait for.
type outageShape struct {
	name       string
	begin, end func(c *brokertest.Cluster, broker int32)
	// unclosed says that connections from before it are never closed, and lost: what is unanswered there is
	// noticed by request.timeout alone.
	unclosed bool
}

func network(how brokertest.Outage) (begin, end func(*brokertest.Cluster, int32)) {
	return func(c *brokertest.Cluster, id int32) { c.Break(id, how) }, (*brokertest.Cluster).Mend
}

func shapes() []outageShape {
	var all []outageShape
	for _, s := range []struct {
		name     string
		how      brokertest.Outage
		unclosed bool
	}{
		{"refused", brokertest.Refusing, false},
		{"reset", brokertest.Resetting, false},
		{"silent", brokertest.Silent, true},
		{"dropped", brokertest.Dropping, true},
		{"dripping", brokertest.Dripping, true},
	} {
		begin, end := network(s.how)
		all = append(all, outageShape{s.name, begin, end, s.unclosed})
	}
	all = append(all, outageShape{"frozen", (*brokertest.Cluster).Pause, (*brokertest.Cluster).Resume, false})
	// What is open is cut, and what is opened then is lost: only an attempt begun after the outage gets through.
	all = append(all, outageShape{"half open", func(c *brokertest.Cluster, id int32) {
		c.CutConnections(id, true)
		c.Break(id, brokertest.Silent)
	}, (*brokertest.Cluster).Mend, false})
	return all
}

// A load sends to each partition of topic t without pause, and notes when each first had an acknowledgement.
type load struct {
	mu     sync.Mutex
	since  time.Time           // of the acknowledgements noted
	acks   map[int32]time.Time // the first since then, by partition
	sent   int
	failed []error
	stop   chan struct{}
	done   sync.WaitGroup
}

func newLoad(_ *testing.T, p *producer.Producer, partitions int32) *load {
	l := &load{acks: map[int32]time.Time{}, stop: make(chan struct{})}
	for i := range partitions {
		l.repeat(func() {
			p.TrySend(l.next(i, 0), func(_ producer.RecordMetadata, err error) { l.ended(i, err) })
		})
	}
	return l
}

// newBlockedLoad is a load of records of 4 kB each, from callers that wait for memory.
func newBlockedLoad(t *testing.T, p *producer.Producer, partitions int32) *load {
	l := &load{acks: map[int32]time.Time{}, stop: make(chan struct{})}
	for i := range partitions {
		l.repeat(func() {
			p.SendFunc(t.Context(), l.next(i, 4000), func(_ producer.RecordMetadata, err error) { l.ended(i, err) })
		})
	}
	return l
}

// newTransactions is a load of transactions of one record for each partition. It notes when they are committed.
func newTransactions(t *testing.T, p *producer.Producer, partitions int32) *load {
	l := &load{acks: map[int32]time.Time{}, stop: make(chan struct{})}
	l.repeat(func() {
		err := p.Transact(t.Context(), func(tx *producer.Tx) error {
			for i := range partitions {
				tx.Send(t.Context(), l.next(i, 0))
			}
			return nil
		})
		for i := range partitions {
			l.ended(i, err)
		}
	})
	return l
}

// repeat calls f every 50 ms, on a goroutine of its own.
func (l *load) repeat(f func()) {
	l.done.Go(func() {
		for {
			select {
			case <-l.stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
			f()
		}
	})
}

// next is a record that differs from all others, with so many bytes more.
func (l *load) next(partition int32, more int) producer.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	return producer.Record{
		Topic: "t", Partition: producer.OnPartition(partition), Value: fmt.Append(nil, l.sent, strings.Repeat(" ", more)),
	}
}

// ended notes how a record has ended.
func (l *load) ended(partition int32, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed = append(l.failed, err)
	} else if _, ok := l.acks[partition]; !ok {
		l.acks[partition] = time.Now()
	}
}

// forget begins to note acknowledgements anew.
func (l *load) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since = time.Now()
	clear(l.acks)
}

// last returns when the last of n partitions had its first acknowledgement, after since.
func (l *load) last(n int) (after time.Duration, all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range l.acks {
		after = max(after, at.Sub(l.since))
	}
	return after, len(l.acks) == n
}

// The settings of the outages.
var recoverySettings = []struct {
	name              string
	request, delivery time.Duration
}{
	{"defaults", 30 * time.Second, 2 * time.Minute},
	{"short", 3 * time.Second, 8 * time.Second},
}

// After an outage of any shape every partition acknowledges again within the backoff in force and 0.3 s, or when a
// request has had its time that was unanswered on a connection that nobody closed. Nothing fails for want of an attempt.
func TestRecovery(t *testing.T) {
	for _, s := range recoverySettings {
		for _, shape := range shapes() {
			for _, of := range []struct {
				brokers int32
				lasts   time.Duration
			}{{1, 2 * time.Second}, {1, 6 * time.Second}, {3, 6 * time.Second}, {3, 20 * time.Second}} {
				t.Run(fmt.Sprintf("%s/%s/%d of 3/%v", s.name, shape.name, of.brokers, of.lasts), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						recovery(t, shape, of.brokers, of.lasts, s.request, s.delivery, sending{begin: newLoad})
					})
				})
			}
		}
	}
}

// A sending is what a producer sends through an outage.
type sending struct {
	config func(*producer.Config) // nil: it takes none
	begin  func(*testing.T, *producer.Producer, int32) *load
	before func(*testing.T, *producer.Producer) // the outage ends, what must be so; nil: nothing
}

// The same in an outage in which TCP accepts and nobody answers, for a producer whose memory is used up meanwhile, and for one
// that sends transactions. What counts of these is the first commit after the outage. A transaction whose records expired in it
// is aborted first.
func TestRecoveryFromSilence(t *testing.T) {
	for name, how := range map[string]sending{
		"memory used up": {
			func(cfg *producer.Config) { cfg.BufferMemory = 64 << 10 }, newBlockedLoad,
			func(t *testing.T, p *producer.Producer) {
				rec := producer.Record{Topic: "t", Value: make([]byte, 16<<10)}
				if err := p.TrySend(rec, nil); !errors.Is(err, producer.ErrBufferFull) {
					t.Errorf("at the end of the outage one more record: %v, want %v", err, producer.ErrBufferFull)
				}
			},
		},
		"transactions": {func(cfg *producer.Config) { cfg.TransactionalID = "tx" }, newTransactions, nil},
	} {
		for _, s := range recoverySettings {
			for _, shape := range shapes() {
				for _, lasts := range []time.Duration{6 * time.Second, 20 * time.Second} {
					if shape.name != "silent" && shape.name != "half open" {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%s/%v", name, s.name, shape.name, lasts), func(t *testing.T) {
						bubble(t, func(t *testing.T) { recovery(t, shape, 3, lasts, s.request, s.delivery, how) })
					})
				}
			}
		}
	}
}

// backoffInForce is reconnect.backoff.max.ms, and a fifth of it.
const backoffInForce = 1200 * time.Millisecond

func recovery(t *testing.T, shape outageShape, brokers int32, lasts, request, delivery time.Duration, how sending) {
	c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 3))
	p := start(t, c, func(cfg *producer.Config) {
		cfg.RequestTimeout, cfg.DeliveryTimeout = request, delivery
		if how.config != nil {
			how.config(cfg)
		}
	})
	warm(t, p, "t")
	l := how.begin(t, p, 3)
	time.Sleep(time.Second)
	for id := range brokers {
		shape.begin(c, id+1)
	}
	time.Sleep(lasts)
	if how.before != nil {
		how.before(t, p)
	}
	for id := range brokers {
		shape.end(c, id+1)
	}
	l.forget()
	bound := backoffInForce + 300*time.Millisecond
	if shape.unclosed {
		bound = max(bound, request+bound-lasts)
	}
	time.Sleep(bound)
	took, all := l.last(3)
	if !all {
		t.Errorf("not all partitions acknowledge again within %v", bound)
	}
	close(l.stop)
	l.done.Wait()
	if err := p.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	t.Logf("after %v, %d of %d failed", took, len(l.failed), l.sent)
	if n := len(l.failed); n > 0 && lasts+bound < delivery {
		t.Errorf("%d records failed: %v", n, l.failed[0])
	}
	if err := c.Verify(func(r brokertest.Record) string { return string(r.Value) }); err != nil {
		t.Error(err)
	}
}

// An outage comes again and again, each time before all is as it was. Each time the partitions are back within the bound,
// and no record fails: what an outage has lengthened does not add up.
func TestRecoveryFromFlapping(t *testing.T) {
	for _, shape := range shapes() {
		t.Run(shape.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 3))
				p := start(t, c, func(cfg *producer.Config) {
					cfg.RequestTimeout, cfg.DeliveryTimeout = 3*time.Second, 8*time.Second
				})
				warm(t, p, "t")
				l := newLoad(t, p, 3)
				time.Sleep(time.Second)
				for range 10 {
					for id := range int32(3) {
						shape.begin(c, id+1)
					}
					time.Sleep(4 * time.Second)
					for id := range int32(3) {
						shape.end(c, id+1)
					}
					l.forget()
					time.Sleep(2 * time.Second)
					if took, all := l.last(3); !all || took > backoffInForce+300*time.Millisecond {
						t.Errorf("all partitions acknowledge: %v, after %v", all, took)
					}
				}
				close(l.stop)
				l.done.Wait()
				if err := p.Flush(t.Context()); err != nil {
					t.Error(err)
				}
				if len(l.failed) > 0 {
					t.Errorf("%d of %d records failed: %v", len(l.failed), l.sent, l.failed[0])
				}
			})
		})
	}
}

// A broker that takes 7 s for each answer is reached, beside whatever is begun for want of an answer: the first attempt
// has all of its time.
func TestSlowBrokerIsReached(t *testing.T) {
	for _, delay := range []time.Duration{300 * time.Millisecond, 1500 * time.Millisecond, 7 * time.Second} {
		t.Run(delay.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(3), brokertest.Topic("t", 3), brokertest.Delay(delay))
				p := start(t, c)
				began := time.Now()
				send(t, p, record("a"))
				// ApiVersions, metadata; ApiVersions of the leader, the producer id; Produce.
				if took, want := time.Since(began), 6*delay+time.Second; took > want {
					t.Errorf("the first record took %v, want at most %v", took, want)
				}
				if n := c.Connections(1) + c.Connections(2) + c.Connections(3); n > 9*maxDials {
					t.Errorf("%d connections, want at most %d for each broker and lane, and bootstrap server", n, maxDials)
				}
				time.Sleep(time.Minute)
				if n := c.Connections(1) + c.Connections(2) + c.Connections(3); n > 9 {
					t.Errorf("%d connections are left, want one at most for each broker and lane, and bootstrap server", n)
				}
			})
		})
	}
}

// maxDials bounds the attempts to connect of a broker and lane that are under way at once.
const maxDials = 4

// A broker that lets nothing through is not flooded: attempts are apart by the backoff, and few are open at a time.
func TestSilentBrokerIsNotFlooded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Brokers(1), brokertest.Topic("t", 1))
		p := start(t, c)
		send(t, p, record("a"))
		c.CutConnections(1, true)
		c.Break(1, brokertest.Silent)
		for range 10 {
			f := p.Send(t.Context(), record("b"))
			defer f.Wait(t.Context())
		}
		most := 0
		before := c.Dials(1)
		for range 600 {
			time.Sleep(100 * time.Millisecond)
			most = max(most, c.Connections(1))
		}
		dials := c.Dials(1) - before
		// The two lanes, and the bootstrap server's.
		if most > 3*maxDials || dials > 3*75 || dials < 60 {
			t.Errorf("%d connections at a time and %d dials in a minute, want at most %d, and one a second for each lane", most, dials, 3*maxDials)
		}
		c.Mend(1)
	})
}
