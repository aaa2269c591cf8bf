package epistleprom

import (
	"strconv"

	"github.com/epistle-kafka/epistle/producer"
)

// topics shows what is of topics. counts has what has a topic as its label.
func (s *sink) topics(m *producer.Metrics, counts map[series]int64) {
	for one, n := range counts {
		labels := []string{one.topic, one.reason, one.written}
		s.count(one.name, float64(n), labels[:len(labelsOf(one.name))]...)
	}
	oldest := map[string]float64{}
	for one := range counts {
		if one.topic == Other {
			oldest[Other] = 0
		}
	}
	for i := range m.Topics {
		label := s.c.label(m.Topics[i].Topic)
		oldest[label] = max(oldest[label], m.Topics[i].OldestAge.Seconds())
	}
	for label, age := range oldest {
		s.gauge("oldest_record_age_seconds", age, label)
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
