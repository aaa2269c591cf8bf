package perf

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/producer"
)

// Command is `epistle perf`.
var Command = cli.Command{
	Name:    "perf",
	Args:    "-b HOST:PORT -t TOPIC",
	Summary: "make load, and measure throughput, latency, CPU and memory",
	About: `
Sends records of random capital letters and tells what it took. Time counts from the first record to
the last acknowledgement, after the warm-up, which is not counted.

With --rate the records follow a schedule that waits for nothing: when the cluster or this machine
falls behind, the latency of what comes late counts from when it was due. Without --rate records are
sent as fast as they are taken, and latency counts from the call that sends them, the wait for room
included: it then says more of buffer.memory than of the cluster. It is measured for one record in
64, or more of them if there are few records or a rate that allows it; "max" is that of these.

With --transactional-id the records are sent in transactions of --transaction-size records, those of
the warm-up too. A commit waits for the records before it, and no record is sent meanwhile: its time
counts from the call to the coordinator's answer. The records of a transaction that is not committed
count as failed, acknowledged or not; the latency of a record ends with its acknowledgement all the
same.

CPU and allocations are those of the whole process, this command's share included. A megabyte is
10^6 bytes of keys and values. Linux tells all figures; where peak memory or CPU time cannot be had,
they are 0.

--json prints one line with all figures on standard output, times in seconds, latencies in
microseconds.

Exit status: 0 if every record was acknowledged, and committed if there are transactions, 1 if not, 2
for a command line that makes no sense, 130 or 143 after Ctrl-C or SIGTERM.`,
	Examples: `
epistle perf -b localhost:9092 -t load
epistle perf -b localhost:9092 -t load --records 10000000 --size 100 --goroutines 4 -z lz4
epistle perf -b localhost:9092 -t load --rate 50000 --records 1500000 --linger 1ms --json
epistle perf -b localhost:9092 -t load --transactional-id load-1 --transaction-size 10000
epistle perf -b localhost:9092 -t load --acks 1 --idempotent=false --in-flight 1`,
	Foreign: foreign,
	Setup:   setup,
}

// options is what the command line says.
type options struct {
	settings   cli.Settings
	topic      cli.Topic
	records    int64
	size       int
	keySize    int
	goroutines int
	rate       float64
	warmup     int64
	json       bool

	transactionalID string
	transactionSize int64 // records
	sizeGiven       bool
}

func setup(fs *pflag.FlagSet) cli.Run {
	var o options
	o.settings.AddBootstrap(fs, cli.BootstrapUsage)
	o.topic.AddTopic(fs)
	fs.Int64VarP(&o.records, "records", "n", 1_000_000, "`number` of records that are measured")
	fs.IntVar(&o.size, "size", 100, "`bytes` of a value")
	fs.IntVar(&o.keySize, "key-size", 0, "`bytes` of a key; 0 sends no keys")
	fs.IntVar(&o.goroutines, "goroutines", 1, "`number` of goroutines that send")
	fs.Float64Var(&o.rate, "rate", 0, "records a `second`, of all goroutines; 0 sends as fast as possible")
	fs.Int64Var(&o.warmup, "warmup", 0, "`number` of records to send beforehand")
	fs.BoolVar(&o.json, "json", false, "print the figures as one line of JSON")
	settings := []struct{ flag, shorthand, key, usage string }{
		{"acks", "", "acks", "`replicas` that acknowledge: all, 1 or 0 (default all)"},
		{"idempotent", "", "enable.idempotence", "write each record once and in order: `true` or false (default true)"},
		{"compression", "z", "compression.type", "`codec` for batches: none, gzip, snappy, lz4 or zstd"},
		{"linger", "", "linger.ms", "how long a batch waits for more records, such as `5ms` (default 5ms)"},
		{"batch", "", "batch.size", "`bytes` at which a batch is sent without waiting (default 16384)"},
		{"in-flight", "", "max.in.flight.requests.per.connection", "`number` of unanswered requests of a connection (default 5)"},
	}
	for _, s := range settings {
		f := fs.VarPF(&setting{settings: &o.settings, key: s.key}, s.flag, s.shorthand, s.usage)
		if s.flag == "idempotent" {
			f.NoOptDefVal = "true"
		}
	}
	fs.StringVar(&o.transactionalID, "transactional-id", "", "send in transactions, under this `id`, which no other sender may have at the same time")
	fs.Int64Var(&o.transactionSize, "transaction-size", 1000, "`number` of records of a transaction")
	o.settings.AddProperties(fs)
	return func(env *cli.Env, args []string) error {
		if len(args) > 0 {
			return cli.Usagef("perf takes no arguments but flags: %s", strings.Join(args, " "))
		}
		if fs.Changed("transactional-id") {
			o.settings.Set("transactional.id", o.transactionalID)
		}
		o.sizeGiven = fs.Changed("transaction-size")
		return run(env, &o)
	}
}

// setting is a flag that is a setting of the producer.
type setting struct {
	settings *cli.Settings
	key      string
	value    string
}

func (s *setting) String() string { return s.value }
func (s *setting) Type() string   { return "value" }

// Set hands the value on. That of linger may have a unit, as Go writes it.
func (s *setting) Set(value string) error {
	s.value = value
	if s.key == "linger.ms" {
		if _, err := strconv.Atoi(value); err != nil {
			d, err := time.ParseDuration(value)
			if err != nil || d%time.Millisecond != 0 {
				return fmt.Errorf("want whole milliseconds, such as 5ms or 5")
			}
			value = strconv.FormatInt(d.Milliseconds(), 10)
		}
	}
	s.settings.Set(s.key, value)
	return nil
}

// check finds what makes no sense, apart from the producer's settings.
func (o *options) check() error {
	const maxGoroutines = 10_000
	switch {
	case o.topic == "":
		return cli.Usagef("which topic? Name it with -t")
	case o.records < 1:
		return cli.Usagef("--records %d: want at least 1", o.records)
	case o.size < 0:
		return cli.Usagef("--size %d: want at least 0", o.size)
	case o.keySize < 0:
		return cli.Usagef("--key-size %d: want at least 0", o.keySize)
	case o.goroutines < 1 || o.goroutines > maxGoroutines:
		return cli.Usagef("--goroutines %d: want 1 to %d", o.goroutines, maxGoroutines)
	case !(o.rate >= 0 && o.rate <= 1e9):
		return cli.Usagef("--rate %v: want 0 to 1000000000", o.rate)
	case o.transactionSize < 1:
		return cli.Usagef("--transaction-size %d: want at least 1", o.transactionSize)
	case o.warmup < 0:
		return cli.Usagef("--warmup %d: want at least 0", o.warmup)
	}
	return nil
}

// checkSize refuses records that no request can carry.
func (o *options) checkSize(cfg producer.Config) error {
	if o.size+o.keySize > cfg.MaxRequestSize {
		return cli.Usagef("--size %d and --key-size %d are more than max.request.size, %d", o.size, o.keySize, cfg.MaxRequestSize)
	}
	return nil
}

// checkTransactions refuses what can only fail.
func (o *options) checkTransactions(cfg producer.Config) error {
	takes := o.rate * cfg.TransactionTimeout.Seconds() // records, before the cluster aborts
	switch {
	case o.sizeGiven && cfg.TransactionalID == "":
		return cli.Usagef("--transaction-size is of use only with --transactional-id: without an id there are no transactions")
	case cfg.TransactionalID != "" && o.rate > 0 && takes < float64(min(o.transactionSize, o.records)):
		return cli.Usagef("--transaction-size %d at --rate %v takes longer than transaction.timeout.ms, %v", o.transactionSize, o.rate, cfg.TransactionTimeout)
	}
	return nil
}

// every is for how many records there is one whose latency is measured, on average.
func (o *options) every() int {
	const (
		fewest = 16384  // samples that are worth a quantile of 99.9 %
		affair = 64     // records: then the two looks at the clock cost next to nothing
		clocks = 50_000 // a second: likewise
	)
	if o.rate > 0 {
		return max(1, int(o.rate/clocks))
	}
	return int(min(max(o.records/fewest, 1), affair))
}
