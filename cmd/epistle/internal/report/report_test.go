package report

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func plain(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// texts are those of an axis, from its beginning to its end.
func texts(a Axis, values ...float64) string {
	c := Chart{Lines: []Line{{}}}
	for _, v := range values {
		c.Lines[0].Points = append(c.Lines[0].Points, Point{v, v})
	}
	s := c.scale(a, func(p Point) float64 { return p.Y })
	all := make([]string, len(s.ticks))
	for i, tick := range s.ticks {
		all[i] = tick.text
		if at := s.share(tick.at); i > 0 && at <= s.share(s.ticks[i-1].at) {
			all[i] += " (not after the one before)"
		}
	}
	return strings.Join(all, " ")
}

func TestTicksAreRound(t *testing.T) {
	linear, zero, log := Axis{Format: plain}, Axis{Format: plain, Zero: true}, Axis{Kind: Log, Format: plain}
	for _, test := range []struct {
		axis   Axis
		values []float64
		want   string
	}{
		{zero, []float64{3, 97}, "0 50 100"},
		{zero, []float64{0, 0}, "0 0.5 1"},
		{zero, []float64{900_000, 1_100_000}, "0 5e+05 1e+06 1.5e+06"},
		{zero, []float64{0.31}, "0 0.1 0.2 0.3 0.4"},
		{linear, []float64{0.05, 9.95}, "5"},
		{linear, []float64{0, 10}, "0 5 10"},
		{linear, []float64{7}, "7 7.5 8"},
		{log, []float64{3, 30}, "2 5 10 20 50"},
		{log, []float64{3, 3000}, "1 10 100 1000 1e+04"},
		{log, []float64{0, 5}, "5 10"},
		{log, []float64{0, 0}, "1 2"},
		{log, []float64{200}, "200"},
		{Axis{Kind: Quantile, Format: plain}, []float64{0.5, 0.99}, "0 0.9 0.99 0.999 0.9999"},
	} {
		if got := texts(test.axis, test.values...); got != test.want {
			t.Errorf("%v of kind %v: %q, want %q", test.values, test.axis.Kind, got, test.want)
		}
	}
}

var number = regexp.MustCompile(`(NaN|Inf)`)

// A line is drawn up to a gap, and goes on after it; a point alone is a dot.
func TestGaps(t *testing.T) {
	c := Chart{Title: "of what", X: Axis{Format: plain}, Y: Axis{Format: plain, Zero: true}, Lines: []Line{
		{Name: "a", Points: []Point{{0, 1}, {1, 2}, {2, math.NaN()}, {3, 5}, {4, math.NaN()}, {5, 1}, {6, 1}}},
		{Name: "none", Points: []Point{{0, math.NaN()}}},
	}}
	d := c.draw()
	if got := d.Lines[0]; len(got.Runs) != 2 || len(got.Dots) != 1 {
		t.Errorf("%d runs and %d dots, want 2 and 1: %+v", len(got.Runs), len(got.Dots), got)
	}
	if want := "of what: a from 1 to 5"; d.Alt != want {
		t.Errorf("in words %q, want %q", d.Alt, want)
	}
	for _, l := range d.Lines {
		if all := strings.Join(l.Runs, " "); number.MatchString(all) {
			t.Errorf("points that no browser can place: %s", all)
		}
	}
}

// A page asks for nothing, whatever is in it, and nothing in it can command it.
func TestAPageAsksForNothing(t *testing.T) {
	bad := `</script><img src="http://example.test/x" onerror="alert(1)"><!--`
	p := Page{
		Title: bad, Subtitle: bad, Figures: []Figure{{bad, bad, bad}},
		Charts: []Chart{
			{Title: bad, Note: bad, X: Axis{Format: plain}, Y: Axis{Format: func(float64) string { return bad }}, Lines: []Line{{bad, []Point{{0, 1}, {1, 2}}}}},
			{Title: "nothing to draw", Lines: []Line{{Name: "nothing"}}},
		},
		Tables: []Table{{bad, []Row{{bad, bad}}}},
		Data:   map[string]string{"bad": bad},
	}
	var b strings.Builder
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, never := range []string{"<img", "onerror=\"alert", "nothing to draw"} {
		if strings.Contains(text, never) {
			t.Errorf("the page has %q", never)
		}
	}
	for _, asks := range []string{`<link`, `<script src`, `@import`, `url(`} {
		if strings.Contains(text, asks) {
			t.Errorf("the page asks for something with %q", asks)
		}
	}
	_, data, _ := strings.Cut(text, `id="data">`)
	data, _, _ = strings.Cut(data, "</script>")
	var got map[string]string
	if err := json.Unmarshal([]byte(data), &got); err != nil || got["bad"] != bad {
		t.Errorf("the data is %q, %v", data, err)
	}
}
