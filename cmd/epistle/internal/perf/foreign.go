package perf

import (
	"fmt"
	"strconv"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/protocol"
)

// foreign are the flags of kafka-producer-perf-test and other tools that make load.
var foreign = []cli.Foreign{
	{Names: "--throughput --target-rate", Takes: cli.One, Rewrite: throughput},
	{Names: "--record-size --message-size --msg-size --value-size", Takes: cli.One, Flag: "size"},
	{Names: "--num-records --messages --num-msgs --count", Takes: cli.One, Flag: "records"},
	{Names: "--warmup-records", Takes: cli.One, Flag: "warmup"},
	{Names: "--payload-monotonic", Takes: cli.Nothing, Instead: "a file of numbers does it: seq 1000000 > numbers; epistle perf … --payload-file numbers"},
	{Names: "--print-metrics", Takes: cli.Nothing, Note: "there are no metrics but the figures; --json prints all of them"},
	{Names: "--reporting-interval", Takes: cli.One, Note: "on a terminal the progress is shown twice a second, elsewhere not at all"},
	{Names: "--transaction-duration-ms", Takes: cli.One, Instead: "transactions have a number of records: --transactional-id ID --transaction-size N; with --rate R, N is R times the seconds"},
	{Names: "--duration --time --run-time", Takes: cli.One, Instead: "a load has a number of records: -n N; with --rate R, N is R times the seconds"},
	{Names: "--threads --num-threads --producers", Takes: cli.One, Flag: "goroutines"},
	{Names: "--in.flight --max-in-flight", Takes: cli.One, Flag: "in-flight"},
	{Names: "-P --producer", Takes: cli.Nothing, Drop: true},
}

// throughput is a rate, of which -1 is none.
func throughput(value string) ([]string, error) {
	rate, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return nil, fmt.Errorf("want records a second, not %s", protocol.Quoted(value))
	}
	if rate < 0 {
		rate = 0
	}
	return []string{"--rate=" + strconv.FormatFloat(rate, 'f', -1, 64)}, nil
}
