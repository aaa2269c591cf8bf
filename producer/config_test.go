package producer

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDefaultsAndPresetsAreValid(t *testing.T) {
	for name, c := range map[string]Config{
		"DefaultConfig": DefaultConfig("localhost:9092"),
		"AtMostOnce":    AtMostOnce("localhost:9092"),
		"AtLeastOnce":   AtLeastOnce("a:1", "b:2"),
		"ExactlyOnce":   ExactlyOnce("id", "a:1"),
	} {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The presets promise what their names say, in so many words.
func TestPresets(t *testing.T) {
	if c := AtMostOnce("a:1"); c.Acks != AcksNone || c.Retries != 0 || c.EnableIdempotence {
		t.Errorf("AtMostOnce: got acks %v, retries %d, idempotence %v, want 0, 0, false", c.Acks, c.Retries, c.EnableIdempotence)
	}
	if c := AtLeastOnce("a:1"); c.Acks != AcksAll || c.Retries != math.MaxInt32 || !c.EnableIdempotence {
		t.Errorf("AtLeastOnce: got acks %v, retries %d, idempotence %v, want all, 2147483647, true", c.Acks, c.Retries, c.EnableIdempotence)
	}
	if c := ExactlyOnce("id", "a:1"); c.TransactionalID != "id" || c.Acks != AcksAll || !c.EnableIdempotence || !slices.Equal(c.BootstrapServers, []string{"a:1"}) {
		t.Errorf("ExactlyOnce: got id %q, acks %v, idempotence %v, servers %q, want id, all, true, a:1", c.TransactionalID, c.Acks, c.EnableIdempotence, c.BootstrapServers)
	}
}

// Each rule is named with its field, its key, the value and what would be right.
func TestViolations(t *testing.T) {
	for _, test := range []struct {
		field string
		spoil func(*Config)
		want  string
	}{
		{"BootstrapServers", func(c *Config) { c.BootstrapServers = nil }, "BootstrapServers (bootstrap.servers) = (empty): at least one host:port is required"},
		{"ClientID", func(c *Config) { c.ClientID = strings.Repeat("x", 32768) }, "(client.id) = (32768 bytes): must be at most 32767"},
		{"Acks", func(c *Config) { c.Acks = 2 }, "Acks (acks) = 2: must be AcksAll"},
		{"Acks", func(c *Config) { c.Acks = AcksLeader }, "must be AcksAll (all) with EnableIdempotence (enable.idempotence), or switch that off"},
		{"Retries", func(c *Config) { c.Retries = 0 }, "Retries (retries) = 0: must be above 0 with EnableIdempotence"},
		{"Retries", func(c *Config) { c.Retries = -1 }, "must be at least 0"},
		{"MaxInFlightRequestsPerConnection", func(c *Config) { c.MaxInFlightRequestsPerConnection = 6 }, "= 6: must be at most 5 with EnableIdempotence"},
		{"MaxInFlightRequestsPerConnection", func(c *Config) { c.MaxInFlightRequestsPerConnection = 0 }, "must be at least 1"},
		{"DeliveryTimeout", func(c *Config) { c.DeliveryTimeout = 30*time.Second + 4*time.Millisecond }, "= 30.004s: must be at least Linger (linger.ms) + RequestTimeout (request.timeout.ms) = 5ms + 30s"},
		{"DeliveryTimeout", func(c *Config) { c.DeliveryTimeout = maxTimeout + 1 }, "(2147483647 ms)"},
		{"DeliveryTimeout", func(c *Config) { c.Linger = math.MaxInt64 }, "must be at least Linger"},
		{"RequestTimeout", func(c *Config) { c.RequestTimeout = time.Millisecond - 1 }, "must be 1ms to"},
		{"Linger", func(c *Config) { c.Linger = -1 }, "must not be negative"},
		{"Linger", func(c *Config) { c.Linger = 5 }, "Linger (linger.ms) = 5ns: lacks its unit: a bare number is nanoseconds; for milliseconds write 5 * time.Millisecond"},
		{"RetryBackoff", func(c *Config) { c.RetryBackoff = 999 }, "999 * time.Millisecond"},
		{"RetryBackoffMax", func(c *Config) { c.RetryBackoff, c.RetryBackoffMax = 0, 999 }, "= 999ns: lacks its unit"},
		{"ReconnectBackoff", func(c *Config) { c.ReconnectBackoff = 50 }, "= 50ns: lacks its unit"},
		{"ReconnectBackoffMax", func(c *Config) { c.ReconnectBackoff, c.ReconnectBackoffMax = 0, 999 }, "= 999ns: lacks its unit"},
		{"MaxBlock", func(c *Config) { c.MaxBlock = 60000 }, "= 60µs: lacks its unit: a bare number is nanoseconds; for milliseconds write 60000 * time.Millisecond"},
		{"MetadataMaxAge", func(c *Config) { c.MetadataMaxAge = 300000 }, "= 300µs: lacks its unit"},
		{"MetadataRecoveryRebootstrapTrigger", func(c *Config) { c.MetadataRecoveryRebootstrapTrigger = 300000 }, "= 300µs: lacks its unit"},
		{"UnknownTopicGrace", func(c *Config) { c.UnknownTopicGrace = 5000 }, "= 5µs: lacks its unit"},
		{"PartitionerAvailabilityTimeout", func(c *Config) { c.PartitionerAvailabilityTimeout = 1000 }, "= 1µs: lacks its unit"},
		{"ConnectionsMaxIdle", func(c *Config) { c.ConnectionsMaxIdle = 540000 }, "= 540µs: lacks its unit"},
		{"SocketConnectionSetupTimeout", func(c *Config) { c.SocketConnectionSetupTimeout = 10000 }, "= 10µs: lacks its unit"},
		{"RetryBackoff", func(c *Config) { c.RetryBackoff = -1 }, "must not be negative"},
		{"RetryBackoffMax", func(c *Config) { c.RetryBackoffMax = 99 * time.Millisecond }, "= 99ms: must be at least RetryBackoff (retry.backoff.ms) = 100ms"},
		{"TransactionalID", func(c *Config) { c.TransactionalID = strings.Repeat("x", 32768) }, "TransactionalID (transactional.id) = (32768 bytes): must be at most 32767"},
		{"TransactionalID", func(c *Config) { c.TransactionalID, c.EnableIdempotence = "x", false }, "TransactionalID (transactional.id) = x: needs EnableIdempotence (enable.idempotence)"},
		{"Acks", func(c *Config) { c.TransactionalID, c.Acks = "x", AcksLeader }, "must be AcksAll (all) with TransactionalID (transactional.id)"},
		{"Retries", func(c *Config) { c.TransactionalID, c.Retries = "x", 0 }, "must be above 0 with TransactionalID (transactional.id)"},
		{"TransactionTimeout", func(c *Config) { c.TransactionalID, c.TransactionTimeout = "x", time.Millisecond-1 }, "TransactionTimeout (transaction.timeout.ms) = 999.999µs: must be 1ms to"},
		{"TransactionTimeout", func(c *Config) { c.TransactionalID, c.TransactionTimeout = "x", maxTimeout+1 }, "(2147483647 ms)"},
		{"BatchSize", func(c *Config) { c.BatchSize = -1 }, "must be at least 0"},
		{"BatchSize", func(c *Config) { c.BatchSize = 1<<20 + 1 }, "must be at most MaxBatchBytes (max.batch.bytes) = 1048576"},
		{"MaxBatchBytes", func(c *Config) { c.MaxBatchBytes = 0 }, "must be at least 1"},
		{"MaxRequestSize", func(c *Config) { c.MaxRequestSize = 0 }, "must be at least 1"},
		{"BufferMemory", func(c *Config) { c.BufferMemory = 4095 }, "must be at least 4096"},
		{"BufferMemory", func(c *Config) { c.BufferMemory = 16383 }, "must hold at least one batch of BatchSize (batch.size) = 16384"},
		{"MaxBlock", func(c *Config) { c.MaxBlock = -1 }, "must not be negative"},
		{"Compression", func(c *Config) { c.Compression = 5 }, "Compression (compression.type) = unknown (5): must be"},
		{"GzipLevel", func(c *Config) { c.GzipLevel = 0 }, "must be 1 to 9, or -1"},
		{"LZ4Level", func(c *Config) { c.LZ4Level = 18 }, "must be 1 to 17"},
		{"ZstdLevel", func(c *Config) { c.ZstdLevel = -131073 }, "must be -131072 to 22"},
		{"PartitionerAvailabilityTimeout", func(c *Config) { c.PartitionerAvailabilityTimeout = -1 }, "must not be negative"},
		{"PartitionerRackAware", func(c *Config) { c.PartitionerRackAware = true }, "needs ClientRack (client.rack)"},
		{"MetadataMaxAge", func(c *Config) { c.MetadataMaxAge = -1 }, "must not be negative"},
		{"MetadataMaxIdle", func(c *Config) { c.MetadataMaxIdle = 5*time.Second - 1 }, "must be at least 5s"},
		{"MetadataRecoveryStrategy", func(c *Config) { c.MetadataRecoveryStrategy = 2 }, "must be RecoveryRebootstrap or RecoveryNone"},
		{"MetadataRecoveryRebootstrapTrigger", func(c *Config) { c.MetadataRecoveryRebootstrapTrigger = -1 }, "must not be negative"},
		{"UnknownTopicGrace", func(c *Config) { c.UnknownTopicGrace = -1 }, "(unknown.topic.grace.ms) = -1ns: must not be negative"},
		{"TopicRecreation", func(c *Config) { c.TopicRecreation = 2 }, "must be FollowNewTopic or FailRecords"},
		{"ConnectionsMaxIdle", func(c *Config) { c.ConnectionsMaxIdle = 0 }, "negative for never"},
		{"ReconnectBackoff", func(c *Config) { c.ReconnectBackoff = -1 }, "must not be negative"},
		{"ReconnectBackoffMax", func(c *Config) { c.ReconnectBackoffMax = 0 }, "must be at least ReconnectBackoff"},
		{"SocketConnectionSetupTimeout", func(c *Config) { c.SocketConnectionSetupTimeout = 0 }, "must be above 0"},
		{"SocketConnectionSetupTimeoutMax", func(c *Config) { c.SocketConnectionSetupTimeoutMax = 1 }, "must be at least SocketConnectionSetupTimeout"},
		{"SendBuffer", func(c *Config) { c.SendBuffer = -2 }, "must be at least -1"},
		{"ReceiveBuffer", func(c *Config) { c.ReceiveBuffer = -2 }, "must be at least -1"},
		{"Interceptors", func(c *Config) { c.Interceptors = []Interceptor{nil} }, "Interceptors (interceptor.classes) = nil at index 0"},
	} {
		c := DefaultConfig("localhost:9092")
		test.spoil(&c)
		var invalid *ConfigError
		if err := c.Validate(); !errors.As(err, &invalid) {
			t.Errorf("%s: got %v, want a violation with %q", test.field, err, test.want)
			continue
		}
		if v := invalid.Violations; len(v) != 1 || v[0].Field != test.field || !strings.Contains(invalid.Error(), test.want) {
			t.Errorf("%s:\n got %v\nwant one violation with %q", test.field, invalid, test.want)
		}
	}
}

// A preset that is given nothing where something is needed is refused, and says what.
func TestPresetsNeedWhatTheyAreGiven(t *testing.T) {
	for name, test := range map[string]struct {
		c     Config
		field string
		want  []string
	}{
		"exactly once, no id":         {ExactlyOnce("", "localhost:9092"), "TransactionalID", []string{`TransactionalID (transactional.id) = ""`, "ExactlyOnce", "AtLeastOnce"}},
		"exactly once, no server":     {ExactlyOnce("x"), "BootstrapServers", []string{"at least one host:port"}},
		"exactly once, empty server":  {ExactlyOnce("x", ""), "BootstrapServers", []string{"must not be empty"}},
		"at least once, no server":    {AtLeastOnce(), "BootstrapServers", []string{"at least one host:port"}},
		"at least once, empty server": {AtLeastOnce(""), "BootstrapServers", []string{"must not be empty"}},
		"at most once, no server":     {AtMostOnce(), "BootstrapServers", []string{"at least one host:port"}},
		"at most once, empty server":  {AtMostOnce(""), "BootstrapServers", []string{"must not be empty"}},
	} {
		p, err := New(test.c)
		var invalid *ConfigError
		if !errors.As(err, &invalid) || p != nil || len(invalid.Violations) != 1 || invalid.Violations[0].Field != test.field {
			t.Errorf("%s: New returned %v, want one violation by %s", name, err, test.field)
			continue
		}
		for _, word := range test.want {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v, want %q in it", name, err, word)
			}
		}
	}
}

// Just inside each edge.
func TestEdgesAreLegal(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"delivery timeout":  func(c *Config) { c.DeliveryTimeout = 30*time.Second + 5*time.Millisecond },
		"longest timeout":   func(c *Config) { c.DeliveryTimeout = maxTimeout },
		"no linger":         func(c *Config) { c.Linger = 0 },
		"no batching":       func(c *Config) { c.BatchSize = 0 },
		"least memory":      func(c *Config) { c.BatchSize, c.BufferMemory = 4096, 4096 },
		"idle never":        func(c *Config) { c.ConnectionsMaxIdle = -1 },
		"small requests":    func(c *Config) { c.MaxRequestSize = 1000 },
		"six in flight":     func(c *Config) { c.EnableIdempotence, c.MaxInFlightRequestsPerConnection = false, 6 },
		"levels":            func(c *Config) { c.GzipLevel, c.LZ4Level, c.ZstdLevel = 9, 17, -131072 },
		"rack":              func(c *Config) { c.PartitionerRackAware, c.ClientRack = true, "a" },
		"static backoff":    func(c *Config) { c.RetryBackoff, c.RetryBackoffMax = 0, 0 },
		"system's buffers":  func(c *Config) { c.SendBuffer, c.ReceiveBuffer = -1, -1 },
		"never block":       func(c *Config) { c.MaxBlock = 0 },
		"longest client id": func(c *Config) { c.ClientID = strings.Repeat("x", 32767) },
		"longest id":        func(c *Config) { c.TransactionalID = strings.Repeat("x", 32767) },
		"least timeout":     func(c *Config) { c.TransactionalID, c.TransactionTimeout = "x", time.Millisecond },
		"no transactions":   func(c *Config) { c.TransactionTimeout = 0 },
	} {
		c := DefaultConfig("localhost:9092")
		change(&c)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBootstrapServers(t *testing.T) {
	for server, want := range map[string]string{
		"localhost:9092":          "",
		"10.0.0.1:1":              "",
		"[::1]:9092":              "",
		"[fe80::1%eth0]:65535":    "",
		"kafka-1.example.com.:19": "",
		"":                        "must not be empty",
		"localhost":               "has no port: host:port, e.g. localhost:9092",
		"localhost:":              "has no port: host:port, e.g. localhost:9092",
		"[::1]":                   "has no port: host:port, e.g. [::1]:9092",
		":9092":                   "has no host: host:port, e.g. localhost:9092",
		"::1:9092":                "an IPv6 address goes in brackets",
		"[::1:9092":               "an IPv6 address goes in brackets",
		"[a:b]:9092":              "which is no IPv6 address",
		"localhost:kafka":         `has port "kafka"`,
		"localhost:0":             `has port "0"`,
		"localhost:65536":         `has port "65536"`,
		"localhost:-1":            `has port "-1"`,
		"a:1,b:2":                 "each server is an element of its own",
		" a:1":                    "without spaces",
		"SSL://a:1":               "without a scheme, which is taken in properties alone",
	} {
		c := DefaultConfig("localhost:9092", server)
		err := c.Validate()
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", server, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: got %v, want %q", server, err, want)
		}
	}
}

// A zero Config is not a configuration, and everything about it is said at once.
func TestEveryViolationAtOnce(t *testing.T) {
	err := Config{}.Validate()
	var invalid *ConfigError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v, want a *ConfigError", err)
	}
	var fields []string
	for _, v := range invalid.Violations {
		fields = append(fields, v.Field)
	}
	for _, want := range []string{"BootstrapServers", "RequestTimeout", "MaxInFlightRequestsPerConnection", "MaxRequestSize", "BufferMemory", "GzipLevel", "MetadataMaxIdle", "SocketConnectionSetupTimeout"} {
		if !slices.Contains(fields, want) {
			t.Errorf("got %v, want %s among them", fields, want)
		}
	}
	if lines := strings.Count(err.Error(), "\n"); lines != len(fields) {
		t.Errorf("got %d lines of text for %d violations:\n%v", lines, len(fields), err)
	}
	var one ViolationError
	if !errors.As(err, &one) || one.Key != "bootstrap.servers" {
		t.Errorf("errors.As: got %+v, want the first violation", one)
	}
}

func TestNamesOfValues(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{AcksAll.String(), "all"}, {AcksNone.String(), "0"}, {AcksLeader.String(), "1"}, {Acks(7).String(), "7"},
		{Zstd.String(), "zstd"}, {Compression(-1).String(), "unknown (-1)"},
		{RecoveryNone.String(), "none"}, {FailRecords.String(), "fail"}, {TopicRecreation(9).String(), "unknown (9)"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

var _ Interceptor = (*stamp)(nil)

// What contradicts transactions is told all at once, also beside idempotence that is switched off: whoever puts that right would
// hear of the rest only then.
func TestAllThatContradictsTransactionsIsTold(t *testing.T) {
	c := ExactlyOnce("a", "localhost:9092")
	c.EnableIdempotence, c.Acks, c.Retries, c.MaxInFlightRequestsPerConnection, c.DeliveryTimeout = false, AcksNone, 0, 6, 10*time.Millisecond
	var fields []string
	if invalid, ok := errors.AsType[*ConfigError](c.Validate()); ok {
		for _, v := range invalid.Violations {
			fields = append(fields, v.Field)
		}
	}
	want := []string{"Acks", "DeliveryTimeout", "MaxInFlightRequestsPerConnection", "Retries", "TransactionalID"}
	if slices.Sort(fields); !slices.Equal(fields, want) {
		t.Errorf("got %v, want %v", fields, want)
	}
	_, _, err := FromMap(with("transactional.id", "a", "enable.idempotence", "false", "acks", "0", "delivery.timeout.ms", "10"))
	if invalid, ok := errors.AsType[*PropertiesError](err); !ok || len(invalid.Problems) != 3 || !strings.Contains(err.Error(), "acks = 0: must be AcksAll") {
		t.Errorf("got %v, want three problems, and acks among them", err)
	}
}

// stamp is what most interceptors are: it adds a header. It shows that the interface can be met from outside.
type stamp struct{}

func (*stamp) OnSend(_ context.Context, rec *Record) error {
	rec.Headers = append(slices.Clip(rec.Headers), Header{Key: "host", Value: []byte("a")})
	return nil
}

func (*stamp) OnAcknowledgement(context.Context, Acknowledgement) {}
