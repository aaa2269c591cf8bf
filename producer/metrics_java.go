package producer

import (
	"fmt"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/sender"
)

// Java returns the metrics of Java's producer (version 4.4) that make sense here, under Java's groups and names, in Java's
// units, and always in the same order. Rates, averages and maxima are those of the last 30 to 60 s, as in Java by default
// (metrics.num.samples 2, metrics.sample.window.ms 30000). A metric without a sample in that time is left out, where Java says
// NaN.
//
// docs/metrics.md lists all of them, and says what is left out and why. For the zero Metrics Java returns nothing.
func (m Metrics) Java() []JavaMetric {
	if m.seen == nil {
		return nil
	}
	all := make([]JavaMetric, 0, len(javaProducer)+1+len(m.Brokers)*len(javaNode)+len(m.Topics)*len(javaTopic))
	all = append(all, JavaMetric{Group: "app-info", Name: "start-time-ms", Value: float64(m.Started.UnixMilli())})
	for i := range javaProducer {
		all = javaProducer[i].appendTo(all, &m, nil)
	}
	for i := range m.seen.Brokers {
		b := &m.seen.Brokers[i]
		if b.Created == 0 {
			continue // Java has none for a node that it was never connected to
		}
		tags := map[string]string{"node-id": fmt.Sprintf("node-%d", b.ID)}
		for j := range javaNode {
			all = javaNode[j].appendTo(all, b, tags)
		}
	}
	for i := range m.seen.Topics {
		t := &m.seen.Topics[i]
		if t.Batches == 0 && t.Failed == 0 {
			continue // nor for a topic that nothing was sent to
		}
		tags := map[string]string{"topic": t.Topic}
		for j := range javaTopic {
			all = javaTopic[j].appendTo(all, &t.Counts, tags)
		}
	}
	return all
}

// A javaRow is a metric of Java's, and where its value is found.
type javaRow[T any] struct {
	group, name string
	value       func(T) (v float64, some bool)
}

func (r *javaRow[T]) appendTo(all []JavaMetric, of T, tags map[string]string) []JavaMetric {
	v, some := r.value(of)
	if !some {
		return all
	}
	return append(all, JavaMetric{Group: r.group, Name: r.name, Tags: tags, Value: v, Total: strings.HasSuffix(r.name, "-total")})
}

// number makes a row of a value that is always there.
func number[T any](group, name string, value func(T) float64) javaRow[T] {
	return javaRow[T]{group, name, func(of T) (float64, bool) { return value(of), true }}
}

// count makes a row of a value that counts.
func count[T any](group, name string, value func(T) int64) javaRow[T] {
	return number(group, name, func(of T) float64 { return float64(value(of)) })
}

// nanoseconds makes a row of a time that adds up.
func nanoseconds[T any](group, name string, value func(T) time.Duration) javaRow[T] {
	return number(group, name, func(of T) float64 { return float64(value(of)) })
}

// average and highest make a row of the values of the last 30 to 60 s.
func average[T any](group, name string, value func(T) sender.Window) javaRow[T] {
	return javaRow[T]{group, name, func(of T) (float64, bool) { w := value(of); return w.Avg, w.Some }}
}

func highest[T any](group, name string, value func(T) sender.Window) javaRow[T] {
	return javaRow[T]{group, name, func(of T) (float64, bool) { w := value(of); return w.Max, w.Some }}
}

const (
	groupProducer = "producer-metrics"
	groupNode     = "producer-node-metrics"
	groupTopic    = "producer-topic-metrics"
)

// The types that rows read.
type (
	ofAll   = *Metrics
	ofNode  = *sender.BrokerReading
	ofTopic = *sender.Counts
)

var javaProducer = []javaRow[ofAll]{
	average(groupProducer, "batch-size-avg", func(m ofAll) sender.Window { return m.seen.Recent.BatchSize }),
	highest(groupProducer, "batch-size-max", func(m ofAll) sender.Window { return m.seen.Recent.BatchSize }),
	number(groupProducer, "batch-split-rate", func(m ofAll) float64 { return m.seen.Recent.SplitRate }),
	count(groupProducer, "batch-split-total", func(m ofAll) int64 { return m.Records.BatchesSplit }),
	count(groupProducer, "buffer-available-bytes", func(m ofAll) int64 { return max(m.Buffer.Limit-m.Buffer.Bytes, 0) }),
	number(groupProducer, "buffer-exhausted-rate", func(m ofAll) float64 { return m.seen.Recent.ExhaustedRate }),
	count(groupProducer, "buffer-exhausted-total", func(m ofAll) int64 { return m.Buffer.Exhausted }),
	count(groupProducer, "buffer-total-bytes", func(m ofAll) int64 { return m.Buffer.Limit }),
	number(groupProducer, "bufferpool-wait-ratio", func(m ofAll) float64 { return m.seen.Recent.MemoryWaitRatio }),
	nanoseconds(groupProducer, "bufferpool-wait-time-ns-total", func(m ofAll) time.Duration { return m.Buffer.WaitTime }),
	average(groupProducer, "compression-rate-avg", func(m ofAll) sender.Window { return m.seen.All.Compression }),
	number(groupProducer, "connection-close-rate", func(m ofAll) float64 { return m.seen.Recent.ClosedRate }),
	count(groupProducer, "connection-close-total", func(m ofAll) int64 { return m.Connections.Closed }),
	count(groupProducer, "connection-count", func(m ofAll) int64 { return m.Connections.Open }),
	number(groupProducer, "connection-creation-rate", func(m ofAll) float64 { return m.seen.Recent.CreatedRate }),
	count(groupProducer, "connection-creation-total", func(m ofAll) int64 { return m.Connections.Created }),
	number(groupProducer, "failed-authentication-rate", func(m ofAll) float64 { return m.seen.Recent.LoginFailureRate }),
	count(groupProducer, "failed-authentication-total", func(m ofAll) int64 { return m.Connections.AuthenticationsFailed }),
	number(groupProducer, "failed-reauthentication-rate", func(m ofAll) float64 { return m.seen.Recent.RenewalFailures }),
	count(groupProducer, "failed-reauthentication-total", func(m ofAll) int64 { return m.Connections.ReauthenticationsFailed }),
	nanoseconds(groupProducer, "flush-time-ns-total", func(m ofAll) time.Duration { return m.Flushes.Time }),
	number(groupProducer, "incoming-byte-rate", func(m ofAll) float64 { return m.seen.Recent.ReadRate }),
	count(groupProducer, "incoming-byte-total", func(m ofAll) int64 { return m.bytes(func(b *BrokerMetrics) int64 { return b.BytesRead }) }),
	{groupProducer, "metadata-age", func(m ofAll) (float64, bool) { return m.Metadata.Age.Seconds(), !m.Metadata.Refreshed.IsZero() }},
	nanoseconds(groupProducer, "metadata-wait-time-ns-total", func(m ofAll) time.Duration { return m.Metadata.WaitTime }),
	number(groupProducer, "outgoing-byte-rate", func(m ofAll) float64 { return m.seen.Recent.WrittenRate }),
	count(groupProducer, "outgoing-byte-total", func(m ofAll) int64 { return m.bytes(func(b *BrokerMetrics) int64 { return b.BytesWritten }) }),
	average(groupProducer, "produce-throttle-time-avg", func(m ofAll) sender.Window { return m.seen.Recent.Throttle }),
	highest(groupProducer, "produce-throttle-time-max", func(m ofAll) sender.Window { return m.seen.Recent.Throttle }),
	average(groupProducer, "reauthentication-latency-avg", func(m ofAll) sender.Window { return m.seen.Recent.Renewal }),
	highest(groupProducer, "reauthentication-latency-max", func(m ofAll) sender.Window { return m.seen.Recent.Renewal }),
	number(groupProducer, "record-error-rate", func(m ofAll) float64 { return m.seen.All.ErrorRate + m.seen.Recent.RefusedRate }),
	count(groupProducer, "record-error-total", func(m ofAll) int64 { return m.Records.Failed + m.refused() }),
	average(groupProducer, "record-queue-time-avg", func(m ofAll) sender.Window { return m.seen.Recent.Queue }),
	highest(groupProducer, "record-queue-time-max", func(m ofAll) sender.Window { return m.seen.Recent.Queue }),
	number(groupProducer, "record-retry-rate", func(m ofAll) float64 { return m.seen.All.RetryRate }),
	count(groupProducer, "record-retry-total", func(m ofAll) int64 { return m.Records.Retried }),
	number(groupProducer, "record-send-rate", func(m ofAll) float64 { return m.seen.All.SendRate }),
	count(groupProducer, "record-send-total", func(m ofAll) int64 { return m.Records.Sent + m.Records.Retried }),
	average(groupProducer, "record-size-avg", func(m ofAll) sender.Window { return m.seen.Recent.RecordSize }),
	average(groupProducer, "records-per-request-avg", func(m ofAll) sender.Window { return m.seen.Recent.PerRequest }),
	average(groupProducer, "request-latency-avg", func(m ofAll) sender.Window { return m.seen.Recent.Latency }),
	highest(groupProducer, "request-latency-max", func(m ofAll) sender.Window { return m.seen.Recent.Latency }),
	number(groupProducer, "request-rate", func(m ofAll) float64 { return m.seen.Recent.RequestRate }),
	average(groupProducer, "request-size-avg", func(m ofAll) sender.Window { return m.seen.Recent.RequestSize }),
	highest(groupProducer, "request-size-max", func(m ofAll) sender.Window { return m.seen.Recent.RequestSize }),
	count(groupProducer, "request-total", func(m ofAll) int64 { return m.requests(func(r *RequestMetrics) int64 { return r.Sent }) }),
	count(groupProducer, "requests-in-flight", func(m ofAll) int64 { return m.requests(func(r *RequestMetrics) int64 { return r.InFlight }) }),
	number(groupProducer, "response-rate", func(m ofAll) float64 { return m.seen.Recent.ResponseRate }),
	count(groupProducer, "response-total", func(m ofAll) int64 {
		return m.requests(func(r *RequestMetrics) int64 { return int64(r.Latency.Count) })
	}),
	number(groupProducer, "successful-authentication-rate", func(m ofAll) float64 { return ifSecured(m, m.seen.Recent.CreatedRate) }),
	count(groupProducer, "successful-authentication-total", func(m ofAll) int64 { return ifSecured(m, m.Connections.Created) }),
	number(groupProducer, "successful-reauthentication-rate", func(m ofAll) float64 { return m.seen.Recent.RenewalRate }),
	count(groupProducer, "successful-reauthentication-total", func(m ofAll) int64 { return m.Connections.Reauthentications }),
	nanoseconds(groupProducer, "txn-abort-time-ns-total", func(m ofAll) time.Duration { return m.Transactions.Abort.Time }),
	nanoseconds(groupProducer, "txn-begin-time-ns-total", func(m ofAll) time.Duration { return m.Transactions.Begin.Time }),
	nanoseconds(groupProducer, "txn-commit-time-ns-total", func(m ofAll) time.Duration { return m.Transactions.Commit.Time }),
	nanoseconds(groupProducer, "txn-init-time-ns-total", func(m ofAll) time.Duration { return m.Transactions.Init.Time }),
	nanoseconds(groupProducer, "txn-send-offsets-time-ns-total", func(m ofAll) time.Duration { return m.Transactions.SendOffsets.Time }),
	count(groupProducer, "waiting-threads", func(m ofAll) int64 { return m.Buffer.Waiters }),
}

var javaNode = []javaRow[ofNode]{
	number(groupNode, "incoming-byte-rate", func(b ofNode) float64 { return b.ReadRate }),
	count(groupNode, "incoming-byte-total", func(b ofNode) int64 { return b.Read }),
	number(groupNode, "outgoing-byte-rate", func(b ofNode) float64 { return b.WrittenRate }),
	count(groupNode, "outgoing-byte-total", func(b ofNode) int64 { return b.Written }),
	average(groupNode, "request-latency-avg", func(b ofNode) sender.Window { return b.Latency }),
	highest(groupNode, "request-latency-max", func(b ofNode) sender.Window { return b.Latency }),
	number(groupNode, "request-rate", func(b ofNode) float64 { return b.RequestRate }),
	average(groupNode, "request-size-avg", func(b ofNode) sender.Window { return b.RequestSize }),
	highest(groupNode, "request-size-max", func(b ofNode) sender.Window { return b.RequestSize }),
	count(groupNode, "request-total", func(b ofNode) (n int64) {
		for i := range b.Requests {
			n += b.Requests[i].Sent
		}
		return n
	}),
	number(groupNode, "response-rate", func(b ofNode) float64 { return b.ResponseRate }),
	count(groupNode, "response-total", func(b ofNode) (n int64) {
		for i := range b.Requests {
			n += int64(b.Requests[i].Latency.Count)
		}
		return n
	}),
}

var javaTopic = []javaRow[ofTopic]{
	number(groupTopic, "byte-rate", func(t ofTopic) float64 { return t.ByteRate }),
	count(groupTopic, "byte-total", func(t ofTopic) int64 { return t.Bytes }),
	average(groupTopic, "compression-rate", func(t ofTopic) sender.Window { return t.Compression }),
	number(groupTopic, "record-error-rate", func(t ofTopic) float64 { return t.ErrorRate }),
	count(groupTopic, "record-error-total", func(t ofTopic) int64 { return t.Failed }),
	number(groupTopic, "record-retry-rate", func(t ofTopic) float64 { return t.RetryRate }),
	count(groupTopic, "record-retry-total", func(t ofTopic) int64 { return t.Retried }),
	number(groupTopic, "record-send-rate", func(t ofTopic) float64 { return t.SendRate }),
	count(groupTopic, "record-send-total", func(t ofTopic) int64 { return t.Sent + t.Retried }),
}

// ifSecured is what Java counts of connections as authentications: none of those that have neither TLS nor SASL.
func ifSecured[T int64 | float64](m *Metrics, connections T) T {
	if !m.seen.Secured {
		return 0
	}
	return connections
}

// bytes adds up over brokers.
func (m *Metrics) bytes(of func(*BrokerMetrics) int64) (n int64) {
	for i := range m.Brokers {
		n += of(&m.Brokers[i])
	}
	return n
}

// requests adds up over APIs.
func (m *Metrics) requests(of func(*RequestMetrics) int64) (n int64) {
	for i := range m.Requests {
		n += of(&m.Requests[i])
	}
	return n
}

// refused counts the records that were not taken.
func (m *Metrics) refused() (n int64) {
	for _, r := range m.Refusals {
		n += r.Records
	}
	return n
}
