package driver

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/epistle-kafka/epistle/bench/internal/nap"
)

// Main is the main function of a driver in Go. module is the client's, for its version.
func Main(client, module string, open func(*Options, *Results) (Client, error)) {
	o := ParseFlags(client)
	l, err := newLoad(o)
	if err != nil {
		Fatal(err)
	}
	if l.client, err = open(o, &l.results); err != nil {
		Fatal(err)
	}
	if err := o.Set.Unknown(); err != nil {
		Fatal(err)
	}
	l.bound()
	result := Result{Client: client, Version: ModuleVersion(module)}
	if err := l.measure(&result); err != nil {
		Fatal(err)
	}
	l.client.Close()
	result.Print()
}

// A load is what one driver does.
type load struct {
	o            *Options
	values, keys *Ring
	client       Client
	results      Results
	sent         int64 // in all

	room   int64        // records that may be on their way; 0 = the client bounds what it holds
	handed atomic.Int64 // records that a flood has handed over or is about to, by the stride
}

// stride is how many records a flood sends between two looks at the clock, and at what is on its way.
const stride = 64

func newLoad(o *Options) (*load, error) {
	l := &load{o: o}
	var err error
	if l.values, l.keys, err = o.Rings(); err != nil {
		return nil, err
	}
	l.results.began = time.Now()
	if o.Rate > 0 {
		l.results.due = make([]atomic.Int64, Slots)
	}
	return l, nil
}

func (l *load) measure(result *Result) error {
	if err := l.phase(l.o.Warmup, 0); err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	before := l.sent
	l.results.latency.Reset()
	stop, err := l.o.profile()
	if err != nil {
		return err
	}
	from := Take()
	if err := l.phase(l.o.Duration, l.o.Records); err != nil {
		return err
	}
	result.Fill(from, Take(), l.sent-before)
	if err := stop(); err != nil {
		return err
	}
	result.Acknowledged = l.results.acked.Load()
	result.Errors = l.results.failed.Load()
	if first := l.results.First(); first != nil {
		return fmt.Errorf("%d records failed, the first one with: %w", result.Errors, first)
	}
	if l.o.Rate > 0 || l.o.Wait {
		result.P50 = l.results.latency.Quantile(0.5)
		result.P99 = l.results.latency.Quantile(0.99)
		result.P999 = l.results.latency.Quantile(0.999)
	}
	return nil
}

// phase sends for that long, or that many records, and returns when all are acknowledged.
func (l *load) phase(last time.Duration, records int) error {
	if last <= 0 && records == 0 {
		return nil
	}
	if l.o.Rate > 0 {
		l.sent += l.paced(last)
	} else {
		l.sent += l.together(last, records)
	}
	l.client.Flush()
	if !l.results.await(l.sent) {
		return fmt.Errorf("of %d records %d were acknowledged and %d failed, and no more came for a minute",
			l.sent, l.results.acked.Load(), l.results.failed.Load())
	}
	return nil
}

// together lets every goroutine send its part.
func (l *load) together(last time.Duration, records int) int64 {
	until := time.Now().Add(last)
	each := l.flood
	if l.o.Wait {
		each = l.waiting
	}
	if l.o.Goroutines == 1 {
		return each(0, until, records)
	}
	var sent atomic.Int64
	var wg sync.WaitGroup
	for g := range l.o.Goroutines {
		wg.Go(func() {
			sent.Add(each(g, until, (records+g)/l.o.Goroutines))
		})
	}
	wg.Wait()
	return sent.Load()
}

// A turn goes through the values and keys, each goroutine from a place of its own.
type turn struct {
	values, keys *Ring
	value, key   int
}

func (l *load) turn(g int) turn {
	return turn{
		values: l.values, value: g * l.values.Len() / l.o.Goroutines,
		keys: l.keys, key: g * l.keys.Len() / l.o.Goroutines,
	}
}

func (t *turn) next() (key, value []byte) {
	key, value = t.keys.At(t.key), t.values.At(t.value)
	if t.value++; t.value == t.values.Len() {
		t.value = 0
	}
	if t.key++; t.key == t.keys.Len() {
		t.key = 0
	}
	return key, value
}

// flood sends as fast as the client takes records.
func (l *load) flood(g int, until time.Time, records int) (sent int64) {
	send, rest := l.sender()
	defer rest()
	first := int64(g) * perGoroutine
	for t := l.turn(g); ; sent++ {
		if records > 0 && sent == int64(records) {
			if begun := sent % stride; begun > 0 {
				l.handed.Add(begun - stride)
			}
			return sent
		}
		if sent%stride == 0 {
			if records == 0 && time.Now().After(until) {
				return sent
			}
			l.heed()
		}
		key, value := t.next()
		send(key, value, first+sent)
	}
}

// bound asks a client that does not bound what it holds how much it may hold.
func (l *load) bound() {
	if b, ok := l.client.(Bounded); ok {
		l.room = max(int64(b.Room()), 4*stride*int64(l.o.Goroutines)) // each has a stride, and what it keeps for a call
	}
}

// heed waits while too much is on its way. It takes no lock, and is called once for a stride: a client without a bound of its
// own is not to pay for ours.
func (l *load) heed() {
	if l.room == 0 {
		return
	}
	for handed := l.handed.Add(stride); handed-l.results.done() > l.room+stride; {
		time.Sleep(50 * time.Microsecond)
	}
}

// sender returns how a goroutine sends, and what hands over what is left at the end.
func (l *load) sender() (send Sender, rest func()) {
	if g, ok := l.client.(Grouper); ok {
		if send, rest := g.Group(); send != nil {
			return send, rest
		}
	}
	return l.client.Send, func() {}
}

// waiting sends one record after the other, each when the one before it is acknowledged.
func (l *load) waiting(g int, until time.Time, records int) (sent int64) {
	now := time.Now()
	for t := l.turn(g); now.Before(until) || records > 0; sent++ {
		if records > 0 && sent == int64(records) {
			return sent
		}
		key, value := t.next()
		err := l.client.SendWait(key, value)
		then := now
		now = time.Now()
		l.results.latency.Add(now.Sub(then).Microseconds())
		l.results.Done(err)
	}
	return sent
}

// paced sends on a schedule, whether or not earlier records have been acknowledged. A client that falls behind is late for all
// that follow.
func (l *load) paced(last time.Duration) (sent int64) {
	interval := time.Second / time.Duration(l.o.Rate)
	start := time.Now()
	offset := int64(start.Sub(l.results.began))
	for t := l.turn(0); ; sent++ {
		due := time.Duration(sent) * interval
		if due >= last {
			return sent
		}
		nap.Until(start.Add(due))
		slot := int(sent % Slots)
		if l.results.due[slot].Swap(offset+int64(due)) != 0 {
			Fatal(fmt.Errorf("%d records wait for their acknowledgement", Slots))
		}
		key, value := t.next()
		l.client.SendSlot(key, value, slot)
	}
}
