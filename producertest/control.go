package producertest

import (
	"slices"

	"github.com/epistle-kafka/epistle/producer"
)

// CompleteNext completes the record that has waited longest: it is acknowledged, or fails as FailNth or FailOn have said. Its
// callback has returned when CompleteNext returns, unless another goroutine is running callbacks. CompleteNext returns false if
// no record waits.
func (p *Producer) CompleteNext() bool {
	found := false
	p.do(func() {
		if found = len(p.pending) > 0; found {
			p.finish(p.pending[0], p.pending[0].fate)
		}
	})
	return found
}

// FailNext is CompleteNext for a record that fails with err, as with FailNth.
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

// CompleteAll completes the records that wait, in the order of their Send, and returns their number. Records that callbacks
// send meanwhile wait for the next call.
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

// Fence lets another producer take over the transactional id. The open transaction is aborted. Records that end from now on
// fail with protocol.InvalidProducerEpoch, and calls that ask the coordinator fail with producer.ErrFenced.
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

// EditStats lets f change what Stats returns from now on, such as LastError. EditStats(nil) ends that.
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

// AddPartitions gives a topic this number of partitions from now on, as when somebody adds some: keys then go elsewhere. It
// makes the topic if there is none, and does nothing if the topic has more.
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
