package producer

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

const (
	// maxInFlightIdempotent is how many batches of a partition a broker remembers to recognise a repeated one.
	maxInFlightIdempotent = 5
	// minBufferMemory leaves room for the first chunk of one raw and one compressed batch.
	minBufferMemory = 4096
	maxJavaInt      = math.MaxInt32
	// maxTimeout is the longest time that a request can state: an int32 of milliseconds.
	maxTimeout = math.MaxInt32 * time.Millisecond
	// maxString is the longest string of a request.
	maxString = math.MaxInt16
)

// Validate checks all of c, and returns nil or a *ConfigError that lists every violation. It does no I/O. New calls it.
func (c Config) Validate() error {
	k := &checker{}
	c.checkCluster(k)
	c.checkDelivery(k)
	c.checkIdempotence(k)
	c.checkTransactions(k)
	c.checkBatching(k)
	c.checkCompression(k)
	c.checkPartitioning(k)
	c.checkMetadata(k)
	c.checkConnections(k)
	c.checkUnits(k)
	for i, f := range c.ApplicationMetrics {
		if f == nil {
			k.fail("ApplicationMetrics", "nil at index "+strconv.Itoa(i), "must not hold nil")
		}
	}
	for i, in := range c.Interceptors {
		if in == nil {
			k.fail("Interceptors", "nil at index "+strconv.Itoa(i), "must not hold nil")
		}
	}
	for i, h := range c.Hooks {
		if !isHook(h) {
			k.fail("Hooks", fmt.Sprintf("a %T at index %d", h, i), "must have one of the interfaces of hooks, such as RecordEndedHook, with the receiver and arguments that these have")
		}
	}
	if len(k.violations) > 0 {
		return &ConfigError{Violations: k.violations}
	}
	return nil
}

// checkOrigin refuses a Config that does not start from DefaultConfig, with one violation: a list of each field that is not set
// would help nobody. None of the fields here can be 0.
func (c *Config) checkOrigin() error {
	if c.RequestTimeout != 0 || c.MaxInFlightRequestsPerConnection != 0 || c.MaxRequestSize != 0 || c.BufferMemory != 0 || c.SocketConnectionSetupTimeout != 0 {
		return nil
	}
	return &ConfigError{Violations: []ViolationError{{
		Field: "Config", Value: "(most fields are zero)",
		Rule: `start from DefaultConfig("host:9092"), and change the fields that should differ: a field that is zero is no default`,
	}}}
}

func (c *Config) checkCluster(k *checker) {
	if len(c.BootstrapServers) == 0 {
		k.fail("BootstrapServers", "(empty)", "at least one host:port is required")
	}
	for _, server := range c.BootstrapServers {
		if rule := bootstrapRule(server); rule != "" {
			if i := strings.LastIndexByte(server, '@'); i >= 0 { // what is before it is often a password
				server = "…" + server[i:]
			}
			k.fail("BootstrapServers", protocol.Quoted(server), rule)
		}
	}
	if len(c.ClientID) > maxString {
		k.fail("ClientID", fmt.Sprintf("(%d bytes)", len(c.ClientID)), "must be at most 32767 bytes")
	}
	if c.SASL != nil && c.SASL.Name() == "" {
		k.fail("SASL", fmt.Sprintf("(a %T)", c.SASL), "must have a name, the one that brokers list in sasl.enabled.mechanisms")
	}
}

func (c *Config) checkDelivery(k *checker) {
	if c.Acks != AcksNone && c.Acks != AcksLeader && c.Acks != AcksAll {
		k.fail("Acks", c.Acks.String(), "must be AcksAll (-1), AcksLeader (1) or AcksNone (0)")
	}
	k.atLeast("Retries", int64(c.Retries), 0)
	k.between("DeliveryTimeout", c.DeliveryTimeout, 0, maxTimeout)
	k.between("RequestTimeout", c.RequestTimeout, time.Millisecond, maxTimeout)
	k.notNegative("Linger", c.Linger)
	// Taken apart, the sum cannot overflow.
	if c.Linger >= 0 && c.RequestTimeout >= 0 && c.DeliveryTimeout >= 0 && c.DeliveryTimeout-c.RequestTimeout < c.Linger {
		k.fail("DeliveryTimeout", c.DeliveryTimeout.String(), fmt.Sprintf(
			"must be at least Linger (linger.ms) + RequestTimeout (request.timeout.ms) = %v + %v, or no batch could wait for its answer", c.Linger, c.RequestTimeout))
	}
	k.inRange("MaxInFlightRequestsPerConnection", c.MaxInFlightRequestsPerConnection, 1, maxJavaInt)
	k.notNegative("RetryBackoff", c.RetryBackoff)
	k.notLess("RetryBackoffMax", c.RetryBackoffMax, "RetryBackoff", c.RetryBackoff)
}

// checkIdempotence names every setting that contradicts idempotence. Whoever set it must choose: idempotence that is switched
// off silently is how duplicates are made. Transactions need the same, also where idempotence itself is off and has to be on.
func (c *Config) checkIdempotence(k *checker) {
	if !c.EnableIdempotence && c.TransactionalID == "" {
		return
	}
	needs := " with EnableIdempotence (enable.idempotence), or switch that off"
	if c.TransactionalID != "" {
		needs = " with TransactionalID (transactional.id)"
	}
	if c.Acks == AcksNone || c.Acks == AcksLeader {
		k.fail("Acks", c.Acks.String(), "must be AcksAll (all)"+needs)
	}
	if c.Retries == 0 {
		k.fail("Retries", "0", "must be above 0"+needs)
	}
	if c.MaxInFlightRequestsPerConnection > maxInFlightIdempotent {
		k.fail("MaxInFlightRequestsPerConnection", strconv.Itoa(c.MaxInFlightRequestsPerConnection),
			"must be at most 5"+needs)
	}
}

func (c *Config) checkTransactions(k *checker) {
	if c.TransactionalID == "" {
		if c.exactlyOnce {
			k.fail("TransactionalID", `""`, "must not be empty with ExactlyOnce: it is the name under which the cluster keeps the "+
				"transactions of this instance, the same after each restart; for records without transactions start from AtLeastOnce")
		}
		return // Java's producer does not look at the timeout then
	}
	k.between("TransactionTimeout", c.TransactionTimeout, time.Millisecond, maxTimeout)
	if len(c.TransactionalID) > maxString {
		k.fail("TransactionalID", fmt.Sprintf("(%d bytes)", len(c.TransactionalID)), "must be at most 32767 bytes")
	}
	if !c.EnableIdempotence {
		k.fail("TransactionalID", protocol.Shown(c.TransactionalID), "needs EnableIdempotence (enable.idempotence): a transaction could hold duplicates without it")
	}
}

func (c *Config) checkBatching(k *checker) {
	k.inRange("BatchSize", c.BatchSize, 0, maxJavaInt)
	k.inRange("MaxBatchBytes", c.MaxBatchBytes, 1, maxJavaInt)
	k.inRange("MaxRequestSize", c.MaxRequestSize, 1, maxJavaInt)
	if c.BatchSize > 0 && c.MaxBatchBytes > 0 && c.BatchSize > c.MaxBatchBytes {
		k.fail("BatchSize", strconv.Itoa(c.BatchSize), fmt.Sprintf(
			"must be at most MaxBatchBytes (max.batch.bytes) = %d, or no batch would ever reach it", c.MaxBatchBytes))
	}
	k.atLeast("BufferMemory", c.BufferMemory, minBufferMemory)
	if c.BufferMemory >= minBufferMemory && c.BufferMemory < int64(c.BatchSize) {
		k.fail("BufferMemory", strconv.FormatInt(c.BufferMemory, 10), fmt.Sprintf(
			"must hold at least one batch of BatchSize (batch.size) = %d bytes", c.BatchSize))
	}
	k.notNegative("MaxBlock", c.MaxBlock)
}

func (c *Config) checkCompression(k *checker) {
	if c.Compression < NoCompression || c.Compression > Zstd {
		k.fail("Compression", c.Compression.String(), "must be NoCompression, Gzip, Snappy, LZ4 or Zstd")
	}
	if c.GzipLevel != -1 && (c.GzipLevel < 1 || c.GzipLevel > 9) {
		k.fail("GzipLevel", strconv.Itoa(c.GzipLevel), "must be 1 to 9, or -1 for the codec's own")
	}
	k.inRange("LZ4Level", c.LZ4Level, 1, 17)
	k.inRange("ZstdLevel", c.ZstdLevel, -131072, 22)
}

func (c *Config) checkPartitioning(k *checker) {
	k.notNegative("PartitionerAvailabilityTimeout", c.PartitionerAvailabilityTimeout)
	if c.PartitionerRackAware && c.ClientRack == "" {
		k.fail("PartitionerRackAware", "true", "needs ClientRack (client.rack): which rack is this producer in?")
	}
}

func (c *Config) checkMetadata(k *checker) {
	k.notNegative("MetadataMaxAge", c.MetadataMaxAge)
	if c.MetadataMaxIdle < 5*time.Second {
		k.fail("MetadataMaxIdle", c.MetadataMaxIdle.String(), "must be at least 5s")
	}
	if c.MetadataRecoveryStrategy > RecoveryNone {
		k.fail("MetadataRecoveryStrategy", c.MetadataRecoveryStrategy.String(), "must be RecoveryRebootstrap or RecoveryNone")
	}
	k.notNegative("MetadataRecoveryRebootstrapTrigger", c.MetadataRecoveryRebootstrapTrigger)
	k.notNegative("UnknownTopicGrace", c.UnknownTopicGrace)
	if c.TopicRecreation > FailRecords {
		k.fail("TopicRecreation", c.TopicRecreation.String(), "must be FollowNewTopic or FailRecords")
	}
}

func (c *Config) checkConnections(k *checker) {
	if c.ConnectionsMaxIdle == 0 {
		k.fail("ConnectionsMaxIdle", "0s", "must be above 0, or negative for never")
	}
	k.notNegative("ReconnectBackoff", c.ReconnectBackoff)
	k.notLess("ReconnectBackoffMax", c.ReconnectBackoffMax, "ReconnectBackoff", c.ReconnectBackoff)
	if c.SocketConnectionSetupTimeout <= 0 {
		k.fail("SocketConnectionSetupTimeout", c.SocketConnectionSetupTimeout.String(), "must be above 0")
	}
	k.notLess("SocketConnectionSetupTimeoutMax", c.SocketConnectionSetupTimeoutMax,
		"SocketConnectionSetupTimeout", c.SocketConnectionSetupTimeout)
	c.checkAPIVersions(k)
	k.inRange("SendBuffer", c.SendBuffer, -1, maxJavaInt)
	k.inRange("ReceiveBuffer", c.ReceiveBuffer, -1, maxJavaInt)
}

// bootstrapRule returns what is wrong with server, or "".
func bootstrapRule(server string) string {
	switch {
	case server == "":
		return "must not be empty: host:port, e.g. localhost:9092"
	case strings.ContainsAny(server, ", \t\r\n"):
		return "must be one host:port without spaces or commas; each server is an element of its own, and in properties commas divide them"
	case strings.Contains(server, ";"):
		return "must be one host:port; several are divided by commas"
	case strings.Contains(server, "@"):
		return "must be host:port without a user in front; who logs in is said by SASL (sasl.jaas.config)"
	case strings.Contains(server, "://"):
		return "must be host:port without a scheme, which is taken in properties alone; TLS is asked for by TLS (security.protocol), not by the address"
	}
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		if strings.Contains(err.Error(), "missing port") {
			return "has no port: host:port, e.g. " + example(strings.Trim(server, "[]"))
		}
		if strings.Count(server, ":") > 1 && !strings.HasPrefix(server, "[") {
			return "must be host:port; an IPv6 address goes in brackets, e.g. [::1]:9092"
		}
		return "must be host:port; an IPv6 address goes in brackets, e.g. [::1]:9092 (" + reason(err) + ")"
	}
	if host == "" {
		return "has no host: host:port, e.g. localhost" + protocol.ShownText(server)
	}
	if port == "" {
		return "has no port: host:port, e.g. " + example(host)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "has port " + protocol.Quoted(port) + ", but a port is a number from 1 to 65535"
	}
	if strings.Contains(host, ":") && net.ParseIP(withoutZone(host)) == nil {
		return "has " + protocol.Quoted(host) + " in brackets, which is no IPv6 address"
	}
	return ""
}

// example is an address of host with the usual port. For a host that nobody would type it is that of localhost.
func example(host string) string {
	if protocol.Shown(host) != host {
		host = "localhost"
	}
	return net.JoinHostPort(host, "9092")
}

// reason says what is wrong with an address, without the address.
func reason(err error) string {
	if e, ok := errors.AsType[*net.AddrError](err); ok {
		return e.Err
	}
	return protocol.ShownText(err.Error())
}

func withoutZone(host string) string {
	ip, _, _ := strings.Cut(host, "%")
	return ip
}
