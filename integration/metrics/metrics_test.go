package metrics

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/tap"
)

var (
	update = flag.Bool("update", false, "write the tables of docs/metrics.md anew")
	long   = flag.Duration("for", 10*time.Second, "how long the load without a pause lasts, at least")
)

// Both clients send the same records to a real Kafka, and meet the same faults. What they count is what came out of them and is in
// the log, to the record and the byte, and where the two do not count the same it is known why.
func TestMetricsBesideJava(t *testing.T) {
	s := open(t)
	rounds := s.rounds(t)
	rounds.agrees(t, 3) // two are too large, and one expires
	rounds.compare(t, exactly)
	steady := s.steady(t)
	steady.agrees(t, 0)
	steady.compare(t, ofItsOwn)
	document(t, rounds, steady)
}

// rounds is a load in steps: both clients send the same batches in the same requests, of which some meet a fault.
func (s *site) rounds(t *testing.T) *load {
	l := s.start(t, "rounds", map[string]string{
		"linger.ms": "2000", "batch.size": "65536", // a batch is what is sent between two flushes
		"request.timeout.ms": "6000", "delivery.timeout.ms": "10000", "enable.metrics.push": "false",
	})
	round := int64(0)
	step := func(what string, topic func(client) string, first, last int64) {
		t.Helper()
		from := round * stride
		l.both(t, what, func(ctx context.Context, c client) error {
			if err := c.send(ctx, topic(c), from+first, from+last); err != nil {
				return err
			}
			return l.flush(ctx, c)
		})
		round++
	}
	calm := func() { step("a round", l.topicOf, 0, regular) }
	for range 3 {
		calm()
	}
	for _, how := range []tap.Fate{tap.Cut, tap.Lose} {
		for broker := range brokers {
			for _, c := range l.clients {
				l.wire.Strike(l.idOf(c), broker, how)
			}
			calm()
		}
		calm()
	}
	step("a record", l.smallOf, single, largeThere)
	step("a record that is too large for its topic", l.smallOf, largeThere, largeHere)
	step("a record that is too large for the client", l.smallOf, largeHere, noisy)
	for _, c := range l.clients {
		l.wire.Silence(l.idOf(c), 0) // which leads the partition
	}
	step("a record that expires", l.smallOf, single, largeThere)
	l.both(t, "the end of the connections on which it expired", l.lift)
	for _, o := range l.outcome {
		o.refused, o.expired = 1, 1
	}
	calm()
	calm()
	l.end(t)
	return l
}

// steady is a load without a pause, of many requests in flight at a time: connections end, a broker restarts, and batches are too
// large for their topic.
func (s *site) steady(t *testing.T) *load {
	l := s.start(t, "steady", map[string]string{
		"compression.type": "zstd", "linger.ms": "5", "delivery.timeout.ms": "60000", "enable.metrics.push": "false",
	})
	// A leader that does not know a producer takes whatever number comes first. Java has several batches under way to it: when the
	// first is refused and the second is taken, the first is out of order for ever. So each leader knows each producer before
	// anything fails.
	l.both(t, "send before the faults", func(ctx context.Context, c client) error {
		if err := c.send(ctx, l.topicOf(c), 0, regular); err != nil {
			return err
		}
		if err := c.send(ctx, l.smallOf(c), single, largeThere); err != nil {
			return err
		}
		return l.flush(ctx, c)
	})
	steps := l.sendAll(t, s.trouble(t, l))
	for _, c := range l.clients {
		l.wire.Lift(l.idOf(c))
	}
	l.both(t, "flush, with batches that are too large for their topic", func(ctx context.Context, c client) error {
		if err := c.send(ctx, l.smallOf(c), steps*stride+noisy, steps*stride+noisyLast); err != nil {
			return err
		}
		return l.flush(ctx, c)
	})
	l.end(t)
	return l
}

// sendAll has both clients send at an even pace, until the trouble has ended, and returns the number of the next step.
func (l *load) sendAll(t *testing.T, trouble <-chan error) (step int64) {
	t.Helper()
	const every = 30 * time.Millisecond
	pace := time.NewTicker(every)
	defer pace.Stop()
	for step = 1; ; step++ {
		select {
		case err := <-trouble:
			do(t, err)
			return step
		case <-pace.C:
		}
		l.both(t, "send under load", func(ctx context.Context, c client) error {
			return c.send(ctx, l.topicOf(c), step*stride, step*stride+regular)
		})
	}
}

// trouble makes it for as long as the load lasts: each of both clients loses a connection now and then, and a broker restarts. It
// sends how it went once it is over. There are some more strikes after a restart.
func (s *site) trouble(t *testing.T, l *load) <-chan error {
	const strikeEvery, strikesAfter, restartEvery = 400 * time.Millisecond, 5, 40 * time.Second
	dice := rand.New(rand.NewPCG(4, 4))
	ended, gone := make(chan error, 1), make(chan struct{})
	ctx, cancel := context.WithCancel(l.ctx)
	t.Cleanup(func() {
		cancel()
		<-gone
	})
	go func() {
		defer close(gone)
		began := time.Now()
		restart, next := began.Add(min(*long/3, restartEvery)), 0
		for strikes := 0; time.Since(began) < *long || next == 0 || strikes < strikesAfter; strikes++ {
			select {
			case <-ctx.Done():
				return
			case <-time.After(strikeEvery):
			}
			broker, how := dice.IntN(brokers), []tap.Fate{tap.Cut, tap.Lose}[dice.IntN(2)]
			for _, c := range l.clients {
				l.wire.Strike(l.idOf(c), broker, how)
			}
			if time.Now().Before(restart) || time.Since(began) >= *long && next > 0 {
				continue
			}
			if err := s.restart(ctx, l, next%brokers); err != nil {
				ended <- err
				return
			}
			restart, next, strikes = time.Now().Add(restartEvery), next+1, 0
		}
		ended <- nil
	}()
	return ended
}

// restart stops a broker once every replica has what its leader has, and starts it again. A broker that is stopped moves its
// leaders first, so no record is lost, and no leader forgets a producer.
func (s *site) restart(ctx context.Context, l *load, broker int) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	inSync := func(when string) error {
		for _, c := range l.clients {
			for _, topic := range []string{l.topicOf(c), l.smallOf(c)} {
				if err := s.admin.AwaitInSync(ctx, topic, brokers); err != nil {
					return fmt.Errorf("%s broker %d restarts: %w", when, broker, err)
				}
			}
		}
		return nil
	}
	if err := inSync("before"); err != nil {
		return err
	}
	if err := s.wire.Refuse(broker); err != nil {
		return err
	}
	if err := s.Stop(broker); err != nil {
		return err
	}
	if err := s.Start(ctx, broker); err != nil {
		return err
	}
	if err := s.wire.Listen(broker); err != nil {
		return err
	}
	return inSync("after")
}

// agrees demands that what callbacks were told, what the brokers have, and what came out of the clients are the same, and that no
// more records have failed than had to.
func (l *load) agrees(t *testing.T, fails int64) {
	t.Helper()
	for _, o := range l.outcome {
		var logged, bytes int64
		for _, topic := range o.wire.Topics {
			logged, bytes = logged+topic.LoggedRecords, bytes+topic.LoggedBytes
		}
		if o.failed != fails {
			t.Errorf("%s, %s: %d records have failed, and %d had to", l.name, o.client, o.failed, fails)
		}
		if o.ends != o.found || o.found != o.acknowledged {
			t.Errorf("%s, %s: %d records were acknowledged, a reader has found %d, and the log ends at %d", l.name, o.client, o.acknowledged, o.found, o.ends)
		}
		if logged != o.found || bytes != o.bytes {
			t.Errorf("%s, %s: brokers have taken %d records of %d bytes, and the log has %d of %d", l.name, o.client, logged, bytes, o.found, o.bytes)
		}
		// What was sent without what was sent again is what was taken; but Java does not count the records of a batch that it cuts as
		// sent again.
		once := int64(o.read(ofProducer, "record-send-total").sum - o.read(ofProducer, "record-retry-total").sum)
		taken, cut := o.acknowledged+o.failed-o.refused, int64(o.read(ofProducer, "batch-split-total").sum)
		if o.client == java && (once < taken || once > taken+cut*(noisyLast-noisy)) || o.client == epistle && once != taken {
			t.Errorf("%s, %s: %d records were sent once or more, and %d were taken, with %d batches that were cut", l.name, o.client, once, taken, cut)
		}
	}
}
