package producer_test

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
)

// logStories provoke the lines of the log. Each says what it expects.
var logStories = map[string]func(t *testing.T, j *journal){}

// The lines that docs/log.md lists are those that the stories provoke, with these levels and attributes.
func TestTheLogIsWhatTheDocsSay(t *testing.T) {
	listed := linesOfTheDocs(t)
	provoked := map[string]bool{}
	told := 0
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range logStories {
			if !yield(name) {
				return
			}
		}
	}) {
		t.Run(name, func(t *testing.T) {
			told++
			bubble(t, func(t *testing.T) {
				j := newJournal()
				t.Cleanup(func() { // after the producers' Close
					for _, l := range j.all() {
						provoked[l.text] = true
						doc, ok := listed[l.text]
						if !ok || doc.level != l.level.String() {
							t.Errorf("docs/log.md has no such line, or of another level: %v", l)
						}
						for name := range l.attrs {
							if name != "repeated" && !slices.Contains(doc.attrs, name) {
								t.Errorf("docs/log.md lacks the attribute %s of this line: %v", name, l)
							}
						}
					}
					if t.Failed() || testing.Verbose() {
						t.Logf("the log:\n%v", j)
					}
				})
				logStories[name](t, j)
			})
		})
	}
	if t.Failed() || told < len(logStories) {
		return
	}
	for text := range listed {
		if !provoked[text] && text != "log lines were lost" { // which sender's tests provoke
			t.Errorf("no story provokes %q", text)
		}
	}
}

type docLine struct {
	level string
	attrs []string
}

func linesOfTheDocs(t *testing.T) map[string]docLine {
	text, err := os.ReadFile("../docs/log.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- lines:begin -->\n")
	table, _, _ := strings.Cut(rest, "<!-- lines:end -->")
	lines := map[string]docLine{}
	for _, row := range strings.Split(strings.TrimSpace(table), "\n")[2:] {
		cells := strings.Split(row, "|")
		lines[strings.Trim(cells[1], " `")] = docLine{strings.TrimSpace(cells[2]), strings.Fields(strings.ReplaceAll(cells[3], "`", " "))}
	}
	return lines
}

// few fails if there are more lines than that, Debug aside.
func (j *journal) few(t *testing.T, most int) {
	t.Helper()
	lines := slices.DeleteFunc(j.all(), func(l logLine) bool { return l.level < slog.LevelInfo })
	if len(lines) > most {
		t.Errorf("the log has %d lines, want %d at most", len(lines), most)
	}
}

// none fails if there is a line with that text.
func (j *journal) none(t *testing.T, text string) {
	t.Helper()
	if n := len(j.of(text)); n > 0 {
		t.Errorf("the log has %q %d times, want never", text, n)
	}
}

// A handler that hangs holds up neither records nor connections nor Close.
func TestALogHandlerThatHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		c := brokertest.New(t, brokertest.InMemory(), brokertest.Topic("t", 3))
		p := start(t, c, func(cfg *producer.Config) { cfg.Logger = slog.New(hangs{slog.DiscardHandler, release}) })
		began := time.Now()
		for range 100 {
			send(t, p, record("x"))
			c.CutConnections(1, false)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("100 records took %v", took)
		}
		began = time.Now()
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("Close took %v", took)
		}
	})
}

type hangs struct {
	slog.Handler
	release chan struct{}
}

func (h hangs) Enabled(context.Context, slog.Level) bool { <-h.release; return false }
