package main

import (
	"fmt"
	"slices"
	"strings"
)

// A peer is a client to compare, with its driver.
type peer struct {
	name  string // as in flags and results
	title string
	build func(*builder) ([]string, error) // returns the command that runs the driver
	note  string                           // what a reader has to know
	lz4   string                           // its default level
	zstd  string
	only  []string // the scenarios that it is for, or letters of groups; nil = all
	as    string   // whose best settings it has; "" = its own
	args  []string // always
	asked bool     // it takes part only if -peers names it
	most  int      // rounds that it takes part in; 0 = all

	steady bool // it warms up until its rate is steady, for as long as the runner allows

	settingsOf string // the scenario whose best settings it has; "" = the one that is run

	command []string // after build
	missing error    // why it is left out
}

const (
	epistle = "epistle"
	again   = "epistle-again"
	shared  = "epistle-shared"
	several = "epistle-several"
	future  = "epistle-future"
	untuned = "epistle-defaults"
	idle    = "epistle-idle"
	eight   = "epistle-eight"
	plain   = "epistle-plain"
	watched = "epistle-watched"
	franz   = "franz-go"
	bare    = "franz-go-defaults"
	limit   = "limit"
	roomy   = "limit-roomy"
	rdkafka = "librdkafka"
)

// ways are the scenarios in which Epistle's other calls are measured, too.
var ways = []string{"a", "c", "d", "g", "h"}

// peers are in the order of the tables.
var peers = []*peer{
	{
		name: limit, title: "limit program", build: goProgram("limit"),
		note: "one copy into a batch, CRC32C, one pipelined write, and nothing else; not a producer",
		lz4:  "as epistle", zstd: "as epistle",
	},
	{
		name: roomy, title: "limit program, socket of 512 KiB", build: goProgram("limit"), only: []string{"c"},
		args: []string{"-batch", mib, "-set", sendBuffer},
		note: "the same, with SO_SNDBUF set; all others in these tables leave it to the system, unless the commands below say otherwise",
	},
	{
		name: epistle, title: "epistle", build: goProgram("driver-epistle"),
		note: "`SendFunc` of a topic, one record a call, with a closure for each; `SendSync` in (j)",
		lz4:  "9, as Java's: the fast compressor", zstd: "3",
	},
	{
		name: again, title: "epistle, again", build: goProgram("driver-epistle"), as: epistle,
		note: "the same program with the same flags, in the same rounds: how far the two are apart is the noise of all that is measured here",
	},
	{
		name: untuned, title: "epistle, its defaults", build: goProgram("driver-epistle"), only: []string{"a", "c", "d", "h"},
		note: "as epistle, without what a sweep found: 32 MiB of buffer, as Java has, too",
	},
	{
		name: shared, title: "epistle, one callback", build: goProgram("driver-epistle"), only: ways, as: epistle, args: []string{"-set", "callback=shared"},
		note: "`SendFunc` with one function for all records, which does not know which record it is called for",
	},
	{
		name: several, title: "epistle, 100 a call", build: goProgram("driver-epistle"), only: ways, as: epistle, args: []string{"-set", "call=100"},
		note: "`SendAllFunc`, with one function for all records",
	},
	{
		name: future, title: "epistle, futures", build: goProgram("driver-epistle"), only: ways, as: epistle, args: []string{"-set", "callback=future"},
		note: "`Send`; each goroutine waits for its oldest future when it has 16,384",
	},
	{
		name: idle, title: "epistle, 10,000 idle partitions", build: goProgram("driver-epistle"), only: []string{"a"}, as: epistle, args: []string{"-set", "idle=idle-10000"},
		note: "as epistle, with a topic of 10,000 partitions that it knows of and sends nothing to",
	},
	{
		name: eight, title: "epistle, 8 goroutines", build: goProgram("driver-epistle"), only: []string{"d64"}, as: epistle, args: []string{"-goroutines", "8"},
		note: "as in (d), in the rounds of 64",
	},
	{
		name: plain, title: "epistle, no codec", build: goProgram("driver-epistle"), only: []string{"e"}, as: epistle, settingsOf: "a", args: []string{"-codec", "none"},
		note: "the same values in the same rounds, not compressed, with the settings of (a)",
	},
	{
		name: watched + "-prometheus", title: "epistle, Prometheus", build: goProgram("driver-observed"), as: epistle, asked: true, args: []string{"-set", "observe=prometheus"},
		note: "as epistle, with epistleprom's collector, which is gathered each second",
	},
	{
		name: watched + "-metrics", title: "epistle, OpenTelemetry's metrics", build: goProgram("driver-observed"), as: epistle, asked: true, args: []string{"-set", "observe=metrics"},
		note: "as epistle, with epistleotel's metrics, which are read each second",
	},
	{
		name: watched + "-traces", title: "epistle, traces of 1 %", build: goProgram("driver-observed"), as: epistle, asked: true, args: []string{"-set", "observe=traces"},
		note: "the same, and each hundredth record is sent within a sampled span, with WithSampledParentsOnly",
	},
	{
		name: watched + "-every", title: "epistle, a span each", build: goProgram("driver-observed"), as: epistle, asked: true, args: []string{"-set", "observe=every"},
		note: "the same with a span for each record, of which the provider samples each hundredth",
	},
	{
		name: franz, title: "franz-go", build: goProgram("driver-franz"),
		note: "`Produce` with a promise for each record, and its Records from a pool where the commands below have pooled=true; `ProduceSync` in (j)",
		lz4:  "0: the fast compressor", zstd: "the library's default, about 3",
	},
	{
		name: bare, title: "franz-go, its defaults", build: goProgram("driver-franz"), only: []string{"a", "c", "d", "h"},
		note: "the same without what a sweep found: 50,000 buffered records, and each Record allocated",
	},
	{
		name: "sarama", title: "sarama", build: goProgram("driver-sarama"),
		note: "`AsyncProducer` by its channels, each message with its number as `Metadata`; `SyncProducer` in (j). With idempotence it allows 1 request in flight",
		lz4:  "the fast compressor", zstd: "the library's default, about 3",
	},
	{
		name: "kafka-go", title: "kafka-go", build: goProgram("driver-kafkago"),
		note: "`Writer` with `Async` and `Completion`, each message with its number as `WriterData`; a hundred in a call where the commands below have call=100. No idempotence, 1 request of a partition in flight",
		lz4:  "the fast compressor", zstd: "3",
	},
	{
		name: "confluent", title: "confluent-kafka-go", build: confluent,
		note: "librdkafka through cgo: `Produce` and the channel of events, each message with its number as `Opaque`; a batch producer, where the commands below have one, forgets it",
		lz4:  "0: the fast compressor", zstd: "3",
	},
	{
		name: rdkafka, title: "librdkafka in C", build: librdkafka,
		note: "`rd_kafka_produce`, or `rd_kafka_produce_batch` with a hundred in a call where the commands below have call=100, each message with its number as opaque; delivery reports served by a thread; with `copy=0` it keeps the caller's bytes instead of a copy; the library that confluent-kafka-go ships",
		lz4:  "0: the fast compressor", zstd: "3",
	},
	{
		name: "java", title: "Java client", build: java, steady: true, most: 3,
		note: "`send` with a callback for each record; `send(…).get()` in (j). Measured once three seconds in a row gave no more records for a second of CPU, or after what -steady allows (20 s); so it has three of the rounds",
		lz4:  "9: the fast compressor", zstd: "3",
	},
}

// pickPeers returns the peers of a list of names, in the order of the tables.
func pickPeers(names string) ([]*peer, error) {
	if names == "" {
		return slices.DeleteFunc(slices.Clone(peers), func(p *peer) bool { return p.asked }), nil
	}
	var picked []*peer
	wanted := strings.Split(names, ",")
	for _, p := range peers {
		if slices.Contains(wanted, p.name) {
			picked = append(picked, p)
		}
	}
	if len(picked) != len(wanted) {
		var all []string
		for _, p := range peers {
			all = append(all, p.name)
		}
		return nil, fmt.Errorf("peers are %s, not %s", strings.Join(all, ","), names)
	}
	return picked, nil
}

func peerNamed(name string) *peer {
	return peers[slices.IndexFunc(peers, func(p *peer) bool { return p.name == name })]
}

// knows says whether the peer takes part in a scenario.
func (p *peer) knows(s *scenario) bool {
	if p.name == limit && s.noLimit {
		return false
	}
	group, _, _ := strings.Cut(s.name, "-")
	return p.only == nil || slices.Contains(p.only, s.name) || slices.Contains(p.only, group)
}

// rival says whether the peer is a producer other than Epistle.
func (p *peer) rival() bool {
	return p.only == nil && p.as == "" && p.name != epistle && p.name != limit
}

// drawn says whether the peer is in the chart: one row for each producer, and the limit program's.
func (p *peer) drawn() bool { return p.rival() || p.name == epistle || p.name == limit }

// sitsOut says whether the peer takes no part in a round. The rounds that it has are spread over all of them.
func (p *peer) sitsOut(round, rounds int) bool {
	return p.most > 0 && round > 0 && round*p.most/rounds == (round-1)*p.most/rounds
}
