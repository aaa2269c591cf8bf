package perf

import (
	"fmt"
	"strconv"
	"strings"

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

Random letters compress to about 60 %, whatever yours do. With --payload-file the records are those
of a file, one a line (or up to --payload-delimiter), in its order, and again from the beginning at
its end. -K, --header-delimiter and -Z cut them into headers, key and value as in epistle produce; -H
gives a header to all. The figures tell what compression has made of them.

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

--report draws a page, as one file of HTML that needs no other: throughput, latency, memory and CPU
over time, latency by share of records up to 99.99 %, settings and versions. It costs up to 5 MB of
memory, and no time worth mentioning.

--json prints one line with all figures on standard output, times in seconds, latencies in
microseconds.

Exit status: 0 if every record was acknowledged, and committed if there are transactions, 1 if not, 2
for a command line that makes no sense, 130 or 143 after Ctrl-C or SIGTERM.`,
	Examples: `
epistle perf -b localhost:9092 -t load
epistle perf -b localhost:9092 -t load --records 10000000 --size 100 --goroutines 4 -z lz4
epistle perf -b localhost:9092 -t load --rate 50000 --records 1500000 --linger 1ms --json
epistle perf -b localhost:9092 -t load --rate 50000 --records 1500000 --report load.html
epistle perf -b localhost:9092 -t load -z zstd --payload-file orders.json
epistle perf -b localhost:9092 -t load -z lz4 --batch 65536 -K : --payload-file orders.txt
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
	report     string

	payloadFile, payloadDelimiter string
	keyDelimiter, headerDelimiter string
	emptyIsNull                   bool
	headers                       []string
	fixed                         []producer.Header // of headers
	sizesGiven                    bool

	transactionalID string
	transactionSize int64 // records
	sizeGiven       bool
}

func setup(fs *pflag.FlagSet) cli.Run {
	var o options
	o.settings.AddBootstrap(fs, cli.BootstrapUsage)
	o.topic.AddTopic(fs)
	cli.AddCount(fs, &o.records, "records", "n", 1_000_000, "`number`: how many records are measured; 10k and 1.5M are taken, as for each number of records")
	cli.AddBytes(fs, &o.size, "size", "", 100, "`bytes`: the size of a value; 1kB is 1,000 bytes, and 1KiB 1,024")
	cli.AddBytes(fs, &o.keySize, "key-size", "", 0, "`bytes`: the size of a key; 0 sends no keys")
	fs.IntVar(&o.goroutines, "goroutines", 1, "`number`: how many goroutines send")
	cli.AddRate(fs, &o.rate, "rate", "`records/s`: how many records a second all goroutines send; 0 is as many as possible")
	cli.AddCount(fs, &o.warmup, "warmup", "", 0, "`number`: how many records are sent beforehand")
	fs.BoolVar(&o.json, "json", false, "print the figures as one line of JSON")
	fs.StringVar(&o.report, "report", "", "`file`: draw how it went, on one page of HTML")
	o.addPayloads(fs)
	settings := []struct{ flag, shorthand, key, usage string }{
		{"acks", "", "acks", "`all|1|0`: how many replicas acknowledge (default all)"},
		{"idempotent", "", "enable.idempotence", "`true|false`: write each record once and in order (default true)"},
		{"compression", "z", "compression.type", "`codec`: of batches; none, gzip, snappy, lz4 or zstd (default none)"},
		{"linger", "", "linger.ms", "`duration`: how long a batch waits for more records (default 5ms)"},
		{"batch", "", "batch.size", "`bytes`: the size at which a batch is sent without waiting (default 16384)"},
		{"in-flight", "", "max.in.flight.requests.per.connection", "`number`: how many requests of a connection may be unanswered (default 5)"},
	}
	for _, s := range settings {
		f := fs.VarPF(&setting{settings: &o.settings, flag: s.flag, key: s.key}, s.flag, s.shorthand, s.usage)
		if s.flag == "idempotent" {
			f.NoOptDefVal = "true"
		}
	}
	o.addTransactions(fs)
	o.settings.AddProperties(fs)
	return func(env *cli.Env, args []string) error {
		if len(args) > 0 {
			return cli.Usagef("perf takes no arguments but flags: %s%s", strings.Join(args, " "), cli.Positional(args))
		}
		if fs.Changed("key-delimiter") && o.keyDelimiter == "" {
			return cli.Usagef("-K: the delimiter is empty; leave -K out to send no keys")
		}
		if fs.Changed("transactional-id") {
			o.settings.Set("--transactional-id", "transactional.id", o.transactionalID)
		}
		o.sizeGiven, o.sizesGiven = fs.Changed("transaction-size"), fs.Changed("size") || fs.Changed("key-size")
		return run(env, &o)
	}
}

const defaultDelimiter = `\n`

func (o *options) addPayloads(fs *pflag.FlagSet) {
	fs.StringVar(&o.payloadFile, "payload-file", "", "`file`: send what it has, instead of random letters; - is standard input")
	fs.StringVar(&o.payloadDelimiter, "payload-delimiter", defaultDelimiter, "`text`: what is between two payloads")
	fs.StringVarP(&o.keyDelimiter, "key-delimiter", "K", "", "`text`: a payload's key ends where this first comes up, such as : or '\\t'")
	fs.StringVar(&o.headerDelimiter, "header-delimiter", "", "`text`: a payload begins with headers, name:value,name:value, up to this")
	fs.BoolVarP(&o.emptyIsNull, "null", "Z", false, "an empty key or value is sent as null")
	fs.StringArrayVarP(&o.headers, "header", "H", nil, "`k=v`: a header for every record; repeatable")
}

func (o *options) addTransactions(fs *pflag.FlagSet) {
	fs.StringVar(&o.transactionalID, "transactional-id", "", "`id`: send in transactions, under this name, which no other sender may have at the same time")
	cli.AddCount(fs, &o.transactionSize, "transaction-size", "", 1000, "`number`: how many records a transaction has")
}

// setting is a flag that is a setting of the producer.
type setting struct {
	settings  *cli.Settings
	flag, key string
	value     string
}

func (s *setting) String() string { return s.value }
func (s *setting) Type() string   { return "value" }

// Set hands the value on. A time and a size may have a unit, which Java's settings have not.
func (s *setting) Set(value string) error {
	s.value = value
	read := map[string]func(string) (int64, error){"linger.ms": cli.Milliseconds, "batch.size": cli.Bytes}[s.key]
	if read != nil {
		n, err := read(value)
		if err != nil {
			return err
		}
		value = strconv.FormatInt(n, 10)
	}
	s.settings.Set("--"+s.flag, s.key, value)
	return nil
}

// check finds what makes no sense, apart from the producer's settings.
func (o *options) check() error {
	const maxGoroutines = 10_000
	switch {
	case o.topic == "":
		return o.settings.NoTopic("")
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
	case o.report == "-":
		return cli.Usagef("--report -: want the name of a file; standard output has the figures")
	case o.warmup < 0:
		return cli.Usagef("--warmup %d: want at least 0", o.warmup)
	}
	if err := o.headersForAll(); err != nil {
		return err
	}
	return o.checkPayloads()
}

// checkSize refuses records that no request can carry.
func (o *options) checkSize(cfg producer.Config, payloads []payload) error {
	if n := largest(payloads); n > cfg.MaxRequestSize {
		return cli.Usagef("--payload-file: a payload has %d bytes, more than max.request.size, %d%s", n, cfg.MaxRequestSize, raise(n))
	}
	if o.size+o.keySize > cfg.MaxRequestSize {
		return cli.Usagef("--size %d and --key-size %d are more than max.request.size, %d%s", o.size, o.keySize, cfg.MaxRequestSize, raise(o.size+o.keySize))
	}
	return nil
}

// raise says how to send records of n bytes all the same. Some bytes are for what is around a record.
func raise(n int) string {
	const around = 1024
	return fmt.Sprintf(": -X max.request.size=%d, and the topic's max.message.bytes has to allow as much (Kafka's default is 1048588)", n+around)
}

// checkTransactions refuses transactions that can only fail.
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

// every returns how many records there are, on average, for each one whose latency is measured.
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
