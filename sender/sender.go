package sender

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/accumulator"
	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/internal/overdue"
	"github.com/epistle-kafka/epistle/metadata"
)

// Closing reports whether Close has begun.
func (s *Sender) Closing() bool { return s.closing.Load() }

// Want makes the loop look a topic up, so that OnTopic is told of it. It fails with ErrClosed once Close has begun.
func (s *Sender) Want(topic string) error {
	if s.closing.Load() {
		return ErrClosed
	}
	s.inbox.put(wanted{topic: topic})
	return nil
}

// WantPartition makes the loop ask for a topic again if it has no such partition as far as is known, at the pace at which
// metadata is asked for.
func (s *Sender) WantPartition(topic string, partition int32) {
	if !s.closing.Load() {
		s.inbox.put(wanted{topic: topic, partitions: int(partition) + 1})
	}
}

// LookupPartition waits until a topic has such a partition, for as long as ctx allows.
func (s *Sender) LookupPartition(ctx context.Context, topic string, partition int32) error {
	if s.closing.Load() {
		return ErrClosed
	}
	w := wanted{topic, &lookup{done: make(chan struct{})}, int(partition) + 1}
	s.inbox.put(w)
	return s.awaitLookup(ctx, topic, w.wait)
}

// Snapshot returns the cluster as last heard of, or nil before the first word.
func (s *Sender) Snapshot() *metadata.Snapshot { return s.published.snapshot.Load() }

// Lookup waits until a topic is known, for as long as ctx allows.
func (s *Sender) Lookup(ctx context.Context, topic string) error {
	if s.closing.Load() {
		return ErrClosed
	}
	l := &lookup{done: make(chan struct{})}
	s.inbox.put(wanted{topic: topic, wait: l})
	return s.awaitLookup(ctx, topic, l)
}

// LookupAll is Lookup for several topics at once. It returns an error for each topic that is not known in the end, by the
// topics' order; nil for those that are.
func (s *Sender) LookupAll(ctx context.Context, topics []string) []error {
	errs := make([]error, len(topics))
	if s.closing.Load() {
		for i := range errs {
			errs[i] = ErrClosed
		}
		return errs
	}
	all := make(wantedAll, len(topics))
	for i, topic := range topics {
		all[i] = wanted{topic: topic, wait: &lookup{done: make(chan struct{})}}
	}
	s.inbox.put(all)
	for i, w := range all {
		errs[i] = s.awaitLookup(ctx, w.topic, w.wait)
	}
	return errs
}

// awaitLookup waits for the end of a lookup that the loop was told of.
func (s *Sender) awaitLookup(ctx context.Context, topic string, l *lookup) error {
	overdue.Await(ctx, l.done, s.stopped)
	select {
	case <-l.done:
		return l.err
	case <-s.stopped:
		return ErrClosed
	case <-ctx.Done():
	}
	select { // what has come at the same time counts
	case <-l.done:
		return l.err
	default:
	}
	e := &unwanted{topic: topic, wait: l, left: make(chan struct{})}
	s.inbox.put(e)
	select {
	case <-e.left:
	case <-s.stopped:
		return ErrClosed
	}
	err := fmt.Errorf("%w, and the look-up goes on", cause.Of(ctx))
	if last := s.lastAnswer(topic); last != nil {
		return both(fmt.Errorf("looking up topic %q: %w; %w", topic, err, last), e.now)
	}
	if e.why != nil {
		err = fmt.Errorf("%w; %w", err, e.why)
	}
	return fmt.Errorf("looking up topic %q: %w", topic, err)
}

// lastAnswer returns what the last answer said of a topic that is looked up; nil if there was none.
func (s *Sender) lastAnswer(topic string) error {
	snapshot := s.Snapshot()
	if snapshot == nil {
		return nil
	}
	last := snapshot.Waiting(topic)
	if last == nil {
		last = snapshot.LastFailure(topic) // it may have failed in this very moment
	}
	if last == nil {
		return nil
	}
	return fmt.Errorf("the last answer: %w", last)
}

// Missing returns what is known of why a topic is not there yet: what the last answer said of it, and what has kept the loop from
// the cluster since then. Nil: nothing is known. Missing does not wait for the loop.
func (s *Sender) Missing(topic string) error {
	last := s.lastAnswer(topic)
	if trouble := s.published.trouble.Load(); trouble != nil {
		return both(last, fmt.Errorf("last failure: %w", *trouble))
	}
	return last
}

// ErrCallback says that a callback has been running for so long that waiting for it was given up. Flush or Close inside a
// callback waits for itself.
var ErrCallback = errors.New("a callback has not returned for max.block; one that calls Flush or Close waits for itself")

// Flush waits until every record sent before the call has its outcome and its callback has returned, or ctx ends. It ends their
// linger. With an error it returns how many records it still waited for.
func (s *Sender) Flush(ctx context.Context) (waiting Undelivered, err error) {
	g := accumulator.NewGroup()
	s.inbox.put(flushing{g})
	if err = s.await(ctx, g.Done()); err == nil {
		return waiting, nil
	}
	e := &counting{group: g, done: make(chan struct{})}
	s.inbox.put(e)
	select {
	case <-e.done:
		waiting = e.waiting
	case <-s.stopped: // they have failed by now
	}
	if ctx.Err() != nil && waiting == (Undelivered{}) && s.grace(g.Done(), flushGrace) > 0 {
		return waiting, nil // there was nothing to wait for
	}
	return waiting, s.Explain(err)
}

// Explain adds to err, which has ended a wait for records, what they wait for.
func (s *Sender) Explain(err error) error {
	if why := s.Why(nil); why != nil {
		return fmt.Errorf("%w; %w", err, why)
	}
	return err
}

// Close refuses further records, delivers what it has until ctx ends, and fails what is left with ErrClosed. It pushes the last
// metrics to brokers that subscribe, within a second, and ends all goroutines. It returns how many records it has failed, and
// what kept it from waiting for them. After ctx has ended it still waits up to a second for callbacks, and for the log.
func (s *Sender) Close(ctx context.Context) (lost Undelivered, err error) {
	select {
	case <-s.stopped: // another Close has returned all
		return lost, s.await(ctx, s.ended)
	default:
	}
	s.closing.Store(true)
	g := accumulator.NewGroup()
	s.inbox.put(closing{g})
	if err = s.await(ctx, g.Done()); err != nil {
		err = s.Explain(err) // before there is nothing left that waits
	}
	s.pushLast(ctx)
	s.inbox.put(aborting{})
	<-s.stopped
	left := closeGrace
	if err == nil && ctx.Err() == nil {
		err = s.await(ctx, s.ended)
	} else { // without an error it was the last push that took the time
		left = s.grace(s.ended, left) // so that whoever counts outcomes has them all
		if ctx.Err() != nil && s.core.givenUp() == (Undelivered{}) && left > 0 {
			err = nil // there was nothing to wait for
		}
	}
	if gaveUp := s.core.txn.unended(); gaveUp != nil { // nobody does steps any more
		if err = gaveUp; ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", cause.Of(ctx), err)
		}
	}
	lost = s.core.givenUp()
	s.lastWord(lost.NotWritten+lost.MayBeWritten, left)
	if err == nil { // another Close has given them up, and returns them
		lost = Undelivered{}
	}
	return lost, err
}

// Stats returns the counters as they are now.
func (s *Sender) Stats() Stats {
	return Stats{
		InFlight:     s.published.inFlight.Load(),
		Sent:         s.published.sent.Load(),
		Acknowledged: s.published.acknowledged.Load(),
		Failed:       s.published.failed.Load(),
		MayBeWritten: s.published.mayBeWritten.Load(),
		Retried:      s.published.retried.Load(),
		BytesSent:    s.published.bytes.Load(),
		Throttles:    s.published.throttles.Load(),
		ThrottleTime: time.Duration(s.published.throttleTime.Load()),

		Reauthentications: s.published.renewed.Load(),
		Buffered:          s.acc.Memory.Used(),
	}
}
