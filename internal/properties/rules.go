package properties

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// settle resolves keys that depend on each other, in Java's order.
func (s *Set) settle() {
	s.resolveLogin()
	s.resolveSerializers()
	s.resolvePartitioner()
	s.resolveIdempotence()
	s.resolveBackoffs()
	s.resolveDeliveryTimeout()
	s.resolveSizes()
	s.tellIdle()
	s.tellOtherMechanisms()
}

func (s *Set) isSet(key string) bool { return s.entries[key] != nil }

// effective returns the value that is in force for a key: what another setting has made of it, what was set, or the default.
func (s *Set) effective(key string) string {
	if v, ok := s.changed[key]; ok {
		return v
	}
	if e := s.entries[key]; e != nil && !s.broken[key] {
		return e.value
	}
	return rows[key].Default
}

func (s *Set) number(key string) int64 { return Int(s.effective(key)) }

func (s *Set) change(key string, n int64) { s.changed[key] = fmt.Sprint(n) }

// oneOf returns the first key if it is set, and else the second.
func (s *Set) oneOf(key, otherwise string) string {
	if s.isSet(key) {
		return key
	}
	return otherwise
}

// idempotentInFlight is how many batches of a partition a broker remembers, to recognise a duplicate.
const idempotentInFlight = 5

// resolveIdempotence switches idempotence off if acks or retries forbid it and nobody asked for it. More than 5 in flight are
// an error even then, in Java as here: the producer's validation finds that if idempotence stays on, and this if it was
// switched off. A transactional.id asks for idempotence, and validation then finds what forbids it.
func (s *Set) resolveIdempotence() {
	if s.isSet("enable.idempotence") || s.effective("transactional.id") != NotSet {
		return
	}
	off := func(key, why string) {
		s.changed["enable.idempotence"] = "false"
		s.Notice(key, "switches enable.idempotence off, as in Java, since "+why+"; set enable.idempotence=false to say so yourself")
	}
	if s.number("retries") == 0 {
		off("retries", "it is 0: nothing is sent again, so a record fails at the first failure that would pass by itself")
	}
	switch acks := s.effective("acks"); {
	case acks != "0" && acks != "1":
	case s.number("retries") == 0:
		off("acks", "it is not all")
	default:
		off("acks", "it is not all: retries may write records twice or out of order")
	}
	if s.changed["enable.idempotence"] == "false" && s.number("max.in.flight.requests.per.connection") > idempotentInFlight {
		s.Problem("max.in.flight.requests.per.connection", "must be at most 5 unless enable.idempotence=false is set")
	}
}

func (s *Set) resolveBackoffs() {
	const base, most = "reconnect.backoff.ms", "reconnect.backoff.max.ms"
	if s.isSet(base) && !s.isSet(most) && s.number(base) != s.number(most) {
		s.change(most, s.number(base))
		s.Notice(base, "does not grow with each failure, as in Java, since reconnect.backoff.max.ms is not set")
	}
	s.lower(base, most)
	s.lower("retry.backoff.ms", "retry.backoff.max.ms")
	s.lower("socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.max.ms")
}

// lower lowers a base to its maximum, if it is above it: Java waits the maximum each time. The notice goes to the one of the
// two that was set.
func (s *Set) lower(base, most string) {
	if s.number(base) <= s.number(most) {
		return
	}
	s.Notice(s.oneOf(base, most), fmt.Sprintf("%s is above %s: it is always %v, as in Java", base, most, Millis(s.effective(most))))
	s.change(base, s.number(most))
}

// resolveDeliveryTimeout computes with milliseconds that fit an int32, as Java does, so that a linger of "for ever" stays
// legal.
func (s *Set) resolveDeliveryTimeout() {
	if longest := math.MaxInt32 - s.number("request.timeout.ms"); s.number("linger.ms") > longest && longest >= 0 {
		s.change("linger.ms", longest)
		s.Notice("linger.ms", fmt.Sprintf("lowered to %v, so that linger.ms + request.timeout.ms fits delivery.timeout.ms", Millis(s.effective("linger.ms"))))
	}
	if s.isSet("delivery.timeout.ms") {
		return
	}
	if least := s.number("linger.ms") + s.number("request.timeout.ms"); s.number("delivery.timeout.ms") < least {
		s.change("delivery.timeout.ms", least)
		s.Notice(s.oneOf("request.timeout.ms", "linger.ms"),
			fmt.Sprintf("raises delivery.timeout.ms to linger.ms + request.timeout.ms = %v, as in Java", Millis(s.effective("delivery.timeout.ms"))))
	}
}

// resolveSizes adjusts sizes that Java accepts: here a batch has an upper limit of its own.
func (s *Set) resolveSizes() {
	if most := s.number("max.request.size"); s.number("batch.size") > most && most > 0 {
		s.change("batch.size", most)
		s.Notice(s.oneOf("batch.size", "max.request.size"), fmt.Sprintf("batch.size is lowered to max.request.size = %d", most))
	}
	if !s.isSet("max.batch.bytes") && s.number("batch.size") > s.number("max.batch.bytes") {
		s.change("max.batch.bytes", s.number("batch.size"))
	}
	if Bool(s.effective("partitioner.rack.aware")) && s.effective("client.rack") == "" {
		s.changed["partitioner.rack.aware"] = "false"
	}
}

// JavaRoundRobin is the one partitioner of Java's that has a class.
const JavaRoundRobin = "org.apache.kafka.clients.producer.RoundRobinPartitioner"

func (s *Set) resolvePartitioner() {
	const key = "partitioner.class"
	class, ok := s.Value(key)
	switch {
	case !ok, class == "", class == JavaRoundRobin, s.broken[key], s.entries[key].written != key:
	case strings.HasSuffix(class, ".DefaultPartitioner"):
		s.Problem(key, "was removed in Kafka 4.0: leave it out, the built-in partitioner does the same")
	case strings.HasSuffix(class, ".UniformStickyPartitioner"):
		s.Problem(key, "was removed in Kafka 4.0: use partitioner.ignore.keys=true instead")
	case roundRobinMeant(class):
		s.Problem(key, "is not the name of a class of Kafka's"+didYouMean(JavaRoundRobin))
	default:
		s.Problem(key, "is a Java class, which cannot run here: set Config.Partitioner, or use "+JavaRoundRobin)
	}
}

// roundRobinMeant reports whether a class is Kafka's RoundRobinPartitioner but for a slip. A class of that name in a package of
// somebody else's is another.
func roundRobinMeant(class string) bool {
	at := strings.LastIndexByte(class, '.') + 1
	ofKafka := at == 0 || strings.HasPrefix(class, "org.apache.kafka.")
	return ofKafka && nameMeant(class[at:], []string{"RoundRobinPartitioner"}) != ""
}

// goSerializers names the serializers here that write the same bytes as Java's.
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

func (s *Set) resolveSerializers() {
	for _, key := range []string{"key.serializer", "value.serializer"} {
		class, ok := s.Value(key)
		if !ok || class == "" || s.broken[key] {
			continue
		}
		name := strings.TrimSuffix(simpleName(class), "Serializer")
		inKafka := strings.HasSuffix("."+class, ".org.apache.kafka.common.serialization."+name+"Serializer") // or a shaded one
		if same := goSerializers[name]; inKafka && same != "" {
			s.Notice(key, "records are bytes; with NewTyped, "+same+" writes the same")
			continue
		}
		if s.entries[key].hidden {
			class = "it"
		}
		s.Notice(key, "records are bytes, and Java classes cannot run here: with NewTyped, a Serializer of your own can write the same as "+class)
	}
}

// Millis reads milliseconds. It caps what a Duration cannot hold, 292 years: Long.MAX_VALUE is how Java's users write "for
// ever".
func Millis(v string) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	return time.Duration(min(max(Int(v), -most), most)) * time.Millisecond
}
