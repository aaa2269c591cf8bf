package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/cmd/epistle/internal/ui"
)

// warnings is the logger of a command's producer. It shows what goes wrong while records are tried again, above the line of
// progress. A message that repeats itself is shown once in a while.
type warnings struct {
	env    *Env
	prefix string // of attributes, by WithAttrs and WithGroup
	attrs  string
	shared *warned
}

// warned is what all loggers of a command have said.
type warned struct {
	mu    sync.Mutex // guards the following; not held while writing
	last  map[string]time.Time
	since time.Time // of the period that count is for
	count int       // lines of this period
}

const (
	warnAgain  = 30 * time.Second // the same words
	warnPeriod = 10 * time.Second
	warnMost   = 10 // lines of a period
	warnKnown  = 1000
)

// newLogger returns a logger that shows warnings and worse.
func newLogger(env *Env) *slog.Logger {
	return slog.New(&warnings{env: env, shared: &warned{last: make(map[string]time.Time)}})
}

func (w *warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (w *warnings) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(w.attrs)
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "err" || a.Key == "error" {
			text += ": " + a.Value.String() // why comes first
		} else {
			appendAttr(&b, w.prefix, a)
		}
		return true
	})
	if b.Len() > 0 {
		text += " (" + strings.TrimPrefix(b.String(), ", ") + ")"
	}
	say, more := w.shared.may(text, time.Now())
	if say {
		w.env.Say("warning: %s", ui.Line(text))
	} else if more {
		w.env.Say("more warnings follow each other than are shown")
	}
	return nil
}

// may reports whether a text is to be shown now. If not, more says whether it is the first one in its period that is left out.
func (w *warned) may(text string, now time.Time) (say, more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last, ok := w.last[text]; ok && now.Sub(last) < warnAgain {
		return false, false
	}
	if now.Sub(w.since) >= warnPeriod {
		w.since, w.count = now, 0
	}
	w.count++
	if w.count > warnMost {
		return false, w.count == warnMost+1
	}
	if len(w.last) >= warnKnown {
		clear(w.last)
	}
	w.last[text] = now
	return true, false
}

func appendAttr(b *strings.Builder, prefix string, a slog.Attr) {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, in := range value.Group() {
			appendAttr(b, prefix, in)
		}
		return
	}
	switch {
	case a.Key == "":
	case value.Kind() == slog.KindTime:
		fmt.Fprintf(b, ", %s%s: %s", prefix, a.Key, value.Time().Local().Format(time.TimeOnly))
	default:
		fmt.Fprintf(b, ", %s%s: %s", prefix, a.Key, value)
	}
}

func (w *warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	b.WriteString(w.attrs)
	for _, a := range attrs {
		appendAttr(&b, w.prefix, a)
	}
	with := *w
	with.attrs = b.String()
	return &with
}

func (w *warnings) WithGroup(name string) slog.Handler {
	with := *w
	if name != "" {
		with.prefix += name + "."
	}
	return &with
}
