//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/epistle-kafka/epistle/bench/driver"
)

// A cost is something to measure, in a process of its own.
type cost struct {
	name, title string
	sink        []string // the sink's flags
	run         func(open func() (client, error), last time.Duration) ([]figure, error)
}

const away = "20ms"

var costs = []cost{
	{name: "idle", title: "one idle producer", run: idle(1)},
	{name: "idle100", title: "100 idle producers", run: idle(100)},
	{name: "hang", title: "one record in flight, the broker hangs", run: hang},
	{name: "first", title: "New to the first acknowledgement", run: first},
	{name: "firstaway", title: "the same, " + away + " away", sink: []string{"-delay", away}, run: first},
	{name: "topics", title: "the first record to 300 topics, " + away + " away, one goroutine", sink: []string{"-delay", away}, run: topics(300)},
	{name: "topicsnear", title: "the same to 2,000, local", run: topics(2000)},
	{name: "close100", title: "Close of 100 producers at once", run: closing},
	{name: "burst", title: "after a burst of 1 GB", run: burst},
}

func caseNames() []string {
	var names []string
	for _, c := range costs {
		names = append(names, c.name)
	}
	return names
}

// runChild runs a case here, and prints its figures as a line.
func runChild(name, who, bootstrap string, last time.Duration) error {
	i := slices.IndexFunc(costs, func(c cost) bool { return c.name == name })
	if i < 0 {
		return fmt.Errorf("no case %q", name)
	}
	figures, err := costs[i].run(func() (client, error) { return open(who, bootstrap) }, last)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}

// A mark is what the process has used until some moment.
type mark struct {
	at       time.Time
	cpu      time.Duration
	switches int64 // that it made by itself: each is a thread that went to sleep
}

func now() mark {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return mark{time.Now(), driver.CPUTime(), int64(r.Nvcsw)}
}

// since returns the figures of a time in which there was nothing to do.
func (m mark) since() []figure {
	n := now()
	seconds := n.at.Sub(m.at).Seconds()
	return []figure{
		{"CPU, ms a minute", 60 * float64((n.cpu - m.cpu).Microseconds()) / 1e3 / seconds},
		{"voluntary switches a second", float64(n.switches-m.switches) / seconds},
	}
}

func idle(n int) func(func() (client, error), time.Duration) ([]figure, error) {
	return func(open func() (client, error), last time.Duration) ([]figure, error) {
		before := runtime.NumGoroutine()
		if _, err := opened(open, n); err != nil {
			return nil, err
		}
		time.Sleep(min(time.Second, last)) // what they began has ended
		from := now()
		time.Sleep(last)
		figures := append(from.since(), figure{"goroutines", float64(runtime.NumGoroutine() - before)})
		return append(figures, figure{"RSS, MiB", resident()}), nil
	}
}

// opened are n clients that have sent a record each.
func opened(open func() (client, error), n int) ([]client, error) {
	var list []client
	for range n {
		c, err := open()
		if err != nil {
			return nil, err
		}
		if err := sendAndWait(c, "load"); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// hang stops the sink, sends a record that it will not answer, and measures what that costs while nothing happens.
func hang(open func() (client, error), last time.Duration) ([]figure, error) {
	list, err := opened(open, 1)
	if err != nil {
		return nil, err
	}
	fmt.Println("ready")
	if !bufio.NewScanner(os.Stdin).Scan() {
		return nil, errors.New("nobody says that the sink hangs")
	}
	list[0].send("load", make([]byte, 100), func(error) {})
	time.Sleep(200 * time.Millisecond)
	from := now()
	time.Sleep(last)
	return from.since(), nil
}

func first(open func() (client, error), _ time.Duration) ([]figure, error) {
	const times = 5
	var took []float64
	for range times {
		began := time.Now()
		list, err := opened(open, 1)
		if err != nil {
			return nil, err
		}
		took = append(took, float64(time.Since(began).Microseconds())/1e3)
		if err := list[0].close(); err != nil {
			return nil, err
		}
	}
	slices.Sort(took)
	return []figure{{"ms", took[times/2]}}, nil
}

func topics(n int) func(func() (client, error), time.Duration) ([]figure, error) {
	return func(open func() (client, error), _ time.Duration) ([]figure, error) {
		list, err := opened(open, 1)
		if err != nil {
			return nil, err
		}
		from := now()
		value := make([]byte, 100)
		var failed atomic.Pointer[error]
		for i := range n {
			list[0].send("topic-"+strconv.Itoa(i), value, func(err error) {
				if err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			})
		}
		if err := list[0].flush(); err != nil {
			return nil, err
		}
		if err := failed.Load(); err != nil {
			return nil, *err
		}
		to := now()
		return []figure{
			{"ms", float64(to.at.Sub(from.at).Microseconds()) / 1e3},
			{"CPU, ms", float64((to.cpu - from.cpu).Microseconds()) / 1e3},
		}, nil
	}
}

func closing(open func() (client, error), _ time.Duration) ([]figure, error) {
	list, err := opened(open, 100)
	if err != nil {
		return nil, err
	}
	from := time.Now()
	ended := make(chan error)
	for _, c := range list {
		go func() { ended <- c.close() }()
	}
	for range list {
		if err := <-ended; err != nil {
			return nil, err
		}
	}
	return []figure{{"ms", float64(time.Since(from).Microseconds()) / 1e3}}, nil
}

func burst(open func() (client, error), last time.Duration) ([]figure, error) {
	list, err := opened(open, 1)
	if err != nil {
		return nil, err
	}
	value := make([]byte, 1000)
	for range 1_000_000 {
		list[0].send("load", value, func(error) {})
	}
	if err := list[0].flush(); err != nil {
		return nil, err
	}
	time.Sleep(last)
	after := resident()
	debug.FreeOSMemory()
	return []figure{{"RSS, MiB, " + last.String() + " later", after}, {"RSS, MiB, when Go has given back what it can", resident()}}, nil
}

// resident is how much memory the process has now, in MiB; 0 if unknown.
func resident() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	var kib float64
	fmt.Sscan(after, &kib)
	return kib / 1024
}
