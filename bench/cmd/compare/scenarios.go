package main

import (
	"fmt"
	"strings"

	"github.com/epistle-kafka/epistle/bench/driver"
)

// A scenario is one load, for every client alike.
type scenario struct {
	name   string   // the letter of its group, and a variant
	title  string   // for the report
	short  string   // for the chart and README; "" = it is not in them
	args   []string // of the drivers
	sink   []string // of the sink
	limit  []string // of the limit program, besides
	size   int      // bytes of a value
	ring   int      // bytes of all values, which are sent in turn
	codec  string   // "" = none
	metric metric   // what clients are compared by

	noLimit bool // the limit program does not know it
	real    bool // also on a real Kafka
}

// scenarios are all scenarios. Values have 100 bytes and no key, and topics 12 partitions, unless a scenario says otherwise.
var scenarios = func() []scenario {
	list := []scenario{
		{name: "a", title: "values of 100 bytes", short: "100 bytes", real: true},
		{name: "b", title: "tuned for throughput: batches of 1 MiB, linger 5 ms", args: []string{"-batch", mib, "-linger", "5ms"}},
		{name: "c", title: "values of 1 KiB", short: "1 KiB", size: 1024, real: true},
		{name: "d", title: "8 goroutines, keys of 16 bytes", short: "8 goroutines, keys of 16 bytes", args: []string{"-goroutines", "8", "-key", "16"}},
		{name: "d64", title: "64 goroutines, keys of 16 bytes", args: []string{"-goroutines", "64", "-key", "16"}},
	}
	for _, codec := range []string{"lz4", "zstd"} {
		for _, size := range []int{100, 1024} {
			list = append(list, scenario{
				name: fmt.Sprintf("e-%s-%d", codec, size), title: fmt.Sprintf("%s at the client's default level, values of %d bytes", codec, size),
				size: size, ring: manyValues, codec: codec, real: true,
			})
			if codec == "zstd" && size == 1024 { // where there is least between clients
				list[len(list)-1].short = "zstd, 1 KiB"
			}
		}
	}
	list = append(list,
		scenario{name: "f", title: "latency at 10,000 records/s, linger 0, from the intended send time", short: "p99 µs at 10,000 records/s: less is better", args: []string{"-rate", "10000", "-linger", "0"}, metric: p99, real: true},
		scenario{name: "g", title: "a broker 5 ms away", sink: []string{"-delay", "5ms"}},
		scenario{name: "h", title: "1,000 partitions on 3 brokers, keys of 16 bytes", short: "1,000 partitions on 3 brokers, keys", args: []string{"-key", "16"}, sink: []string{"-brokers", "3", "-partitions", "1000"}},
		scenario{name: "i", title: "one partition", sink: []string{"-partitions", "1"}},
		scenario{name: "j", title: "a thousand goroutines that each send and wait", args: []string{"-wait", "-goroutines", "1000"}, metric: perSecond, noLimit: true},
	)
	for i := range list {
		s := &list[i]
		if s.size == 0 {
			s.size = 100
		}
		if s.ring == 0 {
			s.ring = driver.RingBytes
		}
		s.args = append(s.args, "-size", fmt.Sprint(s.size))
		if s.codec != "" {
			s.args = append(s.args, "-codec", s.codec)
		}
		// A batch that has to wait grows up to this size, at Epistle's defaults. Fewer and larger writes are what a machine
		// does best, so small ones would be no limit.
		s.limit = []string{"-batch", mib}
	}
	return list
}()

const mib = "1048576"

// manyValues is so large that a codec hardly meets the same value twice in a batch. A batch of 1 MiB that was filled in turns
// with those of other partitions has pieces from all over 4 MiB, and so would have several of them twice.
const manyValues = 32 << 20

// timed says whether latencies are reported.
func (s *scenario) timed() bool { return s.metric != perCPUSecond }

// sets reports whether the scenario itself has that flag.
func (s *scenario) sets(flag string) bool {
	for _, a := range s.args {
		if a == flag {
			return true
		}
	}
	return false
}

// pick returns the scenarios of a list of names. A letter is all of its group: e is all four of e.
func pick(names string) ([]scenario, error) {
	if names == "" {
		return scenarios, nil
	}
	var picked []scenario
	for name := range strings.SplitSeq(names, ",") {
		found := false
		for _, s := range scenarios {
			if s.name == name || len(name) == 1 && s.name[0] == name[0] {
				picked, found = append(picked, s), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no scenario %q", name)
		}
	}
	return picked, nil
}
