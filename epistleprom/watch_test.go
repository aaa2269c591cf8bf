package epistleprom

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// named matches the metrics in an expression, and in a text.
var named = regexp.MustCompile(`kafka_producer_[a-z_]+`)

// shown are the names that a scrape shows, with what histograms make of theirs.
func shown() map[string]bool {
	all := map[string]bool{}
	for _, m := range metrics {
		name := "kafka_producer_" + m.name
		for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
			all[name+suffix] = true
		}
	}
	return all
}

// The dashboard and the alert rules ask for nothing that is not there.
func TestWhatIsWatchedIsThere(t *testing.T) {
	there := shown()
	for _, file := range []string{"dashboard.json", "alerts.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := named.FindAllString(string(text), -1)
		if len(names) < 10 {
			t.Errorf("%s has %d metrics", file, len(names))
		}
		for _, name := range names {
			if !there[name] {
				t.Errorf("%s asks for %s, which there is not", file, name)
			}
		}
	}
}

func TestTheDashboardIsOne(t *testing.T) {
	text, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Title  string
		Panels []struct {
			ID                       int
			Type, Title, Description string
			GridPos                  struct{ X, Y, W, H int }
			Targets                  []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	seen, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if seen[p.ID] {
			t.Errorf("%s has the id of another panel", p.Title)
		}
		seen[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := taken[at]; other != "" || at[0] >= 24 {
					t.Fatalf("%s lies over %q, or beside the page", p.Title, other)
				}
				taken[at] = p.Title
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			if strings.Count(target.Expr, "(") != strings.Count(target.Expr, ")") || !strings.Contains(target.Expr, `instance=~"$instance"`) {
				t.Errorf("%s: %s", p.Title, target.Expr)
			}
		}
	}
}

// What an alert means is in the documentation, under its name.
func TestEveryAlertIsExplained(t *testing.T) {
	rules, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	alerts := regexp.MustCompile(`(?m)^      - alert: (\w+)$`).FindAllStringSubmatch(string(rules), -1)
	if len(alerts) < 5 {
		t.Fatalf("%d alerts", len(alerts))
	}
	for _, a := range alerts {
		if !strings.Contains(string(page), "| `"+a[1]+"` |") {
			t.Errorf("docs/running.md does not explain %s", a[1])
		}
		if strings.Count(string(rules), "docs/running.md, "+a[1]+".\"") != 1 {
			t.Errorf("%s does not lead to docs/running.md", a[1])
		}
	}
}
