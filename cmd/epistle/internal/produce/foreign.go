package produce

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/lines"
)

// foreign are the flags of kafka-console-producer, kcat, rpk, kaf and kafkactl that have to do with lines.
var foreign = []cli.Foreign{
	{Names: "--reader-property --line-reader-property", Takes: cli.One, Flag: "property"},
	{Names: "--reader-config --reader.config", Takes: cli.One, Instead: "give its lines one by one: --property parse.key=true --property key.separator=:, or -K : for short"},
	{Names: "--line-reader --reader", Takes: cli.One, Instead: "a Java class cannot run here; each line is a record, -K : cuts it into key and value"},
	{Names: "--key-separator --separator", Takes: cli.One, Flag: "key-delimiter"},
	{Names: "--sync", Takes: cli.Nothing, Note: "not needed: the outcome of every line is waited for, and told"},
	{Names: "--timeout", Takes: cli.One, Setting: "linger.ms", Note: "taken as linger.ms, as kafka-console-producer has it"},
	{Names: "--acks", Takes: cli.One, Setting: "acks"},
	{Names: "--linger", Takes: cli.One, Setting: "linger.ms"},
	{Names: "--queue-size --queue-enqueuetimeout-ms", Takes: cli.One, Instead: "memory is bounded in bytes: -X buffer.memory=33554432"},
	{Names: "--headers", Takes: cli.One, Flag: "header"},
	{Names: "--null-value --tombstone", Takes: cli.Nothing, Instead: "with -Z an empty value is null: printf 'KEY:\\n' | epistle produce … -K : -Z"},
	{Names: "--value", Takes: cli.One, Instead: "values are lines of a file or of standard input: printf '%s\\n' VALUE | epistle produce … [-k KEY]"},
	{Names: "--file --input-file", Takes: cli.One, Plain: true},
	{Names: "--silent", Takes: cli.Nothing, Flag: "quiet"},
	{Names: "--rate --throughput", Takes: cli.One, Instead: "lines are sent as fast as the cluster takes them; epistle perf sends at a rate"},
	{Names: "--repeat -R", Takes: cli.One, Instead: "each line is sent once; epistle perf makes load, also of your own lines: --payload-file"},
	{Names: "--input-mode", Takes: cli.One, Rewrite: inputMode},
	{Names: "--num-records --record-size --payload-file", Takes: cli.One, Instead: "is one of epistle perf's"},
	// kcat's.
	{Names: "-P --producer --produce", Takes: cli.Nothing, Drop: true},
	{Names: "-l", Takes: cli.Nothing, Drop: true},
	{Names: "-e", Takes: cli.Nothing, Drop: true},
	{Names: "-E -u -U -J -S -A -O", Takes: cli.Nothing, Drop: true},
	{Names: "-T", Takes: cli.Nothing, Instead: "put tee(1) before it: tee /dev/stderr < FILE | epistle produce …"},
	{Names: "-D --delimiter --message-delimiter", Takes: cli.One, Rewrite: messageDelimiter},
	{Names: "-c --count", Takes: cli.One, Rewrite: messageCount},
	{Names: "-m", Takes: cli.One, Rewrite: metadataTimeout},
	{Names: "-o -s -f --output --format", Takes: cli.One, Instead: "each line is a record; -K : cuts it into key and value, and there is no other format"},
}

// inputMode is kaf's.
func inputMode(value string) ([]string, error) {
	if value == "line" {
		return nil, nil
	}
	return nil, errors.New("each line is a record: a file cannot be sent as one")
}

// messageDelimiter is kcat's. Only a newline is taken.
func messageDelimiter(value string) ([]string, error) {
	if text, err := lines.Unescape(value); err == nil && text == "\n" {
		return nil, nil
	}
	if !oneByte.MatchString(value) {
		value = ";" // as an example
	}
	return nil, fmt.Errorf("records end at a newline; tr(1) makes newlines of another delimiter: tr '%s' '\\n' < FILE | epistle produce …", value)
}

// oneByte is a delimiter that tr(1) and a shell take as it is, in quotes.
var oneByte = regexp.MustCompile(`^([!-&(-\[\]-~]|\\t|\\r)$`)

// messageCount is kcat's -c, a number of lines.
func messageCount(value string) ([]string, error) {
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		n = 100 // as an example
	}
	return nil, fmt.Errorf("put head(1) before it: head -n %d FILE | epistle produce …", n)
}

// metadataTimeout is kcat's -m, in seconds.
func metadataTimeout(value string) ([]string, error) {
	s, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		s = 60 // as an example
	}
	return nil, fmt.Errorf("how long to wait for the cluster is -X max.block.ms=%d", 1000*s)
}

// lineReader are the properties of kafka-console-producer's reader of lines, which share --property with those of the producer.
var lineReader = []string{"parse.key", "key.separator", "parse.headers", "headers.delimiter", "headers.separator", "headers.key.separator", "null.marker", "ignore.error", "topic"}

// readerProperties takes over these properties. Our flags win over them.
func (o *options) readerProperties() error {
	given := o.settings.Extract(lineReader...)
	tab := func(key, otherwise string) string {
		if v, ok := given[key]; ok {
			return v
		}
		return otherwise
	}
	if given["parse.key"] == "true" && o.delimiter == "" {
		o.delimiter = tab("key.separator", `\t`)
		o.keyDemanded = given["ignore.error"] != "true" && !o.keyGiven
	}
	if given["parse.headers"] == "true" && o.headerDelimiter == "" {
		o.headerDelimiter = tab("headers.delimiter", `\t`)
		o.headersDemanded = given["ignore.error"] != "true"
	}
	_, separator := given["key.separator"]
	if separator && given["parse.key"] != "true" && o.delimiter == "" {
		return cli.Usagef("--property key.separator: is of no use without --property parse.key=true; -K %s stands for both", given["key.separator"])
	}
	for _, key := range o.settings.Keys() {
		if strings.HasPrefix(key, "print.") {
			return cli.Usagef("--property %s: is kafka-console-consumer's; epistle produces and does not consume", key)
		}
	}
	if key, meant := o.settings.Misspelt(lineReader); key != "" {
		return cli.Usagef("--property %s: did you mean %s?", key, meant)
	}
	o.pair, o.name, o.nullMarker = given["headers.separator"], given["headers.key.separator"], given["null.marker"]
	if topic := given["topic"]; topic != "" && o.topic == "" {
		o.topic = cli.Topic(topic)
	}
	return nil
}
