package sender

import (
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/internal/backoff"
	"github.com/epistle-kafka/epistle/metadata"
	"github.com/epistle-kafka/epistle/wire"
)

// connected returns a sender of a cluster whose loop does not run.
func connected(t *testing.T, c *brokertest.Cluster) *Sender {
	s := newSender(Config{
		Wire:      wire.Config{SoftwareName: "test", SoftwareVersion: "1", MaxInFlight: 5, RequestTimeout: 10 * time.Minute, DialContext: c.DialContext},
		Bootstrap: c.Bootstrap(), Clock: new(Clock),
		Metadata: metadata.Config{
			MaxAge: 5 * time.Minute, MaxIdle: 5 * time.Minute, RetryBackoff: time.Second, RetryBackoffMax: time.Second,
			Jitter: func() float64 { return 0 },
		},
		BatchSize: 16 << 10, MaxBatchBytes: 1 << 20, MaxRequestSize: 1 << 20, Memory: 1 << 20, MaxInFlight: 5,
		Linger: 5 * time.Millisecond, DeliveryTimeout: 10 * time.Minute, RequestTimeout: 10 * time.Minute, Acks: -1,
		RetryBackoff: backoff.Policy{Base: time.Second}, Reconnect: backoff.Policy{Base: time.Second},
		CallbackPatience: time.Minute,
		OnTopic:          func(*accumulator.Topic, *metadata.Topic, *metadata.Snapshot) {}, Publish: func() {},
	})
	t.Cleanup(func() {
		for _, n := range s.core.nodes.all() {
			for i := range n.links {
				if c := n.links[i].conn; c != nil {
					c.Close(nil)
				}
			}
		}
		s.cancel()
		s.conns.Wait()
	})
	return s
}

// loop does what the loop does, for d, and returns how often it woke up.
func (s *Sender) loop(d time.Duration) (steps int) {
	end := time.NewTimer(d)
	for {
		at := s.step(time.Now())
		steps++
		if at.IsZero() {
			at = time.Now().Add(24 * time.Hour)
		}
		rings := time.NewTimer(time.Until(at))
		select {
		case <-end.C:
			return steps
		case <-s.inbox.wake:
		case <-rings.C:
		}
		rings.Stop()
	}
}

// While a record is in flight and its broker hangs, the loop sleeps: it wakes up
// for what is due, not to look whether something is. Due is a question each
// second whether another broker has taken over, and its answer.
func TestTheLoopSleepsWhileABrokerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 1))
		s := connected(t, c)
		s.Want("t")
		s.loop(time.Second)
		p := s.core.topics.named("t").parts[0]
		c.On(brokertest.Produce).Do(brokertest.Swallow())
		queueOne(t, s, p)
		s.loop(time.Second)
		if len(p.inFlight) != 1 {
			t.Fatalf("%d batches are in flight, want 1", len(p.inFlight))
		}
		if steps := s.loop(2 * time.Minute); steps > 2*120+20 {
			t.Errorf("the loop woke up %d times in 2 minutes, want twice a second", steps)
		}
	})
}

// A clock that somebody reads is never more than 10 ms old, and costs one wake-up
// in that time. One that nobody reads costs none.
func TestTheClockTicksWhileItIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := idle(t, time.Hour)
		c := s.cfg.Clock
		queueOne(t, s, s.lonely())
		quiet := s.loop(time.Minute)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 30_000 {
				time.Sleep(time.Millisecond)
				if now, exact := c.Wall(c.Now()), time.Now().UnixMilli(); now > exact || now < exact-10 {
					t.Errorf("the clock says %d at %d", now, exact)
					return
				}
			}
		}()
		if steps := s.loop(30 * time.Second); steps > 3_100 {
			t.Errorf("the loop woke up %d times in the 30 s in which the clock was read, want 3,000 or so", steps)
		}
		<-done
		if steps := s.loop(time.Minute); steps > quiet+5 {
			t.Errorf("the loop woke up %d times in a minute in which nobody read the clock, want %d or so", steps, quiet)
		}
		for range 10 { // few reads are not worth a wake-up
			c.Now()
			time.Sleep(time.Second)
		}
		if s.nudged() {
			t.Error("ten reads in ten seconds have woken the loop")
		}
	})
}

// A wall clock that is set back, or forward, moves timestamps and nothing else.
// (Fake time has no monotonic clock.)
func TestTheWallClockIsSet(t *testing.T) {
	for _, by := range []time.Duration{-time.Hour, time.Hour} {
		c, begin := new(Clock), time.Now()
		c.start(begin, func() {})
		set := setWall(t, begin.Add(time.Second), by)
		c.Publish(set)
		if got := c.Millis(set) - c.Millis(begin); got != 1000 {
			t.Errorf("set by %v: a second is %d ms", by, got)
		}
		if got, want := c.Wall(c.Millis(set)), set.UnixMilli(); got != want {
			t.Errorf("set by %v: the wall clock reads %d, want %d", by, got, want)
		}
	}
}

// A batch takes no records beyond its age, though the wall clock was set back
// while it waits, and takes them until then, though it was set forward.
func TestABatchAgesByTheMonotonicClock(t *testing.T) {
	for _, by := range []time.Duration{-time.Hour, time.Hour} {
		s := idle(t, time.Second)
		p := s.lonely()
		first, opened := queueOne(t, s, p)
		age := opened.Add(max(s.cfg.Linger, s.cfg.DeliveryTimeout/20))
		e := accumulator.Entry{Timestamp: 1}
		e.Value = []byte("y")
		if !p.queue.TryAppend(&e, s.cfg.Clock.Millis(setWall(t, age, by))) || e.Outcome != first {
			t.Errorf("set by %v: the batch does not take a record at its age", by)
		}
		beyond := setWall(t, age.Add(time.Millisecond), by)
		if p.queue.TryAppend(&e, s.cfg.Clock.Millis(beyond)) {
			t.Fatalf("set by %v: the batch takes a record beyond its age", by)
		}
		if err := p.queue.Append(&e, beyond, nil); err != nil || e.Outcome == first {
			t.Errorf("set by %v: a record beyond the batch's age is in it, or in none: %v", by, err)
		}
	}
}

// A partition whose broker takes nothing is so since a time of the monotonic
// clock.
func TestStallsAreMeasuredByTheMonotonicClock(t *testing.T) {
	s := idle(t, 0)
	p := s.lonely()
	s.core.nodes.add(1, "host:9092")
	queueOne(t, s, p)
	p.leader = 1
	now := time.Now()
	s.core.handle(setWall(t, now, -time.Hour), apply(func() { s.core.offer(p) }))
	if got, want := p.queue.BlockedSince.Load(), s.cfg.Clock.Millis(now); got != want {
		t.Errorf("stalled since %d, want %d", got, want)
	}
}

// setWall returns now as it would be had the wall clock been set by d: its
// monotonic reading stays. Package time has no way to make one.
func setWall(t *testing.T, now time.Time, d time.Duration) time.Time {
	set := now
	wall := (*uint64)(unsafe.Pointer(&set)) // a flag, 33 bits of seconds, 30 of nanoseconds
	*wall += uint64(int64(d/time.Second)) << 30
	if set.Sub(now) != 0 || set.UnixNano()-now.UnixNano() != int64(d) {
		t.Skip("package time keeps its readings in another way by now")
	}
	return set
}
