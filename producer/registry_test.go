package producer

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// Whatever is added, replaced and removed, the registry holds what a map would.
func TestRegistryIsAMap(t *testing.T) {
	r, want := newRegistry(), map[string]*topic{}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		name := fmt.Sprint("topic", rng.IntN(500))
		if rng.IntN(3) == 0 {
			r.remove(name)
			delete(want, name)
		} else {
			want[name] = &topic{name: name}
			r.set(want[name])
		}
		probe := fmt.Sprint("topic", rng.IntN(500))
		if got := r.get(probe); got != want[probe] {
			t.Fatalf("%s is %p, want %p", probe, got, want[probe])
		}
	}
	for i := range 500 {
		name := fmt.Sprint("topic", i)
		if got := r.get(name); got != want[name] {
			t.Errorf("at the end %s is %p, want %p", name, got, want[name])
		}
	}
	if r.count != len(want) {
		t.Errorf("count is %d, want %d", r.count, len(want))
	}
}

// A topic that stays is found by every reader at every moment, while others come and go and the table grows.
func TestRegistryKeepsWhatStaysInSight(t *testing.T) {
	r := newRegistry()
	stays := &topic{name: "stays"}
	r.set(stays)
	handle := &Topic{p: &Producer{topics: r}, name: "stays"}
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for !done.Load() {
				if r.get("stays") != stays || handle.known() != stays {
					t.Error("a topic that stays was out of sight")
					return
				}
				runtime.Gosched()
			}
		})
	}
	for i := range 3000 {
		r.set(&topic{name: fmt.Sprint("comes", i)})
		r.remove(fmt.Sprint("comes", i/2))
	}
	done.Store(true)
	readers.Wait()
}

// A handle follows its topic through being forgotten and found again.
func TestAHandleFollowsItsTopic(t *testing.T) {
	r := newRegistry()
	handle := &Topic{p: &Producer{topics: r}, name: "t"}
	if handle.known() != nil {
		t.Error("a topic is known before anybody has heard of it")
	}
	for range 3 {
		is := &topic{name: "t"}
		if r.set(is); handle.known() != is {
			t.Errorf("the handle has %p, want %p", handle.known(), is)
		}
		if r.remove("t"); handle.known() != nil {
			t.Error("a topic is known after it was forgotten")
		}
	}
}

// The ten-thousandth topic costs what the first did.
func TestRegistryCostsTheSameHoweverMany(t *testing.T) {
	r := newRegistry()
	add := func(from, n int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range n {
			name := fmt.Sprint("topic", from+i)
			r.set(&topic{name: name})
			r.set(&topic{name: name}) // its leader has moved
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / uint64(n)
	}
	first := add(0, 10_000)
	last := add(10_000, 10_000)
	if last > 2*first {
		t.Errorf("a topic costs %d bytes among the first 10,000 and %d among the next, want about the same", first, last)
	}
}
