package producer

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/epistle-kafka/epistle/sender"
	"github.com/epistle-kafka/epistle/txn"
	"github.com/epistle-kafka/epistle/wire"
)

// callFlush is Flush's name among the calls that are counted.
const callFlush = "Flush"

// Metrics returns what the producer has counted and measured so far. It asks no broker, and works after Close. It waits for no
// more than one step of the loop that delivers, which never waits itself. It may be called by any number of goroutines, and in
// a callback, but not in a hook that runs on the producer's own goroutine. A call costs what copying the numbers costs: some
// tenths of a millisecond for a thousand topics, in which nothing is sent. Counting costs some additions for each batch.
func (p *Producer) Metrics() Metrics {
	s := p.sender.Metrics()
	m := Metrics{
		At: s.At, Started: s.Started,
		Records: recordMetrics(&s.All), InFlight: s.InFlight, OldestAge: s.All.Oldest,
		Throttles: s.Throttles, ThrottleTime: s.ThrottleTime,
		Buffer: BufferMetrics{
			Bytes: s.Memory, Limit: s.MemoryLimit, Waiters: s.Waiters,
			Waits: s.MemoryWaits.Count, WaitTime: s.MemoryWaits.Time, Exhausted: s.Refused[sender.ReasonBufferFull],
		},
		Metadata: MetadataMetrics{
			Refreshed: s.Refreshed, Refreshes: s.Refreshes, Errors: s.MetadataErrors, Topics: s.KnownTopics, Brokers: s.KnownBrokers,
			Waits: s.MetadataWaits.Count, WaitTime: s.MetadataWaits.Time,
		},
		Idempotence: IdempotenceMetrics{ProducerIDs: s.ProducerIDs, EpochBumps: s.EpochBumps},
		Transactions: TransactionMetrics{
			Begun: s.Begun, Committed: s.Committed, Aborted: s.Aborted, Unknown: s.Unknown,
			Init: callMetrics(s, txn.CallInit), Begin: callMetrics(s, txn.CallBegin), SendOffsets: callMetrics(s, txn.CallOffsets),
			Commit: callMetrics(s, txn.CallCommit), Abort: callMetrics(s, txn.CallAbort),
		},
		Flushes:       callMetrics(s, callFlush),
		Callbacks:     CallbackMetrics{Time: histogram(&s.Callbacks, sender.Times), Waiting: s.CallbacksWaiting, Running: s.CallbacksRunning},
		AdmissionWait: histogram(&s.Admission, sender.Times), QueueTime: histogram(&s.Queue, sender.Times),
		ThrottleWait: histogram(&s.Throttle, sender.Times), InFlightTime: histogram(&s.Flight, sender.Times), DeliveryTime: histogram(&s.Delivery, sender.Times),
		BatchBytes: histogram(&s.BatchBytes, sender.Bytes), BatchRecords: histogram(&s.BatchRecords, sender.Records), CompressionRatio: histogram(&s.Size, sender.Ratios),
		seen: s,
	}
	if !s.Refreshed.IsZero() {
		m.Metadata.Age = s.At.Sub(s.Refreshed)
	}
	m.readTopics()
	m.readBrokers()
	return m
}

func recordMetrics(c *sender.Counts) RecordMetrics {
	return RecordMetrics{
		Sent: c.Sent, Acknowledged: c.Acknowledged, Failed: c.Failed, MayBeWritten: c.MayBeWritten, Retried: c.Retried,
		Batches: c.Batches, BatchesSplit: c.Split, BatchesExpired: c.Expired, Bytes: c.Bytes, RawBytes: c.Raw,
	}
}

func callMetrics(s *sender.Metrics, call string) CallMetrics {
	c := s.Calls[call]
	return CallMetrics{Calls: c.Count, Errors: c.Errors, Time: c.Time}
}

func histogram(h *sender.Histogram, scale sender.Scale) Histogram {
	bounds := sender.Bounds(scale)
	return Histogram{Bounds: bounds, Counts: slices.Clone(h.Buckets[:len(bounds)+1]), Sum: h.Sum, Count: h.Count}
}

// readTopics fills in what is counted by topic or by reason.
func (m *Metrics) readTopics() {
	s := m.seen
	slices.SortFunc(s.Topics, func(a, b sender.TopicReading) int { return cmp.Compare(a.Topic, b.Topic) })
	for i := range s.Topics {
		t := &s.Topics[i]
		m.Topics = append(m.Topics, TopicMetrics{Topic: t.Topic, RecordMetrics: recordMetrics(&t.Counts), OldestAge: t.Oldest})
	}
	for _, f := range s.Failures {
		m.Failures = append(m.Failures, FailureMetrics{Topic: f.Topic, Reason: f.Reason, MayBeWritten: f.MayBeWritten, Records: f.Records})
	}
	slices.SortFunc(m.Failures, func(a, b FailureMetrics) int {
		written := 0
		if a.MayBeWritten != b.MayBeWritten {
			if written = -1; a.MayBeWritten {
				written = 1
			}
		}
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Reason, b.Reason), written)
	})
	for _, r := range s.Retries {
		m.Retries = append(m.Retries, RetryMetrics{Topic: r.Topic, Reason: r.Reason, Records: r.Records, Batches: r.Batches})
	}
	slices.SortFunc(m.Retries, func(a, b RetryMetrics) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Reason, b.Reason))
	})
	for _, reason := range slices.Sorted(maps.Keys(s.Refused)) {
		m.Refusals = append(m.Refusals, RefusalMetrics{Reason: reason, Records: s.Refused[reason]})
	}
}

// readBrokers fills in what is counted by broker, and the sum over all.
func (m *Metrics) readBrokers() {
	s := m.seen
	all := map[string]*sender.RequestReading{}
	var sum sender.BrokerReading
	for i := range s.Brokers {
		b := &s.Brokers[i]
		of := BrokerMetrics{
			ID: b.ID, Addr: b.Addr, Connected: b.Connected, BytesWritten: b.Written, BytesRead: b.Read, InFlight: b.InFlight,
			Retried: b.Sent, Throttles: b.Throttles, ThrottleTime: b.ThrottleTime, Connections: connectionMetrics(b, s.Authenticates),
		}
		for j := range b.Requests {
			r := &b.Requests[j]
			of.Requests = append(of.Requests, requestMetrics(r))
			if all[r.API] == nil {
				all[r.API] = &sender.RequestReading{API: r.API}
			}
			all[r.API].Add(r)
		}
		slices.SortFunc(of.Requests, func(a, b RequestMetrics) int { return cmp.Compare(a.API, b.API) })
		m.Brokers = append(m.Brokers, of)
		sum.AddConnections(b)
	}
	m.Connections = connectionMetrics(&sum, s.Authenticates)
	for _, api := range slices.Sorted(maps.Keys(all)) {
		m.Requests = append(m.Requests, requestMetrics(all[api]))
	}
}

func requestMetrics(r *sender.RequestReading) RequestMetrics {
	return RequestMetrics{
		API: r.API, Sent: r.Sent, Answered: r.Answered, Failed: r.Failed, InFlight: r.Sent - r.Answered - r.Failed,
		BytesWritten: r.Written, BytesRead: r.Read, Latency: histogram(&r.Latency, sender.Times),
	}
}

func connectionMetrics(b *sender.BrokerReading, authenticates bool) ConnectionMetrics {
	m := ConnectionMetrics{
		Open: max(b.Created-b.Closed, 0), Created: b.Created, Closed: b.Closed, Handshake: histogram(&b.Handshake, sender.Times),
		AuthenticationsFailed: b.Failed[wire.StageSASL],
		Reauthentications:     b.Renewals.Succeeded, ReauthenticationsFailed: b.Renewals.Failed,
	}
	if authenticates {
		m.Authentications = b.Created
	}
	for stage, n := range b.Failed {
		if n > 0 {
			m.Failed = append(m.Failed, ConnectionFailure{Stage: Stage(stage), Count: n})
		}
	}
	return m
}

// FailureReason returns the reason by which metrics count a record that has failed with err, or was not taken: a short word
// that stays the same. It is one of timeout, too_large, authorization, authentication, fenced, closed, aborted, disconnected,
// canceled, and others that docs/metrics.md lists; or Kafka's name of the code that a broker has answered, such as
// NOT_ENOUGH_REPLICAS. It is "" for nil.
func FailureReason(err error) string {
	if err == nil {
		return ""
	}
	if wasTaken(err) {
		if reason := sender.Reason(err); reason != sender.ReasonOther {
			return reason // as the loop has counted it
		}
	}
	for _, mark := range refusalMarks {
		if errors.Is(err, mark.err) {
			return mark.reason
		}
	}
	var tooLarge *RecordTooLargeError
	var topic *InvalidTopicError
	var timestamp *InvalidTimestampError
	var partition *NoSuchPartitionError
	var partitioner *partitionerError
	var serialization *SerializationError
	var state *TransactionStateError
	switch {
	case errors.As(err, &tooLarge):
		return sender.ReasonTooLarge
	case errors.As(err, &topic), errors.As(err, &timestamp), errors.As(err, &partition):
		return "invalid"
	case errors.As(err, &partitioner):
		return "partitioner"
	case errors.As(err, &serialization):
		return "serialization"
	case errors.As(err, &state):
		return "transaction_state"
	}
	reason := sender.Reason(err)
	var broker *BrokerError
	var version *UnsupportedVersionError
	switch {
	case reason != sender.ReasonOther:
	case errors.As(err, &version):
		return versionReason
	case errors.As(err, &broker) && broker.Stage == StageSASL:
		return sender.ReasonAuthentication
	case errors.As(err, &broker):
		return sender.ReasonDisconnected
	}
	return reason
}

// wasTaken reports whether err is of a record that was taken. Such an error may have another record's refusal inside, which has
// failed their transaction; and the refusal of a record that of one which has failed before.
func wasTaken(err error) bool {
	failed, taken := errors.AsType[*SendError](err)
	refused, refusal := errors.AsType[*AdmissionError](err)
	if !taken || !refusal {
		return taken
	}
	inside, ok := errors.AsType[*AdmissionError](failed)
	return ok && inside == refused
}

const versionReason = "UNSUPPORTED_VERSION" // brokers use the same name

// refusalMarks are errors that records are refused with, whatever else these wrap. The first that matches counts.
var refusalMarks = []struct {
	err    error
	reason string
}{
	{ErrClosed, sender.ReasonClosed},
	{ErrBufferFull, sender.ReasonBufferFull},
	{ErrTopicNotLoaded, "topic_not_loaded"},
	{ErrMaxBlock, sender.ReasonTimeout},
}
