package sender

import (
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// set sets what key=value says, of a script's config or of a test.
func set(cfg *Config, arg string) {
	key, value, _ := strings.Cut(arg, "=")
	switch key {
	case "acks":
		cfg.Acks = int16(number(value))
	case "idempotent":
		cfg.Idempotent = value == "true"
	case "inflight":
		cfg.MaxInFlight = number(value)
	case "retries":
		cfg.Retries = int32(number(value))
	case "linger":
		cfg.Linger = duration(value)
	case "batch":
		cfg.BatchSize = number(value)
	case "maxbatch":
		cfg.MaxBatchBytes = number(value)
	case "request":
		cfg.MaxRequestSize = number(value)
	case "memory":
		cfg.Memory = int64(number(value))
	case "timeout":
		cfg.DeliveryTimeout = duration(value)
	case "idle":
		cfg.Metadata.MaxIdle = duration(value)
	case "lookup": // how long apart failed look-ups are at most; a script with outages of minutes has a thousand times fewer with more
		cfg.Metadata.RetryBackoffMax = duration(value)
	case "txn":
		cfg.TransactionalID, cfg.TransactionTimeout = "tx", time.Minute
	case "fail-recreated":
		cfg.FailRecreated = true
	case "gzip":
		cfg.Codec, cfg.CodecLevel = protocol.CodecGzip, protocol.LevelDefault
	default:
		panic("no setting " + arg)
	}
}
