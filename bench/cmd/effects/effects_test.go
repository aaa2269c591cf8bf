package main

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/bench/driver"
	"github.com/epistle-kafka/epistle/brokertest"
)

const guide = "../../../docs/tuning.md"

// figure matches what differs from run to run.
var figure = regexp.MustCompile(`[0-9]+(?:[.,][0-9]+)*`)

// shape is a block without its figures: of a table the first column, which has settings, stays as it is.
func shape(block string) string {
	var b strings.Builder
	for line := range strings.Lines(block) {
		cells := strings.SplitN(line, "|", 3)
		if len(cells) == 3 {
			b.WriteString("|" + cells[1] + "|" + figure.ReplaceAllString(strings.ReplaceAll(cells[2], "–", "0"), "#"))
		}
	}
	return b.String()
}

// The page has the tables that this program writes, with these columns and these rows, whatever the figures are.
func TestThePageIsWhatTheProgramWrites(t *testing.T) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for i := range tables {
		tb := &tables[i]
		rows, err := tb.measure(2, func(tb *table, c *effect) (figures, error) {
			f := some
			if c != &tb.effects[0] { // all others differ from the first
				f.Rate, f.CPU = 2*f.Rate, 2*f.CPU
			}
			return f, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := tb.render(rows)
		if _, err := placed(page, tb.name, want); err != nil {
			t.Fatal(err)
		}
		begin, end := markers(tb.name)
		_, rest, _ := strings.Cut(page, begin)
		got, _, _ := strings.Cut(rest, end)
		if shape(got) != shape(want) {
			t.Errorf("the page's table %s has the form\n%swant\n%s", tb.name, shape(got), shape(want))
		}
	}
	begin, end := markers(conditions)
	_, rest, _ := strings.Cut(page, begin)
	got, _, _ := strings.Cut(rest, end)
	if !strings.HasPrefix(got, "Measured by `bin/bench/effects` on ") {
		t.Errorf("the page does not say what it was measured by: %q", got)
	}
}

var some = figures{
	Rate: 1_234_567, CPU: 95.4, Share: 55, Allocations: 1, Wire: 101.3, PerBatch: 160, PerRequest: 1700, Requests: 720, Memory: 48.2,
	P50: 1.25, P99: 12.5, Commit: 1.4,
}

func TestFiguresHaveTheDigitsThatTheyAreWorth(t *testing.T) {
	for want, f := range map[string]float64{"1,230,000": 1_234_567, "12,300": 12_345, "1,030": 1_031.4, "123": 123.4, "1.2": 1.23, "0": 0, "100,000": 100_000} {
		if got := text(f); got != want {
			t.Errorf("%v is written %s, want %s", f, got, want)
		}
	}
	r := row{mine: []figures{{Rate: 10}, {Rate: 30}, {Rate: 8}}, first: []figures{{Rate: 10}, {Rate: 10}, {Rate: 10}}}
	if got := faster.show(r); got != "1.00 × (0.80…3.00)" {
		t.Errorf("the ratio is %s", got)
	}
	if got := faster.show(row{mine: r.mine, first: r.mine}); got != "1" {
		t.Errorf("the ratio of the first row is %s", got)
	}
}

// A table with a case that fails has no figures.
func TestACaseThatFails(t *testing.T) {
	broken := errors.New("broken")
	_, err := tables[0].measure(1, func(_ *table, c *effect) (figures, error) {
		if c.way == "sync" {
			return figures{}, broken
		}
		return some, nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("the table is %v, want that it is broken", err)
	}
	if _, err := placed("no markers", "linger", "text"); err == nil {
		t.Error("a page without a place takes a table")
	}
}

// Every case runs, with settings that a producer takes, and its columns have figures.
func TestEveryCaseRuns(t *testing.T) {
	values := t.TempDir()
	for i := range tables {
		tb := &tables[i]
		t.Run(tb.name, func(t *testing.T) {
			c := brokertest.New(t, brokertest.Topic("load", 12))
			rows, err := tb.measure(1, func(_ *table, e *effect) (figures, error) {
				m := &machine{options: &options{}, values: values}
				few := *e
				few.many = false
				file, err := m.file(&few)
				if err != nil {
					return figures{}, err
				}
				return e.run(strings.Join(c.Bootstrap(), ","), file, 10*time.Millisecond, 30*time.Millisecond)
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				f := r.mine[0]
				if strings.HasPrefix(r.what, "`topic.SendFunc`, one") && f.Allocations > 0.5 {
					t.Errorf("%s: %.2f allocations a record: they are this program's own", r.what, f.Allocations)
				}
				if f.Rate <= 0 || f.CPU <= 0 && driver.CPUTime() > 0 || f.Wire <= 0 || f.PerBatch < 1 || f.PerRequest < 1 {
					t.Errorf("%s: %+v", r.what, f)
				}
			}
		})
	}
}
