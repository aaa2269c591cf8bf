package producertest

import (
	"slices"

	"github.com/epistle-kafka/epistle/producer"
)

// CompleteNext completes the record that has waited for longest: it is acknowledged, or fails as FailNth or FailOn have said. Its
// callback has returned when CompleteNext returns, unless another goroutine is at the callbacks. It returns false if no record
// waits.
func (p *Producer) CompleteNext() bool {
	found := false
	p.do(func() {
		if found = len(p.pending) > 0; found {
			p.finish(p.pending[0], p.pending[0].fate)
		}
	})
	return found
}

// FailNext is CompleteNext for a record that fails with err, in the way of FailNth.
func (p *Producer) FailNext(err error) bool {
	given(err, "FailNext")
	found := false
	p.do(func() {
		if found = len(p.pending) > 0; found {
			p.finish(p.pending[0], err)
		}
	})
	return found
}

// CompleteAll completes the records that wait, in the order of their Send, and returns how many. Records that callbacks send
// meanwhile wait for the next.
func (p *Producer) CompleteAll() int {
	n := 0
	p.do(func() {
		for _, e := range slices.Clone(p.pending) {
			if e.state == StatePending { // else a failure has ended its transaction, and so it
				n++
				p.finish(e, e.fate)
				p.drop()
			}
		}
	})
	return n
}

// Pending returns how many records wait for their completion.
func (p *Producer) Pending() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.pending)
}

// Closed reports whether Close was called.
func (p *Producer) Closed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closing
}

// Fence has another producer take over the transactional id: what is open is aborted, records that end from now on fail with
// protocol.InvalidProducerEpoch, and what asks the coordinator fails with producer.ErrFenced.
func (p *Producer) Fence() {
	if p.tx == nil {
		panic("producertest: Fence of a double without a transactional id: New takes Transactional")
	}
	p.do(func() {
		p.fenced = true
		if p.tx.Last() > 0 {
			p.settle(false)
		}
	})
}

// EditStats has f change what Stats returns from now on, such as LastError. Nil ends that.
func (p *Producer) EditStats(f func(*producer.Stats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.edit = f
}

// SetBrokers sets what Brokers returns.
func (p *Producer) SetBrokers(brokers ...producer.BrokerStats) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.brokers = slices.Clone(brokers)
}

// AddPartitions has a topic have so many partitions from now on, as when somebody adds some: keys go elsewhere then. It makes
// the topic if there is none, and does nothing if the topic has more.
func (p *Producer) AddPartitions(name string, partitions int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.topics[name]
	if was != nil && int(was.view.Partitions) >= partitions {
		return
	}
	now := p.addTopic(name, max(partitions, 1))
	if was != nil {
		now.turn, now.ends = was.turn, was.ends
	}
}
