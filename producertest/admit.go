package producertest

import (
	"context"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/internal/cause"
	"github.com/epistle-kafka/epistle/internal/double"
	"github.com/epistle-kafka/epistle/partition"
	"github.com/epistle-kafka/epistle/producer"
)

// hand takes a record, or refuses it. block says that it may wait for room, and that a record which is not taken fails its
// transaction.
func (p *Producer) hand(ctx context.Context, e *entry, block bool) error {
	e.name()
	if err := unserialized(ctx, &e.rec); err != nil {
		p.spoil(p.numberOf(e), err)
		p.refuse(e, err)
		return err
	}
	p.intercept(ctx, e)
	e.name() // by the interceptors, if they have named another
	e.keep()
	err := p.admit(ctx, e, block)
	if err == nil {
		p.run()
		return nil
	}
	err = &producer.AdmissionError{Topic: e.rec.Topic, Err: double.CalledBy(e.call, err)}
	if block {
		p.spoil(e.txn, err)
	}
	p.refuse(e, err)
	return err
}

// unserialized returns why a record has no key and value: a Typed, or a wrapper around it, passes such a one on.
func unserialized(ctx context.Context, rec *producer.Record) error {
	if err := rec.Unserialized(); err != nil {
		return err
	}
	err, _ := ctx.Value(double.UnserializedKey{}).(error)
	return err
}

func (p *Producer) numberOf(e *entry) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.number(e)
}

// spoil fails the transaction of that number, of which a record was not taken.
func (p *Producer) spoil(number int64, err error) {
	if number == 0 {
		return
	}
	p.do(func() {
		if p.tx != nil && p.tx.Number() == number {
			p.tx.Fail(err)
		}
	})
}

// refuse notes a record that was not taken, and tells all but its callback, which its sender calls if it may.
func (p *Producer) refuse(e *entry, err error) {
	e.state, e.err, e.md, e.told = StateRefused, err, e.nowhere(), true
	p.mu.Lock()
	p.history = append(p.history, e)
	p.mu.Unlock()
	p.acknowledge(e)
	if e.complete != nil {
		e.complete(e.md, err)
	}
}

// admit takes a record: it chooses its partition, and puts it where it waits for its completion. An error is why it does not.
func (p *Producer) admit(ctx context.Context, e *entry, block bool) error {
	view, err := p.receive(ctx, e, block)
	if err != nil {
		if view != nil {
			_ = p.place(e, view, block)
		}
		return err
	}
	refusal, fate := p.rule(&e.rec)
	if refusal != nil {
		return refusal
	}
	if err := p.place(e, view, block); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.makeRoom(ctx, block); err != nil {
		return err
	}
	if err := p.admitTo(e); err != nil { // it may have ended meanwhile
		return err
	}
	e.fate = fate
	p.take(e)
	return nil
}

// receive is what comes first: whether anything is taken now, and to which topic. A producer that is closed chooses the
// partition before it says so, if it knows the topic: then there is a topic, too.
func (p *Producer) receive(ctx context.Context, e *entry, block bool) (*partition.Topic, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.admitTo(e); err != nil {
		if t := p.topics[e.rec.Topic]; p.closing && p.tx == nil && t != nil {
			return t.view, err
		}
		return nil, err
	}
	if err := cause.Of(ctx); err != nil {
		return nil, err
	}
	if err := p.faults.refusal(); err != nil {
		return nil, err
	}
	find := p.topic
	if !block {
		find = p.known
	}
	t, err := find(e.rec.Topic)
	if err != nil {
		return nil, err
	}
	return t.view, nil
}

// admitTo gives a record the number of the open transaction, where there need be one.
func (p *Producer) admitTo(e *entry) error {
	if p.closing {
		return producer.ErrClosed
	}
	if p.tx == nil {
		return nil
	}
	if refusal := p.tx.Refusal("Send"); refusal != nil {
		return double.Outward(refusal)
	}
	open := p.tx.Number()
	if e.txn != 0 && e.txn != open {
		e.txn = 0 // that one is over
		return double.ErrTxEnded
	}
	e.txn = open
	return nil
}

// place checks a record, and chooses its partition. block says that its sender waits for a partition that is not there.
func (p *Producer) place(e *entry, view *partition.Topic, block bool) error {
	if !e.rec.Timestamp.IsZero() {
		ms, err := double.Milliseconds(e.rec.Timestamp)
		if err != nil {
			return err
		}
		e.rec.Timestamp = time.UnixMilli(ms)
	}
	if err := p.checkLimits(e); err != nil {
		return err
	}
	n, named := e.rec.Partition.Get()
	if !named {
		var err error
		n, err = p.ask(e, view)
		switch {
		case err != nil:
			return double.PartitionerFailed(err)
		case n == partition.Any:
			n = p.turn(view)
		}
	}
	if n >= 0 && n < view.Partitions {
		e.partition = n
		return nil
	}
	err := &producer.NoSuchPartitionError{Want: n, Have: view.Partitions}
	switch {
	case !named:
		return fmt.Errorf("the partitioner has chosen what the topic lacks: %w", err)
	case n < 0:
		return err
	case !block:
		return fmt.Errorf("%w, as far as is known: the topic is being looked up again, so try again soon", err)
	}
	return fmt.Errorf("%w: %w", err, p.tooLong())
}

// ask asks the partitioner. If that panics, the record is not taken.
func (p *Producer) ask(e *entry, view *partition.Topic) (n int32, err error) {
	returned := false
	defer func() {
		if !returned {
			p.refuse(e, &producer.AdmissionError{Topic: e.rec.Topic, Err: double.ErrGone})
		}
	}()
	n, err = p.partitioner.Partition(partition.Record{Key: e.rec.Key, Value: e.rec.Value}, view)
	returned = true
	return n, err
}

// turn is where the next record without a key goes.
func (p *Producer) turn(view *partition.Topic) int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.topics[view.Name]
	n := t.turn
	t.turn = (n + 1) % view.Partitions
	return n
}

// tooLong is what ends a wait that ctx does not end.
func (p *Producer) tooLong() error {
	return fmt.Errorf("%w (%v)", producer.ErrMaxBlock, p.cfg.MaxBlock)
}

// makeRoom waits until another record may wait. p.mu is held, and given up meanwhile.
func (p *Producer) makeRoom(ctx context.Context, block bool) error {
	if !p.full() {
		return nil
	}
	if !block {
		return producer.ErrBufferFull
	}
	ctx, cancel := cause.Within(ctx, p.cfg.MaxBlock, p.tooLong())
	defer cancel()
	for p.full() {
		if err := p.await(ctx); err != nil {
			return fmt.Errorf("%w: %w%s", producer.ErrBufferFull, err, p.waiting(p.pending))
		}
	}
	return nil
}

func (p *Producer) full() bool { return p.set.room > 0 && len(p.pending) >= p.set.room && !p.closing }

// await waits until something has changed. p.mu is held, and given up meanwhile.
func (p *Producer) await(ctx context.Context) error {
	changed := p.changed
	p.mu.Unlock()
	defer p.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return cause.Of(ctx)
	}
}

// checkTopic returns what is wrong with a name.
func checkTopic(name string) error { return double.CheckTopic(name) }

// loadErrors asks load of each topic once, and makes one error of all.
func loadErrors(topics []string, load func(name string) error) error {
	var errs []error
	seen := map[string]bool{}
	for _, name := range topics {
		if seen[name] {
			continue
		}
		seen[name] = true
		if err := load(name); err != nil {
			errs = append(errs, &producer.LoadError{Topic: name, Err: err})
		}
	}
	return double.Joined(errs)
}
