package epistleprom

import (
	"strconv"

	"github.com/epistle-kafka/epistle/producer"
)

// records shows what is of topics. What has no label of its own is all that those with one have not: so no count goes back when
// a topic is forgotten.
func (s *sink) records(m *producer.Metrics) {
	rest := m.Records
	known := map[string]bool{}
	oldest := 0.0
	others := false
	for i := range m.Topics {
		t := &m.Topics[i]
		known[t.Topic] = true
		if s.c.label(t.Topic) == Other {
			oldest, others = max(oldest, t.OldestAge.Seconds()), true
			continue
		}
		s.topic(t.Topic, t.RecordMetrics, t.OldestAge.Seconds())
		rest = less(rest, t.RecordMetrics)
	}
	if others || some(rest) { // else there was never one
		s.topic(Other, rest, oldest)
	}
	s.failures(m)
	s.c.forget(known)
}

func (s *sink) topic(label string, r producer.RecordMetrics, oldest float64) {
	s.count("records_sent_total", float64(r.Acknowledged), label)
	s.count("record_bytes_total", float64(r.RawBytes), label)
	s.count("batch_bytes_total", float64(r.Bytes), label)
	s.count("batches_sent_total", float64(r.Batches), label)
	s.count("batches_split_total", float64(r.BatchesSplit), label)
	s.count("batches_expired_total", float64(r.BatchesExpired), label)
	s.gauge("oldest_record_age_seconds", oldest, label)
}

func less(a, b producer.RecordMetrics) producer.RecordMetrics {
	return producer.RecordMetrics{
		Acknowledged: a.Acknowledged - b.Acknowledged, RawBytes: a.RawBytes - b.RawBytes, Bytes: a.Bytes - b.Bytes,
		Batches: a.Batches - b.Batches, BatchesSplit: a.BatchesSplit - b.BatchesSplit, BatchesExpired: a.BatchesExpired - b.BatchesExpired,
	}
}

// some reports whether anything is left.
func some(r producer.RecordMetrics) bool {
	return less(r, producer.RecordMetrics{}) != producer.RecordMetrics{}
}

// failures shows what has a reason.
func (s *sink) failures(m *producer.Metrics) {
	failed := map[[3]string]float64{}
	for _, f := range m.Failures {
		written := "no"
		if f.MayBeWritten {
			written = "maybe"
		}
		failed[[3]string{s.c.label(f.Topic), f.Reason, written}] += float64(f.Records)
	}
	for labels, records := range failed {
		s.count("records_failed_total", records, labels[:]...)
	}
	retried := map[[2]string]float64{}
	for _, r := range m.Retries {
		retried[[2]string{s.c.label(r.Topic), r.Reason}] += float64(r.Records)
	}
	for labels, records := range retried {
		s.count("records_retried_total", records, labels[:]...)
	}
	for _, r := range m.Refusals {
		s.count("records_refused_total", float64(r.Records), r.Reason)
	}
}

// brokers shows what is of brokers. A bootstrap server has the number under which Java knows it, -1 for the first.
func (s *sink) brokers(m *producer.Metrics) {
	for i := range m.Brokers {
		b := &m.Brokers[i]
		id := strconv.Itoa(int(b.ID))
		s.count("written_bytes_total", float64(b.BytesWritten), id)
		s.count("read_bytes_total", float64(b.BytesRead), id)
		s.count("throttle_seconds_total", b.ThrottleTime.Seconds(), id)
		s.gauge("requests_in_flight", float64(b.InFlight), id)
		s.gauge("connections", float64(b.Connections.Open), id)
		s.count("connects_total", float64(b.Connections.Created), id)
		s.count("disconnects_total", float64(b.Connections.Closed), id)
		for _, f := range b.Connections.Failed {
			s.count("connect_errors_total", float64(f.Count), id, f.Stage.String())
		}
		for _, r := range b.Requests {
			s.count("requests_total", float64(r.Sent), id, r.API)
			s.count("request_errors_total", float64(r.Failed), id, r.API)
			s.histogram("request_seconds", r.Latency, id, r.API)
		}
	}
}

// rest shows what is of the whole producer.
func (s *sink) rest(m *producer.Metrics) {
	s.gauge("records_in_flight", float64(m.InFlight))
	s.histogram("batch_bytes", m.BatchBytes)
	s.histogram("batch_records", m.BatchRecords)
	s.histogram("compression_ratio", m.CompressionRatio)
	s.histogram("record_delivery_seconds", m.DeliveryTime)
	s.histogram("admission_wait_seconds", m.AdmissionWait)
	s.histogram("queue_seconds", m.QueueTime)
	s.histogram("throttle_wait_seconds", m.ThrottleWait)
	s.histogram("in_flight_seconds", m.InFlightTime)

	s.histogram("connect_seconds", m.Connections.Handshake)
	s.count("reauthentications_total", float64(m.Connections.Reauthentications))
	s.count("reauthentication_errors_total", float64(m.Connections.ReauthenticationsFailed))

	s.gauge("buffer_bytes", float64(m.Buffer.Bytes))
	s.gauge("buffer_limit_bytes", float64(m.Buffer.Limit))
	s.gauge("buffer_waiters", float64(m.Buffer.Waiters))
	s.count("buffer_wait_seconds_total", m.Buffer.WaitTime.Seconds())
	s.count("buffer_rejected_total", float64(m.Buffer.Exhausted))

	if !m.Metadata.Refreshed.IsZero() {
		s.gauge("metadata_age_seconds", m.Metadata.Age.Seconds())
	}
	s.count("metadata_refreshes_total", float64(m.Metadata.Refreshes))
	s.count("metadata_errors_total", float64(m.Metadata.Errors))
	s.count("metadata_wait_seconds_total", m.Metadata.WaitTime.Seconds())
	s.count("epoch_bumps_total", float64(m.Idempotence.EpochBumps))

	t := &m.Transactions
	s.count("transactions_total", float64(t.Committed), "committed")
	s.count("transactions_total", float64(t.Aborted), "aborted")
	s.count("transactions_total", float64(t.Unknown), "unknown")
	for call, c := range map[string]producer.CallMetrics{
		"init": t.Init, "begin": t.Begin, "send_offsets": t.SendOffsets, "commit": t.Commit, "abort": t.Abort,
	} {
		s.count("transaction_calls_total", float64(c.Calls), call)
		s.count("transaction_call_seconds_total", c.Time.Seconds(), call)
	}
	s.count("flush_seconds_total", m.Flushes.Time.Seconds())
	s.histogram("callbacks_seconds", m.Callbacks.Time)
	s.gauge("callbacks_waiting", float64(m.Callbacks.Waiting))
	s.gauge("callbacks_running_seconds", m.Callbacks.Running.Seconds())
}
