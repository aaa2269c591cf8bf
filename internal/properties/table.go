package properties

import "strings"

// Setting is one row of the table: what Java says of a key, and what becomes of it here.
type Setting struct {
	Key     string
	Kind    string // Java's type: BOOLEAN, INT, LONG, SHORT, DOUBLE, STRING, LIST, CLASS or PASSWORD
	Default string // Java's default as a property; NotSet or Required where there is none
	Valid   string // what Java takes, in the notation of its own documentation; "" is anything
	How     Handling
	Field   string // the field of the producer's Config that it sets, if any
	Ours    string // our default where it is not Java's
	Why     string // for the user: what it does here, or why it does nothing, or what to do instead
}

// Default of a row that has none.
const (
	NotSet   = "null"
	Required = "(required)"
)

// Handling is what becomes of a key.
type Handling uint8

const (
	Refused       Handling = iota // ignoring it would change what the producer does: any value but Java's default is an error
	Honoured                      // sets a field of Config and means what it means in Java
	Mapped                        // means the same, by other means
	WithoutEffect                 // concerns what is not here; accepted, with a notice unless it is Java's default
)

// String returns the word that the documentation has for it.
func (h Handling) String() string {
	return [...]string{"refused", "honoured", "mapped", "without effect"}[h]
}

// Java returns the keys of Java's producer.
func Java() []Setting { return all[:len(all)-len(ownSettings)] }

// Own returns the keys that only Epistle has.
func Own() []Setting { return ownSettings }

// KeyOf returns the key that sets a field of Config, or "".
func KeyOf(field string) string { return keyOfField[field] }

// Lookup returns the row of a key, or nil.
func Lookup(key string) *Setting { return rows[key] }

// all is every key that has a row: Java's, then our own.
var all = func() []Setting {
	var joined []Setting
	for _, some := range [][]Setting{producerSettings, clientSettings, sslSettings, saslSettings, ownSettings} {
		joined = append(joined, some...)
	}
	return joined
}()

var rows = func() map[string]*Setting {
	m := make(map[string]*Setting)
	for i := range all {
		m[all[i].Key] = &all[i]
	}
	return m
}()

var keyOfField = func() map[string]string {
	m := make(map[string]string)
	for _, s := range all {
		if s.Field != "" && m[s.Field] == "" {
			m[s.Field] = s.Key
		}
	}
	return m
}()

// secret says whether the values of a key are never shown: it is one that Java hides, or one that nobody knows.
func secret(key string) bool {
	s := rows[key]
	return s == nil && !strings.HasPrefix(key, "config.providers.") || s != nil && s.Kind == "PASSWORD"
}

// producerSettings are the keys about records, batches, delivery and partitions.
var producerSettings = []Setting{
	{Key: "acks", Kind: "STRING", Default: "all", Valid: "[all, -1, 0, 1]", How: Honoured, Field: "Acks", Why: "0 and 1 switch idempotence off unless `enable.idempotence` is set, as in Java, with a notice"},
	{Key: "batch.size", Kind: "INT", Default: "16384", Valid: "[0,...]", How: Honoured, Field: "BatchSize", Why: "the size at which a batch is sent at once; while it cannot be sent it grows on, up to `max.batch.bytes`"},
	{Key: "buffer.memory", Kind: "LONG", Default: "33554432", Valid: "[0,...]", How: Honoured, Field: "BufferMemory", Why: "at least `batch.size` and 4096"},
	{Key: "buffer.memory.allocation.strategy", Kind: "STRING", Default: "full", Valid: "(case insensitive) [FULL, INCREMENTAL]", How: WithoutEffect, Why: "memory always follows the data, as with `incremental`"},
	{Key: "compression.gzip.level", Kind: "INT", Default: "-1", Valid: "[1,...,9] or -1", How: Honoured, Field: "GzipLevel", Why: "of no effect, with a notice, unless `compression.type` is gzip"},
	{Key: "compression.lz4.level", Kind: "INT", Default: "9", Valid: "[1,...,17]", How: Honoured, Field: "LZ4Level", Why: "of no effect, with a notice, unless `compression.type` is lz4"},
	{Key: "compression.type", Kind: "STRING", Default: "none", Valid: "[none, gzip, snappy, lz4, zstd]", How: Honoured, Field: "Compression", Why: "a batch that compression would make larger goes out as it is"},
	{Key: "compression.zstd.level", Kind: "INT", Default: "3", Valid: "[-131072,...,22]", How: Honoured, Field: "ZstdLevel", Why: "of no effect, with a notice, unless `compression.type` is zstd"},
	{Key: "delivery.timeout.ms", Kind: "INT", Default: "120000", Valid: "[0,...]", How: Honoured, Field: "DeliveryTimeout", Why: "raised to `linger.ms` + `request.timeout.ms` if it is not set, as in Java, with a notice"},
	{Key: "enable.idempotence", Kind: "BOOLEAN", Default: "true", How: Honoured, Field: "EnableIdempotence", Why: "if it is set, whatever contradicts it is an error"},
	{Key: "interceptor.classes", Kind: "LIST", Default: "", How: Refused, Field: "Interceptors", Why: "Java classes cannot run here, and one may change records: implement Interceptor and set Config.Interceptors"},
	{Key: "key.serializer", Kind: "CLASS", Default: Required, How: Mapped, Ours: "none", Why: "records are bytes; a notice names the Serializer for NewTyped that writes the same bytes"},
	{Key: "linger.ms", Kind: "LONG", Default: "5", Valid: "[0,...]", How: Honoured, Field: "Linger", Why: "Flush, Close and waiting for a result end it early"},
	{Key: "max.block.ms", Kind: "LONG", Default: "60000", Valid: "[0,...]", How: Honoured, Field: "MaxBlock"},
	{Key: "max.in.flight.requests.per.connection", Kind: "INT", Default: "5", Valid: "[1,...]", How: Honoured, Field: "MaxInFlightRequestsPerConnection", Why: "at most 5 with idempotence"},
	{Key: "max.request.size", Kind: "INT", Default: "1048576", Valid: "[0,...]", How: Honoured, Field: "MaxRequestSize", Why: "0, with which nothing could be sent, is an error"},
	{Key: "partitioner.adaptive.partitioning.enable", Kind: "BOOLEAN", Default: "true", How: Honoured, Field: "PartitionerAdaptivePartitioning", Why: "of no effect, with a notice, beside a `partitioner.class`"},
	{Key: "partitioner.availability.timeout.ms", Kind: "LONG", Default: "0", Valid: "[0,...]", How: Honoured, Field: "PartitionerAvailabilityTimeout", Why: "of no effect, with a notice, beside a `partitioner.class` and with `partitioner.adaptive.partitioning.enable=false`"},
	{Key: "partitioner.class", Kind: "CLASS", Default: NotSet, How: Mapped, Field: "Partitioner", Why: "Java's RoundRobinPartitioner; any other class is an error: set Config.Partitioner"},
	{Key: "partitioner.ignore.keys", Kind: "BOOLEAN", Default: "false", How: Honoured, Field: "PartitionerIgnoreKeys", Why: "of no effect, with a notice, beside a `partitioner.class`"},
	{Key: "partitioner.rack.aware", Kind: "BOOLEAN", Default: "false", How: Honoured, Field: "PartitionerRackAware", Why: "of no effect, with a notice, without `client.rack`, and beside a `partitioner.class`"},
	{Key: "request.timeout.ms", Kind: "INT", Default: "30000", Valid: "[0,...]", How: Honoured, Field: "RequestTimeout", Why: "0, with which every request would fail, is an error"},
	{Key: "retries", Kind: "INT", Default: "2147483647", Valid: "[0,...,2147483647]", How: Honoured, Field: "Retries", Why: "0 switches idempotence off unless `enable.idempotence` is set, as in Java, with a notice"},
	{Key: "retry.backoff.max.ms", Kind: "LONG", Default: "1000", Valid: "[0,...]", How: Honoured, Field: "RetryBackoffMax"},
	{Key: "retry.backoff.ms", Kind: "LONG", Default: "100", Valid: "[0,...]", How: Honoured, Field: "RetryBackoff", Why: "above `retry.backoff.max.ms` it is lowered to that, as in Java, with a notice"},
	{Key: "transaction.timeout.ms", Kind: "INT", Default: "60000", How: Honoured, Field: "TransactionTimeout", Why: "of no effect, with a notice, without `transactional.id`; with it at least 1, and brokers have a limit of their own (`transaction.max.timeout.ms`, 15 min)"},
	{Key: "transaction.two.phase.commit.enable", Kind: "BOOLEAN", Default: "false", How: Refused, Why: "two-phase commit is not available: leave it out"},
	{Key: "transactional.id", Kind: "STRING", Default: NotSet, Valid: "non-empty string", How: Honoured, Field: "TransactionalID", Why: "every record is then part of a transaction; `acks`, `retries` or `enable.idempotence` that forbid it are errors, as in Java"},
	{Key: "value.serializer", Kind: "CLASS", Default: Required, How: Mapped, Ours: "none", Why: "as `key.serializer`"},
}
