package produce

import (
	"io"

	"github.com/epistle-kafka/epistle/producer"
)

// What has become of a line. Whoever settles a line writes it, and write reads it.
const (
	pending   uint32 = iota // also of a line that is not in use
	delivered               // nothing has to be kept of it
	failed                  // it goes to the file in its turn
)

// order has the blocks that are in use, in the order in which they were read. undelivered.mu guards it.
type order struct{ first, last *block }

func (o *order) push(b *block) {
	b.before, b.after, b.written = o.last, nil, 0
	if o.last == nil {
		o.first = b
	} else {
		o.last.after = b
	}
	o.last = b
}

func (o *order) remove(b *block) {
	if b.before == nil {
		o.first = b.after
	} else {
		b.before.after = b.after
	}
	if b.after == nil {
		o.last = b.before
	} else {
		b.after.before = b.before
	}
	b.before, b.after = nil, nil
}

// next returns the next line to write, if all lines that were read before it have their outcome; or nil.
func (o *order) next() *line {
	for b := o.first; b != nil; b = b.after {
		for ; b.written < len(b.lines); b.written++ {
			switch l := &b.lines[b.written]; l.outcome.Load() {
			case pending:
				return nil
			case failed:
				b.written++
				return l
			}
		}
	}
	return nil
}

// taken notes that the reader goes on in a block.
func (u *undelivered) taken(b *block) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.order.push(b)
}

// freed notes that nothing of a block has to be kept any more.
func (u *undelivered) freed(b *block) {
	u.mu.Lock()
	u.order.remove(b)
	if u.fewer != nil {
		close(u.fewer)
		u.fewer = nil
	}
	u.mu.Unlock()
	u.advance()
}

// passed notes that a line is delivered. The line may be in use for another one when it returns.
func (u *undelivered) passed(l *line) {
	l.outcome.Store(delivered)
	l.block.release()
	if u.waiting.Load() > 0 {
		u.advance()
	}
}

// advance writes the lines whose turn has come. A line that failed waits for those that were read before it, since its file is to
// be in their order. Its block is held as long, so that the pool bounds how many lines wait. None of them waits for ever: whatever
// was read before ends by itself.
func (u *undelivered) advance() {
	u.mu.Lock()
	var done []*block // for each line that was written
	for l := u.order.next(); l != nil; l = u.order.next() {
		u.write(l)
		u.waiting.Add(-1)
		done = append(done, l.block)
	}
	u.stopIfFull()
	u.mu.Unlock()
	for _, b := range done {
		b.release()
	}
}

// rescue writes all lines that have failed, though lines before them have no outcome yet. It is for a process that ends at once:
// their blocks stay in use.
func (u *undelivered) rescue() {
	u.mu.Lock()
	for b := u.order.first; b != nil; b = b.after {
		for i := b.written; i < len(b.lines); i++ {
			if l := &b.lines[i]; l.outcome.Load() == failed {
				u.write(l)
				u.waiting.Add(-1)
				l.outcome.Store(delivered) // it is not written again
			}
		}
	}
	u.mu.Unlock()
	u.endLong(errStopped)
	u.flush()
}

// alone waits until no line is left of those that were read, but for the block of the reader. It reports false if stop comes first.
func (u *undelivered) alone(stop <-chan struct{}) bool {
	for {
		u.mu.Lock()
		if u.order.first == u.order.last {
			u.mu.Unlock()
			return true
		}
		if u.fewer == nil {
			u.fewer = make(chan struct{})
		}
		fewer := u.fewer
		u.mu.Unlock()
		select {
		case <-fewer:
		case <-stop:
			return false
		}
	}
}

// longLine is a line that is written while it is read. No other line is under way then.
type longLine struct {
	to     *undelivered
	topic  string
	source *source
	number int64
	err    error
	begins []byte
	length int64
}

// addLong keeps a line that copy writes. alone has to have returned true.
func (u *undelivered) addLong(source *source, number int64, err *producer.AdmissionError, copy func(io.Writer) error) (copyErr error) {
	l := &longLine{to: u, topic: err.Topic, source: source, number: number, err: err}
	u.mu.Lock()
	u.keep()
	u.long = l
	u.mu.Unlock()
	copyErr = copy(l) // which may wait for the input, and holds no lock then
	u.endLong(copyErr)
	return copyErr
}

// Write passes on a part of the line, and keeps the beginning.
func (l *longLine) Write(b []byte) (int, error) {
	u := l.to
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.long != l {
		return len(b), nil // it was ended, as reading was
	}
	if room := maxExcerpt - len(l.begins); room > 0 {
		l.begins = append(l.begins, b[:min(room, len(b))]...)
	}
	l.length += int64(len(b))
	return u.lines.Write(b)
}

// endLong ends the line that addLong has begun, if there is one. cut is why reading has ended inside of it, or nil.
func (u *undelivered) endLong(cut error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	l := u.long
	if l == nil {
		return
	}
	u.long = nil
	if cut != nil {
		l.err = cutOff(l.topic, cut)
	}
	why, fate := u.tally(l.source, l.number, l.err)
	if u.reasons == nil || !u.named {
		u.show(l.source, l.number, l.begins, l.length, l.err, why)
	}
	io.WriteString(u.lines, "\n")
	u.explain(l.source, l.number, fate, why)
	u.stopIfFull()
}
