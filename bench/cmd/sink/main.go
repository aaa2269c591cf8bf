// Sink is one or more brokers that only acknowledge. It gives every producer an id, knows every topic, and answers every
// Produce request with the next offsets, so that the client is what is measured. It counts records for each client id, from the
// headers of their batches. With -verify it reads them, and checks CRC, counts and sequences.
//
//	sink -listen 127.0.0.1:19092 -brokers 3 -control 127.0.0.1:19100
//
// It prints the addresses that it listens on. On the control address it answers lines:
//
//	counts   a line for each client id, as JSON, and an empty line
//	reset    forgets the counts, but no sequences; an empty line
package main

import (
	"flag"
	"fmt"
	"log"
	"strings"
	"time"
)

// Options is what a sink is like.
type Options struct {
	Listen     string        // the first broker's address; the others have the ports behind it, or free ones where it is 0
	Control    string        // where counts are asked for; "" = nowhere
	Brokers    int           // partition p is led by broker p modulo this
	Partitions int           // of every topic
	Delay      time.Duration // from a request to its answer; requests overlap
	Level      int           // of transaction.version
	Verify     bool
}

func main() {
	var o Options
	flag.StringVar(&o.Listen, "listen", "127.0.0.1:19092", "address of the first broker, on the loopback")
	flag.StringVar(&o.Control, "control", "", "address to ask for counts")
	flag.IntVar(&o.Brokers, "brokers", 1, "number of brokers, on ports behind each other")
	flag.IntVar(&o.Partitions, "partitions", 12, "partitions of every topic")
	flag.DurationVar(&o.Delay, "delay", 0, "time from a request to its answer; requests overlap")
	flag.IntVar(&o.Level, "transaction.version", 2, "which protocol of transactions it speaks: 1 or 2")
	flag.BoolVar(&o.Verify, "verify", false, "read every batch, and refuse those with a wrong CRC, count or sequence")
	flag.Parse()
	s, err := start(o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", strings.Join(s.addresses(), ","))
	if o.Control != "" {
		fmt.Println("control on", s.control.Addr())
	}
	log.Fatal(<-s.failed)
}
