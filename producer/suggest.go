package producer

import (
	"fmt"
	"strings"
)

// suggest returns the key that was probably meant by one that is not known, or "", and what to tell the user.
func suggest(key string) (suggestion, rule string) {
	lower := strings.ToLower(strings.TrimSpace(key))
	if a, ok := foreignKeys[lower]; ok {
		if a.key == "" {
			return "", "is not a setting of Kafka's producer: " + a.note
		}
		rule = fmt.Sprintf("is %s's name; here, as in Java, it is %s", a.whose, a.key)
		if a.note != "" {
			rule += " (" + a.note + ")"
		}
		return a.key, rule
	}
	if nearest := nearestKey(lower); nearest != "" {
		return nearest, "is not a known setting; did you mean " + nearest + "?"
	}
	return "", "is not a known setting; the README lists all of them"
}

// nearestKey looks for the key in another spelling, with a prefix such as "producer.", or with a few letters wrong.
func nearestKey(lower string) string {
	dotted := strings.NewReplacer("_", ".", "-", ".", " ", "").Replace(lower)
	for _, s := range allSettings {
		if dotted == s.key || strings.HasSuffix(dotted, "."+s.key) || letters(s.key) == letters(dotted) {
			return s.key
		}
	}
	best, bestDistance := "", 0
	for _, s := range allSettings {
		d := editDistance(dotted, s.key)
		if best == "" || d < bestDistance {
			best, bestDistance = s.key, d
		}
	}
	// A third of the letters wrong is another word rather than a slip.
	if bestDistance*3 <= len(dotted) {
		return best
	}
	return abbreviated(letters(dotted))
}

// abbreviated returns the one key that begins with these letters.
func abbreviated(start string) string {
	found := ""
	for _, s := range allSettings {
		if len(start) >= 5 && strings.HasPrefix(letters(s.key), start) {
			if found != "" {
				return ""
			}
			found = s.key
		}
	}
	return found
}

func letters(key string) string { return strings.ReplaceAll(key, ".", "") }

// editDistance counts the letters to insert, delete, replace or swap with their neighbour to make a into b.
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// foreignKey is another client's name for a setting.
type foreignKey struct {
	whose string
	key   string // ours; "" if there is none
	note  string // on units, or what to do where there is no key
}

// foreignKeys are in lower case. Configuration is often carried over from another client, whose names are too far from
// Java's to be taken for slips.
var foreignKeys = map[string]foreignKey{
	"metadata.broker.list":                {"librdkafka", "bootstrap.servers", ""},
	"brokers":                             {"librdkafka", "bootstrap.servers", ""},
	"queue.buffering.max.ms":              {"librdkafka", "linger.ms", ""},
	"queue.buffering.max.kbytes":          {"librdkafka", "buffer.memory", "in bytes, not KiB"},
	"queue.buffering.max.messages":        {"librdkafka", "buffer.memory", "in bytes; there is no bound on the number of records"},
	"message.max.bytes":                   {"librdkafka", "max.request.size", ""},
	"message.timeout.ms":                  {"librdkafka", "delivery.timeout.ms", ""},
	"message.send.max.retries":            {"librdkafka", "retries", ""},
	"request.required.acks":               {"librdkafka", "acks", ""},
	"batch.num.messages":                  {"librdkafka", "batch.size", "in bytes, not records"},
	"compression.codec":                   {"librdkafka", "compression.type", ""},
	"compression.level":                   {"librdkafka", "compression.zstd.level", "or compression.gzip.level, compression.lz4.level"},
	"max.in.flight":                       {"librdkafka", "max.in.flight.requests.per.connection", ""},
	"partitioner":                         {"librdkafka", "partitioner.class", "for its hashes set Config.Partitioner, see package partition"},
	"sticky.partitioning.linger.ms":       {"librdkafka", "batch.size", "a partition is kept for a batch, not for a time"},
	"socket.timeout.ms":                   {"librdkafka", "request.timeout.ms", ""},
	"socket.send.buffer.bytes":            {"librdkafka", "send.buffer.bytes", ""},
	"socket.receive.buffer.bytes":         {"librdkafka", "receive.buffer.bytes", ""},
	"topic.metadata.refresh.interval.ms":  {"librdkafka", "metadata.max.age.ms", ""},
	"sasl.mechanisms":                     {"librdkafka", "sasl.mechanism", ""},
	"sasl.username":                       {"librdkafka", "sasl.jaas.config", "which holds user name and password"},
	"sasl.password":                       {"librdkafka", "sasl.jaas.config", "which holds user name and password"},
	"ssl.ca.location":                     {"librdkafka", "ssl.truststore.location", "with ssl.truststore.type=PEM"},
	"ssl.ca.pem":                          {"librdkafka", "ssl.truststore.certificates", "with ssl.truststore.type=PEM"},
	"ssl.certificate.location":            {"librdkafka", "ssl.keystore.location", "with ssl.keystore.type=PEM and a file that holds key and certificates"},
	"ssl.key.location":                    {"librdkafka", "ssl.keystore.location", "with ssl.keystore.type=PEM and a file that holds key and certificates"},
	"ssl.certificate.pem":                 {"librdkafka", "ssl.keystore.certificate.chain", "with ssl.keystore.type=PEM"},
	"ssl.key.pem":                         {"librdkafka", "ssl.keystore.key", "with ssl.keystore.type=PEM"},
	"enable.ssl.certificate.verification": {"librdkafka", "ssl.endpoint.identification.algorithm", "certificates are always verified; empty leaves out the host name"},
	"enable.gapless.guarantee":            {note: "remove it; with idempotence a partition's records stay in order, and what fails is reported"},
	"statistics.interval.ms":              {note: "remove it and call Stats"},
	"debug":                               {note: "remove it and set Config.Logger"},
	"log.connection.close":                {note: "remove it; idle closes are logged at debug level"},
	"socket.keepalive.enable":             {note: "remove it; Go keeps connections alive unless Config.DialContext does not"},

	"clientid":                        {"sarama", "client.id", ""},
	"rackid":                          {"sarama", "client.rack", ""},
	"producer.requiredacks":           {"sarama", "acks", ""},
	"producer.idempotent":             {"sarama", "enable.idempotence", ""},
	"producer.flush.frequency":        {"sarama", "linger.ms", ""},
	"producer.flush.bytes":            {"sarama", "batch.size", ""},
	"producer.flush.messages":         {"sarama", "batch.size", "in bytes, not records"},
	"producer.flush.maxmessages":      {"sarama", "batch.size", "in bytes, not records"},
	"producer.maxmessagebytes":        {"sarama", "max.request.size", ""},
	"producer.compression":            {"sarama", "compression.type", ""},
	"producer.compressionlevel":       {"sarama", "compression.zstd.level", "or compression.gzip.level, compression.lz4.level"},
	"producer.retry.max":              {"sarama", "retries", ""},
	"producer.retry.backoff":          {"sarama", "retry.backoff.ms", ""},
	"producer.timeout":                {"sarama", "request.timeout.ms", ""},
	"producer.partitioner":            {"sarama", "partitioner.class", "for its hashes set Config.Partitioner, see package partition"},
	"producer.transaction.id":         {"sarama", "transactional.id", ""},
	"producer.transaction.timeout":    {"sarama", "transaction.timeout.ms", ""},
	"producer.return.successes":       {note: "remove it; every result reaches the record's Future or callback"},
	"producer.return.errors":          {note: "remove it; every result reaches the record's Future or callback"},
	"net.maxopenrequests":             {"sarama", "max.in.flight.requests.per.connection", ""},
	"net.dialtimeout":                 {"sarama", "socket.connection.setup.timeout.ms", ""},
	"net.readtimeout":                 {"sarama", "request.timeout.ms", ""},
	"net.writetimeout":                {"sarama", "request.timeout.ms", ""},
	"net.tls.enable":                  {"sarama", "security.protocol", "SSL"},
	"net.sasl.mechanism":              {"sarama", "sasl.mechanism", ""},
	"metadata.refreshfrequency":       {"sarama", "metadata.max.age.ms", ""},
	"metadata.allowautotopiccreation": {"sarama", "allow.auto.create.topics", ""},
	"metadata.full":                   {note: "remove it; only the topics that are sent to are looked up"},
	"version":                         {note: "remove it; versions are negotiated with each broker"},
	"broker.version.fallback":         {note: "remove it; versions are negotiated with each broker"},
	"api.version.request":             {note: "remove it; versions are negotiated with each broker"},

	"group.id":                                    {note: "it is the consumer's; remove it"},
	"auto.offset.reset":                           {note: "it is the consumer's; remove it"},
	"enable.auto.commit":                          {note: "it is the consumer's; remove it"},
	"key.deserializer":                            {note: "it is the consumer's; remove it"},
	"value.deserializer":                          {note: "it is the consumer's; remove it"},
	"zookeeper.connect":                           {note: "clients talk to brokers: set bootstrap.servers"},
	"auto.include.jmx.reporter":                   {note: "it was removed in Kafka 4.0; remove it"},
	"isolation.level":                             {note: "it is the consumer's; remove it"},
	"spring.kafka.producer.transaction-id-prefix": {"Spring", "transactional.id", "the whole of it, stable, and another one for each instance"},
	"transaction.max.timeout.ms":                  {note: "it is the brokers'; how long this producer's transactions may take is transaction.timeout.ms"},
	"block.on.buffer.full":                        {"an old Kafka", "max.block.ms", ""},
	"metadata.fetch.timeout.ms":                   {"an old Kafka", "max.block.ms", ""},
	"timeout.ms":                                  {"an old Kafka", "request.timeout.ms", ""},
	"serializer.class":                            {"an old Kafka", "value.serializer", ""},
	"producer.type":                               {note: "remove it; SendSync waits for a result, Send does not"},
}
