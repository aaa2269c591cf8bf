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
	aside bool     // not in the chart: what it shows is not the scenario

	settingsOf string // the scenario whose best settings it has; "" = the one that is run

	command []string // after build
	missing error    // why it is left out
}

const (
	epistle = "epistle"
	franz   = "franz-go"
	limit   = "limit"
	rdkafka = "librdkafka"
	idle    = "epistle-idle"
	untuned = "epistle-defaults"
	eight   = "epistle-eight"
	plain   = "epistle-plain"
	roomy   = "limit-roomy"
)

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
		note: "`SendAllFunc` where the commands below have call=100, else `SendFunc`, with one callback for all records; `SendSync` in (j)",
		lz4:  "9, as Java's: the fast compressor", zstd: "3",
	},
	{
		name: idle, title: "epistle, 10,000 idle partitions", build: goProgram("driver-epistle"), only: []string{"a"}, as: epistle, args: []string{"-set", "idle=idle-10000"},
		note: "the same, with a topic of 10,000 partitions that it knows of and sends nothing to",
	},
	{
		name: untuned, title: "epistle, one by one", build: goProgram("driver-epistle"), only: []string{"a", "b", "c", "d", "d64", "g", "h", "i"},
		note: "the same without what a sweep found: its defaults, and `SendFunc` for each record",
	},
	{
		name: eight, title: "epistle, 8 goroutines", build: goProgram("driver-epistle"), only: []string{"d64"}, as: epistle, args: []string{"-goroutines", "8"}, aside: true,
		note: "as in (d), in the rounds of 64",
	},
	{
		name: plain, title: "epistle, no codec", build: goProgram("driver-epistle"), only: []string{"e"}, as: epistle, settingsOf: "a", args: []string{"-codec", "none"}, aside: true,
		note: "the same values in the same rounds, not compressed, with the settings of (a)",
	},
	{
		name: franz, title: "franz-go", build: goProgram("driver-franz"),
		note: "`Produce` with one promise for all records; `ProduceSync` in (j)",
		lz4:  "0: the fast compressor", zstd: "the library's default, about 3",
	},
	{
		name: "sarama", title: "sarama", build: goProgram("driver-sarama"),
		note: "`AsyncProducer` by its channels; `SyncProducer` in (j). With idempotence it allows 1 request in flight; keys by FNV-1a",
		lz4:  "the fast compressor", zstd: "the library's default, about 3",
	},
	{
		name: "kafka-go", title: "kafka-go", build: goProgram("driver-kafkago"),
		note: "`Writer` with `Async` and `Completion`. No idempotence, 1 request of a partition in flight; the driver bounds its memory",
		lz4:  "the fast compressor", zstd: "3",
	},
	{
		name: "confluent", title: "confluent-kafka-go", build: confluent,
		note: "librdkafka through cgo: `Produce` and the channel of events",
		lz4:  "0: the fast compressor", zstd: "3",
	},
	{
		name: rdkafka, title: "librdkafka in C", build: librdkafka,
		note: "`rd_kafka_produce` or `rd_kafka_produce_batch`, delivery reports served by a thread; with `copy=0` it keeps the caller's bytes instead of a copy; the library that confluent-kafka-go ships",
		lz4:  "0: the fast compressor", zstd: "3",
	},
	{
		name: "java", title: "Java client", build: java,
		note: "`send` with a callback; `send(…).get()` in (j). The JVM warms up as long as all others",
		lz4:  "9: the fast compressor", zstd: "3",
	},
}

// pickPeers returns the peers of a list of names, in the order of the tables.
func pickPeers(names string) ([]*peer, error) {
	if names == "" {
		return peers, nil
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
	return p.only == nil && p.name != epistle && p.name != limit
}
