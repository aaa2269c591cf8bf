package sender

import (
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	modelCount = flag.Uint64("model.count", 0, "how many histories TestModel drives, of one mode with -model.mode; 0: as many as suit the run")
	modelKeep  = flag.Bool("model.keep", false, "go on after a failure, and count the histories that fail")
	modelMode  = flag.Int("model.mode", -1, "run histories of the mode with this number alone; -1: of all")
	modelSeed  = flag.Uint64("model.seed", 1, "seed of the first history of TestModel; the next has the next")
)

// TestModel drives the core through random histories against a model of the brokers, and checks I1 to I7 of the package
// documentation after every step. A history is a function of its seed: with -model.seed=N -model.count=1 it runs again,
// and a failure prints what has happened in it.
func TestModel(t *testing.T) {
	count := *modelCount
	if count == 0 {
		count = defaultHistories(testing.Short())
	}
	if *modelMode >= int(modes) {
		t.Fatalf("there is no mode %d", *modelMode)
	}
	seeds := seedsOf{next: *modelSeed, left: count}
	var failed atomic.Uint64
	var totals tally
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for *modelKeep || failed.Load() == 0 {
				seed, ok := seeds.take()
				if !ok {
					return
				}
				h, err := tryHistory(seed, false)
				totals.add(h)
				if err == nil {
					continue
				}
				if failed.Add(1) > 1 || *modelKeep {
					t.Errorf("history %d, of mode %d: %v", seed, h.mode, err)
					continue
				}
				h, again := tryHistory(seed, true)
				t.Errorf("history %d: %v\nrun again, with what led to it:\n%s\n%v", seed, err, strings.Join(h.trace, "\n"), again)
			}
		})
	}
	all.Wait()
	t.Logf("%d histories, of which %d fail, %v", count, failed.Load(), &totals)
	if failed.Load() == 0 && count >= 1000 && *modelMode < 0 {
		totals.demandVariety(t)
	}
}

// seedsOf gives out the seeds of so many histories: all from the first on, or with -model.mode those of that mode.
type seedsOf struct {
	mu   sync.Mutex
	next uint64
	left uint64
}

func (s *seedsOf) take() (seed uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		return 0, false
	}
	for *modelMode >= 0 && newExtras(s.next).mode != mode(*modelMode) {
		s.next++
	}
	s.left--
	s.next++
	return s.next - 1, true
}

// TestModelRepeats guards what a printed seed is worth: a history runs the same way each time.
func TestModelRepeats(t *testing.T) {
	for seed := range uint64(100) {
		first, err := tryHistory(seed, true)
		second, errAgain := tryHistory(seed, true)
		if fmt.Sprint(err) != fmt.Sprint(errAgain) {
			t.Fatalf("history %d ended with %v, then with %v", seed, err, errAgain)
		}
		for i := range min(len(first.trace), len(second.trace)) {
			if first.trace[i] != second.trace[i] {
				t.Fatalf("history %d, line %d: %q, then %q", seed, i, first.trace[i], second.trace[i])
			}
		}
		if len(first.trace) != len(second.trace) {
			t.Fatalf("history %d: %d lines, then %d", seed, len(first.trace), len(second.trace))
		}
	}
}

// violation is what a history panics with when an invariant does not hold.
type violation string

// tryHistory runs one history. A panic of the core is a failure as any other.
func tryHistory(seed uint64, tracing bool) (h *history, err error) {
	h = newHistory(seed, tracing)
	defer func() {
		h.dismiss()
		h.trace = append(h.trace, h.sent...)
		switch r := recover().(type) {
		case nil:
		case violation:
			err = fmt.Errorf("%s", string(r))
		default:
			err = fmt.Errorf("panic: %v", r)
			if tracing {
				err = fmt.Errorf("%w\n%s", err, debug.Stack())
			}
		}
	}()
	h.run()
	return h, nil
}

// A tally says what the histories were made of, so that a model that has gone quiet is noticed.
type tally struct {
	mu     sync.Mutex
	counts [tallies]int64
}

const (
	tallyStep = iota
	tallyRecord
	tallyAcked
	tallyNotWritten
	tallyMaybe
	tallyDuplicate
	tallyOutOfOrder
	tallyRetry
	tallyBroken
	tallyLate
	tallyCut
	tallyRecreated
	tallySecondThoughts
	tallyResized
	tallyTails
	tallyCommit
	tallyAbort
	tallyLost
	tallyFenced
	tallyUnknown
	tallyFatal
	tallyBeside
	tallyLeft
	tallyAgain
	tallyMoved
	tallyStranger
	tallyPartitions
	tallyForgotten
	tallyMembers
	tallyWaiting
	tallyStill
	tallyCompressed
	tallyOutlived
	tallyRestarted
	tallyUntold
	tallyUntoldLong
	tallies
)

var tallyNames = [tallies]string{
	"steps", "records", "acknowledged", "not written", "maybe written", "duplicates", "out of order", "batches sent again",
	"connections broken", "late requests", "batches too large", "topics made again", "batches in doubt refused for good", "limits changed", "logs cut back", "commits", "aborts",
	"transactions that failed", "producers fenced", "outcomes unknown", "producers that died",
	"connections begun beside silent ones", "connections given up for another broker",
	"clusters made again", "brokers moved", "batches of strangers",
	"numbers of partitions changed", "partitions whose producers were forgotten", "brokers joined or left", "callers that waited for memory",
	"times that the process stood still", "batches compressed", "connections that outlived their cluster", "brokers restarted as others",
	"answers that told nothing of the cluster", "clusters given up for such answers",
}

func (t *tally) add(h *history) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, n := range h.counts {
		t.counts[i] += n
	}
}

func (t *tally) String() string {
	parts := make([]string, tallies)
	for i, n := range t.counts {
		parts[i] = fmt.Sprintf("%d %s", n, tallyNames[i])
	}
	return strings.Join(parts, ", ")
}

// demandVariety fails a run in which something never happened that histories are made for.
func (t *tally) demandVariety(tb testing.TB) {
	for i, n := range t.counts {
		if n == 0 {
			tb.Errorf("no %s in all histories: the model drives less than it should", tallyNames[i])
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
