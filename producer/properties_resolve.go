package producer

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/partition"
)

// hidden stands for a value that may be a secret.
const hidden = "[hidden]"

// resolver turns properties into a Config: each by its row of the table, then those that depend on each other.
type resolver struct {
	cfg      Config
	set      map[string]property // what was set, by key; the last of several
	notices  []Notice
	problems []PropertyProblem
}

func (r *resolver) notice(key, text string) {
	r.notices = append(r.notices, Notice{Line: r.set[key].line, Key: key, Text: text})
}

func (r *resolver) problem(key, rule string) {
	p := r.set[key]
	s := settingOfKey[key]
	value := strings.TrimSpace(p.value)
	if _, isSet := r.set[key]; !isSet && s != nil {
		value = s.def
	}
	if s == nil || s.kind == "PASSWORD" {
		value = hidden
	}
	r.problems = append(r.problems, PropertyProblem{Line: p.line, Key: key, Value: value, Rule: rule})
}

// value returns the trimmed value of key, as Java trims all of them, and whether it is set.
func (r *resolver) value(key string) (string, bool) {
	p, ok := r.set[key]
	return strings.TrimSpace(p.value), ok
}

// apply does what the table says for one property.
func (r *resolver) apply(p property) {
	s := settingOfKey[p.key]
	if s == nil {
		suggestion, rule := suggest(p.key)
		r.problems = append(r.problems, PropertyProblem{Line: p.line, Key: p.key, Value: hidden, Rule: rule, Suggestion: suggestion})
		return
	}
	v := strings.TrimSpace(p.value)
	if rule := s.checkValue(v); rule != "" {
		r.problem(p.key, rule)
		return
	}
	switch {
	case s.set != nil:
		s.set(&r.cfg, v)
	case s.isDefault(v):
	case strings.HasPrefix(p.key, "ssl.") && r.security() != "SSL":
		// With SASL_SSL, security.protocol is the problem, and says so.
		if r.security() == "PLAINTEXT" {
			r.notice(p.key, "has no effect: security.protocol is PLAINTEXT")
		}
	case s.how == refused:
		r.problem(p.key, s.why)
	case s.how == withoutEffect:
		r.notice(p.key, "has no effect: "+s.why)
	}
}

// security returns security.protocol in upper case.
func (r *resolver) security() string {
	if v, ok := r.value("security.protocol"); ok {
		return strings.ToUpper(v)
	}
	return "PLAINTEXT"
}

// resolve settles what several keys decide together, in the order in which Java does.
func (r *resolver) resolve() {
	r.resolveSecurity()
	r.resolveSerializers()
	r.resolvePartitioner()
	r.resolveIdempotence()
	r.resolveBackoffs()
	r.resolveDeliveryTimeout()
	r.resolveSizes()
}

// resolveIdempotence switches idempotence off where acks or retries forbid it and nobody asked for it. In flight above 5
// is an error even then, in Java as here: validate finds it if idempotence stays on, this if it was switched off. A
// transactional.id asks for it: then validate finds whatever forbids it.
func (r *resolver) resolveIdempotence() {
	if _, explicit := r.set["enable.idempotence"]; explicit || r.cfg.TransactionalID != "" {
		return
	}
	off := func(key, why string) {
		r.cfg.EnableIdempotence = false
		r.notice(key, "switches enable.idempotence off, as in Java, since "+why+": retries may write records twice or out of order; set enable.idempotence=false to say so yourself")
	}
	if r.cfg.Retries == 0 {
		off("retries", "it is 0")
	}
	if r.cfg.Acks != AcksAll {
		off("acks", "it is not all")
	}
	if !r.cfg.EnableIdempotence && r.cfg.MaxInFlightRequestsPerConnection > maxInFlightIdempotent {
		r.problem("max.in.flight.requests.per.connection", "must be at most 5 unless enable.idempotence=false is set")
	}
}

func (r *resolver) resolveBackoffs() {
	if _, capped := r.set["reconnect.backoff.max.ms"]; !capped && r.cfg.ReconnectBackoff != r.cfg.ReconnectBackoffMax {
		if _, ok := r.set["reconnect.backoff.ms"]; ok {
			r.cfg.ReconnectBackoffMax = r.cfg.ReconnectBackoff
			r.notice("reconnect.backoff.ms", "does not grow with each failure, as in Java, since reconnect.backoff.max.ms is not set")
		}
	}
	r.lower("reconnect.backoff.ms", &r.cfg.ReconnectBackoff, "reconnect.backoff.max.ms", r.cfg.ReconnectBackoffMax)
	r.lower("retry.backoff.ms", &r.cfg.RetryBackoff, "retry.backoff.max.ms", r.cfg.RetryBackoffMax)
	r.lower("socket.connection.setup.timeout.ms", &r.cfg.SocketConnectionSetupTimeout,
		"socket.connection.setup.timeout.max.ms", r.cfg.SocketConnectionSetupTimeoutMax)
}

// lower takes a base that is above its maximum down to it: Java waits the maximum each time. The notice goes to whichever
// of the two was set.
func (r *resolver) lower(baseKey string, base *time.Duration, maxKey string, most time.Duration) {
	if *base <= most {
		return
	}
	key := baseKey
	if _, ok := r.set[baseKey]; !ok {
		key = maxKey
	}
	r.notice(key, fmt.Sprintf("%s is above %s: it is always %v, as in Java", baseKey, maxKey, most))
	*base = most
}

// resolveDeliveryTimeout computes with milliseconds that fit an int32, as Java does, so that a linger of "for ever" stays
// legal.
func (r *resolver) resolveDeliveryTimeout() {
	if longest := maxTimeout - r.cfg.RequestTimeout; r.cfg.Linger > longest && longest >= 0 {
		r.cfg.Linger = longest
		r.notice("linger.ms", fmt.Sprintf("lowered to %v, so that linger.ms + request.timeout.ms fits delivery.timeout.ms", longest))
	}
	if _, explicit := r.set["delivery.timeout.ms"]; explicit {
		return
	}
	if least := r.cfg.Linger + r.cfg.RequestTimeout; r.cfg.DeliveryTimeout < least {
		r.cfg.DeliveryTimeout = least
		key := "request.timeout.ms"
		if _, ok := r.set[key]; !ok {
			key = "linger.ms"
		}
		r.notice(key, fmt.Sprintf("raises delivery.timeout.ms to linger.ms + request.timeout.ms = %v, as in Java", least))
	}
}

// resolveSizes keeps what Java accepts legal here, where a batch has an upper limit of its own.
func (r *resolver) resolveSizes() {
	if r.cfg.BatchSize > r.cfg.MaxRequestSize && r.cfg.MaxRequestSize > 0 {
		r.cfg.BatchSize = r.cfg.MaxRequestSize
		key := "batch.size"
		if _, ok := r.set[key]; !ok {
			key = "max.request.size"
		}
		r.notice(key, fmt.Sprintf("batch.size is lowered to max.request.size = %d", r.cfg.MaxRequestSize))
	}
	if _, explicit := r.set["max.batch.bytes"]; !explicit {
		r.cfg.MaxBatchBytes = max(r.cfg.MaxBatchBytes, r.cfg.BatchSize)
	}
	if r.cfg.PartitionerRackAware && r.cfg.ClientRack == "" {
		r.cfg.PartitionerRackAware = false
		r.notice("partitioner.rack.aware", "has no effect, as in Java, since client.rack is not set")
	}
}

const javaRoundRobin = "org.apache.kafka.clients.producer.RoundRobinPartitioner"

func (r *resolver) resolvePartitioner() {
	class, ok := r.value("partitioner.class")
	switch {
	case !ok || class == "":
	case class == javaRoundRobin:
		r.cfg.Partitioner = partition.RoundRobin()
	case strings.HasSuffix(class, ".internals.DefaultPartitioner"):
		r.problem("partitioner.class", "was removed in Kafka 4.0: leave it out, the built-in partitioner does the same")
	case strings.HasSuffix(class, ".UniformStickyPartitioner"):
		r.problem("partitioner.class", "was removed in Kafka 4.0: use partitioner.ignore.keys=true instead")
	default:
		r.problem("partitioner.class", "is a Java class, which cannot run here: set Config.Partitioner, or use "+javaRoundRobin)
	}
}

// goSerializers names what writes the same bytes as each of Java's serializers.
var goSerializers = map[string]string{
	"Boolean":    "BoolSerializer",
	"ByteArray":  "BytesSerializer",
	"ByteBuffer": "BytesSerializer",
	"Bytes":      "BytesSerializer",
	"Double":     "Float64Serializer",
	"Float":      "Float32Serializer",
	"Integer":    "Int32Serializer",
	"Long":       "Int64Serializer",
	"Short":      "Int16Serializer",
	"String":     "StringSerializer",
	"UUID":       "UUIDSerializer",
	"Void":       "VoidSerializer",
}

func (r *resolver) resolveSerializers() {
	for _, key := range []string{"key.serializer", "value.serializer"} {
		class, ok := r.value(key)
		if !ok {
			continue
		}
		name := strings.TrimSuffix(class[strings.LastIndexByte(class, '.')+1:], "Serializer")
		inKafka := class == "org.apache.kafka.common.serialization."+name+"Serializer"
		if same := goSerializers[name]; inKafka && same != "" {
			r.notice(key, "records are bytes; with NewTyped, "+same+" writes the same")
			continue
		}
		r.notice(key, "records are bytes, and Java classes cannot run here: with NewTyped, a Serializer of your own can write the same as "+class)
	}
}

// validate adds what Config.Validate finds, under Java's names.
func (r *resolver) validate() {
	var invalid *ConfigError
	if !errors.As(r.cfg.Validate(), &invalid) {
		return
	}
	reported := map[string]bool{}
	for _, p := range r.problems {
		reported[p.Key] = true
		reported[p.Suggestion] = true
	}
	for _, v := range invalid.Violations {
		// A property that could not be read left the default behind, of which nothing is worth saying.
		if v.Key == "" || reported[v.Key] {
			continue
		}
		p := PropertyProblem{Line: r.set[v.Key].line, Key: v.Key, Value: v.Value, Rule: v.Rule}
		r.problems = append(r.problems, p)
	}
}
