// Package driver is what the drivers written in Go have in common: the flags, the load, and the line of JSON at the end. The
// drivers in C and Java take the same flags and print the same line.
//
// A driver sends values from a file, in turn, so that every client sends the same bytes. It warms up, waits until all of that
// is acknowledged, and then measures: the CPU time of the whole process, from the first record sent to the last one
// acknowledged.
package driver

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// Options are the flags of a driver: one load, and the client's settings for it.
type Options struct {
	Bootstrap string // addresses, separated by commas
	Topic     string
	ClientID  string

	Values, Keys       string // files of the values and keys to send; no keys: ""
	ValueSize, KeySize int    // bytes

	Goroutines int
	Rate       int  // records/s in an open loop; 0 = as fast as they are taken
	Wait       bool // each goroutine sends a record and waits for it
	Warmup     time.Duration
	Duration   time.Duration
	Records    int // in place of Duration, if more than 0

	Codec    string        // none, lz4, zstd, …, at the client's default level
	Linger   time.Duration // negative = the client's default
	Batch    int           // bytes; 0 = the client's default
	Memory   int           // bytes that wait or are in flight
	InFlight int           // requests on a connection
	Set      Settings      // of this client alone

	CPUProfile, AllocProfile string // files for profiles of the measurement; "" = none. A profile costs some percent

	// What only the limit program has to be told.

	Partitions int
	Alone      bool // compress, and send nothing
}

// Settings are settings that only one client has. It knows which were asked for, so that none is passed over in silence.
type Settings struct {
	values map[string]string
	used   map[string]bool
}

func (s *Settings) String() string { return "" }

// Set takes key=value.
func (s *Settings) Set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("%q is not key=value", text)
	}
	if s.values == nil {
		s.values, s.used = map[string]string{}, map[string]bool{}
	}
	s.values[key] = value
	return nil
}

// Text is a setting; "" if it was not given.
func (s *Settings) Text(key string) string {
	value, ok := s.values[key]
	if ok {
		s.used[key] = true
	}
	return value
}

// Int is a setting that is a number.
func (s *Settings) Int(key string, otherwise int) int {
	n := otherwise
	if text := s.Text(key); text != "" {
		if _, err := fmt.Sscan(text, &n); err != nil {
			Fatal(fmt.Errorf("-set %s=%s: %w", key, text, err))
		}
	}
	return n
}

// Unknown is an error for those that the client has not asked for.
func (s *Settings) Unknown() error {
	for key := range s.values {
		if !s.used[key] {
			return fmt.Errorf("this client has no setting %q", key)
		}
	}
	return nil
}

// ParseFlags reads the command line.
func ParseFlags(client string) *Options {
	o := new(Options)
	flag.StringVar(&o.Bootstrap, "b", "127.0.0.1:19092", "bootstrap addresses, separated by commas")
	flag.StringVar(&o.Topic, "topic", "load", "topic")
	flag.StringVar(&o.ClientID, "client", client, "client.id")
	flag.StringVar(&o.Values, "values", "", "file of the values; without one they are generated")
	flag.StringVar(&o.Keys, "keys", "", "file of the keys; without one they are generated")
	flag.IntVar(&o.ValueSize, "size", 100, "bytes of a value")
	flag.IntVar(&o.KeySize, "key", 0, "bytes of a key; 0 = no keys")
	flag.IntVar(&o.Goroutines, "goroutines", 1, "goroutines, or threads, that send")
	flag.IntVar(&o.Rate, "rate", 0, "records a second in an open loop; 0 = as fast as they are taken")
	flag.BoolVar(&o.Wait, "wait", false, "each goroutine sends and waits for the acknowledgement")
	flag.DurationVar(&o.Warmup, "warmup", time.Second, "load before the measurement")
	flag.DurationVar(&o.Duration, "duration", 2*time.Second, "of the measurement")
	flag.IntVar(&o.Records, "records", 0, "of the measurement; 0 = as many as there is time for")
	flag.StringVar(&o.Codec, "codec", "none", "compression.type")
	flag.DurationVar(&o.Linger, "linger", -1, "linger.ms; negative = the client's default")
	flag.IntVar(&o.Batch, "batch", 0, "batch.size in bytes; 0 = the client's default")
	flag.IntVar(&o.Memory, "memory", 32<<20, "bytes that wait or are in flight")
	flag.IntVar(&o.InFlight, "inflight", 5, "requests in flight on a connection")
	flag.IntVar(&o.Partitions, "partitions", 12, "partitions of the topic, for the limit program")
	flag.BoolVar(&o.Alone, "alone", false, "compress alone and send nothing, for the limit program")
	flag.StringVar(&o.CPUProfile, "cpuprofile", "", "write a CPU profile of the measurement to this file")
	flag.StringVar(&o.AllocProfile, "allocprofile", "", "write a profile of every allocation to this file")
	flag.Var(&o.Set, "set", "a setting of this client alone: key=value")
	flag.Parse()
	return o
}

// Fatal ends the driver.
func Fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
