package page

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
)

// With -pictures the pictures of the documentation are made anew.
var pictures = flag.Bool("pictures", false, "write docs/perf-light.png, docs/perf-dark.png and docs/perf-phone.png")

// wantCharts are the charts of a run in which something was sent again.
var wantCharts = []string{
	"Records acknowledged a second", "Latency over time", "Bytes written a second", "Bytes of a batch", "Records in flight", "Memory", "CPU", "Trouble", "Latency by share of records",
}

// A report is legible in light and dark, on a wide screen and a narrow one, and loads nothing.
func TestTheReportOfPerf(t *testing.T) {
	program := browser(t)
	file, page := reportOfARun(t)
	backgrounds := map[bool]string{}
	for _, v := range []view{
		{"light", 1280, 1500, false}, {"dark", 1280, 1500, true}, {"phone", 500, 2600, true}, {"phone, light", 500, 2600, false},
	} {
		t.Run(v.name, func(t *testing.T) {
			m := v.measure(t, program, page)
			backgrounds[v.dark] = m.Background
			if m.Requests > 0 {
				t.Errorf("it made %d requests, want none", m.Requests)
			}
			if m.Width > m.Screen || len(m.Outside) > 0 {
				t.Errorf("it is %v wide on a screen of %v; outside: %q", m.Width, m.Screen, m.Outside)
			}
			if len(m.Faint) > 0 {
				t.Errorf("hard to read: %q", m.Faint)
			}
			var titles []string
			for _, c := range m.Charts {
				titles = append(titles, c.Title)
				c.check(t)
			}
			for _, want := range wantCharts {
				if !slices.Contains(titles, want) {
					t.Errorf("there is no chart %q among %q", want, titles)
				}
			}
			picture := filepath.Join(t.TempDir(), "page.png")
			if name := map[string]string{"light": "perf-light.png", "dark": "perf-dark.png", "phone": "perf-phone.png"}[v.name]; *pictures && name != "" {
				picture, _ = filepath.Abs(filepath.Join("..", "..", "docs", name))
			}
			v.height = int(m.Height)
			v.picture(t, program, file, picture)
		})
	}
	if backgrounds[true] == backgrounds[false] {
		t.Errorf("light and dark are the same: %v", backgrounds)
	}
}

func (c *chart) check(t *testing.T) {
	t.Helper()
	if len(c.Overlap) > 0 || len(c.Outside) > 0 || len(c.Faint) > 0 {
		t.Errorf("%s: texts over each other: %q; outside: %q; hard to see: %q", c.Title, c.Overlap, c.Outside, c.Faint)
	}
	if c.Smallest < 11 { // the height of a line of text
		t.Errorf("%s: text is %.1f pixels high", c.Title, c.Smallest)
	}
	if c.Width < 280 || c.Height < 150 {
		t.Errorf("%s: it is %.0f by %.0f", c.Title, c.Width, c.Height)
	}
	widest := 0.0
	for _, l := range c.Lines {
		widest = max(widest, l.Width)
	}
	if widest < c.Width/3 {
		t.Errorf("%s: no line is longer than %.0f of %.0f", c.Title, widest, c.Width)
	}
}

// reportOfARun has `epistle perf` make a report, of a cluster that falters in the middle.
func reportOfARun(t *testing.T) (file string, page []byte) {
	t.Helper()
	epistle := filepath.Join(t.TempDir(), "epistle")
	build := exec.Command("go", "build", "-o", epistle, "./cmd/epistle")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	c := brokertest.New(t, brokertest.Topic("load", 6))
	go func() { // ends with the test
		select {
		case <-time.After(1500 * time.Millisecond):
			c.On(brokertest.Produce).Times(3).Do(brokertest.Drop())
		case <-t.Context().Done():
		}
	}()
	file = filepath.Join(t.TempDir(), "report.html")
	cmd := exec.Command(epistle, "perf", "-b", strings.Join(c.Bootstrap(), ","), "-t", "load", "--rate", "20000", "-n", "80000", "--report", file, "--json")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("epistle perf: %v\n%s", err, errs.Bytes())
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	checkData(t, page, out.Bytes())
	return file, page
}

// checkData demands that programs find in the page what --json prints.
func checkData(t *testing.T, page, printed []byte) {
	t.Helper()
	found := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindSubmatch(page)
	if found == nil {
		t.Fatal("the page has no data")
	}
	var inPage, inLine map[string]any
	if err := json.Unmarshal(found[1], &inPage); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(printed, &inLine); err != nil {
		t.Fatal(err)
	}
	for name, want := range inLine {
		if inPage[name] != want {
			t.Errorf("the page says %s = %v, --json says %v", name, inPage[name], want)
		}
	}
}
