// Readback compares what a topic holds with the lines of a file that were sent to it, as another
// client reads it:
//
//	readback -b HOST:PORT,… -t TOPIC [-K DELIMITER] [-remove] [FILE]
//
// Every line is to be there once and nothing else. With -K, a line is split at the first delimiter
// into key and value, the lines of a key are to be in one partition and in the order of the file; a
// line without the delimiter has no key. Lines without a key are to be in the file's order within
// each partition. The exit status is 0 if that is so, 1 with a report if it is not, and 2 if it cannot
// be found out. With -remove the topic is deleted at the end; without FILE that is all.
package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/epistle-kafka/epistle/integration/reader"
)

func main() { os.Exit(run()) }

func run() int {
	bootstrap := flag.String("b", os.Getenv("KAFKA_BOOTSTRAP"), "`addresses` of the brokers (default: KAFKA_BOOTSTRAP)")
	topic := flag.String("t", "", "the `topic`")
	delimiter := flag.String("K", "", "`delimiter` between key and value")
	name := flag.String("expect-file", "", "the `file` with the lines, as the argument")
	remove := flag.Bool("remove", false, "delete the topic at the end")
	patience := flag.Duration("timeout", 10*time.Minute, "how long to read at most")
	flag.Parse()
	if *name == "" {
		*name = flag.Arg(0)
	}
	if *bootstrap == "" || *topic == "" || *name == "" && !*remove || flag.NArg() > 1 {
		flag.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *patience)
	defer cancel()
	status := 0
	if *name != "" {
		status = compare(ctx, *bootstrap, *topic, *name, *delimiter)
	}
	if *remove {
		if err := removeTopic(ctx, *bootstrap, *topic); err != nil {
			fmt.Fprintf(os.Stderr, "readback: topic %s is still there: %v\n", *topic, err)
			return max(status, 2)
		}
		fmt.Printf("readback: topic %s is deleted\n", *topic)
	}
	return status
}

func removeTopic(ctx context.Context, bootstrap, topic string) error {
	admin, err := reader.NewAdmin(bootstrap)
	if err != nil {
		return err
	}
	defer admin.Close()
	return admin.DeleteTopic(ctx, topic)
}

// compare reads the topic and reports on it. It returns the exit status.
func compare(ctx context.Context, bootstrap, topic, name, delimiter string) int {
	began := time.Now()
	want := newExpected()
	if err := readLines(name, delimiter, want); err != nil {
		fmt.Fprintln(os.Stderr, "readback:", err)
		return 2
	}
	err := reader.Stream(ctx, bootstrap, topic, reader.Options{Committed: true}, func(r *reader.Record) error {
		want.record(r.Partition, r.Offset, r.Key, r.Value)
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "readback:", err)
		return 2
	}
	problems := want.finish()
	if len(problems) == 0 {
		fmt.Printf("readback: topic %s holds the %d lines of %s, %d keys, each in order (%s)\n",
			topic, want.lines(), name, want.keys(), time.Since(began).Round(time.Millisecond))
		return 0
	}
	fmt.Printf("readback: topic %s does not hold the %d lines of %s:\n", topic, want.lines(), name)
	for _, problem := range problems {
		fmt.Println("  " + problem)
	}
	return 1
}

// readLines tells want of each line of a file, with the line's key, which is nil for none.
func readLines(name, delimiter string, want *expected) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for in := bufio.NewReaderSize(f, 1<<20); ; {
		line, err := in.ReadBytes('\n')
		if err == nil || len(line) > 0 {
			key, value := split(bytes.TrimSuffix(line, []byte("\n")), delimiter)
			want.line(key, value)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func split(line []byte, delimiter string) (key, value []byte) {
	if delimiter != "" {
		if key, value, ok := bytes.Cut(line, []byte(delimiter)); ok {
			return key, value
		}
	}
	return nil, line
}
