package sender

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/epistle-kafka/epistle/metadata"
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
	case "lookup": // how long apart failed look-ups are at most; a script with outages of minutes has a thousand times fewer with more
		cfg.Metadata.RetryBackoffMax = duration(value)
	case "idle":
		cfg.Metadata.MaxIdle = duration(value)
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

// The arguments of commands.

func worldTopicOf(args []string) *worldTopic {
	if len(args) == 0 {
		return nil
	}
	t := &worldTopic{}
	switch {
	case args[0] == "out":
		t.out = true
	case len(args[0]) > 1:
		t.code = code(args[0])
	case args[0] != "-":
		t.id = protocol.UUID{1: args[0][0]}
	}
	for _, arg := range args[1:] {
		t.parts = append(t.parts, leaderOf(arg))
	}
	return t
}

func leaderOf(arg string) metadata.Partition {
	leader, epoch, _ := strings.Cut(arg, "/")
	return metadata.Partition{Leader: int32(number(leader)), LeaderEpoch: int32(number(epoch))}
}

// code returns the error code of a name, or of a number.
func code(name string) protocol.ErrorCode {
	if name == "ok" {
		return protocol.NoError
	}
	for c := protocol.ErrorCode(-1); c < 200; c++ {
		if c.Name() == name {
			return c
		}
	}
	return protocol.ErrorCode(number(name))
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(errors.Join(errors.New("a number is wanted"), err))
	}
	return n
}

func duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return d
}
