package produce

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/cli"
	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
	"github.com/epistle-kafka/epistle/producer"
)

// undelivered keeps lines that were not acknowledged. They go, as they were read, to a file that can be sent again, and their
// reasons to another file beside it. If no file is named, the first few are shown. Further ones, or longer ones, are kept in a
// file of our own choice. So the output on the screen is bounded, and no line is dropped.
type undelivered struct {
	env     *cli.Env
	sources []*source
	most    int64         // lines that may fail before reading stops; 0: any number
	enough  chan struct{} // closed when reading is to stop
	waiting atomic.Int64  // lines that failed and have not had their turn
	givenUp atomic.Bool   // by the user: that is why the producer is closed

	mu      sync.Mutex // guards the following and the spools; held while writing
	lines   *spool     // nil: none is named, and so far none is needed
	named   bool       // by the user
	reasons *reasonsFile
	pending []row // of these lines
	files   []*keptFile
	spools  []*spool
	shown   []byte // the lines that were shown and whose turn has come, while there is no file
	excerpt int    // lines that were shown
	stopped bool   // enough is closed

	order order
	fewer chan struct{} // closed when a block is freed; nil: nobody waits
	long  *longLine     // that is being written
	rows  int64         // lines that are written, or shown

	count int64
	maybe int64  // of these, lines that may be in the log all the same, or committed
	doubt string // which of the two
	why   reasons
}

const (
	// reasonsSuffix makes the name of the file with the reasons.
	reasonsSuffix = ".reasons"

	maxShown   = 10      // lines
	maxExcerpt = 200     // bytes of a line
	maxUnasked = 1 << 30 // bytes of a file that nobody has asked for, before reading stops
)

// openUndelivered opens what --failed-to names, which may be "" for the screen and "-" for standard output.
func openUndelivered(ctx context.Context, env *cli.Env, o *options, sources []*source) (*undelivered, error) {
	u := &undelivered{env: env, sources: sources, most: o.maxErrors, enough: make(chan struct{}), named: o.failedTo != ""}
	switch o.failedTo {
	case "":
		return u, nil
	case "-":
		u.lines = u.spool(&spool{env: env, name: "standard output", w: env.Stdout})
		return u, nil
	}
	f, regular, err := openKept(ctx, env, o.failedTo)
	if err != nil {
		return nil, cli.Refused("--failed-to", err)
	}
	u.files = append(u.files, f)
	u.lines = u.spool(&spool{env: env, name: ui.Plain(o.failedTo), w: f})
	if !regular {
		return u, nil // a device or a pipe has no place for another file beside it
	}
	name := o.failedTo + reasonsSuffix
	f, regular, err = openKept(ctx, env, name)
	if err == nil && !regular {
		f.Close()
		err = &os.PathError{Op: "open", Path: name, Err: errNotAFile}
	}
	if err != nil {
		u.close()
		return nil, cli.Refused("--failed-to: the reasons", err)
	}
	u.files = append(u.files, f)
	u.reasons = &reasonsFile{w: u.spool(&spool{env: env, name: ui.Plain(name), w: f})}
	return u, nil
}

func (u *undelivered) spool(s *spool) *spool {
	u.spools = append(u.spools, s)
	return s
}

// add keeps a line, which is written in its turn. Its block is released then.
func (u *undelivered) add(l *line, err error) {
	if u.givenUp.Load() && errors.Is(err, producer.ErrClosed) {
		err = givenUp(err)
	}
	u.mu.Lock()
	l.err = nil
	l.why, l.fate = u.tally(l.source, l.number, err)
	if u.reasons == nil || !u.named {
		u.show(l.source, l.number, l.text, int64(len(l.text)), err, l.why)
	}
	u.waiting.Add(1)
	l.outcome.Store(failed)
	u.mu.Unlock()
	u.advance()
}

// write writes a line and its reason.
func (u *undelivered) write(l *line) {
	if u.lines != nil {
		u.lines.Write(l.text)
		io.WriteString(u.lines, "\n")
	} else {
		u.shown = append(append(u.shown, l.text...), '\n') // whole, or there would be a file
	}
	u.explain(l.source, l.number, l.fate, l.why)
	l.why = nil
}

// stopIfFull stops the reading if enough lines have failed, or if there is no room for more.
func (u *undelivered) stopIfFull() {
	if u.most > 0 && u.count >= u.most || !u.named && slices.ContainsFunc(u.spools, (*spool).over) {
		u.stop()
	}
}

// over says that a file for which nobody has asked takes no more.
func (s *spool) over() bool { return s.lost || s.size > maxUnasked }

// stop stops the reading.
func (u *undelivered) stop() {
	if !u.stopped {
		u.stopped = true
		close(u.enough)
	}
}

// show shows a line on the screen, if it is one of the first, and reports whether nothing more has to be kept of it.
func (u *undelivered) show(source *source, number int64, text []byte, length int64, err error, why *reason) {
	if u.excerpt == maxShown {
		u.excerpt++
		u.env.Say("more lines were not delivered; the summary tells which")
	}
	if u.excerpt > maxShown {
		if !u.named {
			u.keep()
		}
		return
	}
	u.excerpt++
	if why.shown {
		u.env.Say("%s was not delivered: the reason is the same as before", source.at(number))
	} else {
		u.env.Say("%s was not delivered: %v", source.at(number), err)
		why.shown = true
	}
	if u.named {
		return
	}
	line, whole := ui.Excerpt(text, length, maxExcerpt)
	io.WriteString(u.env.Screen, line+"\n")
	if !whole {
		u.keep()
	}
}

// keep returns the file for lines, and opens one if none was named. It begins with the lines that were shown and whose turn has come.
func (u *undelivered) keep() io.Writer {
	if u.lines != nil {
		return u.lines
	}
	f, err := os.CreateTemp("", "epistle-undelivered-*.txt") // of mode 0600
	if err != nil {
		u.env.Say("undelivered lines cannot be kept: %v; --failed-to FILE names a place", ui.OneLine(err))
		u.lines = u.spool(&spool{env: u.env, name: "the screen", w: io.Discard, unasked: true, lost: true})
		return u.lines
	}
	u.files = append(u.files, &keptFile{f, true})
	u.lines = u.spool(&spool{env: u.env, name: f.Name(), w: f, unasked: true})
	u.lines.Write(u.shown)
	u.shown = nil
	u.keepReasons(f.Name() + reasonsSuffix)
	return u.lines
}

// row is what the file of reasons says of a line.
type row struct {
	n      int64 // line of the file
	source *source
	number int64
	fate   string
	why    *reason
}

// keepReasons makes the file of reasons beside one that nobody has named.
func (u *undelivered) keepReasons(name string) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, ownerOnly)
	if err != nil {
		u.env.Say("the reasons cannot be kept: %v; --failed-to FILE names a place", ui.OneLine(err))
		u.pending = nil
		return
	}
	u.files = append(u.files, &keptFile{f, true})
	u.reasons = &reasonsFile{w: u.spool(&spool{env: u.env, name: name, w: f, unasked: true})}
	for _, r := range u.pending {
		u.reasons.add(r.n, r.source, r.number, r.fate, r.why)
	}
	u.pending = nil
}

// tally counts a line.
func (u *undelivered) tally(source *source, number int64, err error) (*reason, string) {
	u.count++
	fate, doubt := fate(err)
	if doubt != "" {
		u.maybe++
		u.doubt = doubt
	}
	why := u.why.of(err)
	why.count++
	why.lines.add(source, number)
	return why, fate
}

// explain writes the reason of the next line of the file to its own file.
func (u *undelivered) explain(source *source, number int64, fate string, why *reason) {
	u.rows++
	switch {
	case u.reasons != nil:
		u.reasons.add(u.rows, source, number, fate, why)
	case !u.named && u.lines == nil:
		u.pending = append(u.pending, row{u.rows, source, number, fate, why})
	}
}

// flush brings everything to its files.
func (u *undelivered) flush() {
	u.advance()
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.reasons != nil {
		u.reasons.row()
	}
	for _, s := range u.spools {
		s.flush()
	}
}

// close ends the files. Those that were made for nothing are removed.
func (u *undelivered) close() {
	u.flush()
	for _, f := range u.files {
		if err := f.end(); err != nil {
			u.env.Say("%v", ui.OneLine(err))
		}
	}
	u.files = nil
}

// report prints where lines were kept, for the summary.
func (u *undelivered) report(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count == 0 {
		return
	}
	const shown, ranges = 5, 8
	for i, why := range u.why.byCount() {
		if i == shown {
			u.env.Say("  and for %s", ui.Number(int64(len(u.why.list)-shown), "other reason"))
			break
		}
		u.env.Say("  %s not delivered: %s (%s)", ui.Number(why.count, "line"), why.text, why.lines.where(u.sources, ranges))
	}
	switch {
	case name == "-":
	case name != "" && u.reasons != nil:
		u.env.Say("  the lines are in %s, the reasons in %s", ui.Plain(name), ui.Plain(name+reasonsSuffix))
	case name != "":
		u.env.Say("  the lines went to %s", ui.Plain(name))
	case u.reasons != nil && !slices.ContainsFunc(u.spools, func(s *spool) bool { return s.lost }):
		u.env.Say("  all of these lines are in %s, the reasons in %s; --failed-to FILE keeps them where you want them", u.lines.name, u.lines.name+reasonsSuffix)
	case u.lines != nil && !u.lines.lost:
		u.env.Say("  all of these lines are in %s; --failed-to FILE keeps them where you want them", u.lines.name)
	}
	if u.maybe > 0 {
		u.env.Say("  %s of them may be %s all the same: to send them again may write them twice", ui.Count(u.maybe), u.doubt)
	}
}

// failed returns how many lines were kept.
func (u *undelivered) failed() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.count
}
