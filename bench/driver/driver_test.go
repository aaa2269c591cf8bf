package driver

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestQuantiles(t *testing.T) {
	var h Histogram
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %d, want 0", got)
	}
	for v := range int64(100_000) {
		h.Add(v + 1)
	}
	for q, want := range map[float64]int64{0.5: 50_000, 0.99: 99_000, 0.999: 99_900, 1: 100_000} {
		if got := h.Quantile(q); got < want || got > want+want/60 {
			t.Errorf("quantile %v is %d, want %d or up to 1.6 %% more", q, got, want)
		}
	}
	h.Add(-5)
	h.Add(1 << 60) // counts as the largest value, and breaks nothing
	if got := h.Quantile(1); got != 1<<maxBits-1 {
		t.Errorf("the most is %d, want %d", got, int64(1<<maxBits-1))
	}
}

// TestValuesAreTheSame guards that all clients send the same: values follow from the size alone, look like JSON, and come back
// from their file.
func TestValuesAreTheSame(t *testing.T) {
	for _, size := range []int{100, 1024} {
		a, b, more := Values(size, RingBytes), Values(size, RingBytes), Values(size, 2*RingBytes)
		path := filepath.Join(t.TempDir(), "values")
		if err := a.WriteFile(path); err != nil {
			t.Fatal(err)
		}
		c, err := readRing(path, size, nil)
		if err != nil {
			t.Fatal(err)
		}
		if string(a.bytes) != string(b.bytes) || string(a.bytes) != string(c.bytes) {
			t.Errorf("values of %d bytes are not the same each time", size)
		}
		if string(more.bytes[:len(a.bytes)]) != string(a.bytes) || more.Len() < 2*a.Len() {
			t.Errorf("twice as many values of %d bytes are not those and as many others", size)
		}
		if v := a.At(a.Len() - 1); len(v) != size || v[0] != '{' || v[size-1] != '}' {
			t.Errorf("the last value of %d bytes is %q", size, v)
		}
	}
	if k := Keys(16); len(k.At(k.Len()-1)) != 16 || Keys(0).At(0) != nil {
		t.Errorf("keys are %q and %q, want 16 bytes and none", k.At(k.Len()-1), Keys(0).At(0))
	}
}

// TestLatencyIsFromWhenItWasDue guards against the omission that flatters whoever stalls: a record that was sent late is as
// late as its acknowledgement, whenever it was sent.
func TestLatencyIsFromWhenItWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Results{began: time.Now(), due: make([]atomic.Int64, 2)}
		r.due[1].Store(int64(5 * time.Millisecond))
		time.Sleep(12 * time.Millisecond)
		r.DoneSlot(1, nil)
		if got := r.latency.Quantile(1); got < 7000 || got > 7120 {
			t.Errorf("a record due at 5 ms and acknowledged at 12 ms has a latency of %d µs, want 7000", got)
		}
		if r.due[1].Load() != 0 {
			t.Error("its slot is still taken")
		}
	})
}

// TestSettingsAreNotPassedOver guards the sweep: a setting with a typing error would be measured as the defaults.
func TestSettingsAreNotPassedOver(t *testing.T) {
	var s Settings
	for _, text := range []string{"records=5", "recodrs=7"} {
		if err := s.Set(text); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Int("records", 1); got != 5 {
		t.Errorf("records is %d, want 5", got)
	}
	if got := s.Int("more", 1); got != 1 {
		t.Errorf("what is not given is %d, want 1", got)
	}
	if err := s.Unknown(); err == nil || !strings.Contains(err.Error(), `"recodrs"`) {
		t.Errorf("the error is %v, want one that names recodrs", err)
	}
	s.Text("recodrs")
	if err := s.Unknown(); err != nil {
		t.Errorf("all were asked for, and the error is %v", err)
	}
}

// fake acknowledges all but every failEach-th record.
type fake struct {
	r        *Results
	mu       sync.Mutex
	sent     int
	failEach int
}

var errFake = errors.New("not delivered")

func (f *fake) outcome() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sent++; f.failEach > 0 && f.sent%f.failEach == 0 {
		return errFake
	}
	return nil
}

func (f *fake) Send(_, _ []byte, id int64)     { f.r.DoneOf(id, f.outcome()) }
func (f *fake) SendSlot(_, _ []byte, slot int) { f.r.DoneSlot(slot, f.outcome()) }
func (f *fake) SendWait(_, _ []byte) error     { return f.outcome() }
func (f *fake) Flush()                         {}
func (f *fake) Close()                         {}

// TestLoadsCountEveryRecord guards the line that each driver prints: what it says was acknowledged is what the client was
// given, warm-up included, in every kind of load; and no failed record is passed over.
func TestLoadsCountEveryRecord(t *testing.T) {
	base := Options{ValueSize: 100, KeySize: 16, Goroutines: 1, Warmup: 10 * time.Millisecond, Duration: 20 * time.Millisecond}
	flood, many, wait, paced := base, base, base, base
	flood.Records = 1000
	many.Records, many.Goroutines = 1001, 8
	wait.Wait, wait.Goroutines = true, 10
	paced.Rate = 5000
	for name, o := range map[string]Options{"flood": flood, "many": many, "wait": wait, "paced": paced} {
		t.Run(name, func(t *testing.T) {
			l, err := newLoad(&o)
			if err != nil {
				t.Fatal(err)
			}
			f := &fake{r: &l.results}
			l.client = f
			var result Result
			if err := l.measure(&result); err != nil {
				t.Fatal(err)
			}
			if result.Acknowledged != int64(f.sent) || result.Records == 0 || result.Records >= result.Acknowledged {
				t.Errorf("%d records were sent, %d acknowledged, %d of them measured", f.sent, result.Acknowledged, result.Records)
			}
			if o.Records > 0 && result.Records != int64(o.Records) {
				t.Errorf("%d records were measured, want %d", result.Records, o.Records)
			}
			if _, err := json.Marshal(result); err != nil {
				t.Error(err)
			}
			f.failEach = 100
			if err := l.measure(&result); !errors.Is(err, errFake) {
				t.Errorf("with failing records the load ends with %v, want %v", err, errFake)
			}
		})
	}
}

// slow acknowledges in a goroutine of its own, and knows the most that was on its way.
type slow struct {
	fake
	room    int
	waiting chan int64
	most    atomic.Int64
	out     atomic.Int64
}

func (s *slow) Room() int { return s.room }

func (s *slow) Send(_, _ []byte, id int64) {
	out := s.out.Add(1)
	for most := s.most.Load(); out > most && !s.most.CompareAndSwap(most, out); most = s.most.Load() {
	}
	s.waiting <- id
}

// TestWhoHoldsWithoutBoundIsBounded guards that a client without a bound of its own is handed no more than its room, and a
// stride for each goroutine; and that a phase that ends within a stride leaves the next one its room.
func TestWhoHoldsWithoutBoundIsBounded(t *testing.T) {
	const goroutines, room = 3, 1000
	l, err := newLoad(&Options{ValueSize: 100, Goroutines: goroutines, Records: 5_000})
	if err != nil {
		t.Fatal(err)
	}
	s := &slow{room: room, waiting: make(chan int64, 1<<20)}
	l.client = s
	l.bound()
	go func() {
		for id := range s.waiting {
			s.out.Add(-1)
			l.results.DoneOf(id, nil)
		}
	}()
	for range 2 {
		if err := l.phase(0, 3_001); err != nil {
			t.Fatal(err)
		}
	}
	close(s.waiting)
	if most := s.most.Load(); most > room+(goroutines+1)*stride {
		t.Errorf("%d records were on their way, want %d at most and a stride for each goroutine", most, room)
	}
	if l.handed.Load() != l.sent || l.results.done() != l.sent {
		t.Errorf("%d records were handed over, %d were done, want %d", l.handed.Load(), l.results.done(), l.sent)
	}
}

// TestOutcomesSayOfWhichRecord guards that a program that wants to know gets it: the error names the record.
func TestOutcomesSayOfWhichRecord(t *testing.T) {
	l, err := newLoad(&Options{ValueSize: 100, Goroutines: 2, Records: 200})
	if err != nil {
		t.Fatal(err)
	}
	l.client = &only{fake: fake{r: &l.results}, id: perGoroutine + 17}
	err = l.measure(&Result{})
	if want := "record 17 of goroutine 1: not delivered"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("the error is %v, want %q at its end", err, want)
	}
}

// only fails for one record.
type only struct {
	fake
	id int64
}

func (o *only) Send(_, _ []byte, id int64) {
	if id == o.id {
		o.r.DoneOf(id, errFake)
		return
	}
	o.r.DoneOf(id, nil)
}
