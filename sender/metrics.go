package sender

import (
	"time"

	"github.com/epistle-kafka/epistle/idempotent"
	"github.com/epistle-kafka/epistle/txn"
	"github.com/epistle-kafka/epistle/wire"
)

// A metrics counts what the loop does, by batches, answers and connections, never by records. All of it is the loop's: to count
// is to add, without a lock or an atomic. Whoever wants to see it asks the loop for a copy: see metrics_read.go. What callers,
// callbacks and connections do is counted elsewhere (callers, wire.Counters), and the loop takes samples of that.
type metrics struct {
	started time.Time
	now     time.Time // of the step or event at hand
	slots   slots

	gone    topicCounts // of topics that were forgotten, which totals include
	lastAck time.Time   // zero: there was none

	queue, throttle, flight, delivery Histogram
	batchBytes, batchRecords, ratio   Histogram

	// Of late, as Java has them.
	queued, batchSize, recordSize, perRequest level
	latency, requestSize, throttled, renewal  level
	splits, requests, responses               rate
	created, closed, loginFailures            rate
	written, read, renewals, renewalFailures  sampled
	exhausted, refused, memoryTime            sampled
	renewalTime                               time.Duration // as last sampled

	metadata metadataCounts
	ids      int64 // producer ids given
	id       int64 // the last of a transactional id
	bumps    int64
	txn      txnCounts
}

// A counts is of records and batches, of one topic or of all.
type counts struct {
	sent, acknowledged, failed, mayBeWritten, retried int64 // records
	batches, split, expired                           int64
	bytes, raw                                        int64

	sends, errors, retries, byteRate rate
	compression                      level
}

// A reasons counts records by what has happened to them. Their number is bounded: see Reason.
type reasons struct {
	failures []FailureCount
	resends  []RetryCount
}

// A FailureCount is records that have failed for one reason.
type FailureCount struct {
	Topic        string // "": topics that were forgotten
	Reason       string
	MayBeWritten bool
	Records      int64
}

// A RetryCount is what was sent again for one reason.
type RetryCount struct {
	Topic            string // as above
	Reason           string
	Records, Batches int64
}

func (r *reasons) addFailed(reason string, mayBeWritten bool, records int64) {
	for i := range r.failures {
		if f := &r.failures[i]; f.Reason == reason && f.MayBeWritten == mayBeWritten {
			f.Records += records
			return
		}
	}
	r.failures = append(r.failures, FailureCount{Reason: reason, MayBeWritten: mayBeWritten, Records: records})
}

func (r *reasons) addRetried(reason string, records, batches int64) {
	for i := range r.resends {
		if a := &r.resends[i]; a.Reason == reason {
			a.Records += records
			a.Batches += batches
			return
		}
	}
	r.resends = append(r.resends, RetryCount{Reason: reason, Records: records, Batches: batches})
}

// add takes in what others have counted.
func (r *reasons) add(o *reasons) {
	for _, f := range o.failures {
		r.addFailed(f.Reason, f.MayBeWritten, f.Records)
	}
	for _, a := range o.resends {
		r.addRetried(a.Reason, a.Records, a.Batches)
	}
}

// add takes in what another topic has counted. Its recent values are left out: it was idle.
func (t *topicCounts) add(o *topicCounts) {
	t.counts.add(&o.counts)
	t.reasons.add(&o.reasons)
}

func (t *counts) add(o *counts) {
	t.sent, t.acknowledged, t.failed, t.mayBeWritten, t.retried = t.sent+o.sent, t.acknowledged+o.acknowledged, t.failed+o.failed, t.mayBeWritten+o.mayBeWritten, t.retried+o.retried
	t.batches, t.split, t.expired = t.batches+o.batches, t.split+o.split, t.expired+o.expired
	t.bytes, t.raw = t.bytes+o.bytes, t.raw+o.raw
}

type metadataCounts struct {
	refreshed         time.Time
	refreshes, errors int64
}

type txnCounts struct{ begun, committed, aborted, unknown int64 }

// A topicCounts is what a topic has of its own. It ends with the topic.
type topicCounts struct {
	counts
	reasons
}

// A brokerCounts is what a node has of its own.
type brokerCounts struct {
	wire     *wire.Counters
	renewals wire.Renewals   // as last sampled
	requests []requestCounts // by API
	retried  int64

	throttles    int64
	throttleTime time.Duration

	created, closed int64
	failed          [wire.StageRequest + 1]int64 // attempts, by stage
	handshake       Histogram

	latency, requestSize level
	sent, responses      rate
	written, read        sampled
}

type requestCounts struct {
	api                    string
	sent, answered, failed int64
	written, read          int64
	latency                Histogram
}

func (m *metrics) start(now time.Time) {
	m.started, m.now, m.slots.began, m.id = now, now, now, idempotent.None.ID
}

func newBrokerCounts() brokerCounts { return brokerCounts{wire: new(wire.Counters)} }

// request returns the counts of an API.
func (b *brokerCounts) request(api string) *requestCounts {
	for i := range b.requests {
		if b.requests[i].api == api {
			return &b.requests[i]
		}
	}
	b.requests = append(b.requests, requestCounts{api: api})
	return &b.requests[len(b.requests)-1]
}

// moved counts how a transaction ended, if its state says that it did.
func (t *txnCounts) moved(before, now txn.State, outcome txn.Outcome) {
	open := before >= txn.InTransaction && before <= txn.AbortingByEpoch
	switch {
	case !open:
		return
	case now == txn.Ready || now == txn.CommitUnreported || now == txn.AbortUnreported:
		outcome = txn.Aborted
		if before == txn.Committing {
			outcome = txn.Committed
		}
	case !now.Dead():
		return
	}
	switch outcome {
	case txn.Committed:
		t.committed++
	case txn.Aborted:
		t.aborted++
	case txn.Unknown:
		t.unknown++
	}
}

// milliseconds is the unit of Java's times.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
