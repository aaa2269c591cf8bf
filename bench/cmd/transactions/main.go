// Transactions compares what a record costs in transactions and without, against the sink in a process of its own. Rounds of
// the two alternate, so that a machine that slows down slows both; the medians and the spread of the rounds are printed.
//
//	sink -listen 127.0.0.1:19092 &
//	transactions -b 127.0.0.1:19092
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"slices"
	"syscall"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

func main() {
	bootstrap := flag.String("b", "127.0.0.1:19092", "address of the sink")
	rounds := flag.Int("rounds", 7, "rounds of each kind")
	length := flag.Duration("length", 100*time.Millisecond, "of a transaction")
	last := flag.Duration("time", 2*time.Second, "of a round")
	rate := flag.Int("rate", 200_000, "records a second, where the rate is fixed")
	flag.Parse()
	plain := open(producer.DefaultConfig(*bootstrap))
	transactional := open(producer.ExactlyOnce("bench", *bootstrap))
	if err := transactional.InitTransactions(context.Background()); err != nil {
		log.Fatal(err)
	}

	fmt.Printf("%d rounds of %v each, values of 100 bytes, transactions of %v\n", *rounds, *last, *length)
	compare(fmt.Sprintf("CPU a record at %d records/s (ns)", *rate), *rounds, func(p *producer.Producer, length time.Duration) float64 {
		n, _, cpu := load(p, *last, length, *rate)
		return float64(cpu.Nanoseconds()) / float64(n)
	}, plain, transactional, *length)
	compare("records/s, as fast as they are taken", *rounds, func(p *producer.Producer, length time.Duration) float64 {
		n, wall, _ := load(p, *last, length, 0)
		return float64(n) / wall.Seconds()
	}, plain, transactional, *length)

	var took []float64
	for range 200 {
		began := time.Now()
		transaction(transactional, func(send func()) {
			for range 1000 {
				send()
			}
		})
		took = append(took, float64(time.Since(began).Microseconds()))
	}
	fmt.Printf("a transaction of 1,000 records (µs): %s\n", spread(took))
}

func open(cfg producer.Config) *producer.Producer {
	p, err := producer.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := p.Partitions(context.Background(), "load"); err != nil {
		log.Fatal(err)
	}
	return p
}

// compare measures without and with transactions in turn.
func compare(what string, rounds int, measure func(*producer.Producer, time.Duration) float64, plain, transactional *producer.Producer, length time.Duration) {
	var without, with, ratios []float64
	for i := range rounds + 1 {
		a, b := measure(plain, 0), measure(transactional, length)
		if i > 0 { // the first round warms up
			without, with, ratios = append(without, a), append(with, b), append(ratios, b/a)
		}
	}
	fmt.Printf("%s\n  without  %s\n  with     %s\n  ratio    %s\n", what, spread(without), spread(with), spread(ratios))
}

// spread is the least, the median and the most.
func spread(figures []float64) string {
	slices.Sort(figures)
	return fmt.Sprintf("%.4g  (%.4g to %.4g)", figures[len(figures)/2], figures[0], figures[len(figures)-1])
}

var value = make([]byte, 100)

// load sends for about as long as it is told, in transactions of a length or, with 0, without; at a rate or, with 0, as fast as
// records are taken. It returns the number of records, the time, and the CPU time of this process.
func load(p *producer.Producer, last, length time.Duration, rate int) (records int, wall, cpu time.Duration) {
	began, used := time.Now(), cpuTime()
	end := began.Add(last)
	run := func(until time.Time, send func()) {
		for n := 0; ; n++ {
			if n%64 == 0 {
				now := time.Now()
				if now.After(until) {
					return
				}
				if rate > 0 {
					if due := began.Add(time.Duration(records) * time.Second / time.Duration(rate)); due.After(now) {
						time.Sleep(due.Sub(now))
					}
				}
			}
			send()
			records++
		}
	}
	if length == 0 {
		run(end, sender(p))
		if err := p.Flush(context.Background()); err != nil {
			log.Fatal(err)
		}
	} else {
		for now := time.Now(); now.Before(end); now = time.Now() {
			transaction(p, func(send func()) { run(now.Add(length), send) })
		}
	}
	return records, time.Since(began), cpuTime() - used
}

func transaction(p *producer.Producer, f func(send func())) {
	ctx := context.Background()
	err := p.Transact(ctx, func(*producer.Tx) error { f(sender(p)); return nil })
	if err != nil {
		log.Fatal(err)
	}
}

func sender(p *producer.Producer) func() {
	ctx := context.Background()
	return func() {
		p.SendFunc(ctx, producer.Record{Topic: "load", Value: value}, failed)
	}
}

var failed = func(_ producer.RecordMetadata, err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
