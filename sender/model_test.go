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
)

var (
	modelCount = flag.Uint64("model.count", 0, "how many histories TestModel drives; 0: as many as suit the run")
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
	var next atomic.Uint64
	next.Store(*modelSeed)
	var failed atomic.Bool
	var totals tally
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for seed := next.Add(1) - 1; seed < *modelSeed+count && !failed.Load(); seed = next.Add(1) - 1 {
				h, err := tryHistory(seed, false)
				totals.add(h)
				if err == nil {
					continue
				}
				failed.Store(true)
				h, again := tryHistory(seed, true)
				t.Errorf("history %d: %v\nrun again, with what led to it:\n%s\n%v", seed, err, strings.Join(h.trace, "\n"), again)
			}
		})
	}
	all.Wait()
	t.Logf("%d histories, %v", count, &totals)
	if !failed.Load() && count >= 1000 {
		totals.demandVariety(t)
	}
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
	tallies
)

var tallyNames = [tallies]string{
	"steps", "records", "acknowledged", "not written", "maybe written", "duplicates", "out of order", "batches sent again",
	"connections broken", "late requests", "batches too large", "topics made again", "batches in doubt refused for good", "limits changed", "logs cut back", "commits", "aborts",
	"transactions that failed", "producers fenced", "outcomes unknown", "producers that died",
	"connections begun beside silent ones", "connections given up for another broker",
	"clusters made again", "brokers moved", "batches of strangers",
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
