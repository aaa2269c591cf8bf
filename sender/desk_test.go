package sender

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A slowHandler takes a line whenever it is let, and keeps it.
type slowHandler struct {
	let   chan struct{}
	mu    sync.Mutex
	lines []slog.Record
}

func (h *slowHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (h *slowHandler) WithAttrs([]slog.Attr) slog.Handler           { panic("not used") }
func (h *slowHandler) WithGroup(string) slog.Handler                { panic("not used") }

func (h *slowHandler) Handle(_ context.Context, r slog.Record) error {
	<-h.let
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, r)
	return nil
}

func (h *slowHandler) texts() (texts []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.lines {
		text := r.Message
		r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
		texts = append(texts, text)
	}
	return texts
}

// A handler that hangs holds up nobody. When it goes on it is told of every kind of line, and how many are lost.
func TestAHandlerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &slowHandler{let: make(chan struct{})}
		d := newDesk(h)
		go d.run()
		tell := func(h *headline, broker int32) {
			d.put(line{h.record(time.Now(), slog.Int("broker", int(broker))), subject{text: h.text, broker: broker}})
		}
		tell(lineConnected, 1)
		synctest.Wait() // the handler has it, and hangs
		for i := range 2000 {
			tell(lineCannotConnect, int32(i%10))
			if i%200 == 0 {
				tell(lineLost, int32(i))
			}
		}
		d.close(line{lineClosed.record(time.Now()), subject{text: lineClosed.text}})
		close(h.let)
		<-d.done
		told := h.texts()
		count := func(text string) (n int) {
			for _, l := range told {
				if strings.HasPrefix(l, text) {
					n++
				}
			}
			return n
		}
		if len(told) > deskSize+3 {
			t.Errorf("%d lines were kept, want %d at most", len(told), deskSize+3)
		}
		if n := count("connection lost"); n != 10 {
			t.Errorf("%d lines of their kind are left, want all 10: only repeats give way", n)
		}
		lost := 2000 + 10 + 1 - deskSize
		if want := "log lines were lost count=" + strconv.Itoa(lost); told[1] != want {
			t.Errorf("second is %q, want %q", told[1], want)
		}
		if last := told[len(told)-1]; last != "closed" {
			t.Errorf("the last line is %q", last)
		}
	})
}

// What the network says is told in print, and not at any length.
func TestTheLogIsPrintable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &slowHandler{let: make(chan struct{})}
		close(h.let)
		d := newDesk(h)
		go d.run()
		evil := "evil\x1b]0;title\a\r\nlevel=ERROR forged" + strings.Repeat("ä", 1<<15)
		d.put(line{lineLost.record(time.Now(), slog.String("addr", evil), slog.Any("err", errors.New(evil))), subject{}})
		d.put(line{slog.NewRecord(time.Now(), slog.LevelDebug, "not enabled", 0), subject{}})
		d.close(line{lineClosed.record(time.Now()), subject{}})
		<-d.done
		told := h.texts()
		if len(told) != 2 || len(told[0]) > 10_000 || strings.ContainsAny(told[0], "\x1b\a\r\n") {
			t.Errorf("the log has %q", told)
		}
	})
}

// One who logs about each record is counted.
func TestWarningsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &slowHandler{let: make(chan struct{})}
		close(h.let)
		d := newDesk(h)
		go d.run()
		log := slog.New(intake{desk: d})
		for range 1000 {
			log.Warn("again")
		}
		time.Sleep(firstPace)
		log.Warn("again")
		log.Warn("again")
		d.close(line{lineClosed.record(time.Now()), subject{}})
		<-d.done
		told := strings.Join(h.texts(), "|")
		if want := strings.Repeat("again|", burst) + "again repeated=995|again|closed"; told != want {
			t.Errorf("the log has %q, want %q", told, want)
		}
	})
}
