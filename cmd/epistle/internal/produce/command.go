package produce

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/lines"
	"github.com/epistle-kafka/epistle/producer"
)

// Command is `epistle produce`.
var Command = cli.Command{
	Name:    "produce",
	Args:    "-b HOST:PORT -t TOPIC [FILE…]",
	Summary: "send a record for each line of files or of standard input",
	About: `
Each line becomes a record; without FILE, or for the FILE "-", the lines of standard input do. Only
the newline ends a line: a carriage return before it is part of the record, the last line needs no
newline, and an empty line is a record with an empty value (null with -Z). The summary says how many
lines end in a carriage return.

With -K the line is cut at the first delimiter into key and value. A line without the delimiter has
no key (null), or that of -k; the summary says how many there are. Records of one key are written to
one partition, in order. With --header-delimiter a line begins with headers, name:value,name:value.
With --property parse.key=true or parse.headers=true, kafka-console-producer's, a line without the
delimiter ends the reading, unless there is --property ignore.error=true.

If the topic lacks the partition of -p, the cluster is asked again for 5 seconds, or for
max.block.ms if that is less: one that was added a moment ago is not known to every broker yet.

A file in gzip is unpacked. Other compressed files and archives are refused, with the command that
unpacks them.

A record counts as sent when the cluster has acknowledged it, by default with all in-sync replicas,
once and in order. What fails is sent again for delivery.timeout.ms (2 minutes). When the cluster is
slower than the input, reading waits, for as long as that.

A line that could not be delivered is not dropped. With --failed-to FILE it goes to that file,
exactly as it was read, so that the file can be sent again. FILE.reasons says why, a line for each
group of lines: their numbers in FILE, where they were read, whether they may be in the log all the
same (may-be-written) or not (not-written), and the reason, whose text is written out once. The lines
are in the order in which they were read, so that records of one key keep theirs when they are sent
again: a line is written when those before it have their outcome. Before a line that is too large to
be held, reading waits for that, and an open transaction is committed. Both
files are readable by their owner alone, and neither is left behind if nothing failed. "-" for FILE
is standard output. Without --failed-to the first few are shown; if there are more, or longer ones,
all of them are kept in a new file in the directory for temporary files, the reasons beside it, and
its name is told.

With --transactional-id the lines are sent in transactions of --transaction-size lines, the last of
them smaller: consumers that read committed records only see all lines of a transaction or none. An
open transaction is committed with fewer lines when half of transaction.timeout.ms (1 minute) has
passed. Its lines are kept in memory until it ends. The id is this sender's name in the cluster:
whoever starts with the same id later shuts this one out, so no two may have it at a time.

A line that is too large for any request is refused before it is sent: it alone goes where
undelivered lines go, as not-written, and the others of its transaction are committed. A line that is
sent and cannot be delivered takes its transaction with it: all lines of that go there, as
not-committed. A commit that is not answered is asked for again; if its outcome stays unknown, its
lines go there as may-be-committed: all of them are, or none. No line that was committed ever goes
there. Ctrl-C commits the lines that were read.

All files are tried before anything is sent. If one cannot be read to its end later on, reading
stops there. --max-errors N stops reading when N lines have failed. Ctrl-C stops reading and waits
for what is under way; a second one gives that up too, and a third ends the program at once.

With acks=0 nothing is acknowledged: a line counts as written when it is on its way to a broker.

What kafka-console-producer, kcat and rpk call these flags is understood, or answered.

Exit status: 0 if every line was acknowledged, and committed if there are transactions, 1 if not, 2
for a command line that makes no sense, 130 or 143 after Ctrl-C or SIGTERM.`,
	Examples: `
epistle produce -b localhost:9092 -t orders orders.txt
epistle produce -b localhost:9092 -t orders -K : -z zstd --failed-to again.txt orders.txt
tail -f access.log | epistle produce -b kafka-1:9092,kafka-2:9092 -t access
printf 'order-17:\n' | epistle produce -b localhost:9092 -t orders -K : -Z     # a tombstone
epistle produce -b localhost:9092 -t orders -X linger.ms=50 -X acks=1 orders.txt
epistle produce -b localhost:9092 -t orders --transactional-id import --transaction-size 500 o.txt
epistle produce --config producer.properties -t orders -H source=import orders.txt`,
	Foreign: foreign,
	Setup: func(fs *pflag.FlagSet) cli.Run {
		var o options
		o.settings.AddBootstrap(fs, cli.BootstrapUsage)
		o.topic.AddTopic(fs)
		fs.StringVarP(&o.delimiter, "key-delimiter", "K", "", "`text`: a line's key ends where this first comes up, such as : or '\\t'")
		fs.StringVarP(&o.key, "key", "k", "", "`text`: the key of every line that has none of its own")
		fs.StringArrayVarP(&o.headers, "header", "H", nil, "`k=v`: a header for every record; repeatable; without = its value is null")
		fs.StringVar(&o.headerDelimiter, "header-delimiter", "", "`text`: a line begins with headers, name:value,name:value, up to this")
		fs.Int32VarP(&o.partition, "partition", "p", -1, "`number`: the partition to send everything to; -1 lets the key decide")
		fs.BoolVarP(&o.emptyIsNull, "null", "Z", false, "an empty key or value is sent as null")
		fs.StringVarP(&o.codec, "compression", "z", "", "`codec`: of batches; none, gzip, snappy, lz4 or zstd (default none)")
		fs.StringVar(&o.transactionalID, "transactional-id", "", "`id`: send in transactions, under this name, which no other sender may have at the same time")
		cli.AddCount(fs, &o.transactionSize, "transaction-size", "", 1000, "`number`: how many lines a transaction has")
		o.settings.AddProperties(fs)
		fs.StringVar(&o.failedTo, "failed-to", "", "`file`: keep lines that were not delivered there, the reasons in file.reasons")
		cli.AddCount(fs, &o.maxErrors, "max-errors", "", 0, "`number`: stop reading when so many lines have failed; 0 goes on")
		fs.BoolVarP(&o.quiet, "quiet", "q", false, "no progress and no summary, only what went wrong")
		return func(env *cli.Env, args []string) error {
			if fs.Changed("key-delimiter") && o.delimiter == "" {
				return cli.Usagef("-K: the delimiter is empty; leave -K out to send no keys")
			}
			o.keyGiven = fs.Changed("key")
			if err := o.readerProperties(); err != nil {
				return err
			}
			if fs.Changed("transactional-id") {
				o.settings.Set("--transactional-id", "transactional.id", o.transactionalID)
			}
			if o.topic == "" {
				return o.settings.NoTopic(cli.Positional(args))
			}
			o.sizeGiven = fs.Changed("transaction-size")
			return run(env, &o, args)
		}
	},
}

// options is what the command line says.
type options struct {
	settings    cli.Settings
	topic       cli.Topic
	delimiter   string
	key         string
	keyGiven    bool
	headers     []string
	partition   int32
	emptyIsNull bool
	codec       string
	failedTo    string
	maxErrors   int64
	quiet       bool

	keyDemanded, headersDemanded bool // a line without them ends the reading, as in kafka-console-producer

	headerDelimiter, pair, name, nullMarker string // of headers that a line has, and of null

	transactionalID string
	transactionSize int // lines
	sizeGiven       bool
}

// template makes what all records have in common.
func (o *options) template() (producer.Record, error) {
	rec := producer.Record{Topic: string(o.topic)}
	switch {
	case o.partition < -1:
		return rec, cli.Usagef("-p %d: partitions are numbered from 0", o.partition)
	case o.partition >= 0:
		rec.Partition = producer.OnPartition(o.partition)
	}
	switch {
	case o.transactionSize < 1:
		return rec, cli.Usagef("--transaction-size %d: want at least 1", o.transactionSize)
	case o.maxErrors < 0:
		return rec, cli.Usagef("--max-errors %d: want at least 1, or 0 to go on whatever fails", o.maxErrors)
	case o.keyGiven:
		rec.Key = []byte(o.key)
	}
	for _, text := range o.headers {
		h, err := lines.Header(text)
		if err != nil {
			return rec, cli.Usagef("%v", err)
		}
		rec.Headers = append(rec.Headers, h)
	}
	return rec, nil
}

// splitter returns the Splitter for the lines.
func (o *options) splitter() (s lines.Splitter, err error) {
	for _, d := range []struct {
		flag, text string
		to         *[]byte
	}{
		{"-K", o.delimiter, &s.Key}, {"--header-delimiter", o.headerDelimiter, &s.Headers},
		{"--property headers.separator", o.pair, &s.Pair}, {"--property headers.key.separator", o.name, &s.Name},
	} {
		text, err := lines.Unescape(d.text)
		if err != nil {
			return s, cli.Usagef("%s %s: it %v", d.flag, d.text, err)
		}
		*d.to = []byte(text)
	}
	s.NullMarker, s.EmptyIsNull = []byte(o.nullMarker), o.emptyIsNull
	return s, nil
}

// config makes the producer's settings.
func (o *options) config(ctx context.Context, env *cli.Env) (producer.Config, error) {
	if o.codec != "" {
		o.settings.Set("-z", "compression.type", o.codec)
	}
	return o.settings.Config(ctx, env)
}
