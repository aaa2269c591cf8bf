package producer_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// A journal is a log handler that keeps what it is told.
type journal struct {
	began time.Time
	mu    sync.Mutex
	lines []logLine
}

type logLine struct {
	at    time.Duration // since the journal began
	level slog.Level
	text  string
	attrs map[string]slog.Value
}

func newJournal() *journal { return &journal{began: time.Now()} }

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { panic("not used") }
func (j *journal) WithGroup(string) slog.Handler            { panic("not used") }

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	l := logLine{at: r.Time.Sub(j.began), level: r.Level, text: r.Message, attrs: map[string]slog.Value{}}
	r.Attrs(func(a slog.Attr) bool { l.attrs[a.Key] = a.Value; return true })
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, l)
	return nil
}

// all returns the lines; the handler has been told of all that has happened.
func (j *journal) all() []logLine {
	synctest.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// of returns the lines with that text.
func (j *journal) of(text string) []logLine {
	return slices.DeleteFunc(j.all(), func(l logLine) bool { return l.text != text })
}

// logs has a producer write to j.
func (j *journal) logs(cfg *producer.Config) { cfg.Logger = slog.New(j) }

func (l logLine) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%8v %-5v %s", l.at.Round(time.Millisecond), l.level, l.text)
	for _, k := range slices.Sorted(func(yield func(string) bool) {
		for k := range l.attrs {
			if !yield(k) {
				return
			}
		}
	}) {
		fmt.Fprintf(&b, " %s=%v", k, l.attrs[k])
	}
	return b.String()
}

// one returns the only line with that text, which must have the level.
func (j *journal) one(t *testing.T, level slog.Level, text string) logLine {
	t.Helper()
	lines := j.of(text)
	if len(lines) != 1 || lines[0].level != level {
		t.Errorf("the log has %q %d times at the levels %v, want once at %v:\n%v", text, len(lines), lines, level, j)
		return logLine{}
	}
	return lines[0]
}

func (j *journal) String() string {
	var b strings.Builder
	for _, l := range j.all() {
		fmt.Fprintln(&b, l)
	}
	return b.String()
}

// num, word and lasted return attributes, zero if the line has none.
func (l logLine) num(name string) int64 {
	if v := l.attrs[name]; v.Kind() == slog.KindInt64 {
		return v.Int64()
	}
	return 0
}

func (l logLine) word(name string) string { return l.attrs[name].String() }

func (l logLine) lasted() time.Duration {
	if v := l.attrs["lasted"]; v.Kind() == slog.KindDuration {
		return v.Duration()
	}
	return 0
}
