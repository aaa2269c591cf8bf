package metrics

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/integration/tap"
)

// A row is a metric of Java's, and what it should be.
type row struct {
	group, name string
	counted     func(*outcome) float64 // by the tap, the callbacks, or a setting; nil, or NaN: it is not
	same        bool                   // both clients count the same in a load in which they do the same
	why         string                 // what the two may differ by
	windowed    bool                   // it is of the last 30 to 60 s
	total       string                 // of a rate: the metric that it is the rate of
}

// handed are those of which Java counts more than came out of it in the steady load. It counts a batch when it hands the batch to
// a connection, which may end before the batch is written. It counts the end of a connection that the broker has refused. We do
// neither.
var handed = []string{"record-send-total", "record-retry-total", "byte-total", "batch-size-avg", "batch-size-max", "connection-close-total"}

// beyond is what Java counts more than once: a record that expires while a request with it is under way has failed then, and fails
// again when the request does.
func (r row) beyond(o *outcome) float64 {
	if o.client == java && r.name == "record-error-total" {
		return float64(o.expired)
	}
	return 0
}

const (
	ofProducer = "producer-metrics"
	ofNodes    = "producer-node-metrics" // the sum of all nodes, or what is most of them
	ofTopics   = "producer-topic-metrics"
)

// What clients differ by.
const (
	whyTime       = "each client has measured a time of its own"
	whyRate       = "the total by 30 to 60 s; each client's windows begin at a moment of their own"
	whyHandshake  = "Java counts ApiVersions, too; here that is part of the handshake"
	whyConnection = "Java has one connection to a broker; here what is not about records has another one"
	whyClosed     = whyConnection + "; Java counts the end of a connection that was refused, too"
	whyRequests   = "the bytes that the connections have moved; the clients ask for different things besides"
	whyCodec      = "each client ends its batches at moments of its own, and has a codec of its own; Java counts what it hands to a connection that ends before it is written, too"
	whyBatches    = "each client ends its batches at moments of its own"
	whyFaults     = "chance decides what is written again; Java counts what it hands to a connection that ends before it is written, too"
	whyLargest    = "Java's is the average of the largest record of each batch, here it is that of all records"
	whyEmpty      = "Java counts a leader that it has nothing for as a request of 0 records"
	whyName       = "the client's name is in each request, and the names differ in length"
	whyExpired    = "Java counts a record that expires once more when the request that it was in fails"
	whySplit      = "Java cuts a batch by batch.size, and then by half; here it is cut by what the topic takes"
)

var handshake = []string{"ApiVersions", "SaslHandshake", "SaslAuthenticate"}

// apart is what of the handshake a client leaves out.
func apart(o *outcome) []string {
	if o.client == java {
		return nil
	}
	return handshake
}

// unmade are the connections that have ended within their handshake, as when a broker stops at that moment. Java counts them.
func unmade(o *outcome) int64 {
	if o.client == java {
		return 0
	}
	return o.wire.Unanswered
}

// topics sums up over topics.
func topics(of func(*tap.Topic) int64) func(*outcome) float64 {
	return func(o *outcome) (sum float64) {
		for _, t := range o.wire.Topics {
			sum += float64(of(t))
		}
		return sum
	}
}

// each is all values of a list.
func sizes(o *outcome) (all []int) {
	for _, t := range o.wire.Topics {
		all = append(all, t.Sizes...)
	}
	return all
}

func average(of func(*outcome) []int) func(*outcome) float64 {
	return func(o *outcome) (avg float64) {
		all := of(o)
		for _, v := range all {
			avg += float64(v) / float64(len(all))
		}
		return avg
	}
}

func most(of func(*outcome) []int) func(*outcome) float64 {
	return func(o *outcome) float64 { return float64(slices.Max(of(o))) }
}

func is(v float64) func(*outcome) float64 { return func(*outcome) float64 { return v } }

var (
	written   = topics(func(t *tap.Topic) int64 { return t.Records })
	again     = topics(func(t *tap.Topic) int64 { return t.Again })
	bytesOf   = topics(func(t *tap.Topic) int64 { return t.Bytes })
	failed    = func(o *outcome) float64 { return float64(o.failed) }
	taken     = func(o *outcome) float64 { return float64(o.failed - o.refused) } // and have failed
	requests  = func(o *outcome) float64 { return float64(tap.Without(o.wire.Requests, apart(o)...)) }
	responses = func(o *outcome) float64 { return float64(tap.Without(o.wire.Answers, apart(o)...)) }
	requested = func(o *outcome) []int { return o.wire.SizesWithout(apart(o)...) }
	perPut    = func(o *outcome) float64 {
		if o.client == java {
			return math.NaN()
		}
		return average(func(o *outcome) []int { return o.wire.ProduceRecords })(o)
	}
	outgoing = func(o *outcome) float64 { return float64(o.wire.Written) }
	incoming = func(o *outcome) float64 { return float64(o.wire.Read) }
	made     = func(o *outcome) float64 { return float64(o.wire.Connections - unmade(o)) }
	there    = func(o *outcome) float64 { return float64(o.wire.Open) }
	gone     = func(o *outcome) float64 { return float64(o.wire.Connections - unmade(o) - o.wire.Open) }
)

const bufferMemory = 32 << 20

// rows is all that this library gives of Java's metrics, but for those of app-info, and for transactions and logins.
var rows = []row{
	{ofProducer, "record-send-total", written, true, whyFaults, false, ""},
	{ofProducer, "record-retry-total", again, true, whyFaults, false, ""},
	{ofProducer, "record-error-total", failed, true, whyExpired, false, ""},
	{ofProducer, "batch-split-total", nil, true, whySplit, false, ""},
	{ofProducer, "request-total", requests, false, whyHandshake, false, ""},
	{ofProducer, "response-total", responses, false, whyHandshake, false, ""},
	{ofProducer, "outgoing-byte-total", outgoing, false, whyRequests, false, ""},
	{ofProducer, "incoming-byte-total", incoming, false, whyRequests, false, ""},
	{ofProducer, "connection-creation-total", made, false, whyConnection, false, ""},
	{ofProducer, "connection-close-total", gone, false, whyClosed, false, ""},
	{ofProducer, "connection-count", there, false, whyConnection, false, ""},
	{ofProducer, "successful-authentication-total", is(0), true, "", false, ""}, // there is neither TLS nor SASL
	{ofProducer, "failed-authentication-total", is(0), true, "", false, ""},
	{ofProducer, "successful-reauthentication-total", is(0), true, "", false, ""},
	{ofProducer, "failed-reauthentication-total", is(0), true, "", false, ""},
	{ofProducer, "buffer-total-bytes", is(bufferMemory), true, "", false, ""},
	{ofProducer, "buffer-available-bytes", is(bufferMemory), true, "", false, ""},
	{ofProducer, "buffer-exhausted-total", is(0), true, "", false, ""},
	{ofProducer, "bufferpool-wait-time-ns-total", is(0), true, "", false, ""},
	{ofProducer, "flush-time-ns-total", nil, false, whyTime, false, ""},
	{ofProducer, "metadata-wait-time-ns-total", nil, false, whyTime, false, ""},
	{ofProducer, "metadata-age", nil, false, whyTime, false, ""},
	{ofProducer, "waiting-threads", is(0), true, "", false, ""},
	{ofProducer, "requests-in-flight", is(0), true, "", false, ""},

	{ofTopics, "record-send-total", written, true, whyFaults, false, ""},
	{ofTopics, "record-retry-total", again, true, whyFaults, false, ""},
	{ofTopics, "record-error-total", taken, true, whyExpired, false, ""},
	{ofTopics, "byte-total", bytesOf, true, whyCodec, false, ""},
	{ofNodes, "request-total", requests, false, whyHandshake, false, ""},
	{ofNodes, "response-total", responses, false, whyHandshake, false, ""},
	{ofNodes, "outgoing-byte-total", outgoing, false, whyRequests, false, ""},
	{ofNodes, "incoming-byte-total", incoming, false, whyRequests, false, ""},

	{ofProducer, "batch-size-avg", average(sizes), true, whyBatches, true, ""},
	{ofProducer, "batch-size-max", most(sizes), true, whyBatches, true, ""},
	{ofProducer, "records-per-request-avg", perPut, false, whyEmpty, true, ""},
	{ofProducer, "request-size-avg", average(requested), false, whyHandshake, true, ""},
	{ofProducer, "request-size-max", most(requested), false, whyName, true, ""},
	{ofProducer, "compression-rate-avg", nil, true, whyCodec, true, ""},
	{ofProducer, "record-size-avg", nil, false, whyLargest, true, ""},
	{ofProducer, "produce-throttle-time-avg", is(0), true, "", true, ""},
	{ofProducer, "produce-throttle-time-max", is(0), true, "", true, ""},
	{ofProducer, "bufferpool-wait-ratio", is(0), true, "", true, ""},
	{ofProducer, "record-queue-time-avg", nil, false, whyTime, true, ""},
	{ofProducer, "record-queue-time-max", nil, false, whyTime, true, ""},
	{ofProducer, "request-latency-avg", nil, false, whyTime, true, ""},
	{ofProducer, "request-latency-max", nil, false, whyTime, true, ""},
	{ofTopics, "compression-rate", nil, true, whyCodec, true, ""},
	{ofNodes, "request-size-avg", nil, false, whyHandshake, true, ""},
	{ofNodes, "request-size-max", most(requested), false, whyName, true, ""},
	{ofNodes, "request-latency-avg", nil, false, whyTime, true, ""},
	{ofNodes, "request-latency-max", nil, false, whyTime, true, ""},
}

// rates are those of which a total is in rows.
func init() {
	rate := func(group, name, total string) {
		rows = append(rows, row{group, name, nil, false, whyRate, true, total})
	}
	for _, name := range []string{
		"record-send", "record-retry", "record-error", "batch-split", "request", "response", "outgoing-byte", "incoming-byte", "connection-creation",
		"connection-close", "successful-authentication", "failed-authentication", "successful-reauthentication", "failed-reauthentication", "buffer-exhausted",
	} {
		rate(ofProducer, name+"-rate", name+"-total")
	}
	for _, name := range []string{"record-send", "record-retry", "record-error", "byte"} {
		rate(ofTopics, name+"-rate", name+"-total")
	}
	for _, name := range []string{"request", "response", "outgoing-byte", "incoming-byte"} {
		rate(ofNodes, name+"-rate", name+"-total")
	}
}

// A reading is what a client gives of a metric.
type reading struct {
	some             bool
	sum, least, most float64
}

// read finds it: the sum, the least and the most of all nodes or topics.
func (o *outcome) read(group, name string) (r reading) {
	for _, m := range o.metrics {
		if m.Group != group || m.Name != name {
			continue
		}
		if !r.some {
			r.least, r.most = m.Value, m.Value
		}
		r.some, r.sum, r.least, r.most = true, r.sum+m.Value, min(r.least, m.Value), max(r.most, m.Value)
	}
	return r
}

// value is the one that is compared: averages and maxima are not to be added up.
func (r reading) value(name string) float64 {
	if strings.HasSuffix(name, "-max") || strings.HasSuffix(name, "-avg") || name == "compression-rate" {
		return r.most
	}
	return r.sum
}

// window is the time in which nothing that is windowed is forgotten yet.
const window = 55 * time.Second
