package metrics

import (
	"context"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/integration/tap"
)

var (
	update = flag.Bool("update", false, "write the tables of docs/metrics.md anew")
	long   = flag.Duration("for", 10*time.Second, "how long the load with random faults lasts")
)

// Both clients send the same records to a real Kafka, and meet the same faults. What they count is what came out of them and is in
// the log, to the record and the byte, and where the two do not count the same it is known why.
func TestMetricsBesideJava(t *testing.T) {
	s := open(t)
	rounds := s.rounds(t)
	rounds.agrees(t)
	rounds.compare(t, exactly)
	steady := s.steady(t)
	steady.agrees(t)
	steady.compare(t, ofItsOwn)
	document(t, rounds, steady)
}

// rounds is a load in steps: both clients send the same batches in the same requests, of which some meet a fault.
func (s *site) rounds(t *testing.T) *load {
	l := s.start(t, "rounds", map[string]string{
		"linger.ms": "2000", "batch.size": "65536", // a batch is what is sent between two flushes
		"request.timeout.ms": "4000", "delivery.timeout.ms": "6500", "enable.metrics.push": "false",
	})
	l.refused = 1 // one that is too large for max.request.size
	round := int64(0)
	step := func(topic func(client) string, first, last int64) {
		from := round * stride
		l.both(t, func(ctx context.Context, c client) error {
			if err := c.send(ctx, topic(c), from+first, from+last); err != nil {
				return err
			}
			return l.flush(ctx, c)
		})
		round++
	}
	calm := func() { step(l.topicOf, 0, regular) }
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
	step(l.smallOf, single, largeThere)
	step(l.smallOf, largeThere, largeHere)
	step(l.smallOf, largeHere, noisy)
	for _, c := range l.clients {
		l.wire.Silence(l.idOf(c), 0) // which leads the partition
	}
	step(l.topicOf, single, largeThere)
	for _, c := range l.clients {
		l.wire.Lift(l.idOf(c))
	}
	calm()
	calm()
	l.end(t)
	return l
}

// steady is a load without a pause, of many requests in flight at a time: connections end at random, a broker restarts, and
// batches are too large for their topic.
func (s *site) steady(t *testing.T) *load {
	const every = 30 * time.Millisecond
	l := s.start(t, "steady", map[string]string{"compression.type": "zstd", "linger.ms": "5", "enable.metrics.push": "false"})
	steps := int64(*long / every)
	stop := make(chan struct{})
	ended := make(chan error, 1)
	go func() { ended <- s.trouble(l, stop) }()
	l.sendAll(t, steps, every)
	close(stop)
	do(t, <-ended)
	for _, c := range l.clients {
		l.wire.Lift(l.idOf(c))
	}
	l.both(t, func(ctx context.Context, c client) error {
		if err := c.send(ctx, l.smallOf(c), steps*stride+noisy, steps*stride+noisyLast); err != nil {
			return err
		}
		return l.flush(ctx, c)
	})
	l.end(t)
	return l
}

// sendAll has both clients send at an even pace.
func (l *load) sendAll(t *testing.T, steps int64, every time.Duration) {
	t.Helper()
	began := time.Now()
	l.both(t, func(ctx context.Context, c client) error {
		ctx = context.WithoutCancel(ctx) // it may last for longer than patience
		for step := range steps {
			if err := c.send(ctx, l.topicOf(c), step*stride, step*stride+regular); err != nil {
				return err
			}
			select {
			case <-l.ctx.Done():
				return l.ctx.Err()
			case <-time.After(time.Until(began.Add(time.Duration(step+1) * every))):
			}
		}
		return nil
	})
}

// trouble makes it until stop: each of both clients loses a connection now and then, and a broker restarts.
func (s *site) trouble(l *load, stop <-chan struct{}) error {
	const strikeEvery, restartEvery = 400 * time.Millisecond, 40 * time.Second
	restart, next := time.Now().Add(min(*long/3, restartEvery)), 0
	for {
		select {
		case <-stop:
			return nil
		case <-time.After(strikeEvery):
		}
		broker, how := rand.IntN(brokers), []tap.Fate{tap.Cut, tap.Lose}[rand.IntN(2)]
		for _, c := range l.clients {
			l.wire.Strike(l.idOf(c), broker, how)
		}
		if time.Now().Before(restart) {
			continue
		}
		if err := s.restart(l.ctx, next%brokers); err != nil {
			return err
		}
		restart, next = time.Now().Add(restartEvery), next+1
	}
}

// restart stops a broker, which moves its leaders first, and starts it again.
func (s *site) restart(ctx context.Context, broker int) error {
	if err := s.wire.Refuse(broker); err != nil {
		return err
	}
	if err := s.Stop(broker); err != nil {
		return err
	}
	if err := s.Start(ctx, broker); err != nil {
		return err
	}
	return s.wire.Listen(broker)
}

// agrees demands that what callbacks were told, what the brokers have, and what came out of the clients are the same.
func (l *load) agrees(t *testing.T) {
	t.Helper()
	for _, o := range l.outcome {
		var logged, bytes int64
		for _, topic := range o.wire.Topics {
			logged, bytes = logged+topic.LoggedRecords, bytes+topic.LoggedBytes
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
		taken, cut := o.acknowledged+o.failed-l.refused, int64(o.read(ofProducer, "batch-split-total").sum)
		if o.client == java && (once < taken || once > taken+cut*(noisyLast-noisy)) || o.client == epistle && once != taken {
			t.Errorf("%s, %s: %d records were sent once or more, and %d were taken, with %d batches that were cut", l.name, o.client, once, taken, cut)
		}
	}
}
