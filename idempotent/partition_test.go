package idempotent

import (
	"math"
	"testing"
	"time"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// Numbers go from 0 to the largest int32 and on from 0, never to a negative one, which a broker refuses (pitfall 10).
func TestAdvanceWraps(t *testing.T) {
	const last = math.MaxInt32
	tests := []struct{ seq, n, want int32 }{
		{0, 1, 1},
		{0, last, last},
		{last - 1, 1, last},
		{last, 1, 0},
		{last, 2, 1},
		{last - 2, 5, 2},
		{last, last, last - 1},
		{5, 0, 5},
		{last, 0, last},
	}
	for _, tt := range tests {
		if got := Advance(tt.seq, tt.n); got != tt.want {
			t.Errorf("Advance(%d, %d) = %d, want %d", tt.seq, tt.n, got, tt.want)
		}
		// The same in a wider type.
		if wide := (int64(tt.seq) + int64(tt.n)) % (last + 1); int64(Advance(tt.seq, tt.n)) != wide {
			t.Errorf("Advance(%d, %d) = %d, want %d by 64-bit arithmetic", tt.seq, tt.n, Advance(tt.seq, tt.n), wide)
		}
	}
}

func TestABatchTakesItsNumbersFromZeroOn(t *testing.T) {
	var p Partition
	if p.Started() {
		t.Error("a new partition has an identity")
	}
	p.Start(Identity{ID: 7, Epoch: 3})
	for i, want := range []int32{0, 10, 20} {
		if got := p.Number(10); got != want {
			t.Errorf("batch %d begins at %d, want %d", i, got, want)
		}
	}
	if got, want := p.Identity(), (Identity{ID: 7, Epoch: 3}); got != want {
		t.Errorf("identity = %v, want %v", got, want)
	}
}

func TestTheSequenceWrapsInsideABatch(t *testing.T) {
	var p Partition
	p.Start(Identity{ID: 7})
	p.Number(math.MaxInt32 - 1)
	if got := p.Number(5); got != math.MaxInt32-1 {
		t.Errorf("the batch that wraps begins at %d, want %d", got, math.MaxInt32-1)
	}
	if got := p.Number(1); got != 3 {
		t.Errorf("the next begins at %d, want 3", got)
	}
}

// One in flight until the first acknowledgement under this producer id, and again after whatever could mean that the broker has
// forgotten it (pitfall 1).
func TestProven(t *testing.T) {
	id := Identity{ID: 7}
	tests := []struct {
		name string
		do   func(*Partition)
		at   time.Duration
		want bool
	}{
		{"at first", func(*Partition) {}, 0, false},
		{"acknowledged", func(p *Partition) { p.Acked(id, noon) }, 0, true},
		{"acknowledged under another id", func(p *Partition) { p.Acked(Identity{ID: 6}, noon) }, 0, false},
		{"acknowledged under an older epoch", func(p *Partition) { p.Acked(Identity{ID: 7, Epoch: -1}, noon) }, 0, true},
		{"disturbed since", func(p *Partition) { p.Acked(id, noon); p.Disturb() }, 0, false},
		{"acknowledged after that", func(p *Partition) { p.Acked(id, noon); p.Disturb(); p.Acked(id, noon) }, 0, true},
		{"just before ten idle minutes", func(p *Partition) { p.Acked(id, noon) }, 10*time.Minute - 1, true},
		{"after ten idle minutes", func(p *Partition) { p.Acked(id, noon) }, 10 * time.Minute, false},
		{"after nine and nine minutes", func(p *Partition) { p.Acked(id, noon); p.Acked(id, noon.Add(9*time.Minute)) }, 18 * time.Minute, true},
		{"under a new epoch", func(p *Partition) { p.Acked(id, noon); p.Break(); p.Renew(id) }, 0, true},
		{"under a new id", func(p *Partition) { p.Acked(id, noon); p.Break(); p.Renew(Identity{ID: 8}) }, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Partition
			p.Start(id)
			tt.do(&p)
			if got := p.Proven(noon.Add(tt.at)); got != tt.want {
				t.Errorf("proven = %v, want %v", got, tt.want)
			}
		})
	}
}

// A partition takes its next epoch on its own, at 0. Another that has no need for one stays where it is (pitfalls 6 and 7).
func TestRenew(t *testing.T) {
	var p, other Partition
	p.Start(Identity{ID: 7})
	other.Start(Identity{ID: 7})
	p.Number(100)
	other.Number(100)
	p.Break()
	if !p.Broken() || other.Broken() {
		t.Errorf("broken = %v, %v, want the first alone", p.Broken(), other.Broken())
	}
	if !p.Renew(Identity{ID: 7}) {
		t.Fatal("there was no next epoch")
	}
	if got, want := p.Identity(), (Identity{ID: 7, Epoch: 1}); got != want || p.Broken() {
		t.Errorf("identity = %v, broken %v; want %v, whole", got, p.Broken(), want)
	}
	if got := p.Number(1); got != 0 {
		t.Errorf("the new epoch begins at %d, want 0", got)
	}
	if got := other.Number(1); got != 100 {
		t.Errorf("the other partition goes on at %d, want 100", got)
	}
}

// Epoch 32767 is the last. What has used it up waits for a new producer id and moves to it; what has not, stays (pitfall 10).
func TestEpochsRunOut(t *testing.T) {
	var p, other Partition
	p.Start(Identity{ID: 7, Epoch: math.MaxInt16 - 1})
	other.Start(Identity{ID: 7, Epoch: 4})
	p.Break()
	if !p.Renew(Identity{ID: 7, Epoch: math.MaxInt16 - 1}) || p.Identity().Epoch != math.MaxInt16 {
		t.Fatalf("identity = %v, want the last epoch", p.Identity())
	}
	p.Break()
	if p.Renew(Identity{ID: 7, Epoch: math.MaxInt16 - 1}) {
		t.Fatalf("renewed to %v, want a new producer id to be asked for", p.Identity())
	}
	if !p.Broken() {
		t.Error("the partition counts as whole before it has its new id")
	}
	newest := Identity{ID: 8, Epoch: 0}
	if !p.Renew(newest) || p.Identity() != newest {
		t.Errorf("identity = %v, want %v", p.Identity(), newest)
	}
	// A partition of the old id that breaks later moves too: it must not go on with epochs of an id that others have left.
	other.Break()
	if !other.Renew(newest) || other.Identity() != newest {
		t.Errorf("the other partition's identity = %v, want %v", other.Identity(), newest)
	}
}

// Without idempotence there are no numbers, nothing to prove, and no break.
func TestNone(t *testing.T) {
	var p Partition
	p.Start(None)
	if got := p.Number(5); got != -1 {
		t.Errorf("number = %d, want -1", got)
	}
	p.Disturb()
	p.Break()
	if p.Broken() || !p.Proven(noon) {
		t.Errorf("broken %v, proven %v; want neither to be any obstacle", p.Broken(), p.Proven(noon))
	}
}

// Numbers that must not be given are a bug of the caller, not an answer.
func TestNumberPanicsWithoutAnIdentity(t *testing.T) {
	tests := map[string]func(*Partition){
		"never started": func(*Partition) {},
		"broken":        func(p *Partition) { p.Start(Identity{ID: 7}); p.Break() },
	}
	for name, do := range tests {
		t.Run(name, func(t *testing.T) {
			var p Partition
			do(&p)
			defer func() {
				if recover() == nil {
					t.Error("a number was given")
				}
			}()
			p.Number(1)
		})
	}
}
