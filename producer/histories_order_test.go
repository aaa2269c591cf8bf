package producer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// A place is where a record is in the log.
type place struct {
	partition int32
	offset    int64
}

// An entry is a record of one key in the log of one partition, with what its sender knows of it.
type entry struct {
	n        int       // it was the n-th that its sender sent
	id       int64     // the producer id that it was written under
	arrived  time.Time // when its batch first reached a broker
	ended    time.Time // when its sender was told its outcome
	doubtful bool      // that was an error which says that it may be written
}

// checkOrder demands that the records of each key are in the order in which they were sent (I2), and returns where
// they all are, and which of them may be late copies of what a log that is gone had.
func (h *history) checkOrder() (where map[string]place, late map[string]bool) {
	where, late = map[string]place{}, map[string]bool{}
	known := map[string]*sentRecord{}
	for _, r := range h.sent {
		known[r.value] = r
	}
	arrived := arrivals(h.c)
	newest := int64(-1)
	for at := range arrived {
		newest = max(newest, at.id)
	}
	for part := range int32(h.c.Partitions("t")) {
		logs := map[string][]entry{} // with partitions that were added a key goes to another
		for _, r := range h.c.Records("t", part) {
			v := value(r)
			where[v] = place{part, r.Offset}
			e := entry{id: r.ProducerID, arrived: arrived[numbered{part, r.ProducerID, r.Epoch, r.Sequence}]}
			if sent := known[v]; sent != nil {
				e.n, e.ended, e.doubtful = sent.n, sent.ended, sent.err != nil && producer.MayBeWritten(sent.err)
				// A request by name that was delayed until its topic was made again is written there once more, after another
				// was acknowledged for the old log. The producer sends nothing there under that id.
				late[v] = h.replaced && r.ProducerID != newest
			}
			logs[string(r.Key)] = append(logs[string(r.Key)], e)
		}
		for key, log := range logs {
			for _, wrong := range outOfOrder(log, h.replaced) {
				h.t.Errorf("%s: %s (I2)", key, wrong)
			}
		}
	}
	return where, late
}

// outOfOrder says which records of a key are behind younger ones and may not be.
//
// There is one that may. When the topic or the cluster is made again, the producer goes on under another producer id.
// That fences nobody, so what was sent under the old id can still be written when it arrives late. Its sender has been
// told before that it may be written: nothing goes out under the new id before all that was sent has its outcome.
func outOfOrder(log []entry, replaced bool) (wrong []string) {
	youngest := map[int64]entry{} // of each producer id
	for _, e := range log {
		for id, y := range youngest {
			late := replaced && id != e.id && e.doubtful && !e.ended.After(y.arrived)
			if e.n <= y.n && !late {
				wrong = append(wrong, fmt.Sprintf("record %d is behind record %d", e.n, y.n))
			}
		}
		if y, some := youngest[e.id]; !some || e.n > y.n {
			youngest[e.id] = e
		}
	}
	return wrong
}

// numbered is what a record is numbered with.
type numbered struct {
	partition int32
	id        int64
	epoch     int16
	sequence  int32
}

// arrivals returns when each record first reached a broker.
func arrivals(c *brokertest.Cluster) map[numbered]time.Time {
	first := map[numbered]time.Time{}
	for _, r := range c.Requests() {
		for _, b := range r.Batches {
			for i := range b.Header.Count {
				at := numbered{b.Partition, b.Header.ProducerID, b.Header.ProducerEpoch, b.Header.BaseSequence + i}
				if was, some := first[at]; !some || r.At.Before(was) {
					first[at] = r.At
				}
			}
		}
	}
	return first
}

// The check of the order excuses one thing alone: a record in doubt, under a producer id that was given up, that arrives
// after its sender was told.
func TestTheOrderThatHistoriesDemand(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	young := entry{n: 2, id: 8, arrived: at(5), ended: at(6)}
	late := entry{n: 1, id: 7, arrived: at(1), ended: at(4), doubtful: true}
	with := func(f func(*entry)) entry { e := late; f(&e); return e }
	tests := []struct {
		name     string
		log      []entry
		replaced bool
		want     int
	}{
		{"in order", []entry{late, young}, false, 0},
		{"late, and in doubt", []entry{young, late}, true, 0},
		{"nothing was made again", []entry{young, late}, false, 1},
		{"acknowledged", []entry{young, with(func(e *entry) { e.doubtful = false })}, true, 1},
		{"under the same id", []entry{young, with(func(e *entry) { e.id = 8 })}, true, 1},
		{"told as the younger arrived", []entry{young, with(func(e *entry) { e.ended = at(5) })}, true, 0},
		{"told after the younger arrived", []entry{young, with(func(e *entry) { e.ended = at(6) })}, true, 1},
		{"the same record twice", []entry{late, young, late}, true, 1},
		{"two that are late, in their order", []entry{young, with(func(e *entry) { e.n = 0 }), late}, true, 0},
		{"two that are late, in another order", []entry{young, late, with(func(e *entry) { e.n = 0 })}, true, 1},
		{"late, and then a new one out of order", []entry{young, with(func(e *entry) { e.n = 0 }), {n: 1, id: 8, arrived: at(7), ended: at(8)}}, true, 1},
	}
	for _, tt := range tests {
		if wrong := outOfOrder(tt.log, tt.replaced); len(wrong) != tt.want {
			t.Errorf("%s: %q, want %d that are wrong", tt.name, wrong, tt.want)
		}
	}
}
