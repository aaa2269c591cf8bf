package main

import (
	"fmt"
	"time"
)

// An effect is one case: settings, and a way to send.
type effect struct {
	what string   // the first column
	set  string   // settings, separated by blanks
	env  []string // of the process

	way        string        // how records are handed over, of ways; "" = Topic.SendFunc with one function for all
	goroutines int           // that send; 0 = 1
	size       int           // bytes of a value; 0 = 100
	rate       int           // records a second; 0 = as fast as they are taken
	length     time.Duration // of a transaction; 0 = none
	many       bool          // so many values that a codec does not meet one twice in a batch
}

// A table is cases that are compared. The first is what the others stand beside.
type table struct {
	name    string
	sink    []string // its flags
	columns []column
	effects []effect
}

// A column of a table.
type column struct {
	title string
	show  func(row) string
}

func names() []string {
	var all []string
	for _, t := range tables {
		all = append(all, t.name)
	}
	return all
}

const (
	steady = 10_000 // records a second, of what is about latency
	away   = "5ms"  // how far brokers are, of what is about waiting for them
)

// withAll gives all cases something.
func withAll(effects []effect, give func(*effect)) []effect {
	for i := range effects {
		give(&effects[i])
	}
	return effects
}

func timed(c *effect) { c.rate = steady }
func large(c *effect) { c.size = 1024 }

var tables = []table{
	{
		name: "calls", columns: []column{rate, cpu, lessCPU, allocations},
		effects: []effect{
			{what: "`p.SendFunc`, a closure for each record", way: "record closure"},
			{what: "`p.SendFunc`, one function for all", way: "record"},
			{what: "`topic.SendFunc`, a closure for each record", way: "closure"},
			{what: "`topic.SendFunc`, one function for all"},
			{what: "`topic.SendAllFunc`, 100 records a call", way: "all"},
			{what: "`topic.Send`, a future for each record", way: "future"},
			{what: "`topic.SendSync`, 64 goroutines", way: "sync", goroutines: 64},
			{what: "`topic.SendSync`, 1 goroutine", way: "sync"},
		},
	},
	{
		name: "linger", columns: []column{p50, p99, perRequest, requests, share},
		effects: withAll([]effect{
			{what: "`linger.ms=5`, the default"},
			{what: "`linger.ms=0`", set: "linger.ms=0"},
			{what: "`linger.ms=1`", set: "linger.ms=1"},
			{what: "`linger.ms=20`", set: "linger.ms=20"},
			{what: "`linger.ms=100`", set: "linger.ms=100"},
			{what: "`linger.ms=100`, `batch.size=131072`", set: "linger.ms=100 batch.size=131072"},
		}, timed),
	},
	{
		name: "batch", columns: []column{rate, cpu, lessCPU, perBatch, wire},
		effects: []effect{
			{what: "`batch.size=16384`, the default"},
			{what: "`batch.size=1024`, `max.batch.bytes=1024`", set: "batch.size=1024 max.batch.bytes=1024"},
			{what: "`batch.size=16384`, `max.batch.bytes=16384`", set: "max.batch.bytes=16384"},
			{what: "`batch.size=65536`", set: "batch.size=65536"},
			{what: "`batch.size=1048576`", set: "batch.size=1048576"},
		},
	},
	{name: "codec", columns: []column{rate, cpu, lessCPU, wire}, effects: codecs(100)},
	{name: "codec-large", columns: []column{rate, cpu, lessCPU, wire}, effects: withAll(codecs(1024), large)},
	{
		name: "memory", sink: []string{"-delay", away}, columns: []column{rate, faster, memory},
		effects: []effect{
			{what: "`buffer.memory=33554432`, the default (32 MiB)"},
			{what: "`buffer.memory=1048576` (1 MiB)", set: "buffer.memory=1048576"},
			{what: "`buffer.memory=4194304` (4 MiB)", set: "buffer.memory=4194304"},
			{what: "`buffer.memory=134217728` (128 MiB)", set: "buffer.memory=134217728"},
		},
	},
	{
		name: "in-flight", sink: []string{"-delay", away}, columns: []column{rate, faster, p50, p99},
		effects: withAll([]effect{
			{what: "`max.in.flight.requests.per.connection=5`, the default", way: "timed"},
			{what: "`max.in.flight.requests.per.connection=1`", set: "max.in.flight.requests.per.connection=1", way: "timed"},
			{what: "`max.in.flight.requests.per.connection=2`", set: "max.in.flight.requests.per.connection=2", way: "timed"},
		}, large),
	},
	{
		name: "acks", columns: []column{rate, cpu, lessCPU},
		effects: []effect{
			{what: "`acks=all`, idempotent, the defaults"},
			{what: "`acks=all`, `enable.idempotence=false`", set: "enable.idempotence=false"},
			{what: "`acks=1`, `enable.idempotence=false`", set: "acks=1 enable.idempotence=false"},
			{what: "`acks=0`, `enable.idempotence=false`", set: "acks=0 enable.idempotence=false"},
		},
	},
	{
		name: "transactions", sink: []string{"-delay", "1ms"}, columns: []column{rate, faster, cpu, commits},
		effects: []effect{
			{what: "no transactions"},
			{what: "transactions of 100 ms", set: "transactional.id=effects", length: 100 * time.Millisecond},
			{what: "transactions of 10 ms", set: "transactional.id=effects", length: 10 * time.Millisecond},
			{what: "transactions of 1 ms", set: "transactional.id=effects", length: time.Millisecond},
		},
	},
	{
		name: "network", columns: []column{rate, cpu, lessCPU},
		effects: withAll([]effect{
			{what: "`send.buffer.bytes=131072`, the default"},
			{what: "`send.buffer.bytes=524288`", set: "send.buffer.bytes=524288"},
			{what: "`send.buffer.bytes=-1`, the system's choice", set: "send.buffer.bytes=-1"},
		}, large),
	},
	{
		name: "runtime", columns: []column{rate, cpu, lessCPU, memory},
		effects: withAll([]effect{
			{what: "Go's defaults"},
			{what: "`GOMAXPROCS=1`", env: []string{"GOMAXPROCS=1"}},
			{what: "`GOGC=50`", env: []string{"GOGC=50"}},
			{what: "`GOGC=400`", env: []string{"GOGC=400"}},
			{what: "`GOGC=off`, `GOMEMLIMIT=256MiB`", env: []string{"GOGC=off", "GOMEMLIMIT=256MiB"}},
		}, func(c *effect) { c.way = "closure" }),
	},
}

// codecs are those that Kafka knows, and zstd with batches that fit into one of its blocks.
func codecs(size int) []effect {
	list := []effect{{what: "`compression.type=none`, the default"}}
	for _, codec := range []string{"lz4", "snappy", "zstd", "gzip"} {
		list = append(list, effect{what: fmt.Sprintf("`compression.type=%s`", codec), set: "compression.type=" + codec})
	}
	if size == 100 {
		list = append(list, effect{what: "`compression.type=zstd`, `max.batch.bytes=65536`", set: "compression.type=zstd max.batch.bytes=65536"})
	}
	return withAll(list, func(c *effect) { c.many = true })
}
