package sender

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/epistle-kafka/epistle/protocol"
)

// A desk hands lines to the user's log, on a goroutine of its own: a handler is somebody else's code, and may take its time.
// Putting a line on the desk never waits for the handler. Lines are few, since repetitions are counted before. If they still
// come faster than the handler takes them, a line replaces the last one of its kind, and the log is told how many were lost.
type desk struct {
	handler slog.Handler
	wake    chan struct{} // capacity 1
	done    chan struct{} // closed when the last line was handed over

	mu     sync.Mutex         // guards the following; the handler is never called under it
	lines  []line             // at most deskSize, oldest first
	lost   int64              // lines, since the log was last told of that
	pulses map[subject]*pulse // of lines that come by an intake
	closed bool
}

// deskSize is how many lines wait for the handler at most.
const deskSize = 256

// A line is one line of the log.
type line struct {
	slog.Record
	about subject
}

// A subject is what a line is about. Lines about the same are repeats.
type subject struct {
	text   string // of the headline
	broker int32
	name   string // of a topic, or of a reason
}

func newDesk(h slog.Handler) *desk {
	return &desk{handler: h, pulses: map[subject]*pulse{}, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// put never blocks. What comes after close is dropped.
func (d *desk) put(l line) {
	d.mu.Lock()
	d.putLocked(l)
	d.mu.Unlock()
	d.nudge()
}

func (d *desk) putLocked(l line) {
	if d.closed {
		return
	}
	if len(d.lines) == deskSize {
		i := d.leastLoss(l)
		d.lines = slices.Delete(d.lines, i, i+1)
		d.lost++
	}
	d.lines = append(d.lines, l)
}

// leastLoss returns which line is to give way to l: the oldest of its kind, else the oldest that is not the last of its kind,
// else the oldest.
func (d *desk) leastLoss(l line) int {
	if i := slices.IndexFunc(d.lines, func(o line) bool { return o.about == l.about }); i >= 0 {
		return i
	}
	last := make(map[subject]int, len(d.lines))
	for i := range d.lines {
		last[d.lines[i].about] = i
	}
	for i := range d.lines {
		if last[d.lines[i].about] > i {
			return i
		}
	}
	return 0
}

// count is put for those who do not count repetitions: they may log each record, or each answer of a broker.
func (d *desk) count(l line) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.pulses[l.about]
	if p == nil {
		if len(d.pulses) >= deskSize {
			for _, old := range d.pulses {
				d.lost += old.more
			}
			clear(d.pulses)
		}
		p = &pulse{}
		d.pulses[l.about] = p
	}
	if !p.beat(l.Time) {
		p.held = l
		p.more++
		return
	}
	d.putLocked(p.release(l))
	d.nudge()
}

func (d *desk) nudge() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// close has run end once it has handed over what is there, and l last.
func (d *desk) close(l line) {
	d.mu.Lock()
	var held []*pulse
	for _, p := range d.pulses {
		if p.more > 0 {
			held = append(held, p)
		}
	}
	slices.SortFunc(held, func(a, b *pulse) int { return a.held.Time.Compare(b.held.Time) })
	for _, p := range held {
		p.more-- // itself
		d.putLocked(p.release(p.held))
	}
	d.putLocked(l)
	d.closed = true
	d.mu.Unlock()
	d.nudge()
}

// run hands lines over until close.
func (d *desk) run() {
	defer close(d.done)
	for {
		l, lost, ended := d.next()
		if lost > 0 {
			d.hand(lineDropped.record(l.Time, slog.Int64("count", lost)))
		}
		if !l.Time.IsZero() {
			d.hand(l.Record)
			continue
		}
		if ended {
			return
		}
		<-d.wake
	}
}

// next takes the oldest line, whose time is zero if there is none.
func (d *desk) next() (l line, lost int64, ended bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.lines) == 0 {
		return line{}, 0, d.closed
	}
	l, lost = d.lines[0], d.lost
	d.lines, d.lost = slices.Delete(d.lines, 0, 1), 0
	return l, lost, false
}

// hand gives a line to the user's handler. Errors become text here, and text is made fit for a log: some of it comes from the
// network.
func (d *desk) hand(r slog.Record) {
	ctx := context.Background()
	if !d.handler.Enabled(ctx, r.Level) {
		return
	}
	fitted := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		fitted.AddAttrs(fit(a))
		return true
	})
	_ = d.handler.Handle(ctx, fitted) // there is nobody to tell
}

// fit makes an error or another value into text, and text printable and short.
func fit(a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, protocol.ShownText(a.Value.String()))
	case slog.KindAny:
		return slog.String(a.Key, protocol.ShownText(fmt.Sprint(a.Value.Any())))
	}
	return a
}

// An intake brings to the desk what is logged by a [slog.Logger].
type intake struct {
	desk  *desk
	attrs []slog.Attr
}

func (in intake) Enabled(context.Context, slog.Level) bool { return true }

func (in intake) Handle(_ context.Context, r slog.Record) error {
	r = r.Clone()
	r.AddAttrs(in.attrs...)
	about := subject{text: r.Message}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "addr" {
			about.name = a.Value.String()
		}
		return true
	})
	in.desk.count(line{r, about})
	return nil
}

func (in intake) WithAttrs(attrs []slog.Attr) slog.Handler {
	return intake{in.desk, slices.Concat(in.attrs, attrs)}
}

// WithGroup is not used.
func (in intake) WithGroup(string) slog.Handler { return in }
